"""Documents as texts: `formats` is the table of what is read, with one file for each format.

A reader takes the bytes of a file and its name for errors. It unpacks nothing to disk, follows no
link or reference, and refuses what unpacks to too much.
"""

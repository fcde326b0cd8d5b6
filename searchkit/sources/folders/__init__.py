"""Folders, zips and single documents; begin in `submissions.py`.

`members` lists and reads their files, `roles` finds out which folders are authors or questions, and
`submissions` makes answers of the files.
"""

"""Results for a terminal and for files: tables, records, JSON, CSV.

One file for each topic; `console.py` and `files.py` are what they share.
"""

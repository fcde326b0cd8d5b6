"""Answers from files: CSV, JSON, workbooks, tables, folders of texts.

Begin in `reader.py`. `files.py` holds the list of formats and the options for reading a file; each
format has a file of its own.
"""

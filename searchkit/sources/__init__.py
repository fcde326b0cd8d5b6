"""Answers from files: CSV, JSON, workbooks, tables, folders of texts.

Begin in `reader.py`; each format has a file of its own.
"""

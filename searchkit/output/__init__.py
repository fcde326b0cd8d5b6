"""Print results in a terminal, and turn them into records and rows for files.

There is a file for each topic. Begin in `search.py`; `console.py` and `files.py` are shared by all.
"""

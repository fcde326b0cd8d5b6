"""The review of findings in `searchkit serve`: a table of all, and one of them at a time.

Begin in `pages.py`, the page; `rows.py` has what the table shows, `filters.py` what its address
says. Its script is in `pages/static/review/`.
"""

"""What people look at: the report as one file, and the templates that `web` shares with it.

Begin in `report.py`. Records become views (`views.py`, `segments.py`, `drawings.py`), which the
templates only lay out.
"""

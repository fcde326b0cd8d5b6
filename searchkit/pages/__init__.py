"""What people look at: the report as one file, and the templates that `web` shares with it.

Begin in `reports/`. Records become views (`views.py`, `segments.py`, `drawings.py`) in which every
text and position is worked out; the templates only lay them out. In `static/`, `colours.css` and
`layout.css` are the look of the report and of all pages, and `serve.css` has what only `web` needs.
"""

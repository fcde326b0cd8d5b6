"""The report: one HTML file and the same as JSON.

Begin in `make.py`, which computes the contents (`records.py`) from an index; `page.py` and
`report_json.py` write them.
"""

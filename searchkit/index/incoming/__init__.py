"""Rows on their way into an index: which stored answer each one is, and which id it gets.

Begin with `answers.py`; `index/ingest.py` is the flow that calls it.
"""

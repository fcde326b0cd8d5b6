"""Suggested marks, their evaluation, an audit of marks, and marks for groups.

Begin in `suggest.py`; `grader.py` is the estimator.
"""

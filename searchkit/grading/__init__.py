"""Suggested marks, their evaluation, an audit of marks, and marks for groups.

Begin in `suggest.py`; what it learns from and how is in `learning/`.
"""

"""Pairs of answers that chance does not explain, with the evidence.

Begin in `find.py`; `detector.py` judges the pairs of one question.
"""

"""What marks are learned from and how: the graded corpus, its features, the estimator.

Begin in `grader.py`; `calibration.py` turns its estimates into marks with a confidence.
"""

"""What to mark next, and what can be promised about the suggestions for the rest.

Begin in `plan.py`; `conformal.py` has the statistics, `coverage.py` the choice of answers.
"""

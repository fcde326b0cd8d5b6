"""Training of a model on pairs of answers.

Begin in `train.py`; `settings.py` says what can be set.
"""

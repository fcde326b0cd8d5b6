"""Training of an embedding model on pairs of answers.

Begin in `train.py`; `settings.py` has the settings, `pairs.py` takes pairs from an index.
"""

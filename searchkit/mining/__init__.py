"""Every pair of vectors whose inner product reaches a threshold, exactly.

Begin in `pairs.py`, which works on an index; `exact.py` takes arrays.
"""

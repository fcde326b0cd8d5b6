"""All pairs of vectors above a threshold, exactly.

Begin in `pairs.py`; `exact.py` takes arrays.
"""

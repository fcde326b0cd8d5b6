"""Groups of answers that say the same, and maps of them.

Begin in `clusters.py`; `methods.py` takes arrays.
"""

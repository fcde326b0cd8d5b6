"""Clusters of answers that say the same, and maps of them.

Begin in `clusters.py`, which works on an index; `methods.py` takes arrays.
"""

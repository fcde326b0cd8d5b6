"""Pairs of answers that are more alike than chance explains, with the evidence.

Begin in `find.py`, which works on an index; `detector.py` decides about the pairs of one question.
"""

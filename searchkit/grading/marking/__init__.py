"""Grading a question to the end by hand: its scale, groups, rubric, and what was changed.

Begin in `changes.py`, which takes an action of a teacher, writes it, and undoes it.
"""

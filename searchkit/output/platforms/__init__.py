"""Marks as files that platforms take back: rows and ids as they gave them, marks filled in.

Begin in `formats.py`, the table of formats. `marks.py` finds the marks, `people.py` sums them, and
each format has a file.
"""

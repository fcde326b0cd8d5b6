"""Copies across languages: answers that say the same in two; begin in `detector.py`."""

"""Cache: what can be computed again from the answers, kept so that it needn't be.

Begin in `sentences.py`; `database.py` is the file.
"""

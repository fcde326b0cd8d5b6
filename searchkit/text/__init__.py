"""Texts as words, sentences, passages, keywords and numbers.

Begin in `words.py` for what is compared to find copies, and in `passages.py` for what is embedded.
"""

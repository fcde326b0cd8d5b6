"""Texts as words, sentences, passages and keywords.

Begin in `words.py` for what is compared to find copies, and in `passages.py` for what is embedded.
"""

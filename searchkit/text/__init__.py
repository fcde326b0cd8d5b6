"""Texts as words, sentences and passages."""

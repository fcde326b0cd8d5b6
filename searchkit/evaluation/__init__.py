"""How good a model is on pairs, on a corpus, and at retrieval.

Begin in `evaluate.py`.
"""

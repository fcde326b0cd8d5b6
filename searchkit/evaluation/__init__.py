"""Evaluation of embedding models on labelled pairs, on a corpus, and at retrieval.

Begin in `evaluate.py`; `comparison.py` compares models, `measures.py` and `retrieval.py` compute
the metrics, and `bootstrap.py` their confidence intervals.
"""

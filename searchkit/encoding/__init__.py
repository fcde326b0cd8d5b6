"""Embedding models: finding, checking, compiling and running them.

Begin in `loading.py`, which loads a model by name; `encoder.py` defines the protocol that every
model implements.
"""

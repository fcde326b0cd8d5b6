"""Searches of many requests at the same time: `search_batches.py` runs them together."""

"""Filters over answers. Begin in `matching.py`; `expression.py` evaluates the SQL of a user."""

"""The pages, rendered on the server. They only read; changes go through the REST interface.

Begin in `routes.py`, which puts them together.
"""

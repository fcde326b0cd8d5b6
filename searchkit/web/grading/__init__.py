"""The grading page of `searchkit serve` and its part of the REST interface.

Begin in `api.py`, the interface, or in `pages.py`, the page.
"""

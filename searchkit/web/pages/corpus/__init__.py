"""The pages about the whole corpus: the start page, and the list of questions.

Begin in `start.py`; what is counted in the background is in `overview.py`.
"""

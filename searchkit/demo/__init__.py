"""The demo corpus: a web-programming course, written for this project; see `corpus.py`."""

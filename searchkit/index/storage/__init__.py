"""The folder of an index: a SQLite database and a FAISS file. Begin in `store.py`."""

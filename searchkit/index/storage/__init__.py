"""The files of an index in a folder: a SQLite database and a FAISS file. Begin in `store.py`."""

"""The SQLite database of an index in a folder, which holds everything. Begin in `store.py`."""

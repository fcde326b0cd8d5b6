"""The vectors in memory, and the FAISS file they are mapped from. Begin in `checkpoint.py`."""

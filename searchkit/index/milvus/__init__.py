"""The same index in Milvus. Begin in `index.py`."""

"""An index in Milvus, on a server or in a file of Milvus Lite. Begin in `index.py`."""

"""The index: answers, passages, vectors and decisions, in a folder or in Milvus.

Begin in `base.py`: what every index promises. `folder.py` keeps it on disk.
"""

"""The index: answers, passages, vectors and decisions, in a folder or in Milvus.

Begin in `backend.py` and `base.py`, the interface of every index; `folder.py` keeps one on disk.
"""

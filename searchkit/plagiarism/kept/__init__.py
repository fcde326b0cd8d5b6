"""What is kept in an index's cache: whole results (`results.py`), and what `compare` needs."""

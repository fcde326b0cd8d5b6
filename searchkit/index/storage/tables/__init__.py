"""Tables of the database whose rows need code of their own. Begin in `rows.py`."""

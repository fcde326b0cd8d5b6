"""Models by their names (`names.py`), and the checks of their folders (`folder.py`)."""

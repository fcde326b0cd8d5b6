"""What the server computes ahead: `ahead.py` starts it, `api.py` tells pages how far it is."""

"""What the server computes ahead, and once for many: `ahead.py` begins it, `api.py` tells of it."""

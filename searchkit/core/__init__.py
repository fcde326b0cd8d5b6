"""What all other folders use: records and results, errors, array types, metrics.

Begin in `records.py` for an answer and a hit, and in `errors.py` for the exceptions.
"""

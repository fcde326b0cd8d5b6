"""What the REST interface accepts and answers, as pydantic models for `/openapi.json`.

`requests.py` has the bodies and the errors; `corpus.py` what is in the index; `analysis.py` what is
computed from it.
"""

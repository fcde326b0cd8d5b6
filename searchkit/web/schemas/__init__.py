"""What the REST interface accepts and returns, as pydantic models for `/openapi.json`.

`requests.py` has the bodies and the errors; `corpus.py` what is in the index; `analysis.py` what is
computed from it. `describe.py` lists all of them for the page `/docs` and the documentation.
"""

"""The local web application over one index: pages for people and a REST interface for programs.

Begin in `app.py`, which puts everything together. `guard.py` checks every request first;
`index_pool.py` lends opened indexes to requests and keeps computed results; `pages.py` and `api.py`
hold the routes.
"""

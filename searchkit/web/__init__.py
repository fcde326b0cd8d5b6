"""The local web application: pages for people and REST for programs, over one index.

Begin in `app.py`. `guard.py` stands before every request; `served.py` lends opened indexes to
requests and keeps results; `pages.py` and `api.py` are the routes.
"""

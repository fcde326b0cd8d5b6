"""One function over many tasks, in this process or on the machines of a Ray cluster.

Begin in `base.py`.
"""

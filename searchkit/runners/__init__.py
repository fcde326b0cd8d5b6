"""One function over many tasks, in this process or on the workers of a Ray cluster.

Begin in `base.py`. `packing.py` moves tasks and results between machines.
"""

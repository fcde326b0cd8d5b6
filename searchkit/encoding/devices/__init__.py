"""Where texts are embedded: on this machine's cores, or on its accelerator.

Begin in `offloading.py`, which chooses by the work that there is. `finding.py` knows which devices
there are, `rates.py` how fast they have been, and `gpu_encoder.py` keeps a GPU busy.
"""

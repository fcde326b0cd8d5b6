"""FAISS's library, loaded so that its threads leave the cores to others when they have no work."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

_WAIT_POLICY = "OMP_WAIT_POLICY"


@cache
def load_faiss() -> Any:  # noqa: ANN401 (FAISS has no types)
    """Import FAISS; its threads sleep while they wait, unless the environment says otherwise.

    By default they spin for milliseconds after each search, on cores that the next step computes
    on: a search among 10,000 answers took 25 ms of computing instead of 10. OpenMP reads the
    variable only when it is loaded.
    """
    is_chosen = _WAIT_POLICY in os.environ
    os.environ.setdefault(_WAIT_POLICY, "passive")
    try:
        import faiss
    finally:
        if not is_chosen:
            os.environ.pop(_WAIT_POLICY, None)
    return faiss

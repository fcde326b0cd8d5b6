"""Scores of hits, the same numbers on every backend."""

from __future__ import annotations

import numpy as np

from searchkit.core.arrays import Float32, Float64

DECIMALS = 6  # of a score
TOLERANCE = 1e-6  # by which a backend's own scores may differ from these
_BLOCK = 4096  # vectors that are converted together


def rounded_scores(queries: Float32, vectors: Float32) -> Float64:
    """Return the highest inner product of each vector with any of the queries, rounded.

    FAISS and Milvus add float32 products in orders of their own, so that their scores differ in the
    sixth place. Here a score depends on the two vectors only, and not on what is beside them.

    Args:
        queries: `(p, d)`, the passages of one query; at least one.
        vectors: `(n, d)`, as they are stored.

    Returns:
        `(n,)`, to `DECIMALS` places.
    """
    best = np.full(len(vectors), -np.inf)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)  # where products are exact
        for query in queries:
            scores = (block * query).sum(axis=1)
            np.maximum(best[start : start + _BLOCK], scores, out=best[start : start + _BLOCK])
    return best.round(DECIMALS)

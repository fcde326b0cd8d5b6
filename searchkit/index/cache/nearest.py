"""What is nearest to queries that are asked again and again: looked for in new vectors only.

The scores of what is nearest among the vectors of the index's file are kept until there is another
file, or some of its vectors are removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Float32, Float64
from searchkit.index.cache.index_cache import IndexCache
from searchkit.index.vectors.search import nearest_scores
from searchkit.index.vectors.vector_index import VectorIndex

MIN_KEPT = 100_000  # vectors of a file; fewer are looked through sooner than a file is written


def kept_nearest_scores(
    vectors: VectorIndex, queries: Sequence[Float32], cache: IndexCache
) -> Float64:
    """Return the score of what is nearest to each query, `(q,)`; `(0,)` if there are no vectors.

    Args:
        vectors: All of an index.
        queries: For each query `(p, d)`, unit rows; `(d,)` for one passage.
        cache: That of the index.
    """
    if not len(vectors) or not queries:
        return np.empty(0)
    rows = [np.atleast_2d(query) for query in queries]
    passages = np.concatenate(rows)
    saved, added = vectors.parts()
    if len(saved) < MIN_KEPT:
        scores = nearest_scores(vectors, passages)
    else:
        scores = _nearest_in_file(saved, passages, cache)
        if len(added):
            scores = np.maximum(scores, nearest_scores(added, passages))
    starts = np.cumsum([0, *(len(query) for query in rows[:-1])])
    return np.maximum.reduceat(scores, starts)


def _nearest_in_file(vectors: VectorIndex, queries: Float32, cache: IndexCache) -> Float64:
    """Return the score of the nearest vector of a file, `(q,)`, which is kept."""
    parts = "nearest", vectors.file_sha256, len(vectors), queries.tobytes()
    key = hashlib.sha256(repr(parts).encode()).digest()
    kept = cache.get_result(key)
    if kept is not None:
        return np.frombuffer(kept, np.float64)
    scores = nearest_scores(vectors, queries)
    cache.put_file_result(key, scores.tobytes())
    return scores

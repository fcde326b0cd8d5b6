"""FAISS's exact scan of all rows, or of those that match a filter, on all cores."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from searchkit.core.arrays import Bool, Float32, Intp
from searchkit.index.vectors.faiss_runtime import load_faiss
from searchkit.runners.cores import map_on_cores, usable_cores

MIN_PART_ROWS = 50_000  # rows that a core scans for a query: 2 ms
MAX_PARTS = 8  # each passes all rows through its filter
MAX_QUERIES = 3  # FAISS keeps the cores busy by itself with more, each on one core


class Selection:
    """The rows to search among, for FAISS.

    Args:
        mask: `(n,)`, of these rows.

    Attributes:
        count: Number of these rows.
    """

    def __init__(self, mask: Bool) -> None:
        self.count = int(np.count_nonzero(mask))
        self._bitmap = None if self.count == len(mask) else np.packbits(mask, bitorder="little")

    def parameters(self, part: tuple[int, int] | None = None) -> Any:  # noqa: ANN401
        """Return FAISS's search parameters, which read what this object holds.

        Args:
            part: The first row of a part and the one after its last; None for all rows.
        """
        faiss = load_faiss()
        selectors = [] if self._bitmap is None else [faiss.IDSelectorBitmap(self._bitmap)]
        if part is not None:
            selectors.append(faiss.IDSelectorRange(*part))
        if not selectors:
            return None
        selector = selectors[0] if len(selectors) == 1 else faiss.IDSelectorAnd(*selectors)
        return faiss.SearchParameters(sel=selector)


def scan(index: Any, queries: Float32, k: int, selection: Selection) -> tuple[Float32, Intp]:  # noqa: ANN401
    """Return the scores and the rows of the `k` nearest to each query, `(q, k)`, best first.

    FAISS computes one query on one core. So many rows are scanned in parts for few queries, each
    part on a core of its own.

    Args:
        index: FAISS's index of all rows.
        queries: `(q, d)`, contiguous.
        k: At most as many as rows are selected.
        selection: The rows to search among.
    """
    count = min(usable_cores(), MAX_PARTS, index.ntotal // MIN_PART_ROWS)
    if len(queries) <= MAX_QUERIES and count > 1:
        return _scan_parts(index, queries, k, selection, count)
    scores, rows = index.search(queries, k, params=selection.parameters())
    return scores, rows


def _scan_parts(
    index: Any,  # noqa: ANN401
    queries: Float32,
    k: int,
    selection: Selection,
    count: int,
) -> tuple[Float32, Intp]:
    """Return what `scan` does, from so many parts, each on one core."""
    faiss = load_faiss()

    def scan_part(part: tuple[int, int]) -> tuple[Float32, Intp]:
        threads = faiss.omp_get_max_threads()  # that FAISS starts from this thread
        faiss.omp_set_num_threads(1)
        try:
            scores, rows = index.search(queries, k, params=selection.parameters(part))
        finally:
            faiss.omp_set_num_threads(threads)
        return scores, rows

    ends = np.linspace(0, index.ntotal, count + 1).astype(int).tolist()
    parts = map_on_cores(scan_part, list(pairwise(ends)))
    scores = np.concatenate([scores for scores, _ in parts], axis=1)
    rows = np.concatenate([rows for _, rows in parts], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

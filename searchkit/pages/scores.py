"""Distribution: how many pairs of answers have which score, counted exactly, in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Float32, Int64

BINS = 100  # of equal width, from -1 to 1
BLOCK = 1024  # rows that are compared at a time
MOST = 20_000  # answers to a question that are compared, each with each; 200,000,000 pairs


def score_counts(rows: Float32, authors: Sequence[str | None], earlier: int = 0) -> list[int]:
    """Count the cosines of all pairs of rows by different authors.

    Args:
        rows: `(n, d)` unit vectors.
        authors: Of each row; None: unknown, and nobody else's.
        earlier: How many rows at the end are of an earlier cohort, and not compared with each
            other.

    Returns:
        `BINS` numbers: of scores from -1 to -0.98, and so on; 1 belongs to the last.
    """
    numbers = {name: n for n, name in enumerate(dict.fromkeys(authors))}
    codes = np.array(
        [-1 - n if name is None else numbers[name] for n, name in enumerate(authors)], np.int64
    )
    counts = np.zeros(BINS, np.int64)
    new = len(rows) - earlier
    for start in range(0, new, BLOCK):
        end = min(start + BLOCK, new)
        scores = rows[start:end] @ rows[start:].T  # (block, n - start)
        other = codes[start:end, None] != codes[None, start:]
        later = np.arange(start, len(rows)) > np.arange(start, end)[:, None]
        bins = np.floor((scores[other & later] + 1) * (BINS / 2) + 1e-5).astype(np.int64)
        counts += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)
    return [int(count) for count in counts]


def evenly(count: int, most: int = MOST) -> Int64:
    """Return the numbers of at most so many of `count` rows, evenly spread."""
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)

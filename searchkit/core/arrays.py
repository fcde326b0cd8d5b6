"""Types of arrays, and unit rows: what every module with vectors shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from searchkit.core.errors import BadInput

Bool = NDArray[np.bool_]
Float16 = NDArray[np.float16]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Intp = NDArray[np.intp]


def unit_rows(vectors: Float32, texts: Sequence[str] = ()) -> Float32:
    """Scale each row to length 1.

    Args:
        vectors: `(n, d)`; left as they are.
        texts: What they stand for, if anything, to be named in the error.

    Raises:
        BadInput: if a row holds NaN or infinity, or nothing but zeros.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # (n, 1)
    bad = np.flatnonzero(~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0)))
    if len(bad):
        row = int(bad[0])
        what = "zeros" if lengths[row, 0] == 0 else "NaN or infinity"
        text = texts[row] if texts else ""
        start = text if len(text) <= 60 else text[:60] + "…"
        raise BadInput(f"the model gave {what} for text {row + 1} of {len(vectors)} ({start!r})")
    scaled: Float32 = np.divide(vectors, lengths, dtype=np.float32)
    return scaled


def mean_row(vectors: Float32, weights: Float32) -> Float32:
    """Return the `(d,)` unit vector of a whole: the mean of its parts `(p, d)` by their weights."""
    mean: Float32 = weights @ vectors / weights.sum()
    row: Float32 = unit_rows(mean[None, :])[0]
    return row


def centred(vectors: Float32, counts: NDArray[np.float64]) -> Float32:
    """Return unit rows relative to their mean: what sets each answer apart from the others.

    Args:
        vectors: `(n, d)`, one an answer.
        counts: `(n,)` as how many answers each counts.

    Returns:
        `(n, d)` float32; zeros for a row that is the mean.
    """
    if not len(vectors):
        return vectors
    rows = vectors - np.average(vectors, axis=0, weights=counts)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths > 1e-3, rows / np.maximum(lengths, 1e-3), 0).astype(np.float32)

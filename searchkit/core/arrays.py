"""Array types, vectors of unit length, and how inexact inner products can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from searchkit.core.errors import BadInput

Bool = NDArray[np.bool_]
Float16 = NDArray[np.float16]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Intp = NDArray[np.intp]
UInt8 = NDArray[np.uint8]
Integer = TypeVar("Integer", np.int64, np.intp)

BFLOAT16_ROUNDING = 2.0**-8  # of a number, at most, when it is rounded to the nearest bfloat16


def distinct(values: NDArray[Integer]) -> NDArray[Integer]:
    """Return the different values, ascending.

    As `np.unique`, which imports `numpy.ma`: more than a twentieth of a query's time.
    """
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    firsts: NDArray[Integer] = ordered[is_first]
    return firsts


def unit_rows(vectors: Float32, texts: Sequence[str] = ()) -> Float32:
    """Return the rows scaled to length 1, `(n, d)` float32.

    Args:
        vectors: `(n, d)`; not changed.
        texts: The texts that were embedded, which the error quotes; empty if there are none.

    Raises:
        BadInput: if a row contains NaN or infinity, or only zeros.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # (n, 1)
    bad = np.flatnonzero(~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0)))
    if len(bad):
        row = int(bad[0])
        values = "zeros" if lengths[row, 0] == 0 else "NaN or infinity"
        text = texts[row] if texts else ""
        start = text if len(text) <= 60 else text[:60] + "…"
        raise BadInput(f"the model gave {values} for text {row + 1} of {len(vectors)} ({start!r})")
    scaled: Float32 = np.divide(vectors, lengths, dtype=np.float32)
    return scaled


def mean_row(vectors: Float32, weights: Float32) -> Float32:
    """Return the weighted mean of some vectors, scaled to length 1.

    Args:
        vectors: `(p, d)`, such as those of an answer's passages.
        weights: `(p,)`, such as the passages' lengths.

    Returns:
        `(d,)` float32.
    """
    mean: Float32 = weights @ vectors / weights.sum()
    row: Float32 = unit_rows(mean[None, :])[0]
    return row


def centred(vectors: Float32, counts: Float64) -> Float32:
    """Return the differences of vectors to their mean, scaled to length 1.

    They show how each answer differs from the others, without what all of them have in common.

    Args:
        vectors: `(n, d)`, one row for each distinct answer.
        counts: `(n,)` how often each answer occurs, its weight in the mean.

    Returns:
        `(n, d)` float32; zeros for a row within 0.001 of the mean.
    """
    if not len(vectors):
        return vectors
    rows = vectors - np.average(vectors, axis=0, weights=counts)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths > 1e-3, rows / np.maximum(lengths, 1e-3), 0).astype(np.float32)


def summation_error(dimension: int) -> float:
    """Return by how much two float32 sums of the same products differ, relative to both norms.

    A sum of d products in float32, in any order, is wrong by at most d · 2⁻²³ · |a| |b| (Higham,
    Accuracy and Stability of Numerical Algorithms, 2002, section 3.1, with room for the second
    order); here two are compared.
    """
    return 2 * dimension * 2.0**-23

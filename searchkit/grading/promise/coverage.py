"""Which answers teach the most: those that stand for many whose marks are uncertain.

Facility location: the value of a set of marked answers is the sum, over all answers, of how
uncertain one is times how like it is to the nearest marked answer. That is submodular, so that
taking the best answer again and again comes within 1 - 1/e of the best set (Nemhauser, Wolsey and
Fisher, 1978). Equal texts count once, as the second one adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.grading.learning.grader import EQUAL_COSINE, nearest

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEIGHBOUR_SHARE = 0.1  # an answer stands for at most this share of its question's answers
MIN_NEIGHBOURS, MAX_NEIGHBOURS = 5, 50
MIN_GAIN = 1e-9  # below that nothing is gained


def likeness(vectors: Float32, questions: Int64) -> csr_array:
    """Return how well each answer stands for each other one, from 0 to 1.

    It is the square of the cosine, scaled so that a question's answers that are just no neighbours
    have 0 and equal ones have 1.

    Args:
        vectors: `(n, d)` unit rows.
        questions: `(n,)` code of each answer's question; others stand for nothing.

    Returns:
        `(n, n)`, sparse and symmetric.
    """
    from scipy.sparse import coo_array, eye_array

    lefts, rights, values = [], [], []
    for question in np.unique(questions).tolist():
        rows = np.flatnonzero(questions == question)
        count = min(max(MIN_NEIGHBOURS, int(NEIGHBOUR_SHARE * len(rows))), MAX_NEIGHBOURS)
        near, scores = nearest(vectors[rows], vectors[rows], count + 1)  # one is itself
        scores[scores >= EQUAL_COSINE] = 1.0
        floor = min(float(np.median(scores[:, -1])), 1 - 1e-6)
        lefts.append(np.repeat(rows, near.shape[1]))
        rights.append(rows[near].ravel())
        values.append((np.clip((scores - floor) / (1 - floor), 0, 1) ** 2).ravel())
    places = np.concatenate(lefts), np.concatenate(rights)
    matrix = coo_array((np.concatenate(values), places), shape=(len(vectors),) * 2).tocsr()
    # Of more equal answers than neighbours, not all are among their own.
    symmetric: csr_array = matrix.maximum(matrix.T).maximum(eye_array(len(vectors))).tocsr()
    return symmetric


def order_by_gain(
    similarity: csr_array,
    uncertainty: Float64,
    marked: NDArray[np.bool_],
    candidates: NDArray[np.bool_],
) -> Int64:
    """Return the rows of the candidates, in the order in which marking them gains the most.

    Args:
        similarity: `(n, n)`; see `likeness`.
        uncertainty: `(n,)` how much it is worth to know an answer's mark; 0 or more.
        marked: `(n,)` whether each answer is marked, or will be.
        candidates: `(n,)` whether each answer may be chosen; none of them is marked.
    """
    begins, columns, values = similarity.indptr, similarity.indices, similarity.data
    rows_of = np.repeat(np.arange(len(marked)), np.diff(begins))
    covered = np.zeros(len(marked))
    is_marked = marked[columns]
    np.maximum.at(covered, rows_of[is_marked], values[is_marked])
    worth = np.where(marked, 0.0, uncertainty)
    gains = np.bincount(
        columns,
        worth[rows_of] * np.maximum(values - covered[rows_of], 0),
        minlength=len(marked),
    )
    gains = np.where(candidates, gains, -np.inf)
    order: list[int] = []
    while len(order) < candidates.sum():
        best = int(gains.argmax())
        if gains[best] <= MIN_GAIN:
            break
        order.append(best)
        gains[best] = -np.inf
        own = slice(begins[best], begins[best + 1])
        closer = values[own] > covered[columns[own]]
        for row, value in zip(columns[own][closer].tolist(), values[own][closer], strict=True):
            entries = slice(begins[row], begins[row + 1])
            before = np.maximum(values[entries] - covered[row], 0)
            covered[row] = value
            after = np.maximum(values[entries] - value, 0)
            gains[columns[entries]] -= worth[row] * (before - after)
    chosen = np.array(order, np.int64)
    rest = np.setdiff1d(np.flatnonzero(candidates), chosen)
    return np.concatenate([chosen, rest[np.argsort(-uncertainty[rest], kind="stable")]])

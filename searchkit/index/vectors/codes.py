"""A first pass of a search with few queries: by codes, which vectors can be among the nearest.

A code has 4 bits for each number of a vector, a quarter of what is stored. FAISS sums up products
with codes in the registers ("fast scan") several times as fast as it reads vectors. Such a score
differs from FAISS's score of the vector by at most

- the length of the query times the distance of the code to the vector, which is kept with the code,
- and half a step for each number, as the products are rounded to 255 steps.

A vector whose score is below the k-th greatest by more than that is none of the k nearest. FAISS
scores the few others: the result is its own, to the last bit.

One vector in a thousand is far from its code, up to twice as far as most. These are kept beside the
codes and scored as they are: for all others the bound is then a third closer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from searchkit.core.arrays import Bool, Float32, Intp, UInt8, distinct, summation_error
from searchkit.index.vectors.faiss_runtime import load_faiss
from searchkit.runners.cores import map_on_cores

MIN_ROWS = 2_000_000  # below, a code saves less than 40 ms a query
MAX_QUERIES = 3  # more are multiplied with all vectors at once; see `candidates.py`
MAX_UNREAD = 32  # … but if nothing has read all vectors yet, which takes longer
DEPTHS = (16_384, 65_536)  # codes of a shard that are looked at; others must be too far away
FAR_SHARE = 1_000  # one vector in so many is kept beside the codes
MAX_CANDIDATES = 131_072  # of a query; above it, FAISS scores all vectors
_BLOCK_ROWS = 16_384
_BITS = 4
LEVELS = 2**_BITS
_REACH = 2.7  # standard deviations from the mean to the outer levels, for the least distances


def codes_pay(queries: int, rows: int, total: int, *, is_read: bool) -> bool:
    """Whether a first pass by codes takes less time than it saves, by measurement.

    Args:
        queries: Number of queries.
        rows: Number of vectors that are searched.
        total: Number of vectors that have codes, all of which are scored.
        is_read: Whether all vectors were read, and checked, since the file was opened.
    """
    return (
        queries <= (MAX_QUERIES if is_read else MAX_UNREAD)
        and total >= MIN_ROWS
        and rows >= total // 2
    )


@dataclass(frozen=True, slots=True)
class Shard:
    """The codes of some rows.

    Attributes:
        index: FAISS's `IndexPQFastScan`, whose quantizers have one dimension each.
        distances: `(n,)`, of each code to its vector, rounded up.
        far: `(f,)`, the rows with the greatest distances, ascending; see `far_rows`.
        far_vectors: `(f, d)`, their vectors.
        far_length: The greatest length of these.
        reach: The greatest distance of all other rows.
    """

    index: Any  # FAISS has no types
    distances: Float32
    far: Intp
    far_vectors: Float32
    far_length: float
    reach: float

    @classmethod
    def of(cls, index: Any, distances: Float32, vectors: Float32) -> Shard:  # noqa: ANN401
        """Return the shard with these codes, and the `vectors` of its `far_rows`.

        Raises:
            ValueError: if there are more or fewer vectors.
        """
        far, reach = far_rows(distances)
        if vectors.shape != (len(far), index.d):
            raise ValueError(f"{len(vectors)} vectors of {len(far)} rows")
        return cls(index, distances, far, vectors, _max_length(vectors), reach)


def far_rows(distances: Float32) -> tuple[Intp, float]:
    """Return the rows whose codes are farthest from their vectors, one in a thousand at most.

    Returns:
        The rows, ascending, and the greatest distance of all others.
    """
    last = len(distances) - len(distances) // FAR_SHARE - 1
    reach = np.partition(distances, last)[last]
    return np.flatnonzero(~(distances <= reach)), float(reach)


@dataclass(frozen=True, slots=True)
class _Scores:
    """The best scores of a shard.

    Attributes:
        rows: `(m,)`.
        scores: `(m,)`, by codes.
        bounds: `(m,)`, what the exact scores are at most.
        rest: What the exact scores of all other rows are at most.
    """

    rows: Intp
    scores: Float32
    bounds: Float32
    rest: float


_NO_SCORES = np.empty(0, np.float32)
_UNKNOWN = _Scores(np.empty(0, np.intp), _NO_SCORES, _NO_SCORES, np.inf)
ReadRows = Callable[[Intp], UInt8]
"""Returns the bytes `(m, 2 d)` of the vectors of rows, ascending."""


class Codes:
    """The codes of the rows of a FAISS file."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return sum(len(shard.distances) for shard in self._shards)

    def candidates(self, read: ReadRows, mask: Bool, query: Float32, k: int) -> Intp | None:
        """Return the rows that can be among the `k` nearest to a query, ascending.

        Args:
            read: Returns the bytes of rows of the `(n, d)` float16 that the codes were made for.
            mask: `(n,)`, the rows to search among.
            query: `(d,)`.
            k: Number of nearest vectors that are wanted.

        Returns:
            No row is missing; None if there are too many, or the codes can't tell.
        """
        least, parts = np.nan, dict.fromkeys(range(len(self._shards)), _UNKNOWN)
        starts = np.cumsum([0, *(len(shard.distances) for shard in self._shards)])
        for depth in DEPTHS:
            unsure = [number for number, part in parts.items() if not part.rest < least]
            score = partial(_score, query=query, depth=depth)
            scored = map_on_cores(score, [self._shards[number] for number in unsure])
            parts |= dict(zip(unsure, scored, strict=True))
            rows = np.concatenate([part.rows + starts[n] for n, part in parts.items()])
            scores = np.concatenate([part.scores for part in parts.values()])
            is_allowed = mask[rows]
            if np.count_nonzero(is_allowed) < k:
                return None
            rows, scores = rows[is_allowed], scores[is_allowed]
            best = rows[np.argpartition(scores, max(len(rows) - 4 * k, 0))[-4 * k :]]
            least = _kth_score(read(np.sort(best)), query, k)
            if all(part.rest < least for part in parts.values()):  # not if one of them is NaN
                bounds = np.concatenate([part.bounds for part in parts.values()])[is_allowed]
                near = distinct(rows[~(bounds < least)])
                return near if len(near) <= MAX_CANDIDATES else None
        return None


def _kth_score(vectors: UInt8, query: Float32, k: int) -> float:
    """Return what the `k`-th greatest of FAISS's scores of some vectors is at least."""
    rows = numbers_of(vectors)
    length = _max_length(rows) * float(np.linalg.norm(query))
    error = summation_error(len(query)) * length
    return float(np.partition(rows @ query, len(rows) - k)[len(rows) - k]) - error


def _max_length(vectors: Float32) -> float:
    return float(np.linalg.norm(vectors, axis=1).max(initial=0.0))


def _score(shard: Shard, query: Float32, depth: int) -> _Scores:
    """Return the best scores of a shard by its codes, and the scores of its far rows."""
    (scores,), (rows,) = shard.index.search(query[None], min(depth, len(shard.distances)))
    is_row = rows >= 0  # FAISS leaves out rows with the least score that there can be
    scores, rows = scores[is_row], rows[is_row]
    error = _rounding_error(levels_of(shard.index), query)
    length = float(np.linalg.norm(query)) * 1.001
    if len(rows) == len(shard.distances):
        rest = -np.inf
    elif len(rows):
        rest = float(scores[-1]) + error + length * shard.reach
    else:
        rest = np.inf
    is_near = shard.distances[rows] <= shard.reach
    scores, rows = scores[is_near], rows[is_near]
    bounds = scores + error + length * shard.distances[rows]
    products = shard.far_vectors @ query
    of_products = summation_error(len(query)) * shard.far_length * length
    return _Scores(
        np.concatenate([rows, shard.far]),
        np.concatenate([scores, products]),
        np.concatenate([bounds, products + of_products]),
        rest,
    )


def _rounding_error(levels: Float32, query: Float32) -> float:
    """Return by how much FAISS's score of a code differs from its inner product with the query.

    FAISS subtracts the least product of each number, rounds what is left to a multiple of a 255th
    of the greatest range, and adds up in 16 bits.

    Args:
        levels: `(d, 16)`, ascending, the numbers that codes stand for.
        query: `(d,)`.

    Returns:
        Infinity where the sum could exceed 16 bits.
    """
    dimension = len(query)
    ranges = np.abs(query) * (levels[:, -1] - levels[:, 0])
    step = float(ranges.max()) / 255
    if not 0 < step < np.inf or ranges.sum() / step + dimension > 65_535:
        return np.inf
    greatest = float(np.linalg.norm(np.abs(levels).max(axis=1)) * np.linalg.norm(query))
    return 0.501 * step * dimension + 4 * summation_error(dimension) * greatest


# -- making codes --------------------------------------------------------------------------------


def encode(vectors: UInt8) -> Shard:
    """Return the codes of vectors, given as the bytes of float16."""
    count, dimension = len(vectors), vectors.shape[1] // 2
    levels = _choose_levels(numbers_of(vectors[:: max(count // _BLOCK_ROWS, 1)]))
    width = levels[:, 1] - levels[:, 0]
    codes = np.zeros((count, dimension + dimension % 2), np.uint8)
    distances = np.empty(count, np.float32)
    for start in range(0, count, _BLOCK_ROWS):
        block = numbers_of(vectors[start : start + _BLOCK_ROWS])
        nearest = np.rint((block - levels[:, 0]) / width).clip(0, LEVELS - 1).astype(np.uint8)
        codes[start : start + _BLOCK_ROWS, :dimension] = nearest
        differences = block - levels[np.arange(dimension), nearest]
        distances[start : start + _BLOCK_ROWS] = np.linalg.norm(differences, axis=1)
    distances = distances * np.float32(1.001) + np.float32(1e-6)
    far, _ = far_rows(distances)
    return Shard.of(_fast_scan(levels, codes), distances, numbers_of(vectors[far]))


def numbers_of(vectors: UInt8) -> Float32:
    """Return vectors, given as the bytes of float16."""
    return np.ascontiguousarray(vectors).view(np.float16).astype(np.float32)


def _choose_levels(sample: Float32) -> Float32:
    """Return 16 numbers of equal distance for each dimension, `(d, 16)`."""
    mean = sample.mean(axis=0)
    reach = np.maximum(_REACH * sample.std(axis=0), 1e-4 * np.maximum(np.abs(mean), 1))
    levels = mean + reach * np.linspace(-1, 1, LEVELS)[:, None]
    return np.ascontiguousarray(levels.T, np.float32)


def levels_of(index: Any) -> Float32:  # noqa: ANN401 (FAISS has no types)
    """Return the numbers that codes stand for, `(d, 16)`, ascending."""
    faiss = load_faiss()

    levels: Float32 = faiss.vector_to_array(index.pq.centroids)
    return levels.reshape(-1, LEVELS)


def packed_codes(index: Any) -> UInt8:  # noqa: ANN401 (FAISS has no types)
    """Return the memory of FAISS's index with the codes, to be read or written."""
    faiss = load_faiss()

    packed: UInt8 = faiss.rev_swig_ptr(index.codes.get(), index.codes.size())
    return packed


def empty_fast_scan(levels: Float32, rows: int, size: int) -> Any:  # noqa: ANN401 (FAISS)
    """Return FAISS's index of some rows, whose `packed_codes`, of a size, are to be written."""
    faiss = load_faiss()

    dimension = len(levels)
    index = faiss.IndexPQFastScan(dimension, dimension, _BITS, faiss.METRIC_INNER_PRODUCT)
    if size != -(-rows // index.bbs) * index.bbs * index.M2 // 2:
        raise ValueError(f"{size} bytes of codes for {rows} rows")
    faiss.copy_array_to_vector(levels.ravel(), index.pq.centroids)
    index.codes.resize(size)
    index.ntotal, index.ntotal2, index.is_trained = rows, -(-rows // index.bbs) * index.bbs, True
    return index


def _fast_scan(levels: Float32, codes: UInt8) -> Any:  # noqa: ANN401 (FAISS has no types)
    """Return FAISS's index of codes `(n, d)`, one in a byte."""
    faiss = load_faiss()

    plain = faiss.IndexPQ(len(levels), len(levels), _BITS, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(levels.ravel(), plain.pq.centroids)
    pairs = codes[:, ::2] | codes[:, 1::2] << _BITS
    faiss.copy_array_to_vector(pairs.ravel(), plain.codes)
    plain.is_trained, plain.ntotal = True, len(codes)
    return faiss.IndexPQFastScan(plain)

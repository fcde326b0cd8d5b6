"""A first pass of a search with few queries: by codes, which vectors can be among the nearest.

A code has 4 bits for each number of a vector, a quarter of what is stored. FAISS sums up products
with codes in the registers ("fast scan") several times as fast as it reads vectors. Such a score
differs from FAISS's score of the vector by at most

- the length of the query times the distance of the code to the vector, which is kept with the code,
- and half a step for each number, as the products are rounded to 255 steps.

A vector whose score is below the k-th greatest by more than that is none of the k nearest. FAISS
scores the few others: the result is its own, to the last bit.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.core.arrays import Bool, Float32, Intp, UInt8, summation_error
from searchkit.index.vectors.faiss_runtime import load_faiss

log = logging.getLogger("searchkit")
MIN_ROWS = 2_000_000  # below, a code saves less than 40 ms a query
SHARD_ROWS = 1 << 20
MAX_QUERIES = 3  # more are multiplied with all vectors at once; see `candidates.py`
DEPTH = 16_384  # codes of a shard that are looked at; others must be too far away
MAX_CANDIDATES = 131_072  # above it, FAISS scores all vectors
_BLOCK_ROWS = 16_384
_BITS = 4
_LEVELS = 2**_BITS
_REACH = 2.7  # standard deviations from the mean to the outer levels, for the least distances
_FORMAT = 1
_CHUNK = 1 << 20  # bytes of a file that are read together


def codes_pay(queries: int, rows: int, total: int) -> bool:
    """Whether a first pass by codes takes less time than it saves, by measurement.

    Args:
        queries: Number of queries.
        rows: Number of vectors that are searched.
        total: Number of vectors that have codes, all of which are scored.
    """
    return queries <= MAX_QUERIES and total >= MIN_ROWS and rows >= total // 2


@dataclass(frozen=True, slots=True)
class _Shard:
    """The codes of some rows.

    Attributes:
        index: FAISS's `IndexPQFastScan`, whose quantizers have one dimension each.
        distances: `(n,)`, of each code to its vector, rounded up.
    """

    index: Any  # FAISS has no types
    distances: Float32


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


class Codes:
    """The codes of the rows of a FAISS file."""

    def __init__(self, shards: Sequence[_Shard]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return sum(len(shard.distances) for shard in self._shards)

    def candidates(self, vectors: UInt8, mask: Bool, queries: Float32, k: int) -> Intp | None:
        """Return the rows that can be among the `k` nearest to one of the queries, ascending.

        Args:
            vectors: `(n, 2 d)`, the bytes of `(n, d)` float16 that the codes were made for.
            mask: `(n,)`, the rows to search among.
            queries: `(q, d)`.
            k: Number of nearest vectors that are wanted.

        Returns:
            No row is missing; None if there are too many, or the codes can't tell.
        """
        found = []
        for query in queries:
            rows = self._candidates_of(vectors, mask, np.ascontiguousarray(query), k)
            if rows is None:
                return None
            found.append(rows)
        return np.unique(np.concatenate(found))

    def _candidates_of(self, vectors: UInt8, mask: Bool, query: Float32, k: int) -> Intp | None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(lambda shard: _score(shard, query), self._shards))
        starts = np.cumsum([0, *(len(shard.distances) for shard in self._shards)])
        rows = np.concatenate(
            [part.rows + start for part, start in zip(parts, starts[:-1], strict=True)]
        )
        is_allowed = mask[rows]
        rows = rows[is_allowed]
        if len(rows) < k:
            return None
        scores = np.concatenate([part.scores for part in parts])[is_allowed]
        bounds = np.concatenate([part.bounds for part in parts])[is_allowed]
        best = rows[np.argpartition(scores, max(len(rows) - 4 * k, 0))[-4 * k :]]
        least = _kth_score(vectors[best], query, k)
        near = rows[bounds >= least]
        is_complete = max(part.rest for part in parts) < least  # also if one of them is NaN
        return near if is_complete and len(near) <= MAX_CANDIDATES else None


def _kth_score(vectors: UInt8, query: Float32, k: int) -> float:
    """Return what the `k`-th greatest of FAISS's scores of some vectors is at least."""
    rows = vectors.view(np.float16).astype(np.float32)
    length = float(np.linalg.norm(query)) * float(np.linalg.norm(rows, axis=1).max())
    error = summation_error(len(query)) * length
    return float(np.partition(rows @ query, len(rows) - k)[len(rows) - k]) - error


def _score(shard: _Shard, query: Float32) -> _Scores:
    """Return the best scores of a shard by its codes."""
    depth = min(DEPTH, len(shard.distances))
    (scores,), (rows,) = shard.index.search(query[None], depth)
    is_row = rows >= 0  # FAISS leaves out rows with the least score that there can be
    scores, rows = scores[is_row], rows[is_row]
    error = _rounding_error(_levels(shard.index), query)
    length = float(np.linalg.norm(query)) * 1.001
    bounds = scores + error + length * shard.distances[rows]
    if len(rows) == len(shard.distances):
        rest = -np.inf
    elif len(rows):
        rest = float(scores[-1]) + error + length * float(shard.distances.max())
    else:
        rest = np.inf
    return _Scores(rows, scores, bounds, rest)


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


def _encode(vectors: UInt8) -> _Shard:
    """Return the codes of vectors, given as the bytes of float16."""
    count, dimension = len(vectors), vectors.shape[1] // 2
    levels = _choose_levels(_numbers(vectors[:: max(count // _BLOCK_ROWS, 1)]))
    width = levels[:, 1] - levels[:, 0]
    codes = np.zeros((count, dimension + dimension % 2), np.uint8)
    distances = np.empty(count, np.float32)
    for start in range(0, count, _BLOCK_ROWS):
        block = _numbers(vectors[start : start + _BLOCK_ROWS])
        nearest = np.rint((block - levels[:, 0]) / width).clip(0, _LEVELS - 1).astype(np.uint8)
        codes[start : start + _BLOCK_ROWS, :dimension] = nearest
        differences = block - levels[np.arange(dimension), nearest]
        distances[start : start + _BLOCK_ROWS] = np.linalg.norm(differences, axis=1)
    return _Shard(_fast_scan(levels, codes), distances * np.float32(1.001) + np.float32(1e-6))


def _numbers(vectors: UInt8) -> Float32:
    return np.ascontiguousarray(vectors).view(np.float16).astype(np.float32)


def _choose_levels(sample: Float32) -> Float32:
    """Return 16 numbers of equal distance for each dimension, `(d, 16)`."""
    mean = sample.mean(axis=0)
    reach = np.maximum(_REACH * sample.std(axis=0), 1e-4 * np.maximum(np.abs(mean), 1))
    levels = mean + reach * np.linspace(-1, 1, _LEVELS)[:, None]
    return np.ascontiguousarray(levels.T, np.float32)


def _levels(index: Any) -> Float32:  # noqa: ANN401 (FAISS has no types)
    faiss = load_faiss()

    levels: Float32 = faiss.vector_to_array(index.pq.centroids)
    return levels.reshape(-1, _LEVELS)


def _fast_scan(levels: Float32, codes: UInt8) -> Any:  # noqa: ANN401 (FAISS has no types)
    """Return FAISS's index of codes `(n, d)`, one in a byte."""
    faiss = load_faiss()

    plain = faiss.IndexPQ(len(levels), len(levels), _BITS, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(levels.ravel(), plain.pq.centroids)
    pairs = codes[:, ::2] | codes[:, 1::2] << _BITS
    faiss.copy_array_to_vector(pairs.ravel(), plain.codes)
    plain.is_trained, plain.ntotal = True, len(codes)
    return faiss.IndexPQFastScan(plain)


# -- the file ------------------------------------------------------------------------------------


def write_codes(path: Path, vectors: UInt8, sha256: str) -> None:
    """Write the codes of vectors to a file: a ZIP archive, whose entries carry checksums.

    Args:
        path: The file.
        vectors: `(n, 2 d)`, the bytes of `(n, d)` float16.
        sha256: Of the FAISS file with these vectors.
    """
    faiss = load_faiss()

    with zipfile.ZipFile(path, "w") as archive:
        about = {"format": _FORMAT, "sha256": sha256, "rows": len(vectors)}
        archive.writestr("about.json", json.dumps(about))
        for start in range(0, len(vectors), SHARD_ROWS):
            shard = _encode(vectors[start : start + SHARD_ROWS])
            number = start // SHARD_ROWS
            for name, data in (
                (f"{number}.faiss", faiss.serialize_index(shard.index)),
                (f"{number}.distances", shard.distances),
            ):
                with archive.open(name, "w", force_zip64=True) as entry:
                    entry.write(data.view(np.uint8).data)


def read_codes(path: Path, sha256: str, rows: int) -> Codes | None:
    """Read codes; None if there is no such file, or it is damaged or of other vectors.

    Args:
        path: The file.
        sha256: Of the FAISS file with the vectors.
        rows: Number of vectors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read("about.json"))
        if about != {"format": _FORMAT, "sha256": sha256, "rows": rows}:
            return None
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            numbers = range(-(-rows // SHARD_ROWS))
            codes = Codes(list(pool.map(lambda number: _read_shard(path, number), numbers)))
        return codes if len(codes) == rows else None
    except FileNotFoundError:
        return None
    except Exception as error:  # of a dozen kinds, depending on which byte is damaged
        log.warning("%s: damaged (%s); searches are slower; run: searchkit rebuild", path, error)
        return None


def _read_shard(path: Path, number: int) -> _Shard:
    faiss = load_faiss()

    with zipfile.ZipFile(path) as archive:
        name = f"{number}.faiss"
        with archive.open(name) as entry:
            while entry.read(_CHUNK):
                pass  # at its end, its checksum is compared: FAISS reads damaged bytes without it
        with archive.open(name) as entry:
            index = faiss.read_index(faiss.PyCallbackIOReader(entry.read, _CHUNK))
        distances = np.frombuffer(archive.read(f"{number}.distances"), np.float32)
    return _Shard(index, distances)

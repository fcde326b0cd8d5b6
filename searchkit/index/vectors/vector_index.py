"""An exact FAISS inner-product index over unit vectors, with stable keys and checked arguments.

Vectors are stored as float16. Everything else in an index uses vectors that were rounded to float16
before, so nothing is lost here: FAISS reads them as float32 and sums in float32.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise, starmap
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Bool, Float32, Int64, Intp, UInt8
from searchkit.index.vectors.candidates import MAX_QUERIES, candidates, max_norm, pays
from searchkit.index.vectors.codes import Codes, codes_pay
from searchkit.index.vectors.codes_file import CodesFile
from searchkit.index.vectors.faiss_runtime import load_faiss
from searchkit.index.vectors.scanning import Selection, scan

NO_KEY = -1
MAX_COPIED = 20_000  # rows that match a filter which are copied, so that FAISS passes no others
COPIED_SHARE = 8  # they are one row in so many, or fewer
CHECKED_SHARE = 100  # more than one row in so many aren't read one by one: all are checked before
_BLOCK = 65_536  # rows that are read together


class _Segment:
    """A FAISS index with the key of each of its rows, ascending, and a mask of the removed rows.

    Args:
        index: The FAISS index.
        keys: `(n,)`, ascending.
        mapping: The object that owns a memory-mapped file, which must live as long as the segment;
            a mapped segment can't grow.
        codes_file: What is beside a mapped file whose vectors were not checked yet.
    """

    def __init__(
        self,
        index: Any,  # noqa: ANN401 (FAISS has no types)
        keys: Int64,
        mapping: object = None,
        codes_file: CodesFile | None = None,
    ) -> None:
        self.index = index
        self.keys = keys
        self.is_alive = np.ones(len(keys), bool)
        self.mapping = mapping
        self._codes_file = codes_file
        self.is_checked = codes_file is None
        self._norms = (0, 0.0)  # of how many rows, and an upper bound of their norms

    def append(self, keys: Int64, vectors: Float32) -> None:
        """Add rows whose keys are above all others."""
        self.index.add(vectors)
        self.keys = np.concatenate([self.keys, keys])
        self.is_alive = np.concatenate([self.is_alive, np.ones(len(keys), bool)])

    def positions(self, keys: Int64) -> Intp:
        """Return the rows of those of `keys` that are in the segment."""
        positions = np.searchsorted(self.keys, keys)
        is_within = positions < len(self.keys)
        positions = positions[is_within]
        rows: Intp = positions[self.keys[positions] == keys[is_within]]
        return rows

    def selected(self, allowed: Int64 | None) -> Bool:
        """Return a mask of the rows that are not removed, and allowed."""
        if allowed is None:
            return self.is_alive
        mask = np.zeros(len(self.keys), bool)
        mask[self.positions(allowed)] = True
        return mask & self.is_alive

    @property
    def codes(self) -> Codes | None:
        """The codes of all rows, read when they are first needed; None if there are none."""
        return self._codes_file.codes if self._codes_file else None

    def use_codes(self, queries: int, count: int) -> bool:
        """Whether a search among `count` rows begins with codes."""
        return codes_pay(queries, count, len(self.keys), is_read=self.is_checked) and bool(
            self.codes
        )

    def can_narrow(self, count: int, queries: int, k: int) -> bool:
        """Whether a first pass pays, for a search among `count` rows."""
        return self.use_codes(queries, count) or pays(queries, count, k)

    def narrowed(self, mask: Bool, queries: Float32, k: int) -> _Segment | None:
        """Return a segment of the rows that can be among the `k` nearest; None if of too many."""
        rows = self._candidates(mask, queries, k)
        if rows is None:
            return None
        return self.copy_of(rows)

    def copy_of(self, rows: Intp) -> _Segment:
        """Return a segment of these rows only, to be searched without a mask."""
        index = _new_faiss(self.index.d)
        index.add_sa_codes(self.read(rows))
        return _Segment(index, self.keys[rows])

    def _candidates(self, mask: Bool, queries: Float32, k: int) -> Intp | None:
        total = int(np.count_nonzero(mask))
        codes = self.codes if len(queries) == 1 and self.use_codes(1, total) else None
        if codes:
            rows = codes.candidates(self.read, mask, queries[0], k)
            if rows is not None or not pays(1, total, k):
                return rows
        vectors = self.stored()
        count, norm = self._norms
        if count < len(vectors):
            norm = max(norm, max_norm(vectors[count:]))
            self._norms = len(vectors), norm
        return candidates(vectors, np.flatnonzero(mask), queries, k, norm)

    def read(self, rows: Intp) -> UInt8:
        """Return the bytes of some rows, `(m, 2 d)`; raises DamagedFile."""
        if self._codes_file and not self.is_checked:
            return self._codes_file.read(rows, self._stored())
        return self._stored().take(rows, axis=0)

    def check(self) -> None:
        """Check all rows of a mapped file, once, before they are read; raises DamagedFile."""
        if self._codes_file and not self.is_checked:
            self._codes_file.check(self._stored())
            self.is_checked = True

    def stored(self) -> UInt8:
        """Return the bytes of all rows, `(n, 2 d)`, as FAISS holds them until the next `append`."""
        self.check()
        return self._stored()

    def _stored(self) -> UInt8:
        faiss = load_faiss()

        if not len(self.keys):  # FAISS then gives an array of another type
            return np.empty((0, 2 * self.index.d), np.uint8)
        stored: UInt8 = faiss.rev_swig_ptr(self.index.codes.data(), self.index.codes.size())
        return stored.reshape(-1, 2 * self.index.d)


class VectorIndex:
    """Vectors of one dimension, searched by inner product.

    `VectorIndex(d)` is empty, and `load` opens a file written by `save`. Keys ascend in the order
    of adding, and are never reused. An index must not be searched during an `add`: with several
    threads, replace the whole object instead.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.file_sha256: str | None = None  # of the file that was loaded
        self._segments: list[_Segment] = []

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(segment.is_alive)) for segment in self._segments)

    def parts(self) -> tuple[VectorIndex, VectorIndex]:
        """Return the vectors of the loaded file, and those added since; none is copied."""
        saved, added = VectorIndex(self.dimension), VectorIndex(self.dimension)
        saved.file_sha256 = self.file_sha256
        for segment in self._segments:
            part = added if segment.mapping is None else saved
            part._segments.append(segment)
        return saved, added

    def last_key(self) -> int:
        """Return the greatest key that was ever added, also if it was removed; -1 if none was."""
        return max((int(s.keys[-1]) for s in self._segments if len(s.keys)), default=NO_KEY)

    @classmethod
    def load(cls, file: BinaryIO, codes_file: CodesFile | None = None) -> VectorIndex:
        """Map a file written by `save` into memory, without copying it.

        The caller has checked the hash of this very file: FAISS reads a damaged file without
        complaint, and opens files by name only, when another may have taken the name.

        Args:
            file: The file.
            codes_file: What is beside it, and attached to it: it checks vectors when they are read.
                Then every method that reads some raises `DamagedFile` where they are damaged.
        """
        faiss = load_faiss()

        wrapped = faiss.read_index(_faiss_name(file), faiss.IO_FLAG_MMAP_IFC)
        keys = faiss.vector_to_array(wrapped.id_map)
        index = faiss.downcast_index(wrapped.index)
        loaded = cls(index.d)
        loaded._segments.append(_Segment(index, keys, wrapped, codes_file))
        return loaded

    def add(self, keys: Int64, vectors: NDArray[np.floating[Any]]) -> None:
        """Add rows.

        Args:
            keys: `(n,)`, ascending, each above every key of the index.
            vectors: `(n, d)`, finite unit rows, rounded to float16.

        Raises:
            ValueError: if a shape, the order of the keys or a number is wrong.
        """
        self._check_rows(vectors)
        if len(keys) != len(vectors):
            raise ValueError(f"{len(keys)} keys for {len(vectors)} vectors")
        if not len(keys):
            return
        if keys[0] <= self.last_key() or np.any(np.diff(keys) <= 0):
            raise ValueError("keys must ascend and be above those that are here")
        if not self._segments or self._segments[-1].mapping is not None:
            self._segments.append(_Segment(_new_faiss(self.dimension), np.empty(0, np.int64)))
        self._segments[-1].append(keys, np.ascontiguousarray(vectors, np.float32))

    def remove(self, keys: Int64) -> None:
        """Remove these keys; keys that are not in the index are ignored."""
        for segment in self._segments:
            segment.is_alive[segment.positions(np.asarray(keys, np.int64))] = False

    def search(
        self, queries: Float32, k: int, allowed: Int64 | None = None
    ) -> tuple[Float32, Int64]:
        """Find the `k` nearest vectors of each query.

        Args:
            queries: `(q, d)` float32, unit rows.
            k: At least 1; may be above the number of vectors.
            allowed: Keys to search among; None for all.

        Returns:
            Scores `(q, k')`, best first, and keys `(q, k')`, where k' is the smaller of `k` and the
            number of vectors. Equal scores are ordered by key. Where fewer vectors match, the key
            is -1 and the score -inf.

        Raises:
            ValueError: if `k` is below 1, or the queries' shape or numbers are wrong.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        self._check_rows(queries)
        k = min(k, max(len(self), 1))
        parts = [_search_quickly(segment, queries, k, allowed) for segment in self._segments]
        parts.append(_padding(len(queries), k))
        scores = np.concatenate([scores for scores, _ in parts], axis=1)
        keys = np.concatenate([keys for _, keys in parts], axis=1)
        order = np.lexsort((keys, -scores))[:, :k]  # (q, k)
        best = np.take_along_axis(scores, order, 1), np.take_along_axis(keys, order, 1)
        return best if len(self) else (best[0][:, :0], best[1][:, :0])

    def range(
        self, queries: Float32, threshold: float, allowed: Int64 | None = None
    ) -> list[tuple[Float32, Int64]]:
        """Find all vectors that score at least `threshold`, for each query.

        Args:
            queries: `(q, d)` float32, unit rows.
            threshold: Inclusive, unlike that of FAISS's range search.
            allowed: Keys to search among; None for all.

        Returns:
            For each query scores and keys, best first, equal scores by key.

        Raises:
            ValueError: if the threshold is NaN, or the queries' shape or numbers are wrong.
        """
        if np.isnan(threshold):
            raise ValueError("threshold is NaN")
        self._check_rows(queries)
        below = _next_below(threshold)
        parts = [
            _range_segment(segment, queries, below, Selection(segment.selected(allowed)))
            for segment in self._segments
        ]
        return (
            list(starmap(_merge, zip(*parts, strict=True)))
            if parts
            else [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
        )

    def get(self, keys: Int64) -> Float32:
        """Return the vectors with these keys, `(n, d)`, in this order; a key may occur twice.

        Raises:
            ValueError: if a key isn't in the index.
        """
        distinct, inverse = np.unique(np.asarray(keys, np.int64), return_inverse=True)
        rows = np.empty((len(distinct), self.dimension), np.float32)
        is_found = np.zeros(len(distinct), bool)
        for segment in self._segments:
            positions = segment.positions(distinct)
            positions = positions[segment.is_alive[positions]]
            if len(positions):
                targets = np.searchsorted(distinct, segment.keys[positions])
                is_found[targets] = True
                if len(positions) > len(segment.keys) // CHECKED_SHARE:
                    segment.check()
                for start in range(0, len(positions), _BLOCK):
                    block = slice(start, start + _BLOCK)
                    rows[targets[block]] = segment.read(positions[block]).view(np.float16)
        if not is_found.all():
            raise ValueError(f"no vector with key {distinct[~is_found][0]}")
        return rows[inverse]

    def stored(self) -> UInt8:
        """Return the bytes of the vectors of a mapped file, `(n, 2 d)`, as they are stored."""
        return self._segments[0].stored()

    def scan(self, block: int = _BLOCK) -> Iterator[tuple[Int64, Float32]]:
        """Yield all vectors in order of key: keys `(b,)` and vectors `(b, d)`, `block` at most."""
        for segment in self._segments:
            segment.check()
            for start in range(0, len(segment.keys), block):
                stop = min(start + block, len(segment.keys))
                is_alive = segment.is_alive[start:stop]
                vectors = segment.index.reconstruct_n(start, stop - start)
                yield segment.keys[start:stop][is_alive], vectors[is_alive]

    def save(self, path: Path) -> None:
        """Write every vector to one FAISS file (`IndexIDMap` of float16 rows).

        FAISS itself would hold all of them in memory once more.
        """
        faiss = load_faiss()

        count, keys = len(self), [np.empty(0, np.int64)]
        wrapped = faiss.IndexIDMap(_new_faiss(self.dimension))
        wrapped.ntotal = wrapped.index.ntotal = count
        with path.open("wb") as file:
            # The file ends in two arrays, here empty: each its length and its numbers.
            file.write(faiss.serialize_index(wrapped)[:-16].tobytes())
            file.write(_length(2 * self.dimension * count))
            for block_keys, vectors in self.scan():
                file.write(vectors.astype(np.float16).data)
                keys.append(block_keys)
            file.write(_length(count))
            file.write(np.concatenate(keys).data)

    def _check_rows(self, rows: NDArray[Any]) -> None:
        """Check shape and numbers; FAISS raises an empty AssertionError, or silently does nothing.

        Raises:
            ValueError: if they are wrong.
        """
        if rows.ndim != 2 or rows.shape[1] != self.dimension:
            raise ValueError(f"shape {rows.shape} where (n, {self.dimension}) is needed")
        if not np.isfinite(rows).all():
            raise ValueError("a vector holds NaN or infinity")


def _faiss_name(file: BinaryIO) -> str:
    """Return a name under which FAISS can open a file that is open; its own may not be UTF-8."""
    return f"/dev/fd/{file.fileno()}" if os.name == "posix" else file.name


def _length(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _new_faiss(dimension: int) -> Any:  # noqa: ANN401 (FAISS has no types)
    faiss = load_faiss()

    float16 = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexScalarQuantizer(dimension, float16, faiss.METRIC_INNER_PRODUCT)


def _padding(queries: int, k: int) -> tuple[Float32, Int64]:
    scores = np.full((queries, k), -np.inf, np.float32)
    return scores, np.full((queries, k), NO_KEY, np.int64)


def _search_quickly(
    segment: _Segment, queries: Float32, k: int, allowed: Int64 | None
) -> tuple[Float32, Int64]:
    """Return what `_search_segment` returns; several queries are searched for together."""
    mask = segment.selected(allowed)
    count = int(np.count_nonzero(mask))
    if 0 < count <= min(MAX_COPIED, len(mask) // COPIED_SHARE):
        return _search_segment(segment.copy_of(np.flatnonzero(mask)), queries, k)
    if not segment.can_narrow(count, len(queries), k):
        return _search_segment(segment, queries, k, mask)
    parts = []
    # By codes each alone: together they may have too many candidates, where none has.
    size = 1 if segment.use_codes(len(queries), count) else MAX_QUERIES
    for start in range(0, len(queries), size):
        some = queries[start : start + size]
        few = segment.narrowed(mask, some, k)
        scores, keys = (
            _search_segment(few, some, k) if few else _search_segment(segment, some, k, mask)
        )
        parts.append((scores[:, :k], keys[:, :k]))
    scores, keys = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return scores, keys


def _search_segment(
    segment: _Segment, queries: Float32, k: int, mask: Bool | None = None
) -> tuple[Float32, Int64]:
    """Return the `k` best scores and keys among the rows of a mask; in the order of scores only."""
    selection = Selection(segment.is_alive if mask is None else mask)
    if not selection.count:
        return _padding(len(queries), 0)
    segment.check()
    depth = min(k + 1, selection.count)  # one more shows whether a tie is cut at k
    scores, rows = scan(segment.index, np.ascontiguousarray(queries), depth, selection)
    keys = segment.keys[rows]
    if depth > k:
        for row in np.flatnonzero(scores[:, k - 1] == scores[:, k]):
            below = _next_below(scores[row, k])
            tied = _range_segment(segment, queries[row : row + 1], below, selection)
            scores[row], keys[row] = (best[:depth] for best in _merge(*tied))
    return scores, keys


def _next_below(score: float) -> float:
    """Return the next float32 below, because FAISS's range search is strictly greater."""
    return float(np.nextafter(np.float32(score), np.float32(-np.inf)))


def _range_segment(
    segment: _Segment, queries: Float32, below: float, selection: Selection
) -> list[tuple[Float32, Int64]]:
    """Return the scores above `below`, and their keys, for each query; in no defined order."""
    if not selection.count:
        return [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
    segment.check()
    limits, scores, rows = segment.index.range_search(
        np.ascontiguousarray(queries), below, params=selection.parameters()
    )
    return [(scores[a:b], segment.keys[rows[a:b]]) for a, b in pairwise(limits)]


def _merge(*parts: tuple[Float32, Int64]) -> tuple[Float32, Int64]:
    """Return the scores and keys of all parts, best first, equal scores by key."""
    scores = np.concatenate([scores for scores, _ in parts])
    keys = np.concatenate([keys for _, keys in parts])
    order = np.lexsort((keys, -scores))
    return scores[order], keys[order]

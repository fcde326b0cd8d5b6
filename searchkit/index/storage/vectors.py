"""FAISS inner product over unit vectors with stable keys: exact, small, and safe to call.

A vector is stored as float16, which the rest of the index rounds to before anything else uses it,
so nothing is lost here: FAISS reads the halves back as float32 and sums in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, starmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Int64, Intp

NO_KEY = -1


class _Part:
    """One FAISS index with the key of each of its rows, ascending, and the rows removed.

    `mapping` is the object that owns a mapped file: it must live as long as the part, and the part
    can't grow.
    """

    def __init__(self, index: Any, keys: Int64, mapping: Any = None) -> None:  # noqa: ANN401
        self.index = index
        self.keys = keys
        self.alive = np.ones(len(keys), bool)
        self.mapping = mapping

    def append(self, keys: Int64, vectors: Float32) -> None:
        self.index.add(vectors)
        self.keys = np.concatenate([self.keys, keys])
        self.alive = np.concatenate([self.alive, np.ones(len(keys), bool)])

    def positions(self, keys: Int64) -> Intp:
        """Return the rows of those of `keys` that stand here."""
        at = np.searchsorted(self.keys, keys)
        at = at[at < len(self.keys)]
        return at[np.isin(self.keys[at], keys)]

    def selected(self, allowed: Int64 | None) -> NDArray[np.bool_]:
        """Return a mask of the rows that are alive and allowed."""
        if allowed is None:
            return self.alive
        mask = np.zeros(len(self.keys), bool)
        mask[self.positions(allowed)] = True
        return mask & self.alive


class VectorIndex:
    """Vectors of one dimension, searched by inner product.

    `VectorIndex(d)` is empty; `load` opens a file made by `save`. Keys are the caller's, ascend
    as they are added, and are never re-used. A search never runs beside an `add`: callers that
    serve threads swap the whole object.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._parts: list[_Part] = []

    def __len__(self) -> int:
        return sum(int(part.alive.sum()) for part in self._parts)

    def last_key(self) -> int:
        """Return the greatest key that was ever added, also if it was removed; -1 if none was."""
        return max((int(part.keys[-1]) for part in self._parts if len(part.keys)), default=NO_KEY)

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        """Map a file made by `save` into memory; nothing is copied.

        The caller has checked the file's hash: FAISS reads a damaged file without complaint.
        """
        import faiss

        wrapped = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        keys = faiss.vector_to_array(wrapped.id_map)
        index = faiss.downcast_index(wrapped.index)
        loaded = cls(index.d)
        loaded._parts.append(_Part(index, keys, mapping=wrapped))
        return loaded

    def add(self, keys: Int64, vectors: NDArray[np.floating[Any]]) -> None:
        """Add rows.

        Args:
            keys: `(n,)`, ascending, each above every key that is here.
            vectors: `(n, d)`, finite, unit rows, already rounded to float16.

        Raises:
            ValueError: if a shape, the order of the keys or a number is not so.
        """
        self._check_rows(vectors)
        if len(keys) != len(vectors):
            raise ValueError(f"{len(keys)} keys for {len(vectors)} vectors")
        if not len(keys):
            return
        if keys[0] <= self.last_key() or np.any(np.diff(keys) <= 0):
            raise ValueError("keys must ascend and be above those that are here")
        if not self._parts or self._parts[-1].mapping is not None:
            self._parts.append(_Part(_new_faiss(self.dimension), np.empty(0, np.int64)))
        self._parts[-1].append(keys, np.ascontiguousarray(vectors, np.float32))

    def remove(self, keys: Int64) -> None:
        """Leave these keys out from now on; keys that are not here are passed over."""
        for part in self._parts:
            part.alive[part.positions(np.asarray(keys, np.int64))] = False

    def search(
        self, queries: Float32, k: int, allowed: Int64 | None = None
    ) -> tuple[Float32, Int64]:
        """Find the `k` nearest of each query.

        Args:
            queries: `(q, d)` float32, unit rows.
            k: At least 1; may be above the number of vectors.
            allowed: Keys to search among; None for all.

        Returns:
            Scores `(q, k')` best first and keys `(q, k')`, where k' is the lesser of `k` and the
            number of vectors; equal scores by key; where fewer match, key -1 and score -inf.

        Raises:
            ValueError: if `k` is below 1, or the queries' shape or numbers are wrong.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        self._check_rows(queries)
        k = min(k, max(len(self), 1))
        found = [_search_part(part, queries, k, allowed) for part in self._parts]
        scores = np.concatenate([s for s, _ in found] + [_padding(len(queries), k)[0]], axis=1)
        keys = np.concatenate([i for _, i in found] + [_padding(len(queries), k)[1]], axis=1)
        order = np.lexsort((keys, -scores))[:, :k]  # (q, k)
        best = np.take_along_axis(scores, order, 1), np.take_along_axis(keys, order, 1)
        return best if len(self) else (best[0][:, :0], best[1][:, :0])

    def range(
        self, queries: Float32, threshold: float, allowed: Int64 | None = None
    ) -> list[tuple[Float32, Int64]]:
        """Find everything that scores at least `threshold`, for each query: scores and keys.

        Best first, equal scores by key; inclusive, unlike FAISS's own range search.
        """
        if np.isnan(threshold):
            raise ValueError("threshold is NaN")
        self._check_rows(queries)
        found = [_range_part(part, queries, _below(threshold), allowed) for part in self._parts]
        return (
            list(starmap(_merge, zip(*found, strict=True)))
            if found
            else [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
        )

    def get(self, keys: Int64) -> Float32:
        """Return the vectors with these keys, `(n, d)`, in this order; a key may come twice.

        Raises:
            ValueError: if a key isn't here.
        """
        wanted, back = np.unique(np.asarray(keys, np.int64), return_inverse=True)
        rows = np.empty((len(wanted), self.dimension), np.float32)
        found = np.zeros(len(wanted), bool)
        for part in self._parts:
            at = part.positions(wanted)
            at = at[part.alive[at]]
            if len(at):
                here = np.searchsorted(wanted, part.keys[at])
                rows[here], found[here] = part.index.reconstruct_batch(at), True
        if not found.all():
            raise ValueError(f"no vector with key {wanted[~found][0]}")
        return rows[back]

    def scan(self, block: int = 65536) -> Iterator[tuple[Int64, Float32]]:
        """Yield every vector, in order of key, `block` at a time: keys `(b,)`, vectors `(b, d)`."""
        for part in self._parts:
            for start in range(0, len(part.keys), block):
                stop = min(start + block, len(part.keys))
                alive = part.alive[start:stop]
                vectors = part.index.reconstruct_n(start, stop - start)
                yield part.keys[start:stop][alive], vectors[alive]

    def save(self, path: Path) -> None:
        """Write everything that is alive as one FAISS file (`IndexIDMap` of float16 rows)."""
        import faiss

        wrapped = faiss.IndexIDMap(_new_faiss(self.dimension))
        for keys, vectors in self.scan():
            wrapped.add_with_ids(vectors, keys)
        faiss.write_index(wrapped, str(path))

    def _check_rows(self, rows: NDArray[Any]) -> None:
        """FAISS gives an empty AssertionError, or silently nothing: say it in words, before."""
        if rows.ndim != 2 or rows.shape[1] != self.dimension:
            raise ValueError(f"shape {rows.shape} where (n, {self.dimension}) is needed")
        if not np.isfinite(rows).all():
            raise ValueError("a vector holds NaN or infinity")


def _new_faiss(dimension: int) -> Any:  # noqa: ANN401
    import faiss

    halves = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexScalarQuantizer(dimension, halves, faiss.METRIC_INNER_PRODUCT)


def _padding(queries: int, k: int) -> tuple[Float32, Int64]:
    scores = np.full((queries, k), -np.inf, np.float32)
    return scores, np.full((queries, k), NO_KEY, np.int64)


def _parameters(part: _Part, allowed: Int64 | None) -> tuple[Any, int, Any]:
    """Return FAISS's search parameters, how many rows they select, and what must stay alive."""
    import faiss

    mask = part.selected(allowed)
    count = int(mask.sum())
    if count == len(mask):
        return None, count, None
    bitmap = np.packbits(mask, bitorder="little")
    return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap)), count, bitmap


def _search_part(
    part: _Part, queries: Float32, k: int, allowed: Int64 | None
) -> tuple[Float32, Int64]:
    params, count, _bitmap = _parameters(part, allowed)
    if not count:
        return _padding(len(queries), 0)
    found = min(k + 1, count)  # one more shows whether a tie is cut at k
    scores, rows = part.index.search(np.ascontiguousarray(queries), found, params=params)
    keys = part.keys[rows]
    if found > k:
        for row in np.flatnonzero(scores[:, k - 1] == scores[:, k]):
            tied = _range_part(part, queries[row : row + 1], _below(scores[row, k]), allowed)
            scores[row], keys[row] = (best[:found] for best in _merge(*tied))
    return scores, keys


def _below(score: float) -> float:
    """FAISS's range search is strictly greater: give the next float32 below."""
    return float(np.nextafter(np.float32(score), np.float32(-np.inf)))


def _range_part(
    part: _Part, queries: Float32, below: float, allowed: Int64 | None
) -> list[tuple[Float32, Int64]]:
    params, count, _bitmap = _parameters(part, allowed)
    if not count:
        return [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
    limits, scores, rows = part.index.range_search(
        np.ascontiguousarray(queries), below, params=params
    )
    return [(scores[a:b], part.keys[rows[a:b]]) for a, b in pairwise(limits)]


def _merge(*found: tuple[Float32, Int64]) -> tuple[Float32, Int64]:
    scores = np.concatenate([s for s, _ in found])
    keys = np.concatenate([i for _, i in found])
    order = np.lexsort((keys, -scores))
    return scores[order], keys[order]

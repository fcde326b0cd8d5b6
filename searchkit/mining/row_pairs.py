"""Pairs of rows with scores, and their order: best first, in bounded memory."""

from __future__ import annotations

import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Int64

RUN = 4_000_000  # pairs that are sorted in memory; more go through a temporary file


@dataclass(frozen=True, slots=True)
class RowPairs:
    """Pairs as three arrays of one length.

    Attributes:
        left: Number of the first vector (or owner) of each pair.
        right: Number of the second, always greater.
        scores: Their inner product, float32.
    """

    left: Int64
    right: Int64
    scores: Float32

    def __len__(self) -> int:
        return len(self.scores)

    def best_first(self) -> RowPairs:
        """Sort by score, to six places, and among equal scores by the numbers."""
        return self._taken(np.lexsort((self.right, self.left, -_millionths(self.scores))))

    def _taken(self, rows: Any) -> RowPairs:  # noqa: ANN401
        return RowPairs(self.left[rows], self.right[rows], self.scores[rows])


def concatenate_pairs(blocks: Sequence[RowPairs]) -> RowPairs:
    """Return the pairs of all blocks, in the order of the blocks."""
    empty = RowPairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    parts = [empty, *blocks]
    return RowPairs(
        np.concatenate([p.left for p in parts]),
        np.concatenate([p.right for p in parts]),
        np.concatenate([p.scores for p in parts]),
    )


class PairSorter:
    """Collects blocks of pairs and gives them back best first, in flat memory.

    More than `RUN` pairs go through a temporary file, as sorted runs that are merged in the end.
    """

    def __init__(self, max_pairs: int | None = None) -> None:
        """Keep all pairs, or the best `max_pairs`; `total` counts all."""
        self.total = 0
        self._max_pairs = max_pairs
        self._blocks: list[RowPairs] = []
        self._held = 0
        self._runs: list[RowPairs] = []

    def add(self, pairs: RowPairs) -> None:
        """Take some pairs, in any order."""
        self.total += len(pairs)
        self._blocks.append(pairs)
        self._held += len(pairs)
        most = RUN if self._max_pairs is None else max(RUN, 2 * self._max_pairs)
        if self._held > most:
            best = concatenate_pairs(self._blocks).best_first()
            if self._max_pairs is None:
                self._runs.append(_on_disk(best))
                self._blocks, self._held = [], 0
            else:
                best = best._taken(slice(self._max_pairs))
                self._blocks, self._held = [best], len(best)

    def blocks(self) -> Iterator[RowPairs]:
        """Yield all pairs that are kept, best first, a block at a time."""
        last = concatenate_pairs(self._blocks).best_first()
        if self._max_pairs is not None:
            last = last._taken(slice(self._max_pairs))
        if not self._runs:
            yield last
            return
        yield from _merged([*self._runs, last])


def _on_disk(pairs: RowPairs) -> RowPairs:
    """Move arrays into a temporary file without a name: it is gone with the process."""

    def moved(array: NDArray[Any]) -> NDArray[Any]:
        with tempfile.TemporaryFile() as file:
            array.tofile(file)
            file.flush()
            return np.memmap(file, array.dtype, "r", shape=array.shape)

    return RowPairs(moved(pairs.left), moved(pairs.right), moved(pairs.scores))


def _merged(runs: Sequence[RowPairs], block: int = 65_536) -> Iterator[RowPairs]:
    """Merge sorted runs: up to the first of their blocks' last pairs, nothing can be missing."""
    at = [0] * len(runs)
    while any(at[n] < len(run) for n, run in enumerate(runs)):
        heads = [run._taken(slice(at[n], at[n] + block)) for n, run in enumerate(runs)]
        lasts = [
            _order(head, len(head) - 1)
            for n, head in enumerate(heads)
            if at[n] + block < len(runs[n])
        ]
        together = concatenate_pairs(heads).best_first()
        limit = min(lasts, default=(sys.maxsize, 0, 0))
        yield together._taken(slice(_first_beyond(together, limit)))
        at = [a + _first_beyond(head, limit) for a, head in zip(at, heads, strict=True)]


def _millionths(scores: Float32) -> Int64:
    """Return what of a score counts: nearer ones are equal."""
    return np.rint(scores.astype(np.float64) * 1e6).astype(np.int64)


def _order(pairs: RowPairs, row: int) -> tuple[int, int, int]:
    score = int(_millionths(pairs.scores[row : row + 1])[0])
    return -score, int(pairs.left[row]), int(pairs.right[row])


def _first_beyond(pairs: RowPairs, limit: tuple[int, int, int]) -> int:
    """Return the first row of sorted pairs that stands after `limit`."""
    return bisect_right(range(len(pairs)), limit, key=lambda row: _order(pairs, row))

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

RUN_PAIRS = 4_000_000  # pairs that are sorted in memory; more go through a temporary file
MERGE_PAIRS = 65_536  # pairs of each sorted run that are in memory while runs are merged

SortKey = tuple[int, int, int]  # minus the score in millionths, left, right


@dataclass(frozen=True, slots=True)
class RowPairs:
    """Pairs as three arrays of one length.

    Attributes:
        left: The number of the first vector (or owner) of each pair.
        right: The number of the second, always greater.
        scores: Their inner product, float32.
    """

    left: Int64
    right: Int64
    scores: Float32

    def __len__(self) -> int:
        return len(self.scores)

    def best_first(self) -> RowPairs:
        """Sort by score to six decimals, descending, and equal scores by the numbers."""
        return self.take(np.lexsort((self.right, self.left, -_millionths(self.scores))))

    def take(self, places: Int64 | NDArray[np.bool_] | slice) -> RowPairs:
        """Return the pairs at these places, given by number, mask or slice."""
        return RowPairs(self.left[places], self.right[places], self.scores[places])

    def sort_key(self, place: int) -> SortKey:
        """Return what decides the order of the pair at a place."""
        score = int(_millionths(self.scores[place : place + 1])[0])
        return -score, int(self.left[place]), int(self.right[place])


def concatenate_pairs(blocks: Sequence[RowPairs]) -> RowPairs:
    """Return the pairs of all blocks, in the order of the blocks."""
    empty = RowPairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    blocks = [empty, *blocks]
    return RowPairs(
        np.concatenate([block.left for block in blocks]),
        np.concatenate([block.right for block in blocks]),
        np.concatenate([block.scores for block in blocks]),
    )


class PairSorter:
    """Collects blocks of pairs and yields them best first, in bounded memory.

    An external merge sort: more than `run_pairs` pairs go through a temporary file as sorted runs,
    which are merged in the end.
    """

    def __init__(
        self,
        max_pairs: int | None = None,
        *,
        run_pairs: int = RUN_PAIRS,
        merge_pairs: int = MERGE_PAIRS,
    ) -> None:
        """Keep the best `max_pairs`, or all if it is None; `total` counts all."""
        self.total = 0
        self._max_pairs = max_pairs
        self._merge_pairs = merge_pairs
        self._max_held = run_pairs if max_pairs is None else max(run_pairs, 2 * max_pairs)
        self._blocks: list[RowPairs] = []
        self._held = 0
        self._runs: list[RowPairs] = []

    def add(self, pairs: RowPairs) -> None:
        """Add pairs, in any order."""
        self.total += len(pairs)
        self._blocks.append(pairs)
        self._held += len(pairs)
        if self._held > self._max_held:
            best = concatenate_pairs(self._blocks).best_first()
            if self._max_pairs is None:
                self._runs.append(_on_disk(best))
                self._blocks, self._held = [], 0
            else:
                best = best.take(slice(self._max_pairs))
                self._blocks, self._held = [best], len(best)

    def blocks(self) -> Iterator[RowPairs]:
        """Yield all pairs that are kept, best first, in blocks."""
        last = concatenate_pairs(self._blocks).best_first()
        if self._max_pairs is not None:
            last = last.take(slice(self._max_pairs))
        if not self._runs:
            yield last
            return
        yield from _merge([*self._runs, last], self._merge_pairs)


def _on_disk(pairs: RowPairs) -> RowPairs:
    """Move arrays to temporary files without a name, which vanish with the process."""

    def moved(array: NDArray[Any]) -> NDArray[Any]:
        with tempfile.TemporaryFile() as file:
            array.tofile(file)
            file.flush()
            return np.memmap(file, array.dtype, "r", shape=array.shape)

    return RowPairs(moved(pairs.left), moved(pairs.right), moved(pairs.scores))


def _merge(runs: Sequence[RowPairs], block: int) -> Iterator[RowPairs]:
    """Merge sorted runs.

    The next `block` pairs of every run are read. All pairs up to the first of the last ones read
    are complete: no unread pair can come before them.
    """
    places = [0] * len(runs)
    while any(place < len(run) for place, run in zip(places, runs, strict=True)):
        heads = [
            run.take(slice(place, place + block)) for place, run in zip(places, runs, strict=True)
        ]
        unfinished = [
            head
            for place, run, head in zip(places, runs, heads, strict=True)
            if place + block < len(run)
        ]
        limit = min(
            (head.sort_key(len(head) - 1) for head in unfinished), default=(sys.maxsize, 0, 0)
        )
        merged = concatenate_pairs(heads).best_first()
        yield merged.take(slice(_count_up_to(merged, limit)))
        places = [
            place + _count_up_to(head, limit) for place, head in zip(places, heads, strict=True)
        ]


def _millionths(scores: Float32) -> Int64:
    """Return scores in millionths; nearer ones are equal."""
    return np.rint(scores.astype(np.float64) * 1e6).astype(np.int64)


def _count_up_to(pairs: RowPairs, limit: SortKey) -> int:
    """Count the sorted pairs up to and including `limit`."""
    return bisect_right(range(len(pairs)), limit, key=pairs.sort_key)

"""Partitions: mining beyond the reach of every pair, within cells of vectors that lie together.

The vectors are split by k-means, and each stands in the cells that are nearest to it; pairs are
sought within cells, there exactly. So a pair is lost only if its two share no cell, and how many
are lost is measured: of a sample of answers, all pairs are sought and looked at. As for semantic
deduplication (Abbas et al., SemDeDup, 2023), with overlap.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.progress import Counter, Progress
from searchkit.mining.distributed import pairs_from_file, write_pairs
from searchkit.mining.exact import HALF_A_PLACE, mine_blocks
from searchkit.mining.row_pairs import RowPairs
from searchkit.runners.base import Runner
from searchkit.runners.files import map_array, write_array

OVERLAP = 3  # cells of a vector; measured: benchmarks/README.md
SAMPLE = 1_000  # owners all of whose pairs are sought
TRAINED = 256  # vectors for each cell, from which the means are learned
ROUNDS = 20
BLOCK = 65_536  # rows that are looked at in one step
NONE = -1


@dataclass(frozen=True, slots=True)
class Recall:
    """How much of what there is was found, measured on a sample.

    Attributes:
        cells: How many cells there are.
        sampled: Answers all of whose pairs were sought.
        pairs: How many these are.
        found: How many of them partitioned mining finds.
    """

    cells: int
    sampled: int
    pairs: int
    found: int

    @property
    def share(self) -> float | None:
        """The recall; None if the sample has no pair."""
        return round(self.found / self.pairs, 4) if self.pairs else None

    def __str__(self) -> str:
        sample = f"{self.pairs:,} pairs that {self.sampled:,} sampled answers have"
        recall = f"recall {self.share or 0:.2%}: {self.found:,} of {sample}"
        if self.share is None:
            recall = f"recall can't be told from {sample}"
        return f"partitioned into {self.cells:,} cells, not exact; {recall}"


@dataclass(frozen=True, slots=True)
class Cells:
    """Which cells each row is in.

    Attributes:
        count: How many there are.
        of: `(n, c)` the cells of each row, ascending; `NONE` where there are fewer. Rows of one
            owner are in the same ones.
    """

    count: int
    of: Int64

    def rows(self, cell: int) -> Int64:
        """Return the rows of a cell, ascending."""
        rows: Int64 = np.flatnonzero((self.of == cell).any(axis=1))
        return rows


def split(vectors: Float32, cells: int, owners: Int64, seed: int = 0) -> Cells:
    """Put each row into the `OVERLAP` cells nearest to it, and to the other rows of its owner.

    Args:
        vectors: `(n, d)` float32, unit rows.
        cells: How many, at most; no more than there are rows.
        owners: `(n,)`; rows of one owner stand together.
        seed: Of the first means.
    """
    import faiss

    rows = np.ascontiguousarray(vectors, np.float32)
    cells = min(cells, len(rows))
    means = faiss.Kmeans(
        rows.shape[1],
        cells,
        niter=ROUNDS,
        seed=seed,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=TRAINED,
    )
    means.train(rows)
    nearest = np.concatenate(
        [
            means.index.search(rows[at : at + BLOCK], min(OVERLAP, cells))[1]
            for at in range(0, len(rows), BLOCK)
        ]
    )
    return Cells(cells, _shared(nearest.astype(np.int64), owners))


def _shared(nearest: Int64, owners: Int64) -> Int64:
    """Return to all rows of an owner the cells of each."""
    number = np.cumsum(np.r_[0, np.diff(owners) != 0])  # of the owner, from 0
    pairs = np.unique(
        np.stack([np.repeat(number, nearest.shape[1]), nearest.ravel()], axis=1), axis=0
    )
    counts = np.bincount(pairs[:, 0])
    place = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
    of = np.full((len(counts), counts.max()), NONE, np.int64)
    of[pairs[:, 0], place] = pairs[:, 1]
    shared: Int64 = of[number]
    return shared


def mine_partitions(
    vectors: Float32,
    threshold: float,
    cells: Cells,
    *,
    groups: Int64,
    owners: Int64,
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> Iterator[RowPairs]:
    """Stream the pairs of `mining.mine_blocks` that share a cell, each once.

    Args:
        vectors: See `mine_blocks`, as the others.
        threshold: Inclusive.
        cells: Of these vectors.
        groups: Pairs are sought within one.
        owners: Pairs are of these.
        runner: Where to look into the cells; None: here.
        progress: Called with how many cells are done, and of how many.
    """
    counter = Counter(progress, cells.count)
    if runner is None:
        for cell in range(cells.count):
            yield from _mined(cell, cells, vectors, threshold, groups, owners)
            counter.advance()
        return
    with tempfile.TemporaryDirectory(prefix="cells-", dir=runner.folder) as folder:
        for name, array in (
            ("rows", vectors),
            ("cells", cells.of),
            ("groups", groups),
            ("owners", owners),
        ):
            write_array(Path(folder) / f"{name}.npy", array)
        tasks = [(folder, cell, threshold) for cell in range(cells.count)]
        for task, count in zip(tasks, runner.run(mine_cell, tasks), strict=True):
            path = _pairs_file(task)
            if count:
                yield pairs_from_file(path)
            path.unlink()
            counter.advance()


def mine_cell(task: tuple[str, int, float]) -> int:
    """Write the pairs of a cell; the task of a worker. Gives how many there are."""
    vectors, cells, groups, owners = _opened(task[0])
    found = list(_mined(task[1], cells, vectors, task[2], groups, owners))
    return write_pairs(_pairs_file(task), found)


@lru_cache(maxsize=1)
def _opened(folder: str) -> tuple[Float32, Cells, Int64, Int64]:
    rows, of, groups, owners = (
        map_array(Path(folder) / f"{name}.npy") for name in ("rows", "cells", "groups", "owners")
    )
    return rows, Cells(0, of), groups, owners


def _pairs_file(task: tuple[str, int, float]) -> Path:
    return Path(task[0]) / f"pairs-{task[1]}.npy"


def _mined(
    cell: int, cells: Cells, vectors: Float32, threshold: float, groups: Int64, owners: Int64
) -> Iterator[RowPairs]:
    """Stream the pairs of a cell that no earlier cell has."""
    rows = cells.rows(cell)
    if len(rows) < 2:
        return
    row_of = {int(owner): int(row) for row, owner in zip(rows, owners[rows], strict=True)}
    for pairs in mine_blocks(vectors[rows], threshold, groups=groups[rows], owners=owners[rows]):
        left, right = (
            cells.of[[row_of[owner] for owner in side.tolist()]]
            for side in (pairs.left, pairs.right)
        )
        first = lowest_shared(left, right) == cell
        if first.any():
            yield RowPairs(pairs.left[first], pairs.right[first], pairs.scores[first])


def lowest_shared(left: Int64, right: Int64) -> Int64:
    """Return the lowest cell that both `(p, c)` sides of each pair are in; `NONE` if none is."""
    lowest = np.full(len(left), NONE, np.int64)
    for column in range(left.shape[1] - 1, -1, -1):  # the last one found is the lowest
        cell = left[:, column]
        shared = (right == cell[:, None]).any(axis=1) & (cell != NONE)
        lowest[shared] = cell[shared]
    return lowest


def measure_recall(
    vectors: Float32,
    threshold: float,
    cells: Cells,
    *,
    groups: Int64,
    owners: Int64,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Recall:
    """Seek all pairs of a sample of owners, and say how many share a cell.

    Args:
        vectors: `(n, d)` float32, unit rows.
        threshold: Inclusive.
        cells: Of these vectors.
        groups: `(n,)`; pairs are sought within one.
        owners: `(n,)`; pairs are of these.
        sample: How many owners to draw.
        seed: Of the draw.
    """
    known = np.unique(owners)
    drawn = (
        known
        if len(known) <= sample
        else np.sort(np.random.default_rng(seed).choice(known, sample, replace=False))
    )
    chosen = np.flatnonzero(np.isin(owners, drawn))
    pairs: dict[tuple[int, int], bool] = {}
    bound = np.float32(threshold - HALF_A_PLACE)
    for at in range(0, len(vectors), BLOCK):
        some = slice(at, at + BLOCK)
        for part in np.array_split(chosen, max(1, len(chosen) // 256)):
            i, j = np.nonzero(vectors[part] @ vectors[some].T >= bound)
            i, j = part[i], j + at
            kept = (owners[i] != owners[j]) & (groups[i] == groups[j])
            i, j = i[kept], j[kept]
            shared = lowest_shared(cells.of[i], cells.of[j]) != NONE
            low, high = np.minimum(owners[i], owners[j]), np.maximum(owners[i], owners[j])
            pairs.update(
                zip(zip(low.tolist(), high.tolist(), strict=True), shared.tolist(), strict=True)
            )
    return Recall(cells.count, len(drawn), len(pairs), sum(pairs.values()))

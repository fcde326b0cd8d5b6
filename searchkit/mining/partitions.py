"""Partitions: approximate mining for corpora that are too large for comparing every pair.

The vectors are split into cells by k-means, each vector belongs to the cells nearest to it, and the
pairs within a cell are found exactly. So a pair is lost only if its two vectors share no cell, and
the recall is measured on a sample of answers for which all pairs are computed. The method is that
of SemDeDup (Abbas et al., 2023), with overlapping cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.progress import Counter, Progress
from searchkit.index.vectors.faiss_runtime import load_faiss
from searchkit.mining.exact import HALF_MILLIONTH, mine_blocks
from searchkit.mining.row_pairs import RowPairs
from searchkit.runners.base import PlainLoop, Runner

CELLS_PER_VECTOR = 3  # chosen by the measurements in docs/figures/mining.md
SAMPLED_OWNERS = 1_000  # all pairs of which are computed to measure the recall
TRAINING_VECTORS = 256  # for each cell, from which k-means learns its mean
KMEANS_ITERATIONS = 20
BLOCK_ROWS = 65_536  # that are looked at in one step
NO_CELL = -1


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of all pairs that partitioned mining finds, measured on a sample.

    Attributes:
        cells: The number of cells.
        sampled: The number of answers in the sample.
        pairs: The number of all pairs that the sampled answers have.
        found: The number of these pairs that partitioned mining finds.
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
    """The cells that each row belongs to.

    Attributes:
        count: The number of cells.
        of: `(n, c)` the cells of each row, ascending, then `NO_CELL`. All rows of one owner belong
            to the same cells.
    """

    count: int
    of: Int64

    def rows(self, cell: int) -> Int64:
        """Return the rows of a cell, ascending."""
        rows: Int64 = np.flatnonzero((self.of == cell).any(axis=1))
        return rows


def split(
    vectors: Float32,
    cells: int,
    owners: Int64,
    *,
    cells_per_vector: int = CELLS_PER_VECTOR,
    seed: int = 0,
) -> Cells:
    """Split vectors into cells by spherical k-means.

    A row belongs to the cells nearest to it and to those nearest to the other rows of its owner.

    Args:
        vectors: `(n, d)` float32, unit rows.
        cells: The number of cells; one for each row, if there are fewer rows.
        owners: `(n,)`; the rows of one owner are adjacent.
        cells_per_vector: How many cells nearest to a row it belongs to.
        seed: Of the initial means.
    """
    faiss = load_faiss()

    rows = np.ascontiguousarray(vectors, np.float32)
    cells = min(cells, len(rows))
    means = faiss.Kmeans(
        rows.shape[1],
        cells,
        niter=KMEANS_ITERATIONS,
        seed=seed,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=TRAINING_VECTORS,
    )
    means.train(rows)
    nearest = np.concatenate(
        [
            means.index.search(rows[at : at + BLOCK_ROWS], min(cells_per_vector, cells))[1]
            for at in range(0, len(rows), BLOCK_ROWS)
        ]
    )
    return Cells(cells, _shared(nearest.astype(np.int64), owners))


def _shared(nearest: Int64, owners: Int64) -> Int64:
    """Return for each row all cells of its owner's rows, as `Cells.of`."""
    number = np.cumsum(np.r_[0, np.diff(owners) != 0])  # of each row's owner, from 0
    pairs = np.unique(
        np.stack([np.repeat(number, nearest.shape[1]), nearest.ravel()], axis=1), axis=0
    )
    counts = np.bincount(pairs[:, 0])
    place = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
    of = np.full((len(counts), counts.max()), NO_CELL, np.int64)
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
    """Yield the pairs of `mine_blocks` that share a cell, each once.

    Args:
        vectors: See `mine_blocks`, as for all others.
        threshold: Inclusive.
        cells: Of these vectors.
        groups: `(n,)`; only rows of one group are compared.
        owners: `(n,)`; pairs are of owners.
        runner: Where cells are mined, with the same result; None for this process.
        progress: Called with the number of cells done, and of all cells.
    """
    runner = runner or PlainLoop()
    counter = Counter(progress, cells.count)
    pool = runner.pool(partial(CellMiner, vectors, cells, groups, owners, threshold))
    for blocks in pool.run(CellMiner.cell_pairs, range(cells.count)):
        yield from blocks
        counter.advance()


@dataclass(frozen=True, slots=True)
class CellMiner:
    """Finds the pairs of cells; for the attributes see `mine_partitions`."""

    vectors: Float32
    cells: Cells
    groups: Int64
    owners: Int64
    threshold: float

    def cell_pairs(self, cell: int) -> Iterator[RowPairs]:
        """Yield the pairs of a cell that share no lower cell."""
        rows = self.cells.rows(cell)
        if len(rows) < 2:
            return
        owners = self.owners[rows]
        row_of = {int(owner): int(row) for row, owner in zip(rows, owners, strict=True)}
        for pairs in mine_blocks(
            self.vectors[rows], self.threshold, groups=self.groups[rows], owners=owners
        ):
            left, right = (
                self.cells.of[[row_of[owner] for owner in side.tolist()]]
                for side in (pairs.left, pairs.right)
            )
            first = lowest_shared(left, right) == cell
            if first.any():
                yield pairs.take(first)


def lowest_shared(left: Int64, right: Int64) -> Int64:
    """Return the lowest cell that both sides of each pair belong to.

    Args:
        left: `(p, c)` the cells of one side, as in `Cells.of`.
        right: `(p, c)` those of the other.

    Returns:
        `(p,)`; `NO_CELL` for a pair that shares no cell.
    """
    lowest = np.full(len(left), NO_CELL, np.int64)
    for column in range(left.shape[1] - 1, -1, -1):  # the last match is the lowest
        cell = left[:, column]
        shared = (right == cell[:, None]).any(axis=1) & (cell != NO_CELL)
        lowest[shared] = cell[shared]
    return lowest


def measure_recall(
    vectors: Float32,
    threshold: float,
    cells: Cells,
    *,
    groups: Int64,
    owners: Int64,
    sample: int = SAMPLED_OWNERS,
    seed: int = 0,
) -> Recall:
    """Compute all pairs of a sample of owners, and count how many of them share a cell.

    Args:
        vectors: `(n, d)` float32, unit rows.
        threshold: Inclusive.
        cells: Of these vectors.
        groups: `(n,)`; only rows of one group are compared.
        owners: `(n,)`; pairs are of owners.
        sample: The number of owners to draw.
        seed: Of the draw.
    """
    drawn = np.unique(owners)
    if len(drawn) > sample:
        drawn = np.sort(np.random.default_rng(seed).choice(drawn, sample, replace=False))
    chosen = np.flatnonzero(np.isin(owners, drawn))
    pairs: dict[tuple[int, int], bool] = {}
    bound = np.float32(threshold - HALF_MILLIONTH)
    for at in range(0, len(vectors), BLOCK_ROWS):
        for part in np.array_split(chosen, max(1, len(chosen) // 256)):
            i, j = np.nonzero(vectors[part] @ vectors[at : at + BLOCK_ROWS].T >= bound)
            i, j = part[i], j + at
            allowed = (owners[i] != owners[j]) & (groups[i] == groups[j])
            i, j = i[allowed], j[allowed]
            shared = lowest_shared(cells.of[i], cells.of[j]) != NO_CELL
            low, high = np.minimum(owners[i], owners[j]), np.maximum(owners[i], owners[j])
            pairs.update(
                zip(zip(low.tolist(), high.tolist(), strict=True), shared.tolist(), strict=True)
            )
    return Recall(cells.count, len(drawn), len(pairs), sum(pairs.values()))

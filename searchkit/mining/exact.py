"""Mining: every pair of vectors whose inner product reaches a threshold, exactly.

Products are first computed fast, a block at a time, with less precision than the threshold needs.
An upper bound of their error is known beforehand (see `products`), so a pair whose fast product is
below the threshold by more than that can't reach it, and the few others are computed again in
float32. No pair is lost, whatever the vectors are; there is neither a `top_k` nor a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.progress import Counter, Progress
from searchkit.mining.products import (
    EIGHT_BIT,
    GPU,
    Bounds,
    Precision,
    Products,
    bounds_of,
    fast_precision_here,
    gpu_holds,
    has_eight_bits,
    precision_without_integers,
    products_of,
)
from searchkit.mining.row_pairs import RowPairs, concatenate_pairs
from searchkit.runners.base import PlainLoop, Runner

TILE_ROWS = 512
TORCH_MIN_MULTIPLICATIONS = 2e11  # below it, importing torch (two seconds) takes longer
GPU_MIN_MULTIPLICATIONS = 2e12  # below it, starting a GPU takes longer
TASK_MULTIPLICATIONS = 2e10  # a second of a worker's time, beside which starting a task is nothing
GPU_TASK_MULTIPLICATIONS = 1e13  # the same for a worker with a GPU
HALF_MILLIONTH = 5e-7  # scores count to six decimals: one that rounds up to the threshold counts
SUMMATION_ERROR = 2e-6  # upper bound for the difference of two float32 sums of the same products


def mine_pairs(
    vectors: Float32,
    threshold: float,
    *,
    groups: Int64 | None = None,
    owners: Int64 | None = None,
    progress: Progress | None = None,
    tile_rows: int = TILE_ROWS,
) -> RowPairs:
    """Return every pair that scores at least `threshold`, best first; see `mine_blocks`."""
    blocks = mine_blocks(
        vectors, threshold, groups=groups, owners=owners, progress=progress, tile_rows=tile_rows
    )
    return concatenate_pairs(list(blocks)).best_first()


def mine_blocks(
    vectors: Float32,
    threshold: float,
    *,
    groups: Int64 | None = None,
    owners: Int64 | None = None,
    runner: Runner | None = None,
    progress: Progress | None = None,
    tile_rows: int = TILE_ROWS,
) -> Iterator[RowPairs]:
    """Yield every pair that scores at least `threshold`, in blocks, in no particular order.

    Args:
        vectors: `(n, d)` float32, unit rows (any norm below 2 is allowed for).
        threshold: Inclusive; scores are compared to six decimals.
        groups: `(n,)`; only rows of one group are compared. Its rows are adjacent.
        owners: `(n,)`; the rows of one owner (the passages of an answer) are adjacent and in one
            group. Two owners are a pair if any of their rows are, with the best score; rows of one
            owner are no pair. None: every row is its own owner.
        runner: Where tiles are computed, with the same result; None for this process.
        progress: Called with the number of rows done, and of all rows.
        tile_rows: About how many rows are multiplied at a time; the result is the same.

    Yields:
        Pairs of owners (of rows if there are no owners), each pair once over all blocks.

    Raises:
        ValueError: if the threshold or a vector is not finite, or the rows of a group or an owner
            are not adjacent.
    """
    rows = _check_vectors(vectors, threshold)
    tiling = Tiling.of(len(rows), groups, owners, tile_rows)
    if len(rows) < 2:
        return
    runner = runner or PlainLoop()
    dimension = rows.shape[1]
    precision = choose_precision(tiling, dimension, partial(_gpus_hold, runner))
    bounds, min_score = bounds_of(rows, precision), threshold - HALF_MILLIONTH
    prepare = partial(_prepare, tiling, rows, precision, bounds, min_score, copy=runner.is_local)
    pool = runner.pool(prepare, gpu=precision == GPU)
    task_size = GPU_TASK_MULTIPLICATIONS if precision == GPU else TASK_MULTIPLICATIONS
    tasks = tiling.tasks(0 if runner.is_local else task_size / dimension)
    counter = Counter(progress, len(rows))
    for task, blocks in zip(tasks, pool.run(mine_tiles, tasks), strict=True):
        yield from blocks
        counter.advance(tiling.cuts[task.stop] - tiling.cuts[task.start])


def _prepare(
    tiling: Tiling, rows: Float32, precision: Precision, bounds: Bounds, score: float, *, copy: bool
) -> TileMiner:
    """Load what multiplies the rows, in another precision if this worker hasn't the one chosen."""
    usable = precision
    if precision == GPU and not gpu_holds(rows.size):
        usable = fast_precision_here()
    elif precision == EIGHT_BIT and not has_eight_bits():
        usable = precision_without_integers()
    if usable != precision:
        precision, bounds = usable, bounds_of(rows, usable)
    return TileMiner(tiling, rows, products_of(rows, precision, bounds, copy=copy), score)


def mine_tiles(miner: TileMiner, tiles: range) -> Iterator[RowPairs]:
    """Yield the pairs of some tiles: the task of a worker."""
    for tile in tiles:
        yield from miner.tile_pairs(tile)


@dataclass(frozen=True, slots=True)
class Tiling:
    """Which rows are compared, cut into tiles: parts of the work that don't depend on each other.

    A tile is the pairs of its own rows with each other and with all later rows of their group.

    Attributes:
        groups: `(n,)` the group of each row.
        owners: `(n,)` the owner of each row.
        ends: `(n,)` the row after the last of each row's group.
        has_owners: Whether pairs are of owners; otherwise of rows.
        cuts: The first row of each tile, ascending, and the number of rows.
    """

    groups: Int64
    owners: Int64
    ends: Int64
    has_owners: bool
    cuts: list[int]

    @classmethod
    def of(
        cls, count: int, groups: Int64 | None, owners: Int64 | None, tile_rows: int = TILE_ROWS
    ) -> Tiling:
        """Cut `count` rows into tiles of about `tile_rows`.

        Raises:
            ValueError: if the rows of a group or of an owner are not adjacent.
        """
        group_of = np.zeros(count, np.int64) if groups is None else np.asarray(groups)
        owner_of = np.arange(count) if owners is None else np.asarray(owners)
        _check_adjacent(group_of, "group")
        _check_adjacent(owner_of, "owner")
        ends = _group_ends(group_of)
        return cls(group_of, owner_of, ends, owners is not None, _cuts(owner_of, tile_rows))

    def products(self) -> list[int]:
        """Return the number of inner products of each tile."""
        return [
            (stop - start) * int(self.ends[stop - 1] - start) for start, stop in pairwise(self.cuts)
        ]

    def tasks(self, min_products: float) -> list[range]:
        """Join tiles until they have at least `min_products`; return the tiles of each task."""
        tasks: list[range] = []
        first, total = 0, 0
        products = self.products()
        for tile, count in enumerate(products, 1):
            total += count
            if total >= min_products or tile == len(products):
                tasks.append(range(first, tile))
                first, total = tile, 0
        return tasks


@dataclass(frozen=True, slots=True)
class TileMiner:
    """Finds the pairs of tiles.

    Attributes:
        tiling: Which rows are compared.
        rows: `(n, d)` float32.
        products: Of these rows.
        min_score: The least score of a pair, inclusive.
    """

    tiling: Tiling
    rows: Float32
    products: Products
    min_score: float

    def tile_pairs(self, tile: int) -> Iterator[RowPairs]:
        """Yield the pairs of a tile's rows with each other and with later rows."""
        tiling, products = self.tiling, self.products
        start, stop = tiling.cuts[tile : tile + 2]
        end = int(tiling.ends[stop - 1])
        for left, right in pairwise(_column_cuts(tiling.cuts, tile, end, products.block_tiles)):
            i, j = products.candidates(start, stop, left, right, self.min_score)
            allowed = (
                (i < j)
                & (tiling.groups[i] == tiling.groups[j])
                & (tiling.owners[i] != tiling.owners[j])
            )
            i, j = i[allowed], j[allowed]
            scores = self._sharpen(products.scores(i, j), i, j)
            pairs = RowPairs(i, j, scores).take(scores >= np.float32(self.min_score))
            if len(pairs):
                yield _best_of_owners(pairs, tiling.owners) if tiling.has_owners else pairs

    def _sharpen(self, scores: Float32, i: Int64, j: Int64) -> Float32:
        """Compute in float64 the scores for which the order of a float32 sum would decide."""
        near = np.flatnonzero(np.abs(scores - self.min_score) < SUMMATION_ERROR)
        left, right = (self.rows[side[near]].astype(np.float64) for side in (i, j))
        scores[near] = np.einsum("ij,ij->i", left, right)
        return scores


def _check_vectors(vectors: Float32, threshold: float) -> Float32:
    """Return vectors as a contiguous float32 array.

    Raises:
        ValueError: if the threshold is NaN, or the vectors are not finite or not `(n, d)`.
    """
    rows = np.require(vectors, np.float32, ["C", "W"])  # torch warns about read-only arrays
    if rows.ndim != 2:
        raise ValueError(f"shape {rows.shape} where (n, d) is needed")
    if np.isnan(threshold):
        raise ValueError("the threshold is NaN")
    if not np.isfinite(rows).all():
        raise ValueError("a vector holds NaN or infinity")
    return rows


def _check_adjacent(labels: Int64, name: str) -> None:
    runs = 1 + int(np.count_nonzero(np.diff(labels)))
    if len(labels) and runs != len(np.unique(labels)):
        raise ValueError(f"the rows of a {name} must stand together")


def _cuts(owners: Int64, tile_rows: int) -> list[int]:
    """Cut rows into tiles of about `tile_rows`, never between two rows of one owner."""
    count = len(owners)
    begins = np.flatnonzero(np.r_[True, np.diff(owners) != 0, True])  # with `count` at the end
    even = np.minimum(np.arange(0, count + tile_rows, tile_rows), count)
    cuts: list[int] = np.unique(begins[np.searchsorted(begins, even)]).tolist()
    return cuts


def _group_ends(groups: Int64) -> Int64:
    """Return for each row the row after the last of its group."""
    ends = np.flatnonzero(np.r_[np.diff(groups) != 0, True]) + 1
    return np.repeat(ends, np.diff(np.r_[0, ends]))


def _column_cuts(cuts: Sequence[int], tile: int, end: int, block_tiles: int) -> list[int]:
    """Return where the blocks of a tile begin, from its own rows on, and where the last one ends.

    Args:
        cuts: The cuts of all tiles.
        tile: The tile.
        end: The row after the last that is compared with the tile.
        block_tiles: The number of tiles whose rows are the columns of a block.
    """
    begins = [cut for cut in cuts[tile::block_tiles] if cut < end]
    return [*begins, min(end, cuts[-1])]


def _best_of_owners(pairs: RowPairs, owners: Int64) -> RowPairs:
    """Keep the best pair of each two owners, all of whose rows are in one block."""
    a, b = owners[pairs.left], owners[pairs.right]
    left, right = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((-pairs.scores, right, left))
    left, right, scores = left[order], right[order], pairs.scores[order]
    first = np.r_[True, (np.diff(left) != 0) | (np.diff(right) != 0)]
    return RowPairs(left[first], right[first], scores[first])


def choose_precision(
    tiling: Tiling,
    dimension: int,
    gpu_has_room: Callable[[int], bool],
    *,
    torch_from: float = TORCH_MIN_MULTIPLICATIONS,
    gpu_from: float = GPU_MIN_MULTIPLICATIONS,
) -> Precision:
    """Return the precision in which the fast products of all tiles take the least time.

    It depends on the size of the work and on the machines, 8-bit integers on how fast they are.

    Args:
        tiling: Which rows are compared.
        dimension: Of the vectors.
        gpu_has_room: Returns whether each GPU that would be used holds so many numbers.
        torch_from: Number of multiplications above which torch is used.
        gpu_from: Number of multiplications above which a GPU is used.
    """
    multiplications = sum(tiling.products()) * dimension
    if multiplications <= torch_from:
        return None
    if multiplications > gpu_from and gpu_has_room(len(tiling.owners) * dimension):
        return GPU
    return fast_precision_here() if dimension > 1 else None  # torch can't multiply single integers


def _gpus_hold(runner: Runner, numbers: int) -> bool:
    """Return whether there are GPUs, and each has memory for so many numbers."""
    if runner.is_local:
        return gpu_holds(numbers)
    return runner.gpus > 0 and all(runner.run(gpu_holds, [numbers] * runner.gpus, gpu=True))

"""Mining: every pair of vectors whose inner product reaches a threshold, exactly.

The products are first made cheaply, a block at a time, with less precision than the threshold
needs. How wrong such a product can be is known beforehand (see `_HalfPrecision`), so a pair whose
cheap product is below the threshold by more than that is no pair, and the few others are computed
again in float32. Nothing is lost, whatever the vectors are; there is no `top_k` and no cap.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.progress import Counter, Progress
from searchkit.mining.products import (
    GPU,
    Kind,
    Products,
    gpu_holds,
    half_precision_here,
    products_of,
)
from searchkit.mining.row_pairs import RowPairs, concatenate_pairs

TILE = 512  # rows of a block of products
LARGE = 1e11  # multiplications above which importing torch (two seconds) pays
GPU_LARGE = 2e12  # and above which waking a GPU does
HALF_A_PLACE = 5e-7  # scores count to six decimals: what rounds up to the threshold reaches it
CLOSE = 2e-6  # two float32 sums of the same products may differ by so much


def mine_pairs(
    vectors: Float32,
    threshold: float,
    *,
    groups: Int64 | None = None,
    owners: Int64 | None = None,
    progress: Progress | None = None,
) -> RowPairs:
    """Return every pair that scores at least `threshold`, best first; see `mine_blocks`."""
    blocks = list(mine_blocks(vectors, threshold, groups=groups, owners=owners, progress=progress))
    return concatenate_pairs(blocks).best_first()


def mine_blocks(
    vectors: Float32,
    threshold: float,
    *,
    groups: Int64 | None = None,
    owners: Int64 | None = None,
    progress: Progress | None = None,
) -> Iterator[RowPairs]:
    """Stream every pair that scores at least `threshold`, in no particular order.

    Args:
        vectors: `(n, d)` float32, unit rows (any length below 2 is allowed for).
        threshold: Inclusive; scores are compared to six places.
        groups: `(n,)`; pairs are sought within a group only. Its rows stand together.
        owners: `(n,)`; rows of one owner (the passages of an answer) stand together, within one
            group. Two owners are a pair if any of their rows are, scored by the best; rows of one
            owner are no pair. None: every row is its own.
        progress: Called with how many rows are done, and of how many.

    Yields:
        Pairs of owners (of rows where there are none), each pair once over all blocks.

    Raises:
        ValueError: if the threshold or a vector is not a number, or rows don't stand together.
    """
    rows = checked(vectors, threshold)
    work = Work.of(len(rows), groups, owners)
    if len(rows) < 2:
        return
    reached = threshold - HALF_A_PLACE
    products = products_of(rows, choose_kind(work, rows.shape[1]))
    counter = Counter(progress, len(rows))
    for tile in range(work.tiles):
        yield from work.pairs(tile, rows, products, reached)
        counter.advance(work.size(tile))


@dataclass(frozen=True, slots=True)
class Work:
    """What is compared with what, cut into tiles: each is a part of the work that needs no other.

    Attributes:
        groups: `(n,)` of each row.
        owners: `(n,)` of each row.
        ends: `(n,)` where each row's group ends.
        is_owned: Whether pairs are of owners, or of rows.
        cuts: Where the tiles begin, and where the last one ends.
    """

    groups: Int64
    owners: Int64
    ends: Int64
    is_owned: bool
    cuts: list[int]

    @classmethod
    def of(cls, count: int, groups: Int64 | None, owners: Int64 | None) -> Work:
        """Cut so many rows into tiles.

        Raises:
            ValueError: if the rows of a group or of an owner don't stand together.
        """
        grouped = np.zeros(count, np.int64) if groups is None else np.asarray(groups)
        owned = np.arange(count) if owners is None else np.asarray(owners)
        _check_together(grouped, "group")
        _check_together(owned, "owner")
        return cls(grouped, owned, _ends(grouped), owners is not None, _cuts(owned))

    @property
    def tiles(self) -> int:
        """How many there are."""
        return len(self.cuts) - 1

    def size(self, tile: int) -> int:
        """Count the rows of a tile."""
        return self.cuts[tile + 1] - self.cuts[tile]

    def areas(self) -> list[int]:
        """Count the products of each tile."""
        return [(b - a) * int(self.ends[b - 1] - a) for a, b in pairwise(self.cuts)]

    def pairs(
        self, tile: int, rows: Float32, products: Products, reached: float
    ) -> Iterator[RowPairs]:
        """Stream the pairs of a tile's rows with those that come after them."""
        start, stop = self.cuts[tile : tile + 2]
        end = int(self.ends[stop - 1])
        for left, right in pairwise(_columns(self.cuts, tile, end, products.span)):
            i, j = products.reaching(start, stop, left, right, reached)
            kept = (i < j) & (self.groups[i] == self.groups[j]) & (self.owners[i] != self.owners[j])
            i, j = i[kept], j[kept]
            scores = _decided(products.exact(i, j), rows, i, j, reached)
            pairs = RowPairs(i, j, scores)._taken(scores >= np.float32(reached))
            if len(pairs):
                yield _best_of_owners(pairs, self.owners) if self.is_owned else pairs


def checked(vectors: Float32, threshold: float) -> Float32:
    """Return vectors as they are multiplied.

    Raises:
        ValueError: if the threshold or one of them is not a number.
    """
    rows = np.require(vectors, np.float32, ["C", "W"])  # torch warns of what is read-only
    if rows.ndim != 2:
        raise ValueError(f"shape {rows.shape} where (n, d) is needed")
    if np.isnan(threshold):
        raise ValueError("the threshold is NaN")
    if not np.isfinite(rows).all():
        raise ValueError("a vector holds NaN or infinity")
    return rows


def _check_together(labels: Int64, what: str) -> None:
    runs = 1 + int(np.count_nonzero(np.diff(labels)))
    if len(labels) and runs != len(np.unique(labels)):
        raise ValueError(f"the rows of a {what} must stand together")


def _cuts(owners: Int64) -> list[int]:
    """Cut the rows into tiles of about `TILE`, never between two rows of one owner."""
    n = len(owners)
    begins = np.flatnonzero(np.r_[True, np.diff(owners) != 0, True])  # with n at the end
    wanted = np.arange(0, n + TILE, TILE)
    cuts: list[int] = np.unique(begins[np.searchsorted(begins, np.minimum(wanted, n))]).tolist()
    return cuts


def _ends(groups: Int64) -> Int64:
    """Return for each row where its group ends."""
    last = np.flatnonzero(np.r_[np.diff(groups) != 0, True]) + 1
    return np.repeat(last, np.diff(np.r_[0, last]))


def _columns(cuts: Sequence[int], tile: int, end: int, span: int) -> list[int]:
    """Return the borders of the blocks to the right of a tile, itself included, up to `end`."""
    borders = [cut for cut in cuts[tile::span] if cut < end]
    return [*borders, min(end, cuts[-1])]


def _decided(scores: Float32, rows: Float32, i: Int64, j: Int64, reached: float) -> Float32:
    """Compute again, in float64, what is too near to the threshold for the order of a sum."""
    near = np.flatnonzero(np.abs(scores - reached) < CLOSE)
    i, j = i[near], j[near]
    scores[near] = np.einsum("ij,ij->i", rows[i].astype(np.float64), rows[j].astype(np.float64))
    return scores


def _best_of_owners(pairs: RowPairs, owners: Int64) -> RowPairs:
    """Keep the best pair of each two owners; both stand in this block with all their rows."""
    a, b = owners[pairs.left], owners[pairs.right]
    left, right = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((-pairs.scores, right, left))
    left, right, scores = left[order], right[order], pairs.scores[order]
    first = np.r_[True, (np.diff(left) != 0) | (np.diff(right) != 0)]
    return RowPairs(left[first], right[first], scores[first])


def choose_kind(work: Work, dimension: int, holds: Callable[[int], bool] = gpu_holds) -> Kind:
    """Say in what the cheap products are made: in half precision, or on a GPU, where that pays.

    Args:
        work: What is compared.
        dimension: Of the vectors.
        holds: Says whether the GPU that would do it has room for so many numbers.
    """
    products = sum(work.areas()) * dimension
    if products <= LARGE and "torch" not in sys.modules:
        return None
    if products > GPU_LARGE and holds(len(work.owners) * dimension):
        return GPU
    return half_precision_here()

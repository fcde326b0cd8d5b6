"""Mining: every pair of vectors whose inner product reaches a threshold, exactly.

The products are first made cheaply, a block at a time, with less precision than the threshold
needs. How wrong such a product can be is known beforehand (see `_HalfPrecision`), so a pair whose
cheap product is below the threshold by more than that is no pair, and the few others are computed
again in float32. Nothing is lost, whatever the vectors are; there is no `top_k` and no cap.
"""

from __future__ import annotations

import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from searchkit.cpu import half_precisions

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Progress = Callable[[int], None]
Kind = tuple[str, str] | None  # a device and a number format of torch; None: NumPy

GPU: Kind = ("cuda", "float16")

TILE = 512  # rows of a block of products
SPAN = 8  # its columns are those of so many tiles
GPU_SPAN = 256  # on a GPU, which a block of 512 x 4,096 keeps busy for some microseconds
DENSE = 1 / 64  # of the products of some rows and columns: above it all are computed at once
PART = 256  # columns of a block that are looked at together: the greatest of them first
CHUNK = 8_192  # pairs that are computed again at a time: 25 MB of gathered rows
GPU_CHUNK = 65_536
LARGE = 1e11  # multiplications above which importing torch (two seconds) pays
GPU_LARGE = 2e12  # and above which waking a GPU does
GPU_ROOM = 4_000_000_000  # bytes of a GPU's memory for what is made of the vectors
HALF_A_PLACE = 5e-7  # scores count to six decimals: what rounds up to the threshold reaches it
CLOSE = 2e-6  # two float32 sums of the same products may differ by so much
RUN = 4_000_000  # pairs that are sorted in memory; more go through a temporary file


@dataclass(frozen=True, slots=True)
class RowPairs:
    """Pairs as three arrays of one length.

    Attributes:
        left: Number of the first vector (or owner) of each pair.
        right: Number of the second, always greater.
        scores: Their inner product, float32.
    """

    left: Integers
    right: Integers
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def best_first(self) -> RowPairs:
        """Sort by score, to six places, and among equal scores by the numbers."""
        return self._taken(np.lexsort((self.right, self.left, -_millionths(self.scores))))

    def _taken(self, rows: Any) -> RowPairs:  # noqa: ANN401
        return RowPairs(self.left[rows], self.right[rows], self.scores[rows])


def mine_pairs(
    vectors: Floats,
    threshold: float,
    *,
    groups: Integers | None = None,
    owners: Integers | None = None,
    progress: Progress | None = None,
) -> RowPairs:
    """Give every pair that scores at least `threshold`, best first; see `mine_blocks`."""
    blocks = list(mine_blocks(vectors, threshold, groups=groups, owners=owners, progress=progress))
    return _joined(blocks).best_first()


def mine_blocks(
    vectors: Floats,
    threshold: float,
    *,
    groups: Integers | None = None,
    owners: Integers | None = None,
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
        progress: Called with how many more rows are done.

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
    for tile in range(work.tiles):
        yield from work.pairs(tile, rows, products, reached)
        if progress:
            progress(work.size(tile))


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

    groups: Integers
    owners: Integers
    ends: Integers
    is_owned: bool
    cuts: list[int]

    @classmethod
    def of(cls, count: int, groups: Integers | None, owners: Integers | None) -> Work:
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
        self, tile: int, rows: Floats, products: Products, reached: float
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


def checked(vectors: Floats, threshold: float) -> Floats:
    """Give vectors as they are multiplied.

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


def _check_together(labels: Integers, what: str) -> None:
    runs = 1 + int(np.count_nonzero(np.diff(labels)))
    if len(labels) and runs != len(np.unique(labels)):
        raise ValueError(f"the rows of a {what} must stand together")


def _cuts(owners: Integers) -> list[int]:
    """Cut the rows into tiles of about `TILE`, never between two rows of one owner."""
    n = len(owners)
    begins = np.flatnonzero(np.r_[True, np.diff(owners) != 0, True])  # with n at the end
    wanted = np.arange(0, n + TILE, TILE)
    cuts: list[int] = np.unique(begins[np.searchsorted(begins, np.minimum(wanted, n))]).tolist()
    return cuts


def _ends(groups: Integers) -> Integers:
    """Give for each row where its group ends."""
    last = np.flatnonzero(np.r_[np.diff(groups) != 0, True]) + 1
    return np.repeat(last, np.diff(np.r_[0, last]))


def _columns(cuts: Sequence[int], tile: int, end: int, span: int) -> list[int]:
    """Give the borders of the blocks to the right of a tile, itself included, up to `end`."""
    borders = [cut for cut in cuts[tile::span] if cut < end]
    return [*borders, min(end, cuts[-1])]


def _decided(scores: Floats, rows: Floats, i: Integers, j: Integers, reached: float) -> Floats:
    """Compute again, in float64, what is too near to the threshold for the order of a sum."""
    near = np.flatnonzero(np.abs(scores - reached) < CLOSE)
    i, j = i[near], j[near]
    scores[near] = np.einsum("ij,ij->i", rows[i].astype(np.float64), rows[j].astype(np.float64))
    return scores


def _best_of_owners(pairs: RowPairs, owners: Integers) -> RowPairs:
    """Keep the best pair of each two owners; both stand in this block with all their rows."""
    a, b = owners[pairs.left], owners[pairs.right]
    left, right = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((-pairs.scores, right, left))
    left, right, scores = left[order], right[order], pairs.scores[order]
    first = np.r_[True, (np.diff(left) != 0) | (np.diff(right) != 0)]
    return RowPairs(left[first], right[first], scores[first])


def _joined(blocks: Sequence[RowPairs]) -> RowPairs:
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
            best = _joined(self._blocks).best_first()
            if self._max_pairs is None:
                self._runs.append(_on_disk(best))
                self._blocks, self._held = [], 0
            else:
                best = best._taken(slice(self._max_pairs))
                self._blocks, self._held = [best], len(best)

    def blocks(self) -> Iterator[RowPairs]:
        """Give all pairs that are kept, best first, a block at a time."""
        last = _joined(self._blocks).best_first()
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
        together = _joined(heads).best_first()
        limit = min(lasts, default=(sys.maxsize, 0, 0))
        yield together._taken(slice(_first_beyond(together, limit)))
        at = [a + _first_beyond(head, limit) for a, head in zip(at, heads, strict=True)]


def _millionths(scores: Floats) -> Integers:
    """Give what of a score counts: nearer ones are equal."""
    return np.rint(scores.astype(np.float64) * 1e6).astype(np.int64)


def _order(pairs: RowPairs, row: int) -> tuple[int, int, int]:
    score = int(_millionths(pairs.scores[row : row + 1])[0])
    return -score, int(pairs.left[row]), int(pairs.right[row])


def _first_beyond(pairs: RowPairs, limit: tuple[int, int, int]) -> int:
    """Give the first row of sorted pairs that stands after `limit`."""
    return bisect_right(range(len(pairs)), limit, key=lambda row: _order(pairs, row))


# -- cheap products ---------------------------------------------------------------------------


class Products(Protocol):
    """Products of rows: cheap ones to find candidates, exact ones to judge them.

    Attributes:
        span: How many tiles wide a block of them is made.
    """

    span: int

    def reaching(
        self, start: int, stop: int, left: int, right: int, threshold: float
    ) -> tuple[Integers, Integers]:
        """Give rows and columns of a block whose product may reach the threshold: all, and more."""
        ...

    def exact(self, i: Integers, j: Integers) -> Floats:
        """Give the products of these rows in float32."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What says how wrong a cheap product can be, over all rows.

    Attributes:
        longest: No row is longer.
        lost: No row is longer by which another differs from it when it is rounded.
    """

    longest: float
    lost: float


def gpu_holds(numbers: int) -> bool:
    """Say whether there is a GPU here with memory for vectors of so many numbers in all."""
    import torch

    if not torch.cuda.is_available():
        return False
    free, _ = torch.cuda.mem_get_info()
    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # by torch, of earlier work
    return free + kept > (4 + 2) * numbers + GPU_ROOM


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


def half_precision_here() -> Kind:
    """Give the number format that is fast on this CPU; None if half precision isn't."""
    return ("cpu", "bfloat16") if "bf16" in half_precisions() else None


def bounds_of(rows: Floats, kind: Kind) -> Bounds:
    """Measure rows, some at a time."""
    longest = lost = 0.0
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        longest = max(longest, _longest(part))
        if kind is not None:
            import torch

            whole = torch.from_numpy(part)
            rounded = whole.to(getattr(torch, kind[1])).float()
            norms = [torch.linalg.vector_norm(r, dim=1).max() for r in (rounded, whole - rounded)]
            longest, lost = max(longest, float(norms[0])), max(lost, float(norms[1]))
    return Bounds(longest, lost)


def products_of(
    rows: Floats, kind: Kind, bounds: Bounds | None = None, *, mapped: bool = False
) -> Products:
    """Give what makes the products.

    Args:
        rows: `(n, d)` float32.
        kind: A device and a number format for the cheap ones; None for NumPy.
        bounds: Of these rows, if they are known.
        mapped: The rows lie in a file: take no copy of all of them.
    """
    bounds = bounds or bounds_of(rows, kind)
    if kind is None:
        return _SinglePrecision(rows, bounds)
    if kind == GPU:
        return _OnGpu(rows, kind, bounds)
    return _HalfPrecision(rows, kind, bounds, mapped=mapped)


class _SinglePrecision:
    """Products by NumPy: float32, in whatever order its BLAS sums.

    A sum of d products in float32 is wrong by at most d · 2⁻²³ · |a| |b| (Higham, Accuracy and
    Stability of Numerical Algorithms, 2002, section 3.1, with room for the second order), and so
    is the exact check: together twice that.
    """

    def __init__(self, rows: Floats, bounds: Bounds) -> None:
        self.span = SPAN
        self._rows = rows
        self._margin = 2 * rows.shape[1] * 2.0**-23 * bounds.longest**2

    def reaching(
        self, start: int, stop: int, left: int, right: int, threshold: float
    ) -> tuple[Integers, Integers]:
        products = self._rows[start:stop] @ self._rows[left:right].T
        bound = np.float32(threshold - self._margin)
        some = np.flatnonzero(products.max(axis=1) >= bound)
        row, column = np.nonzero(products[some] >= bound)
        return some[row] + start, column + left

    def exact(self, i: Integers, j: Integers) -> Floats:
        left, at_left = np.unique(i, return_inverse=True)
        right, at_right = np.unique(j, return_inverse=True)
        if len(i) > DENSE * len(left) * len(right):
            products: Floats = (self._rows[left] @ self._rows[right].T)[at_left, at_right]
            return products
        scores = np.empty(len(i), np.float32)
        for at in range(0, len(i), CHUNK):
            part = slice(at, at + CHUNK)
            scores[part] = np.einsum("ij,ij->i", self._rows[i[part]], self._rows[j[part]])
        return scores


class _HalfPrecision:
    """Products by torch in half precision.

    With ã the rounded row and e = |a - ã| as it really is: |ab - ãb̃| ≤ |a| e_b + |b̃| e_a by
    Cauchy and Schwarz. The products are summed in float32 (d · 2⁻²³ |ã| |b̃|, as above) and the
    sum is rounded once more, by at most 2⁻⁸ of itself in bfloat16.
    """

    def __init__(
        self, rows: Floats, kind: tuple[str, str], bounds: Bounds, *, mapped: bool = False
    ) -> None:
        import torch

        device, number = kind[0], getattr(torch, kind[1])
        self.span = SPAN
        summing = 2 * rows.shape[1] * 2.0**-23 * bounds.longest**2
        # 1.001: these norms are rounded, too
        self._absolute = 1.001 * 2 * bounds.longest * bounds.lost + summing
        self._relative = 2.0**-8
        self._whole = torch.from_numpy(rows).to(device)
        self._number = number
        self._all = None if mapped else self._whole.to(number)
        self._buffer = self._whole.new_empty(0, dtype=number)

    def _halves(self, start: int, stop: int) -> Any:  # noqa: ANN401
        if self._all is None:  # rounding some rows is nothing beside multiplying them
            return self._whole[start:stop].to(self._number)
        return self._all[start:stop]

    def _multiply(self, left: Any, right: Any, out: Any) -> None:  # noqa: ANN401
        import torch

        torch.mm(left, right.T, out=out)

    def reaching(
        self, start: int, stop: int, left: int, right: int, threshold: float
    ) -> tuple[Integers, Integers]:
        import torch

        bound = threshold - self._absolute
        bound -= abs(bound) * 2 * self._relative  # twice: the bound itself is rounded as well
        height, parts = stop - start, -(-(right - left) // PART)
        if self._buffer.numel() < height * parts * PART:
            self._buffer = self._buffer.new_empty(height * parts * PART)
        products = self._buffer[: height * parts * PART].view(height, parts * PART)
        products[:, right - left :] = -torch.inf
        self._multiply(
            self._halves(start, stop), self._halves(left, right), products[:, : right - left]
        )
        pieces = products.view(height * parts, PART)
        some = (pieces.amax(1) >= bound).nonzero()[:, 0]
        piece, column = (pieces[some] >= bound).nonzero(as_tuple=True)
        piece = some[piece]
        column += (piece % parts) * PART + left
        return (piece // parts + start).cpu().numpy(), column.cpu().numpy()

    def exact(self, i: Integers, j: Integers) -> Floats:
        import torch

        to_left, to_right = torch.from_numpy(i), torch.from_numpy(j)
        left, at_left = torch.unique(to_left, return_inverse=True)
        right, at_right = torch.unique(to_right, return_inverse=True)
        if len(i) > DENSE * len(left) * len(right):
            # in float64: a program may have told torch to multiply float32 with less precision
            few, others = self._whole[left].double(), self._whole[right].double()
            products: Floats = (few @ others.T).float()[at_left, at_right].numpy()
            return products
        return self._one_by_one(to_left, to_right, CHUNK)

    def _one_by_one(self, left: Any, right: Any, chunk: int) -> Floats:  # noqa: ANN401
        rows, scores = self._whole, np.empty(len(left), np.float32)
        for at in range(0, len(left), chunk):
            some = slice(at, at + chunk)
            scores[some] = (rows[left[some]] * rows[right[some]]).sum(1).cpu().numpy()
        return scores


class _OnGpu(_HalfPrecision):
    """The same on a GPU, which holds all vectors, in float32 and rounded."""

    def __init__(self, rows: Floats, kind: tuple[str, str], bounds: Bounds) -> None:
        super().__init__(rows, kind, bounds)
        self.span = GPU_SPAN
        self._buffer = self._whole.new_empty(0)

    def _multiply(self, left: Any, right: Any, out: Any) -> None:  # noqa: ANN401
        """Sum in float32, whatever the program allows cuBLAS to sum in half precision."""
        import torch

        torch.mm(left, right.T, out_dtype=torch.float32, out=out)

    def exact(self, i: Integers, j: Integers) -> Floats:
        """Multiply them one by one: a matrix product may be in TF32, and gathering is fast here."""
        import torch

        left, right = (torch.from_numpy(n).to(self._whole.device) for n in (i, j))
        return self._one_by_one(left, right, GPU_CHUNK)


def _longest(rows: Floats) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max())) * 1.001

"""Inner products of rows: fast ones with a certified error bound, and accurate ones."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from searchkit.core.arrays import BFLOAT16_ROUNDING, Float32, Int64, summation_error
from searchkit.encoding.compiling import has_integer_products
from searchkit.encoding.openvino_runtime import half_precisions

if TYPE_CHECKING:
    from torch import Tensor

Precision = tuple[str, str] | None  # a device and a number format of torch; None: float32 by NumPy
GPU: Precision = ("cuda", "float16")
HALF: Precision = ("cpu", "bfloat16")
EIGHT_BIT: Precision = ("cpu", "int8")
GREATEST = 127  # of the 8-bit integers that are used
EIGHT_BIT_GAIN = 1.3  # how much faster than other precisions they must be to be used
BLOCK_TILES = 8  # tiles whose rows are the columns of one block of products
GPU_BLOCK_TILES = 256  # on a GPU, for which a block of 512 x 4,096 is work for microseconds
DENSE_SHARE = 1 / 64  # share of wanted products above which all of a block are computed at once
PANEL_COLUMNS = 256  # columns whose greatest product is compared with the bound first
CHUNK_PAIRS = 8_192  # pairs whose rows are gathered at a time: 25 MB
GPU_CHUNK_PAIRS = 65_536
GPU_RESERVED_BYTES = 4_000_000_000  # of a GPU's memory, for what is computed from the vectors


class Products(Protocol):
    """Inner products of rows: fast ones to find candidates, accurate ones to decide about them.

    Attributes:
        block_tiles: The number of tiles whose rows are the columns of one block of products.
    """

    block_tiles: int

    def candidates(
        self, start: int, stop: int, left: int, right: int, min_score: float
    ) -> tuple[Int64, Int64]:
        """Return the pairs of a block whose inner product may reach `min_score`.

        Args:
            start: The first row of the block.
            stop: The row after the last.
            left: The first row that is a column of the block.
            right: The row after the last.
            min_score: Inclusive.

        Returns:
            The numbers of the rows, and those of the rows that are columns. No pair is missing;
            some may be too many.
        """
        ...

    def scores(self, i: Int64, j: Int64) -> Float32:
        """Return the inner products `(p,)` of the rows `i` and `j`, `(p,)` each, in float32."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper bounds over all rows, from which the error of a fast product follows.

    Attributes:
        norm: Of the Euclidean norm of a row, and of a rounded row.
        rounding: Of the Euclidean distance between a row and the rounded row.
        step: What an 8-bit integer counts; 1 in other precisions, which keep numbers as they are.
    """

    norm: float
    rounding: float
    step: float = 1.0


def gpu_holds(numbers: int) -> bool:
    """Return whether this process has a GPU with memory for vectors of so many numbers in all."""
    import torch

    if not torch.cuda.is_available():
        return False
    free, _ = torch.cuda.mem_get_info()
    reusable = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # torch's own cache
    return free + reusable > (4 + 2) * numbers + GPU_RESERVED_BYTES


@cache
def fast_precision_here() -> Precision:
    """Return the precision whose products are fastest on this CPU; None for single precision.

    8-bit integers leave more pairs to be decided, and must be faster by `EIGHT_BIT_GAIN`.
    """
    usual = precision_without_integers()
    if not has_eight_bits():
        return usual
    seconds = _seconds_of_products("int8") * EIGHT_BIT_GAIN
    return EIGHT_BIT if seconds < _seconds_of_products(usual[1] if usual else "float32") else usual


def precision_without_integers() -> Precision:
    """Return the half precision that is fast on this CPU; None for single precision."""
    return HALF if "bf16" in half_precisions() else None


@cache
def has_eight_bits() -> bool:
    """Return whether this CPU multiplies 8-bit integers (VNNI), and torch exactly: it is tried.

    Older instructions cut off the sum of two products at 16 bits.
    """
    return has_integer_products() and _is_exact()


def _is_exact() -> bool:
    import torch

    integers = torch.full((64, 512), GREATEST, dtype=torch.int8)
    return bool((_multiply_integers(integers, integers) == 512 * GREATEST**2).all())


def _seconds_of_products(number_format: str) -> float:
    """Return how long products of some rows take in a number format, the least of four times."""
    import torch

    left, right = (
        torch.ones(count, 384, dtype=getattr(torch, number_format)) for count in (256, 1_024)
    )
    multiply = _multiply_integers if number_format == "int8" else _multiply_floats
    times = [time.perf_counter()]
    for _ in range(4):
        multiply(left, right)
        times.append(time.perf_counter())
    return min(after - before for before, after in pairwise(times))


def _multiply_floats(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """Return the inner products `(m, n)` of rows `(m, d)` and `(n, d)`."""
    import torch

    return torch.mm(left, right.T, out=out)


def _multiply_integers(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """The same of 8-bit integers, in 32 bits."""
    import torch

    return torch._int_mm(left, right.T, out=out)


def bounds_of(rows: Float32, precision: Precision) -> Bounds:
    """Return the bounds of rows `(n, d)` in a precision."""
    norm, rounding, step = 0.0, 0.0, _step(rows) if precision == EIGHT_BIT else 1.0
    for start in range(0, len(rows), CHUNK_PAIRS):
        part = rows[start : start + CHUNK_PAIRS]
        norm = max(norm, _max_norm(part))
        if precision is not None:
            import torch

            unrounded = torch.from_numpy(part)
            rounded = _round(unrounded, precision, step).float() * step
            norms = [
                float(torch.linalg.vector_norm(r, dim=1).max())
                for r in (rounded, unrounded - rounded)
            ]
            norm, rounding = max(norm, norms[0]), max(rounding, norms[1])
    return Bounds(norm, rounding, step)


def _step(rows: Float32) -> float:
    """Return the step of 8-bit integers that reach the greatest number of all rows."""
    greatest = max(float(rows.max(initial=0)), -float(rows.min(initial=0)))
    return max(greatest / GREATEST, float(np.finfo(np.float32).tiny))  # float32 divides by it


def _round(rows: Tensor, precision: tuple[str, str], step: float) -> Tensor:
    """Round rows to a number format; to 8-bit integers after a division by the step."""
    import torch

    number_format: torch.dtype = getattr(torch, precision[1])
    return (rows if number_format.is_floating_point else (rows / step).round_()).to(number_format)


def _max_norm(rows: Float32) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max())) * 1.001  # rounded up


def products_of(
    rows: Float32, precision: Precision, bounds: Bounds, *, copy: bool = True
) -> Products:
    """Return what computes the inner products of rows.

    Args:
        rows: `(n, d)` float32.
        precision: The precision of the fast products.
        bounds: From `bounds_of`, for these rows and this precision.
        copy: Whether to keep a rounded copy of all rows on a CPU; otherwise rows, which may be
            mapped from a file, are rounded when they are multiplied.
    """
    if precision is None:
        return _SinglePrecision(rows, bounds)
    if precision == GPU:
        return _OnGpu(rows, precision, bounds)
    if precision == EIGHT_BIT:
        return _EightBit(rows, precision, bounds, copy=copy)
    return _HalfPrecision(rows, precision, bounds, copy=copy)


class _SinglePrecision:
    """Products by NumPy in float32, summed in whatever order its BLAS chooses.

    The accurate products are such sums, too; see `summation_error`.
    """

    def __init__(self, rows: Float32, bounds: Bounds) -> None:
        self.block_tiles = BLOCK_TILES
        self._rows = rows
        self._margin = summation_error(rows.shape[1]) * bounds.norm**2

    def candidates(
        self, start: int, stop: int, left: int, right: int, min_score: float
    ) -> tuple[Int64, Int64]:
        """See `Products.candidates`."""
        products = self._rows[start:stop] @ self._rows[left:right].T
        bound = np.float32(min_score - self._margin)
        hit_rows = np.flatnonzero(products.max(axis=1) >= bound)
        row, column = np.nonzero(products[hit_rows] >= bound)
        return hit_rows[row] + start, column + left

    def scores(self, i: Int64, j: Int64) -> Float32:
        """See `Products.scores`."""
        left, at_left = np.unique(i, return_inverse=True)
        right, at_right = np.unique(j, return_inverse=True)
        if len(i) > DENSE_SHARE * len(left) * len(right):
            products: Float32 = (self._rows[left] @ self._rows[right].T)[at_left, at_right]
            return products
        scores = np.empty(len(i), np.float32)
        for at in range(0, len(i), CHUNK_PAIRS):
            part = slice(at, at + CHUNK_PAIRS)
            scores[part] = np.einsum("ij,ij->i", self._rows[i[part]], self._rows[j[part]])
        return scores


class _HalfPrecision:
    """Products by torch in half precision.

    Let ã be the rounded row and e_a = |a - ã|, measured. Then |ab - ãb̃| ≤ |a| e_b + |b̃| e_a by
    the Cauchy-Schwarz inequality. The products are summed in float32 (see
    `summation_error`), and the sum is rounded once more, by at most 2⁻⁸ of itself in bfloat16.
    """

    def __init__(
        self, rows: Float32, precision: tuple[str, str], bounds: Bounds, *, copy: bool = True
    ) -> None:
        import torch

        self.block_tiles = BLOCK_TILES
        summation = summation_error(rows.shape[1]) * bounds.norm**2
        # The factor 1.001 allows for the rounding of the bounds themselves.
        self._margin = 1.001 * 2 * bounds.norm * bounds.rounding + summation
        self._precision, self._step = precision, bounds.step
        self._rows = torch.from_numpy(rows).to(precision[0])
        self._rounded = self._round_all() if copy else None
        self._buffer = self._new_buffer(0)

    def candidates(
        self, start: int, stop: int, left: int, right: int, min_score: float
    ) -> tuple[Int64, Int64]:
        """See `Products.candidates`. The columns are filled up to whole panels."""
        least = self._least(min_score - self._margin)
        height, panels = stop - start, -(-(right - left) // PANEL_COLUMNS)
        width = panels * PANEL_COLUMNS
        if self._buffer.numel() < height * width:
            self._buffer = self._new_buffer(height * width)
        products = self._buffer[: height * width].view(height, width)
        columns = self._rounded_rows(left, left + width)
        self._multiply(self._rounded_rows(start, stop), columns, products)
        pieces = products.view(height * panels, PANEL_COLUMNS)
        hit_pieces = (pieces.amax(1) >= least).nonzero()[:, 0]
        piece, column = (pieces[hit_pieces] >= least).nonzero(as_tuple=True)
        piece = hit_pieces[piece]
        column += (piece % panels) * PANEL_COLUMNS + left
        wanted = column < right
        return (piece[wanted] // panels + start).cpu().numpy(), column[wanted].cpu().numpy()

    def scores(self, i: Int64, j: Int64) -> Float32:
        """See `Products.scores`."""
        import torch

        to_left, to_right = torch.from_numpy(i), torch.from_numpy(j)
        left, at_left = torch.unique(to_left, return_inverse=True)
        right, at_right = torch.unique(to_right, return_inverse=True)
        if len(i) > DENSE_SHARE * len(left) * len(right):
            # In float64: a program may have allowed torch to multiply float32 less precisely.
            left_rows, right_rows = self._rows[left].double(), self._rows[right].double()
            products: Float32 = (left_rows @ right_rows.T).float()[at_left, at_right].numpy()
            return products
        return self._row_by_row(to_left, to_right, CHUNK_PAIRS)

    def _round_all(self) -> Tensor:
        """Round all rows, and add as many of zeros as fill up a panel."""
        count, dimension = self._rows.shape
        rounded = _round(self._rows[:0], self._precision, self._step)
        rounded = rounded.new_zeros(count + PANEL_COLUMNS, dimension)
        for start in range(0, count, CHUNK_PAIRS):
            stop = min(start + CHUNK_PAIRS, count)
            rounded[start:stop] = _round(self._rows[start:stop], self._precision, self._step)
        return rounded

    def _rounded_rows(self, start: int, stop: int) -> Tensor:
        """Return rounded rows; those after the last are zeros."""
        if self._rounded is not None:
            return self._rounded[start:stop]
        # Rounding some rows takes less time than multiplying them, to 8 bits about as long.
        rounded = _round(self._rows[start:stop], self._precision, self._step)
        missing = stop - start - len(rounded)
        if missing:
            import torch

            rounded = torch.cat([rounded, rounded.new_zeros(missing, rounded.shape[1])])
        return rounded

    def _new_buffer(self, size: int) -> Tensor:
        """Return memory for so many products."""
        import torch

        return self._rows.new_empty(size, dtype=getattr(torch, self._precision[1]))

    def _least(self, bound: float) -> float:
        """Return the least fast product that may be of a pair whose exact one reaches `bound`."""
        return bound - abs(bound) * 2 * BFLOAT16_ROUNDING  # twice: the bound is rounded as well

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> None:
        _multiply_floats(left, right, out)

    def _row_by_row(self, left: Tensor, right: Tensor, chunk: int) -> Float32:
        rows, scores = self._rows, np.empty(len(left), np.float32)
        for at in range(0, len(left), chunk):
            part = slice(at, at + chunk)
            scores[part] = (rows[left[part]] * rows[right[part]]).sum(1).cpu().numpy()
        return scores


class _EightBit(_HalfPrecision):
    """The same in 8-bit integers, all of one step, whose products are summed exactly."""

    def _new_buffer(self, size: int) -> Tensor:
        import torch

        return self._rows.new_empty(size, dtype=torch.int32)

    def _least(self, bound: float) -> float:
        limits = np.iinfo(np.int32)
        return math.floor(min(max(bound / self._step**2, limits.min), limits.max))

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> None:
        _multiply_integers(left, right, out)


class _OnGpu(_HalfPrecision):
    """The same on a GPU, which holds all vectors, both in float32 and rounded."""

    def __init__(self, rows: Float32, precision: tuple[str, str], bounds: Bounds) -> None:
        super().__init__(rows, precision, bounds)
        self.block_tiles = GPU_BLOCK_TILES

    def _new_buffer(self, size: int) -> Tensor:
        return self._rows.new_empty(size)  # float32

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> None:
        """Sum in float32, whatever precision the program allows cuBLAS for its sums."""
        import torch

        torch.mm(left, right.T, out_dtype=torch.float32, out=out)

    def scores(self, i: Int64, j: Int64) -> Float32:
        """Multiply row by row: a matrix product may be in TF32, and gathering is fast here."""
        import torch

        left, right = (torch.from_numpy(n).to(self._rows.device) for n in (i, j))
        return self._row_by_row(left, right, GPU_CHUNK_PAIRS)

"""Inner products of rows: fast ones with a certified error bound, and accurate ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from searchkit.core.arrays import BFLOAT16_ROUNDING, Float32, Int64, summation_error
from searchkit.encoding.openvino_runtime import half_precisions

if TYPE_CHECKING:
    from torch import Tensor

Precision = tuple[str, str] | None  # a device and a number format of torch; None: float32 by NumPy
GPU: Precision = ("cuda", "float16")
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
    """

    norm: float
    rounding: float


def gpu_holds(numbers: int) -> bool:
    """Return whether this process has a GPU with memory for vectors of so many numbers in all."""
    import torch

    if not torch.cuda.is_available():
        return False
    free, _ = torch.cuda.mem_get_info()
    reusable = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # torch's own cache
    return free + reusable > (4 + 2) * numbers + GPU_RESERVED_BYTES


def half_precision_here() -> Precision:
    """Return the half precision that is fast on this CPU; None if there is none."""
    return ("cpu", "bfloat16") if "bf16" in half_precisions() else None


def bounds_of(rows: Float32, precision: Precision) -> Bounds:
    """Return the bounds of rows `(n, d)` in a precision."""
    norm = rounding = 0.0
    for start in range(0, len(rows), CHUNK_PAIRS):
        part = rows[start : start + CHUNK_PAIRS]
        norm = max(norm, _max_norm(part))
        if precision is not None:
            import torch

            unrounded = torch.from_numpy(part)
            rounded = unrounded.to(getattr(torch, precision[1])).float()
            norms = [
                float(torch.linalg.vector_norm(r, dim=1).max())
                for r in (rounded, unrounded - rounded)
            ]
            norm, rounding = max(norm, norms[0]), max(rounding, norms[1])
    return Bounds(norm, rounding)


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

        device, number_format = precision[0], getattr(torch, precision[1])
        self.block_tiles = BLOCK_TILES
        summation = summation_error(rows.shape[1]) * bounds.norm**2
        # The factor 1.001 allows for the rounding of the bounds themselves.
        self._absolute = 1.001 * 2 * bounds.norm * bounds.rounding + summation
        self._relative = BFLOAT16_ROUNDING
        self._rows = torch.from_numpy(rows).to(device)
        self._format = number_format
        self._rounded = self._rows.to(number_format) if copy else None
        self._buffer = self._rows.new_empty(0, dtype=number_format)

    def candidates(
        self, start: int, stop: int, left: int, right: int, min_score: float
    ) -> tuple[Int64, Int64]:
        """See `Products.candidates`."""
        import torch

        bound = min_score - self._absolute
        bound -= abs(bound) * 2 * self._relative  # twice, since the bound is rounded as well
        height, panels = stop - start, -(-(right - left) // PANEL_COLUMNS)
        width = panels * PANEL_COLUMNS
        if self._buffer.numel() < height * width:
            self._buffer = self._buffer.new_empty(height * width)
        products = self._buffer[: height * width].view(height, width)
        products[:, right - left :] = -torch.inf
        self._multiply(
            self._rounded_rows(start, stop),
            self._rounded_rows(left, right),
            products[:, : right - left],
        )
        pieces = products.view(height * panels, PANEL_COLUMNS)
        hit_pieces = (pieces.amax(1) >= bound).nonzero()[:, 0]
        piece, column = (pieces[hit_pieces] >= bound).nonzero(as_tuple=True)
        piece = hit_pieces[piece]
        column += (piece % panels) * PANEL_COLUMNS + left
        return (piece // panels + start).cpu().numpy(), column.cpu().numpy()

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

    def _rounded_rows(self, start: int, stop: int) -> Tensor:
        if self._rounded is None:  # rounding some rows takes far less time than multiplying them
            return self._rows[start:stop].to(self._format)
        return self._rounded[start:stop]

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> None:
        import torch

        torch.mm(left, right.T, out=out)

    def _row_by_row(self, left: Tensor, right: Tensor, chunk: int) -> Float32:
        rows, scores = self._rows, np.empty(len(left), np.float32)
        for at in range(0, len(left), chunk):
            part = slice(at, at + chunk)
            scores[part] = (rows[left[part]] * rows[right[part]]).sum(1).cpu().numpy()
        return scores


class _OnGpu(_HalfPrecision):
    """The same on a GPU, which holds all vectors, both in float32 and rounded."""

    def __init__(self, rows: Float32, precision: tuple[str, str], bounds: Bounds) -> None:
        super().__init__(rows, precision, bounds)
        self.block_tiles = GPU_BLOCK_TILES
        self._buffer = self._rows.new_empty(0)

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> None:
        """Sum in float32, whatever precision the program allows cuBLAS for its sums."""
        import torch

        torch.mm(left, right.T, out_dtype=torch.float32, out=out)

    def scores(self, i: Int64, j: Int64) -> Float32:
        """Multiply row by row: a matrix product may be in TF32, and gathering is fast here."""
        import torch

        left, right = (torch.from_numpy(n).to(self._rows.device) for n in (i, j))
        return self._row_by_row(left, right, GPU_CHUNK_PAIRS)

"""Products of rows: cheap ones with a certified bound of their error, and exact ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.encoding.openvino_runtime import half_precisions

Kind = tuple[str, str] | None  # a device and a number format of torch; None: NumPy
GPU: Kind = ("cuda", "float16")
SPAN = 8  # its columns are those of so many tiles
GPU_SPAN = 256  # on a GPU, which a block of 512 x 4,096 keeps busy for some microseconds
DENSE = 1 / 64  # of the products of some rows and columns: above it all are computed at once
PART = 256  # columns of a block that are looked at together: the greatest of them first
CHUNK = 8_192  # pairs that are computed again at a time: 25 MB of gathered rows
GPU_CHUNK = 65_536
GPU_ROOM = 4_000_000_000  # bytes of a GPU's memory for what is made of the vectors


# -- cheap products ---------------------------------------------------------------------------


class Products(Protocol):
    """Products of rows: cheap ones to find candidates, exact ones to judge them.

    Attributes:
        span: How many tiles wide a block of them is made.
    """

    span: int

    def reaching(
        self, start: int, stop: int, left: int, right: int, threshold: float
    ) -> tuple[Int64, Int64]:
        """Return rows and columns of all products of a block that may reach the threshold."""
        ...

    def exact(self, i: Int64, j: Int64) -> Float32:
        """Return the products of these rows in float32."""
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
    """Return whether there is a GPU here with memory for vectors of so many numbers in all."""
    import torch

    if not torch.cuda.is_available():
        return False
    free, _ = torch.cuda.mem_get_info()
    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # by torch, of earlier work
    return free + kept > (4 + 2) * numbers + GPU_ROOM


def half_precision_here() -> Kind:
    """Return the number format that is fast on this CPU; None if half precision isn't."""
    return ("cpu", "bfloat16") if "bf16" in half_precisions() else None


def bounds_of(rows: Float32, kind: Kind) -> Bounds:
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
    rows: Float32, kind: Kind, bounds: Bounds | None = None, *, mapped: bool = False
) -> Products:
    """Return what makes the products.

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

    def __init__(self, rows: Float32, bounds: Bounds) -> None:
        self.span = SPAN
        self._rows = rows
        self._margin = 2 * rows.shape[1] * 2.0**-23 * bounds.longest**2

    def reaching(
        self, start: int, stop: int, left: int, right: int, threshold: float
    ) -> tuple[Int64, Int64]:
        products = self._rows[start:stop] @ self._rows[left:right].T
        bound = np.float32(threshold - self._margin)
        some = np.flatnonzero(products.max(axis=1) >= bound)
        row, column = np.nonzero(products[some] >= bound)
        return some[row] + start, column + left

    def exact(self, i: Int64, j: Int64) -> Float32:
        left, at_left = np.unique(i, return_inverse=True)
        right, at_right = np.unique(j, return_inverse=True)
        if len(i) > DENSE * len(left) * len(right):
            products: Float32 = (self._rows[left] @ self._rows[right].T)[at_left, at_right]
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
        self, rows: Float32, kind: tuple[str, str], bounds: Bounds, *, mapped: bool = False
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
    ) -> tuple[Int64, Int64]:
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

    def exact(self, i: Int64, j: Int64) -> Float32:
        import torch

        to_left, to_right = torch.from_numpy(i), torch.from_numpy(j)
        left, at_left = torch.unique(to_left, return_inverse=True)
        right, at_right = torch.unique(to_right, return_inverse=True)
        if len(i) > DENSE * len(left) * len(right):
            # in float64: a program may have told torch to multiply float32 with less precision
            few, others = self._whole[left].double(), self._whole[right].double()
            products: Float32 = (few @ others.T).float()[at_left, at_right].numpy()
            return products
        return self._one_by_one(to_left, to_right, CHUNK)

    def _one_by_one(self, left: Any, right: Any, chunk: int) -> Float32:  # noqa: ANN401
        rows, scores = self._whole, np.empty(len(left), np.float32)
        for at in range(0, len(left), chunk):
            some = slice(at, at + chunk)
            scores[some] = (rows[left[some]] * rows[right[some]]).sum(1).cpu().numpy()
        return scores


class _OnGpu(_HalfPrecision):
    """The same on a GPU, which holds all vectors, in float32 and rounded."""

    def __init__(self, rows: Float32, kind: tuple[str, str], bounds: Bounds) -> None:
        super().__init__(rows, kind, bounds)
        self.span = GPU_SPAN
        self._buffer = self._whole.new_empty(0)

    def _multiply(self, left: Any, right: Any, out: Any) -> None:  # noqa: ANN401
        """Sum in float32, whatever the program allows cuBLAS to sum in half precision."""
        import torch

        torch.mm(left, right.T, out_dtype=torch.float32, out=out)

    def exact(self, i: Int64, j: Int64) -> Float32:
        """Multiply them one by one: a matrix product may be in TF32, and gathering is fast here."""
        import torch

        left, right = (torch.from_numpy(n).to(self._whole.device) for n in (i, j))
        return self._one_by_one(left, right, GPU_CHUNK)


def _longest(rows: Float32) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max())) * 1.001

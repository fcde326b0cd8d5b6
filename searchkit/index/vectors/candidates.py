"""A first pass of a search with several queries: the vectors that can be among the nearest.

FAISS reads every vector once for each query. Here a block of vectors is multiplied with all queries
at once, in half precision where the CPU has it. Such products differ from FAISS's scores by at most
a known error, so a vector whose product is below the k-th greatest by more than twice that error is
none of the k nearest. FAISS scores the few others: the result is its own, to the last bit.

A product is compared only where the greatest one of its group of 64 vectors passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import BFLOAT16_ROUNDING, Float32, Intp, UInt8, summation_error
from searchkit.encoding.openvino_encoder import load_network
from searchkit.encoding.openvino_runtime import half_precisions, infer_in_turn, openvino

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest, Node, Tensor

BLOCK_ROWS = 8_192  # vectors that are multiplied together: 6 MB
GROUP_ROWS = 64
WIDTHS = (8, 32)  # numbers of queries for which there is a network; fewer are filled up
MAX_QUERIES = WIDTHS[-1]
MIN_QUERIES = 4  # FAISS scans for two queries in the time of one pass here
MIN_ROWS = 20_000
MAX_CANDIDATES = 65_536  # above it, FAISS scores all vectors


def pays(queries: int, rows: int, k: int) -> bool:
    """Whether a first pass takes less time than it saves, by measurement.

    Args:
        queries: Number of queries.
        rows: Number of vectors that are searched.
        k: Number of nearest vectors that are wanted.
    """
    return queries >= MIN_QUERIES and rows >= max(MIN_ROWS, 8 * GROUP_ROWS * k)


def max_norm(codes: UInt8) -> float:
    """Return the greatest Euclidean norm of vectors, rounded up; NaN if one holds NaN.

    Args:
        codes: `(n, 2 d)`, the bytes of `(n, d)` float16.
    """
    network = _norm_network(codes.shape[1] // 2, BLOCK_ROWS)
    blocks = (
        _block(codes, np.arange(start, min(start + BLOCK_ROWS, len(codes))))
        for start in range(0, len(codes), BLOCK_ROWS)
    )
    norms = [
        request.get_output_tensor(0).data.max()
        for _, request in infer_in_turn(network, ((block, _tensors(block)) for block in blocks))
    ]
    return float(np.max(norms, initial=0.0)) * 1.001


def candidates(codes: UInt8, rows: Intp, queries: Float32, k: int, norm: float) -> Intp | None:
    """Return the rows that can be among the `k` nearest to one of the queries, ascending.

    Args:
        codes: `(n, 2 d)`, the bytes of `(n, d)` float16.
        rows: The rows to search among, ascending.
        queries: `(q, d)`, at most `MAX_QUERIES`.
        k: Number of nearest vectors that are wanted.
        norm: An upper bound of the norms of all vectors.

    Returns:
        No row is missing; None if there are too many, or nothing is known about errors.
    """
    if not np.isfinite(norm):
        return None
    found = _Candidates(k, 2 * _error(queries, norm))
    for block, products, maxima in _multiply(codes, rows, queries):
        found.add(block, products, maxima)
        if found.are_too_many():
            return None
    return found.rows()


class _Candidates:
    """The rows whose product comes near enough to the `k`-th greatest seen so far.

    There are `k` rows with a product of at least the `k`-th greatest maximum of groups.

    Args:
        k: Number of nearest vectors that are wanted.
        margins: `(q,)`, how far below a product may be.
    """

    def __init__(self, k: int, margins: Float32) -> None:
        self._k, self._margins = k, margins
        self._maxima = np.full((k, len(margins)), -np.inf, np.float32)  # the greatest of groups
        self._rows: list[Intp] = [np.empty(0, np.intp)]
        self._products = [np.empty((0, len(margins)), np.float32)]
        self._count = 0

    def add(self, rows: Intp, products: Float32, maxima: Float32) -> None:
        """Add rows `(b,)` with products `(b, q)`, and their maxima `(b / 64, q)`, rounded up."""
        together = np.concatenate([self._maxima, maxima])
        self._maxima = np.partition(together, len(maxima), axis=0)[len(maxima) :]
        bounds = self._maxima.min(axis=0) - self._margins
        groups = np.flatnonzero((maxima >= bounds).any(axis=1))
        inside = (groups[:, None] * GROUP_ROWS + np.arange(GROUP_ROWS)).ravel()
        inside = inside[inside < len(rows)]
        near = products[inside]
        passes = (near >= bounds).any(axis=1)
        self._rows.append(rows[inside[passes]])
        self._products.append(near[passes])
        self._count += len(self._rows[-1])

    def are_too_many(self) -> bool:
        """Whether there are too many rows, also without those that meanwhile are none."""
        return self._count > MAX_CANDIDATES and len(self.rows()) > MAX_CANDIDATES // 2

    def rows(self) -> Intp:
        """Return the rows, ascending."""
        rows, products = np.concatenate(self._rows), np.concatenate(self._products)
        if len(rows) > self._k:
            least = np.partition(products, len(rows) - self._k, axis=0)[len(rows) - self._k]
            passes = (products >= least - self._margins).any(axis=1)
            rows, products = rows[passes], products[passes]
        self._rows, self._products, self._count = [rows], [products], len(rows)
        return rows


def _error(queries: Float32, norm: float) -> Float32:
    """Return how much a product of each query can differ from FAISS's score, `(q,)`.

    In half precision both vectors are rounded, and the sum once more.
    """
    dimension = queries.shape[1]
    norms = np.maximum(np.linalg.norm(queries, axis=1) * 1.001, 1.0)
    relative = summation_error(dimension)
    if _precision() == "bf16":
        relative += 3.02 * BFLOAT16_ROUNDING
    error: Float32 = (norms * max(norm, 1.0) * relative).astype(np.float32)
    return error


def _precision() -> str:
    return "bf16" if "bf16" in half_precisions() else "f32"


def _multiply(
    codes: UInt8, rows: Intp, queries: Float32
) -> Iterator[tuple[Intp, Float32, Float32]]:
    """Yield blocks of rows with their products and the maxima of groups.

    The next blocks are multiplied while one is looked at.
    """
    count, dimension = queries.shape
    width = next(width for width in WIDTHS if width >= count)
    filled = np.zeros((width, dimension), np.float32)
    filled[:count] = queries
    network = _products_network(dimension, width, BLOCK_ROWS, _precision())
    blocks = (rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS))
    pieces = ((block, _block(codes, block)) for block in blocks)
    inputs = ((piece, _tensors(piece[1], filled)) for piece in pieces)
    for (block, _), request in infer_in_turn(network, inputs):
        yield block, *_results(request, block, count)


def _block(codes: UInt8, rows: Intp) -> UInt8:
    """Return the codes of a block: the stored ones where they are in one piece, not copied.

    A block that is not full is filled up with its last row. This changes the maximum of no group
    that holds one of its rows.
    """
    first, last = rows[0], rows[-1]
    if len(rows) == BLOCK_ROWS == last - first + 1:
        return codes[first : last + 1]
    filled = np.pad(rows, (0, BLOCK_ROWS - len(rows)), mode="edge")
    return codes.take(filled, axis=0)


def _tensors(codes: UInt8, *others: Float32) -> list[Tensor]:
    from openvino import Shape, Tensor, Type

    shape = Shape([codes.shape[0], codes.shape[1] // 2])
    vectors = Tensor(codes, shape, Type.f16)  # stored codes have any address
    return [vectors, *(Tensor(other, shared_memory=True) for other in others)]


def _inputs(dimension: int, rows: int) -> tuple[Node, Node]:
    """Return the input for a block of vectors, and the same as float32."""
    from openvino import opset13 as op

    vectors = op.parameter([rows, dimension], np.float16)
    return vectors, op.convert(vectors, "f32")


def _loaded(outputs: list[Node], inputs: list[Node], precision: str) -> CompiledModel:
    from openvino import Model

    return load_network(Model(outputs, inputs), precision)


def _results(request: InferRequest, rows: Intp, queries: int) -> tuple[Float32, Float32]:
    products, maxima = (request.get_output_tensor(number).data for number in range(2))
    groups = -(-len(rows) // GROUP_ROWS)
    return products[: len(rows), :queries], maxima[:groups, :queries]


@cache
def _products_network(dimension: int, width: int, rows: int, precision: str) -> CompiledModel:
    """Return the network for the products of a block with queries, and the maxima of groups."""
    openvino()
    from openvino import opset13 as op

    vectors, singles = _inputs(dimension, rows)
    queries = op.parameter([width, dimension], np.float32)
    products = op.matmul(singles, queries, False, True)
    shape = np.array([rows // GROUP_ROWS, GROUP_ROWS, width])
    maxima = op.reduce_max(op.reshape(products, shape, False), np.array([1]))
    return _loaded([products, maxima], [vectors, queries], precision)


@cache
def _norm_network(dimension: int, rows: int) -> CompiledModel:
    """Return the network for the norms of the vectors of a block."""
    openvino()
    from openvino import opset13 as op

    vectors, singles = _inputs(dimension, rows)
    return _loaded([op.reduce_l2(singles, np.array([1]))], [vectors], "f32")

"""Made-up vectors, and pairs of them as dicts and sorted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from searchkit.mining.row_pairs import PairSorter, RowPairs, concatenate_pairs


def unit(n: int, d: int = 16, seed: int = 0, clusters: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, d))
    if clusters:
        rows = 0.3 * rows + rng.standard_normal((clusters, d))[rng.integers(clusters, size=n)]
    return (
        (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    )


def rounded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors as an index keeps them."""
    return rows.astype(np.float16).astype(np.float32)


def count_candidates(monkeypatch: pytest.MonkeyPatch, owner: object) -> list[int | None]:
    """Return a list that gets how many candidates each first pass leaves; None for too many."""
    found: list[int | None] = []
    plain = owner.candidates  # type: ignore[attr-defined]

    def counting(*arguments: object) -> object:
        rows = plain(*arguments)
        found.append(None if rows is None else len(rows))
        return rows

    monkeypatch.setattr(owner, "candidates", counting)
    return found


def as_dict(pairs: RowPairs) -> dict[tuple[int, int], float]:
    columns = (pairs.left.tolist(), pairs.right.tolist(), pairs.scores.tolist())
    found = {(i, j): score for i, j, score in zip(*columns, strict=True)}
    assert len(found) == len(pairs), "a pair came twice"
    return found


def sorted_pairs(blocks) -> RowPairs:
    sorter = PairSorter()
    for block in blocks:
        sorter.add(block)
    return concatenate_pairs(list(sorter.blocks()))


def blobs() -> NDArray[np.float32]:
    """Return three groups of twelve similar unit rows, `(36, 16)`."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(3, 16), 12, axis=0) + rng.standard_normal((36, 16)) * 0.05
    placed: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return placed

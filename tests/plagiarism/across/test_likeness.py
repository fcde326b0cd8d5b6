"""Likeness across languages: several sentences that say the same, against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from searchkit.core.arrays import Float32
from searchkit.plagiarism.across import likeness
from searchkit.plagiarism.across.likeness import MeaningLikeness

CODES = np.array([0] * 6 + [1] * 6)


def sentences(seed: int) -> list[Float32]:
    """Return six answers in each of two languages; 0 and 6, 1 and 7 share sentences."""
    rng = np.random.default_rng(seed)
    rows = [rng.standard_normal((rng.integers(1, 6), 16)) for _ in CODES]
    rows[0], rows[6] = rng.standard_normal((4, 16)), rng.standard_normal((5, 16))
    rows[6][[3, 0, 4]] = rows[0][[0, 1, 3]] + 0.1 * rng.standard_normal((3, 16))
    rows[7][0] = rows[1][0]
    return [(r / np.linalg.norm(r, axis=1, keepdims=True)).astype(np.float32) for r in rows]


def measured(
    rows: list[Float32],
    lengths: list[NDArray[np.float64]],
    weight: float,
    codes: NDArray[np.int64] = CODES,
) -> NDArray[np.float64]:
    one, other = (np.flatnonzero(codes == code) for code in (0, 1))
    left, right = (side.ravel() for side in np.meshgrid(one, other, indexing="ij"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "ALIGNED_WEIGHT", weight)
        return MeaningLikeness(rows, lengths, codes, np.arange(12)).measure(left, right)


def ahead(rows: list[Float32], sentence: Float32, other: int, code: int) -> float:
    """Return by how much a sentence is nearer to an answer than to its rivals."""
    nearest = {n: float((rows[n] @ sentence).max()) for n in np.flatnonzero(CODES != code)}
    own = nearest.pop(other)
    return own - float(np.mean(sorted(nearest.values(), reverse=True)[1:4]))


def aligned(rows: list[Float32], lengths: list[NDArray[np.float64]], i: int, j: int) -> float:
    cosines = rows[i] @ rows[j].T
    same = [
        (a, b)
        for b, a in enumerate(cosines.argmax(axis=0))
        if cosines[a].argmax() == b
        and cosines[a, b] >= 0.45
        and min(ahead(rows, rows[i][a], j, 0), ahead(rows, rows[j][b], i, 1)) >= 0.1
    ]
    if not same:
        return 0
    places = zip(*same, strict=True)
    shares = [
        lengths[n][list(at)].sum() / lengths[n].sum() for n, at in zip((i, j), places, strict=True)
    ]
    return float(min(shares) * (1 - 1 / len(same)))


@pytest.mark.parametrize("seed", range(4))
def test_the_share_in_several_sentences_is_that_of_a_plain_loop(seed: int) -> None:
    rows = sentences(seed)
    lengths = [np.arange(1.0, len(r) + 1) for r in rows]
    added = measured(rows, lengths, 1) - measured(rows, lengths, 0)
    wanted = [aligned(rows, lengths, i, j) for i in range(6) for j in range(6, 12)]
    np.testing.assert_allclose(added, wanted, atol=1e-5)
    assert added[0] > 0.3  # 0 and 6: three sentences
    assert added[7] == 0  # 1 and 7: one


def test_what_everybody_says_counts_for_nothing() -> None:
    rows = sentences(0)
    for n in range(1, 12):
        rows[n] = np.concatenate([rows[n], rows[0]])
    lengths = [np.ones(len(r)) for r in rows]
    assert not (measured(rows, lengths, 1) - measured(rows, lengths, 0)).any()


def test_several_sentences_count_only_where_both_sides_have_rivals() -> None:
    """Four answers in the other language are too few, for the sentences of the many."""
    rows = sentences(0)
    lengths = [np.ones(len(r)) for r in rows]
    for few, counts in ((5, True), (4, False)):
        codes = (~np.isin(np.arange(12), np.arange(6, 6 + few))).astype(np.int64)
        added = measured(rows, lengths, 1, codes) - measured(rows, lengths, 0, codes)
        assert added.any() == counts

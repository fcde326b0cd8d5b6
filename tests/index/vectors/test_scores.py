"""Scores are those of double precision, and don't depend on what is computed beside them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.vectors import unit

from searchkit.index.vectors.scores import rounded_scores


@pytest.mark.parametrize("n", [0, 1, 2, 7, 5000])
@pytest.mark.parametrize("p", [1, 3])
def test_scores_equal_brute_force_whatever_is_beside_a_vector(n: int, p: int) -> None:
    vectors = unit(n, 48, seed=n)
    queries = unit(p, 48, seed=99)
    scores = rounded_scores(queries, vectors)
    exact = (vectors.astype(np.float64) @ queries.astype(np.float64).T).max(axis=1, initial=-2)
    assert scores.shape == (n,)
    assert scores == pytest.approx(exact.round(6), abs=1e-15)
    for row in range(0, n, 501):
        alone = rounded_scores(queries[::-1], np.asfortranarray(vectors[row : row + 1]))
        assert alone[0] == scores[row]
    assert np.array_equal(rounded_scores(queries, vectors[::-1]), scores[::-1])

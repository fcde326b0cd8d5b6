"""Distribution: the same as counting one by one."""

from __future__ import annotations

import numpy as np
import pytest

from searchkit.pages.scores import BINS, evenly_spaced, score_counts


@pytest.mark.parametrize("earlier", [0, 7])
def test_the_counts_equal_brute_force(earlier: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((30, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[3] = rows[4]
    authors = [None if n % 5 == 0 else f"s{n % 9}" for n in range(30)]
    expected = [0] * BINS
    for i in range(30 - earlier):
        for j in range(i + 1, 30):
            if authors[i] is None or authors[i] != authors[j]:
                expected[min(BINS - 1, int((float(rows[i] @ rows[j]) + 1) * 50 + 1e-5))] += 1
    assert score_counts(rows, authors, earlier, block_rows=8) == expected


def test_one_answer_has_no_pair() -> None:
    assert sum(score_counts(np.ones((1, 1), np.float32), ["ann"])) == 0


def test_many_pairs_are_sampled_evenly() -> None:
    assert evenly_spaced(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert evenly_spaced(101, 3).tolist() == [0, 50, 100]

"""Agreement: each measure against scikit-learn and SciPy, and where these have no answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import cohen_kappa_score, f1_score

from searchkit.agreement import accuracy, macro_f1, pearson, rmse, weighted_kappa

ZERO_TO_FIVE = np.arange(6)


def two_graders(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 6, n).astype(float)
    return one, np.clip(one + rng.integers(-2, 4, n), 0, 5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, -3.0), (20.0, 7.0)])
def test_kappa_is_the_one_with_a_matrix_of_weights(seed: int, scale: float, shift: float) -> None:
    one, other = two_graders(seed)
    expected = cohen_kappa_score(one, other, weights="quadratic", labels=ZERO_TO_FIVE)
    assert weighted_kappa(one * scale + shift, other * scale + shift) == pytest.approx(expected)
    assert weighted_kappa(other, one) == pytest.approx(expected)


def test_kappa_by_hand_and_where_marks_do_not_vary() -> None:
    up, down, level = np.array([0.0, 1.0]), np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert weighted_kappa(up, up) == 1
    assert weighted_kappa(up, down) == -1
    assert weighted_kappa(up, level) == weighted_kappa(level, up) == 0
    assert weighted_kappa(level, level) == 1
    assert weighted_kappa(level, level + 1) == 0
    assert weighted_kappa(up[:1], up[:1]) == 1
    assert weighted_kappa(up[:1], down[:1]) == 0


@pytest.mark.parametrize("seed", range(5))
def test_pearson_is_that_of_scipy(seed: int) -> None:
    one, other = two_graders(seed)
    assert pearson(one, other) == pytest.approx(pearsonr(one, other).statistic)
    assert pearson(one, 3 - 2 * one) == pytest.approx(-1)


def test_no_correlation_where_one_side_does_not_vary() -> None:
    up, level = np.array([0.0, 1.0, 4.0]), np.full(3, 0.1)
    assert pearson(up, level) == pearson(level, up) == pearson(level, level) == 0
    assert pearson(up[:1], up[:1]) == pearson(up[:0], up[:0]) == 0


def test_rmse_is_in_marks() -> None:
    assert rmse(np.array([1.0, 2.0]), np.array([4.0, 6.0])) == pytest.approx(12.5**0.5)
    one, other = two_graders(0)
    assert rmse(one * 3, other * 3) == pytest.approx(3 * np.linalg.norm(one - other) / 60**0.5)
    assert rmse(one, one) == 0


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_that_of_the_labels_that_were_given(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = rng.choice(["right", "partly", "wrong"], 40, p=[0.6, 0.3, 0.1]).tolist()
    suggested = rng.choice(["right", "partly", "wrong", "no domain"], 40).tolist()
    expected = f1_score(
        given, suggested, labels=sorted(set(given)), average="macro", zero_division=0
    )
    assert macro_f1(given, suggested) == pytest.approx(expected)
    assert accuracy(given, suggested) == np.mean(np.array(given) == np.array(suggested))


def test_labels_by_hand() -> None:
    given, suggested = ["a", "a", "b", "b"], ["a", "b", "b", "c"]
    assert macro_f1(given, suggested) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert accuracy(given, suggested) == 0.5
    assert macro_f1(given, given) == accuracy(given, given) == 1
    assert macro_f1(["a"], ["b"]) == accuracy(["a"], ["b"]) == 0
    assert macro_f1([], []) == accuracy([], []) == 0


@pytest.mark.parametrize("measure", [accuracy, macro_f1])
def test_sides_of_different_lengths_are_refused(measure) -> None:
    with pytest.raises(ValueError, match="shorter"):
        measure(["a", "b"], ["a"])

"""Metrics: each compared with scikit-learn, SciPy or brute force, and their special cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import cohen_kappa_score, f1_score, ndcg_score, v_measure_score

from searchkit.core.metrics import (
    accuracy,
    average_precision,
    average_precision_of_ranks,
    macro_f1,
    ndcg,
    pearson,
    recall_at,
    reciprocal_rank,
    rmse,
    roc_auc,
    spearman,
    v_measure,
    v_measures,
    weighted_kappa,
)

ZERO_TO_FIVE = np.arange(6)


def two_graders(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 6, n).astype(float)
    return one, np.clip(one + rng.integers(-2, 4, n), 0, 5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, -3.0), (20.0, 7.0)])
def test_kappa_is_that_of_scikit_learn(seed: int, scale: float, shift: float) -> None:
    one, other = two_graders(seed)
    expected = cohen_kappa_score(one, other, weights="quadratic", labels=ZERO_TO_FIVE)
    assert weighted_kappa(one * scale + shift, other * scale + shift) == pytest.approx(expected)
    assert weighted_kappa(other, one) == pytest.approx(expected)


def test_kappa_by_hand_and_for_constant_marks() -> None:
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


def test_correlation_with_a_constant_is_0() -> None:
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
    with pytest.raises(ValueError, match=r"shorter|inconsistent numbers"):
        measure(["a", "b"], ["a"])


# -- of scores -------------------------------------------------------------------------------------


def scored(seed: int, n: int = 50) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truths, scores with ties, and weights."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 12, n) / 10
    return rng.random(n) < 0.2 + scores / 2, scores, rng.integers(1, 5, n).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_that_of_scipy_ties_included(seed: int) -> None:
    one, other = two_graders(seed)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert spearman(one, np.exp(one)) == pytest.approx(1)
    assert spearman(one, np.full(len(one), 0.3)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(seed: int) -> None:
    truth, scores, weights = scored(seed)
    apart = scores[truth][:, None] - scores[~truth][None, :]
    wins = (apart > 0) + (apart == 0) / 2
    assert roc_auc(truth, scores) == pytest.approx(wins.mean())
    both = weights[truth][:, None] * weights[~truth][None, :]
    assert roc_auc(truth, scores, weights) == pytest.approx((wins * both).sum() / both.sum())


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_by_its_definition(seed: int) -> None:
    truth, scores, weights = scored(seed)

    def brute(weights: np.ndarray) -> float:
        hits = [n for n in range(len(truth)) if truth[n]]
        precision = [
            weights[truth & (scores >= scores[n])].sum() / weights[scores >= scores[n]].sum()
            for n in hits
        ]
        return float(np.average(precision, weights=weights[hits]))

    assert average_precision(truth, scores) == pytest.approx(brute(np.ones(len(truth))))
    assert average_precision(truth, scores, weights) == pytest.approx(brute(weights))


# -- of a search -----------------------------------------------------------------------------------


def ranking(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gains of 30 ranked documents, and ranks and gains of the relevant ones."""
    found = np.random.default_rng(seed).choice([0, 0, 0, 1, 2, 3], 30).astype(float)
    found[-1] = 1
    places = np.random.default_rng(seed).permutation(np.flatnonzero(found))
    return found, places + 1, found[places]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 5, 10, 100])
def test_figures_of_a_search_by_walking_down_the_list(seed: int, k: int) -> None:
    found, ranks, gains = ranking(seed)
    relevant = found > 0
    assert recall_at(ranks, k) == pytest.approx(relevant[:k].sum() / relevant.sum())
    first = next(n for n, hit in enumerate(relevant, 1) if hit)
    assert reciprocal_rank(ranks, k) == (1 / first if first <= k else 0)
    gain = sum(g / np.log2(n + 1) for n, g in enumerate(found[:k], 1))
    best = sum(g / np.log2(n + 1) for n, g in enumerate(sorted(found, reverse=True)[:k], 1))
    assert ndcg(ranks, gains, k) == pytest.approx(gain / best)
    falling = -np.arange(len(found))[None, :]
    assert ndcg(ranks, gains, k) == pytest.approx(ndcg_score(found[None, :], falling, k=k))
    precisions = [relevant[:n].mean() for n in range(1, 31) if relevant[n - 1]]
    assert average_precision_of_ranks(ranks) == pytest.approx(np.mean(precisions))


def test_ndcg_by_hand() -> None:
    ranks, gains = np.array([3, 1, 40]), np.array([2.0, 1.0, 2.0])
    ideal = 2 + 2 / np.log2(3) + 1 / 2
    assert ndcg(ranks, gains, 10) == pytest.approx((1 + 2 / 2) / ideal)
    assert ndcg(ranks, gains, 1) == pytest.approx(1 / 2)  # the best one document has a gain of 2
    assert ndcg(ranks + 10, gains, 10) == 0
    assert ndcg(np.array([2, 1]), np.array([1.0, 1.0]), 10) == pytest.approx(1)  # equal gains


# -- of clusters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_v_measure_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, clusters = rng.integers(0, 4, 80), rng.integers(0, 3, 80)
    clusters[:40] = labels[:40]
    assert v_measure(labels, clusters) == pytest.approx(v_measure_score(labels, clusters))
    assert v_measure(labels, (labels + 1) % 4) == pytest.approx(1)


def test_v_measure_where_nothing_varies_or_nothing_is() -> None:
    level, two = np.zeros(4, int), np.array([0, 0, 1, 1])
    assert v_measure(level, level) == 1
    assert v_measure(two, level) == v_measure(level, two) == pytest.approx(0)
    assert v_measure(two, np.array([0, 1, 0, 1])) == pytest.approx(0)
    assert np.isnan(v_measures(np.zeros((1, 2, 2)))).all()

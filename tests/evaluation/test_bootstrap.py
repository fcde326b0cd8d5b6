"""Resampling: every figure of a resample is the plain one of the rows repeated as drawn."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score, v_measure_score

from searchkit.evaluation.bootstrap import (
    WeightedSeparation,
    bootstrap,
    interval,
    weighted_pearson,
    weighted_ranks,
    weighted_v_measure,
)


def drawn(seed: int, rows: int, resamples: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(0, rows, rows), minlength=rows) * 1.0
                     for _ in range(resamples)])  # fmt: skip


def repeated(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.repeat(values, counts.astype(int), axis=0)


def test_resamples_are_drawn_with_replacement_and_by_the_seed() -> None:
    seen: list[np.ndarray] = []
    bootstrap(lambda counts: seen.append(counts) or counts, 40, resamples=300, seed=1)
    counts = np.vstack(seen)
    assert counts.shape == (300, 40) and (counts.sum(axis=1) == 40).all()
    assert counts.max() > 1 and abs((counts == 0).mean() - (1 - 1 / 40) ** 40) < 0.02
    again = bootstrap(lambda counts: counts, 40, resamples=300, seed=1)
    assert (again == counts).all()
    in_blocks = bootstrap(lambda counts: counts, 40, resamples=300, seed=1, block_numbers=40 * 7)
    assert (in_blocks == counts).all()
    assert (bootstrap(lambda counts: counts, 40, resamples=300, seed=2) != counts).any()


def test_the_interval_of_a_mean_is_that_of_the_textbook() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    means = bootstrap(lambda counts: (counts @ values / 400)[:, None], 400, resamples=4000)
    low, high = interval(means[:, 0])
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_an_interval_leaves_out_what_could_not_be_given() -> None:
    figures = np.array([*range(1, 101), *[np.nan] * 99], float)
    assert interval(figures) == pytest.approx((3.475, 97.525))
    assert np.isnan(interval(np.array([1.0, np.nan]))).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [True, False])
def test_correlations(seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    one = rng.normal(size=60) + 1000
    other = one + rng.normal(size=60)
    if ties:
        one, other = one.round(), (other / 2).round()
    counts = drawn(seed, 60)
    plain = weighted_pearson(one, other, counts)
    places = weighted_pearson(weighted_ranks(one, counts), weighted_ranks(other, counts), counts)
    for n, count in enumerate(counts):
        both = repeated(one, count), repeated(other, count)
        assert plain[n] == pytest.approx(pearsonr(*both).statistic)
        assert places[n] == pytest.approx(spearmanr(*both).statistic)
        assert repeated(weighted_ranks(one, counts)[n], count) == pytest.approx(rankdata(both[0]))


def test_no_correlation_where_a_resample_does_not_vary() -> None:
    one, other = np.array([0.1, 0.1, 0.3]), np.array([1.0, 2.0, 3.0])
    found = weighted_pearson(one, other, np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    assert np.isnan(found[0]) and found[1] == pytest.approx(pearsonr(one, other).statistic)


def figures(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> list[float]:
    return [figure(truth, scores, sample_weight=weights)
            for figure in (roc_auc_score, average_precision_score)]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [True, False])
def test_separation_with_a_unit_a_row(seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=80).round(1 if ties else 6)
    truth = rng.random(80) < 1 / (1 + np.exp(-2 * scores))
    units, own = rng.integers(0, 25, 80), rng.integers(1, 4, 80).astype(float)
    units[:25] = np.arange(25)
    counts = drawn(seed, 25)
    found = WeightedSeparation(truth, scores, units, own).measure(counts)
    for n, count in enumerate(counts):
        assert found[n] == pytest.approx(figures(truth, scores, own * count[units]))


@pytest.mark.parametrize("seed", range(4))
def test_separation_with_two_units_a_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = rng.integers(0, 12, (200, 2))
    same = units[:, 0] == units[:, 1]
    scores = (rng.normal(size=200) + same).round(1)
    counts = drawn(seed, 12)
    found = WeightedSeparation(same, scores, units).measure(counts)
    for n, count in enumerate(counts):
        both = np.where(same, count[units[:, 0]], count[units[:, 0]] * count[units[:, 1]])
        assert found[n] == pytest.approx(figures(same, scores, both))
    assert WeightedSeparation(same, scores, units[:, ::-1]).measure(counts) == pytest.approx(found)
    in_blocks = WeightedSeparation(same, scores, units).measure(counts, block_numbers=1)
    assert in_blocks == pytest.approx(found)


def test_separation_of_many_positives_is_nearly_exact() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(30_000) < 0.3
    scores = rng.normal(size=30_000) + truth
    exact = figures(truth, scores, np.ones(30_000))
    ones = np.ones((1, 1))
    found = WeightedSeparation(truth, scores, np.zeros(30_000, int)).measure(ones)[0]
    assert found == pytest.approx(exact, abs=2e-4)
    rough = WeightedSeparation(truth, scores, np.zeros(30_000, int), max_levels=10)
    assert rough.measure(ones)[0] != pytest.approx(exact, abs=2e-4)


def test_separation_where_one_side_was_not_drawn() -> None:
    truth, scores = np.array([True, False, True]), np.array([0.3, 0.2, 0.1])
    counts = np.array([[0, 3, 0], [2, 0, 1], [1, 1, 1]], float)
    found = WeightedSeparation(truth, scores, np.arange(3)).measure(counts)
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(figures(truth, scores, np.ones(3)))


@pytest.mark.parametrize("seed", range(4))
def test_groupings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, clusters = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
    clusters[:30] = labels[:30] % 3
    counts = np.vstack([drawn(seed, 50), np.zeros(50)])
    found = weighted_v_measure(labels, clusters, counts)
    for n, count in enumerate(counts[:-1]):
        expected = v_measure_score(repeated(labels, count), repeated(clusters, count))
        assert found[n] == pytest.approx(expected)
    assert np.isnan(found[-1])


def test_ten_thousand_pairs_and_a_thousand_resamples_take_seconds() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 11, 10_000) / 1.0
    scores = labels + rng.normal(size=10_000)
    separation = WeightedSeparation(labels >= 6, scores, np.arange(10_000))

    def measure(counts: np.ndarray) -> np.ndarray:
        places = weighted_pearson(
            weighted_ranks(labels, counts), weighted_ranks(scores, counts), counts
        )
        plain = weighted_pearson(labels, scores, counts)
        return np.column_stack([plain, places, separation.measure(counts)])

    started = time.process_time()
    assert bootstrap(measure, 10_000).shape == (1000, 4)
    assert time.process_time() - started < 20

"""The promise: exact for every number of wrong suggestions, whatever else was marked."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from searchkit.grading.promise.risk import (
    Pool,
    control_risk,
    excess_p_value,
    forecast,
    smallest_sample,
)


def test_the_p_value_is_the_share_of_samples_with_so_few_wrong_ones() -> None:
    answers, sample = 9, 4
    for excess in range(1, 5):
        for wrong in range(sample + 1):
            total = min(excess + wrong, answers)
            counts = [sum(n < total for n in drawn) for drawn in combinations(range(9), sample)]
            expected = np.mean(np.array(counts) <= wrong)
            (found,) = excess_p_value(answers, sample, np.array([wrong]), excess)
            assert found == pytest.approx(expected)


def test_more_wrong_ones_than_there_are_answers_outside_are_impossible() -> None:
    assert excess_p_value(10, 6, np.array([0, 6]), 5).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_a_false_promise_is_rarer_than_alpha_for_every_number_of_wrong_ones(alpha: float) -> None:
    from scipy.stats import hypergeom

    answers, sample, excess = 60, 25, 6
    wrong = np.arange(sample + 1)
    promised = excess_p_value(answers, sample, wrong, excess) <= alpha
    assert promised[0] and not promised[-1]
    for total in range(answers + 1):
        is_false = total - wrong >= excess
        assert hypergeom.pmf(wrong, answers, total, sample)[promised & is_false].sum() <= alpha


def test_the_smallest_sample_is_the_first_that_is_enough() -> None:
    size = smallest_sample(300, 0.05, 0.1)
    for sample, is_enough in ((size - 1, False), (size, True)):
        excess = int(0.05 * (300 - sample)) + 1
        (p_value,) = excess_p_value(300, sample, np.array([0]), excess)
        assert (p_value <= 0.1) == is_enough
    assert smallest_sample(3, 0.05, 0.1) == 3  # so few that only marking all is sure


def drawn_pool(seed: int, sample: int = 90, answers: int = 300) -> tuple[Pool, np.ndarray]:
    """A pool in which the hardest answers and those easiest to get right were marked, too.

    Confidences are of no use in a third of the draws.
    """
    rng = np.random.default_rng(seed)
    chances = rng.beta(4, 0.5, answers)
    wrong = rng.random(answers) > chances
    confidences = chances if seed % 3 else rng.random(answers)
    ranks = rng.permutation(answers)
    order = np.argsort(confidences)
    marked = ranks < sample
    marked[order[:20]] = marked[np.flatnonzero(~wrong)[:20]] = True
    return Pool(confidences, ranks, marked, wrong & marked), wrong


def test_promises_are_broken_no_more_often_than_said() -> None:
    broken, made, sizes = 0, 0, []
    for seed in range(400):
        pool, wrong = drawn_pool(seed)
        level = control_risk(pool, 0.1, 0.1)
        if level:
            rest = ~pool.marked & (pool.confidences >= level.threshold)
            assert rest.sum() == level.rest and level.max_wrong == int(0.1 * level.rest + 1e-9)
            made += 1
            sizes.append(level.rest)
            broken += wrong[rest].sum() > level.max_wrong
    assert made > 150 and np.mean(sizes) > 50
    assert broken <= 0.1 * 400 + 2 * np.sqrt(400 * 0.1 * 0.9)


def test_the_sample_ends_at_the_first_answer_without_a_mark() -> None:
    ranks = np.array([3, 0, 2, 1, 4])
    for marked, sample in (
        ([False] * 5, 0),
        ([True, True, False, True, True], 2),
        ([True, True, True, True, False], 4),
        ([True] * 5, 5),
    ):
        pool = Pool(np.full(5, 0.9), ranks, np.array(marked), np.zeros(5, bool))
        assert pool.sample == sample


def test_without_a_sample_or_a_suggestion_nothing_is_promised() -> None:
    pool, _ = drawn_pool(1)
    unknown = np.zeros(len(pool.ranks))
    assert control_risk(Pool(unknown, pool.ranks, pool.marked, pool.wrong), 0.1, 0.1) is None
    none = np.zeros(len(pool.ranks), bool)
    assert control_risk(Pool(pool.confidences, pool.ranks, none, none), 0.1, 0.1) is None


def test_what_is_forecast_is_mostly_enough() -> None:
    kept = 0
    for seed in range(1, 180, 3):  # confidences that are worth something
        pool, wrong = drawn_pool(seed, sample=10)
        expected = forecast(pool, 0.1, 0.1)
        assert expected and expected.sample > 10
        marked = pool.marked | (pool.ranks < expected.sample)
        later = Pool(pool.confidences, pool.ranks, marked, wrong & marked)
        kept += control_risk(later, 0.1, 0.1) is not None
    assert kept >= 36  # of 60


def test_nothing_is_forecast_where_only_marking_all_is_enough() -> None:
    nothing = np.zeros(40, bool)
    pool = Pool(np.full(40, 0.5), np.arange(40), nothing, nothing)
    assert forecast(pool, 0.05, 0.1) is None

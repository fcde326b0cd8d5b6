"""Rates: q-values equal their definition, and hold in simulated corpora, dependent ones, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pytest

from searchkit.core.arrays import Float64
from searchkit.plagiarism.rates import MAX_CANDIDATE_EXPECTED, JudgedQuestions, with_q_values
from searchkit.plagiarism.records import Finding

SIZES = (6, 12, 25)  # answers to the questions of a simulated corpus
COPIED_SHIFT = 6.0  # standard deviations by which copies are more alike than others
REPEATS = 300


class Pairs(NamedTuple):
    """All pairs of a corpus: their `expected`, and which are copies, `(p,)` each."""

    expected: Float64
    is_copy: np.ndarray


def simulated(rng: np.random.Generator, copies: int, dependence: float) -> Pairs:
    """Return a corpus of which each answer has a trait of its own that makes all its pairs alike.

    Args:
        rng: Random numbers.
        copies: The number of copied pairs in each question.
        dependence: The share of a pair's variance that the traits of its two answers explain.
    """
    expected, is_copy = [], []
    for size in SIZES:
        left, right = np.triu_indices(size, 1)
        trait = rng.normal(size=size) * np.sqrt(dependence / 2)
        alike = trait[left] + trait[right]
        alike += rng.normal(size=len(left)) * np.sqrt(1 - dependence)
        copied = np.isin(np.arange(len(left)), rng.choice(len(left), copies, replace=False))
        alike[copied] += COPIED_SHIFT
        p_values = [1 - NormalDist().cdf(x) for x in alike.tolist()]
        expected.append(np.array(p_values) * len(left))
        is_copy.append(copied)
    return Pairs(np.concatenate(expected), np.concatenate(is_copy))


def judged() -> JudgedQuestions:
    return JudgedQuestions(len(SIZES), sum(size * (size - 1) // 2 for size in SIZES))


def step_up(expected: Float64, rate: float) -> np.ndarray:
    """Return which of all pairs Benjamini and Yekutieli's procedure rejects, by its definition.

    The p-values are weighted by question: each question's weights add up to the same.
    """
    count = len(expected)
    weighted = expected * len(SIZES) / count
    penalty = sum(1 / k for k in range(1, count + 1))
    below = [k for k, p in enumerate(np.sort(weighted), 1) if p <= rate * k / (count * penalty)]
    threshold = np.sort(weighted)[below[-1] - 1] if below else -1.0
    return weighted <= threshold


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("copies", [0, 1, 6])
def test_the_candidates_alone_give_what_all_pairs_would(rate: float, copies: int) -> None:
    rng = np.random.default_rng(copies)
    for _ in range(20):
        expected, _ = simulated(rng, copies, 0.5)
        candidates = np.sort(expected[expected <= MAX_CANDIDATE_EXPECTED])
        listed = candidates[judged().q_values(candidates) <= rate]
        assert listed.tolist() == np.sort(expected[step_up(expected, rate)]).tolist()


def mean_over(statistic: Callable[[Pairs], float], copies: int, dependence: float) -> Float64:
    """Return the mean of a statistic over corpora, and its standard error."""
    rng = np.random.default_rng(7)
    values = [statistic(simulated(rng, copies, dependence)) for _ in range(REPEATS)]
    return np.array([np.mean(values), np.std(values) / np.sqrt(REPEATS)])


def false_share(pairs: Pairs, rate: float) -> float:
    """Return the share of pairs that aren't copied, of those with a q-value up to the rate."""
    order = np.argsort(pairs.expected)
    listed = order[judged().q_values(pairs.expected[order]) <= rate]
    return float((~pairs.is_copy[listed]).mean()) if len(listed) else 0.0


@pytest.mark.parametrize("dependence", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("copies", [0, 1, 6])
def test_no_more_of_a_list_is_by_chance_than_its_rate(copies: int, dependence: float) -> None:
    for rate in (0.05, 0.3):
        mean, error = mean_over(partial(false_share, rate=rate), copies, dependence)
        assert mean <= rate + 2 * error
    all_of_them, _ = mean_over(partial(false_share, rate=1.0), copies, dependence)
    assert all_of_them > 0 or copies  # the simulation can fail


def finding(question: str = "q", expected: float | None = 0.01) -> Finding:
    return Finding("l", "r", question, "near copy", 0.9, 0.9, 0.9, expected, (), "")


def test_q_values_by_hand() -> None:
    one = JudgedQuestions(1, 1)
    assert one.q_values(np.array([0.5])) == pytest.approx([0.54], abs=0.01)
    penalty = sum(1 / k for k in range(1, 101))
    values = JudgedQuestions(2, 100).q_values(np.array([0.001, 0.002, 0.0021, 0.9]))
    assert values == pytest.approx([2 * penalty * 0.0007] * 3 + [1.0], rel=1e-3)
    assert JudgedQuestions(0, 0).q_values(np.empty(0)).tolist() == []


def test_a_rate_cuts_the_list_and_leaves_what_is_not_judged() -> None:
    listed = [finding(expected=e) for e in (1e-9, 1e-4, 0.5)] + [finding("r", None)]
    judged = JudgedQuestions.of(listed, {"q": 45, "r": 10, "s": 55, "empty": 0})
    assert judged == JudgedQuestions(2, 100)
    everything = with_q_values(listed, judged, None)
    assert [f.expected for f in everything] == [1e-9, 1e-4, 0.5, None]
    assert everything[-1].q_value is None and everything[2].q_value == 1.0
    cut = with_q_values(listed, judged, 0.05)
    assert [f.expected for f in cut] == [1e-9, 1e-4, None]

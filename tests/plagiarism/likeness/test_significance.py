"""Significance: tails of known distributions, and the influence of copies on them."""

from __future__ import annotations

import numpy as np
import pytest

from searchkit.core.arrays import Float64
from searchkit.plagiarism.likeness.significance import (
    TYPICAL_SUM_TAIL,
    TYPICAL_TAILS,
    VERBATIM,
    VERBATIM_MAX_START,
    VERBATIM_SCALE,
    NullDistribution,
    Tail,
    TypicalTail,
    VerbatimTail,
)

UNLIMITED = TypicalTail(0.5, 1.0, max_start=9.0, min_scale=0.01, max_scale=99.0)


@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0])
def test_an_exponential_is_found_again(scale: float) -> None:
    values = np.random.default_rng(0).exponential(scale, 20_000)
    tail = Tail.fit(values, UNLIMITED)
    assert tail.scale == pytest.approx(scale, rel=0.1)
    for probability in (1e-2, 1e-4, 1e-8):
        value = np.array([-scale * np.log(probability)])
        assert tail.significance(value)[0] == pytest.approx(-np.log(probability), rel=0.12)


def test_copies_at_the_top_hardly_move_it() -> None:
    values = np.random.default_rng(1).exponential(1.0, 2_000)
    with_copies = np.concatenate([values, np.full(20, 40.0)])
    assert Tail.fit(with_copies, UNLIMITED).scale == pytest.approx(
        Tail.fit(values, UNLIMITED).scale, rel=0.08
    )


def test_no_question_makes_copying_normal() -> None:
    tail = Tail.fit(np.full(500, 30.0), TYPICAL_TAILS["short"])  # everybody wrote the same
    assert tail.start == TYPICAL_TAILS["short"].max_start
    assert tail.scale <= TYPICAL_TAILS["short"].max_scale


def test_the_fewer_pairs_the_more_it_is_the_typical_one() -> None:
    nothing = Tail.fit(np.empty(0), TYPICAL_SUM_TAIL)
    assert (nothing.start, nothing.scale) == (TYPICAL_SUM_TAIL.start, TYPICAL_SUM_TAIL.scale)
    few, many = (Tail.fit(-5 * np.log1p(-(np.arange(n) + 0.5) / n), UNLIMITED) for n in (60, 9_000))
    assert UNLIMITED.scale < few.scale < many.scale


def test_significance_rises_and_is_never_negative() -> None:
    tail = Tail.fit(np.random.default_rng(3).exponential(1.0, 300), UNLIMITED)
    significance = tail.significance(np.linspace(-1, 50, 400))
    assert (significance >= 0).all()
    assert (np.diff(significance) >= -1e-12).all()


def shared_information(rng: np.random.Generator, pairs: int) -> Float64:
    """Return the shared information of independent answers: mostly nothing, then exponential."""
    tail = VerbatimTail(6.0)
    is_beyond = rng.random(pairs) < 0.05
    beyond = tail.start + rng.exponential(VERBATIM_SCALE, pairs)
    return np.where(is_beyond, beyond, rng.uniform(0, tail.start, pairs))


def test_independent_pairs_are_not_found_more_often_than_is_said() -> None:
    """Of 300 questions of independent measures, at most one in twenty has a pair below 0.05."""
    rng = np.random.default_rng(4)
    scales = {name: tail.scale for name, tail in TYPICAL_TAILS.items()}
    found = 0
    for _ in range(300):
        measures = {name: rng.exponential(scale, 600) for name, scale in scales.items()}
        measures[VERBATIM] = shared_information(rng, 600)
        found += (NullDistribution.fit(measures).p_value(measures) * 600).min() <= 0.05
    assert found <= 15


def test_a_copy_among_them_is_found() -> None:
    rng = np.random.default_rng(5)
    measures = {name: rng.exponential(tail.scale, 400) for name, tail in TYPICAL_TAILS.items()}
    for name, tail in TYPICAL_TAILS.items():
        measures[name][7] = 30 * tail.scale
    measures[VERBATIM] = np.zeros(400)
    p_value = NullDistribution.fit(measures).p_value(measures)
    assert p_value.argmin() == 7
    assert p_value[7] * 400 < 0.01


def test_many_words_in_common_are_enough_for_a_finding() -> None:
    """A stretch that nobody writes by chance is found, whatever else the pair is like."""
    rng = np.random.default_rng(6)
    measures = {name: rng.exponential(tail.scale, 400) for name, tail in TYPICAL_TAILS.items()}
    measures[VERBATIM] = shared_information(rng, 400)
    for name in TYPICAL_TAILS:
        measures[name][7] = 0.0
    measures[VERBATIM][7] = 90.0
    assert NullDistribution.fit(measures).p_value(measures)[7] * 400 < 1e-4


@pytest.mark.parametrize("copiers", [0.0, 0.3, 0.5])
def test_copies_among_the_pairs_hardly_move_the_tail_of_shared_words(copiers: float) -> None:
    rng = np.random.default_rng(7)
    values = shared_information(rng, 300)
    values[: int(300 * copiers)] = rng.uniform(40, 300, int(300 * copiers))
    tail = VerbatimTail.fit(values)
    assert tail.start <= VERBATIM_MAX_START
    assert float(tail.p_value(np.array([70.0]))[0]) < 1e-5


def test_a_distribution_of_few_pairs_is_not_known() -> None:
    rng = np.random.default_rng(8)
    for pairs in (0, 29, 30):
        measures = {name: rng.exponential(1.0, pairs) for name in (*TYPICAL_TAILS, VERBATIM)}
        assert NullDistribution.fit(measures).is_known == (pairs == 30)

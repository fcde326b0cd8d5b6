"""Surprise: tails on distributions that are known, and what copies do to them."""

from __future__ import annotations

import numpy as np
import pytest

from searchkit.plagiarism.significance import SUM, USUAL, Null, Tail, Usual

FREE = Usual(0.5, 1.0, latest=9.0, least=0.01, most=99.0)


@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0])
def test_an_exponential_is_found_again(scale: float) -> None:
    values = np.random.default_rng(0).exponential(scale, 20_000)
    tail = Tail.fit(values, FREE)
    assert tail.scale == pytest.approx(scale, rel=0.1)
    for probability in (1e-2, 1e-4, 1e-8):
        value = np.array([-scale * np.log(probability)])
        assert tail.surprise(value)[0] == pytest.approx(-np.log(probability), rel=0.12)


def test_copies_at_the_top_hardly_move_it() -> None:
    values = np.random.default_rng(1).exponential(1.0, 2_000)
    with_copies = np.concatenate([values, np.full(20, 40.0)])
    assert Tail.fit(with_copies, FREE).scale == pytest.approx(
        Tail.fit(values, FREE).scale, rel=0.08
    )


def test_no_question_makes_copying_normal() -> None:
    tail = Tail.fit(np.full(500, 30.0), USUAL["short"])  # everybody wrote the same
    assert tail.start == USUAL["short"].latest
    assert tail.scale <= USUAL["short"].most


def test_the_fewer_pairs_the_more_it_is_the_usual_one() -> None:
    nothing = Tail.fit(np.empty(0), SUM)
    assert (nothing.start, nothing.scale) == (SUM.start, SUM.scale)
    few, many = (Tail.fit(-5 * np.log1p(-(np.arange(n) + 0.5) / n), FREE) for n in (60, 9_000))
    assert FREE.scale < few.scale < many.scale


def test_surprise_rises_and_is_never_negative() -> None:
    tail = Tail.fit(np.random.default_rng(3).exponential(1.0, 300), FREE)
    surprise = tail.surprise(np.linspace(-1, 50, 400))
    assert (surprise >= 0).all()
    assert (np.diff(surprise) >= -1e-12).all()


def test_independent_pairs_are_not_found_more_often_than_is_said() -> None:
    """Of 300 questions of independent measures, at most one in twenty has a pair below 0.05."""
    rng = np.random.default_rng(4)
    scales = {name: usual.scale for name, usual in USUAL.items()}
    found = 0
    for _ in range(300):
        measures = {name: rng.exponential(scale, 600) for name, scale in scales.items()}
        found += (Null.fit(measures).chance(measures) * 600).min() <= 0.05
    assert found <= 15


def test_a_copy_among_them_is_found() -> None:
    rng = np.random.default_rng(5)
    measures = {name: rng.exponential(usual.scale, 400) for name, usual in USUAL.items()}
    for name, usual in USUAL.items():
        measures[name][7] = 30 * usual.scale
    chance = Null.fit(measures).chance(measures)
    assert chance.argmin() == 7
    assert chance[7] * 400 < 0.01

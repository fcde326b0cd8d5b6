"""Calibration: typical marks by their definition, probabilities where the truth is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from helpers.courses import course, course_index, with_scores

from searchkit.grading.learning.calibration import (
    BANDWIDTH,
    BINS,
    OWN_QUESTION_WEIGHT,
    CalibratedGrader,
    Calibrator,
    TypicalMarks,
)
from searchkit.grading.learning.corpus import load_corpus

SCALE = np.array([-2.0, 1.0, 2.0, 3.5, 5.0])
Known = tuple[np.ndarray, np.ndarray, np.ndarray]


def some_known(n: int = 60) -> Known:
    """Estimates, codes of marks that are mostly near to them, and questions."""
    rng = np.random.default_rng(0)
    estimates = rng.uniform(-2.5, 5.5, n)
    codes = np.abs(np.subtract.outer(estimates + rng.normal(0, 1, n), SCALE)).argmin(axis=1)
    return estimates, codes, rng.integers(0, 4, n)


def by_definition(
    estimate: float, question: int, tolerance: float, known: Known, *, own: bool, without: int = -1
) -> tuple[float, float]:
    """Median of the marks, each as often as its answer is like this one, and the share near it."""

    def place(value: float) -> int:
        return round(min(max((value - SCALE[0]) / (SCALE[-1] - SCALE[0]), 0), 1) * BINS)

    weights = [0.0] * len(SCALE)
    for n, (other, code, asked) in enumerate(zip(*known, strict=True)):
        times = 1.0 if asked != question else 1 + OWN_QUESTION_WEIGHT if own else 0
        apart = (place(estimate) - place(other)) / BINS / BANDWIDTH
        weights[code] += (n != without) * times * math.exp(-(apart**2) / 2)
    middle = next(n for n in range(len(SCALE)) if sum(weights[: n + 1]) >= sum(weights) / 2)
    near = [
        w for w, mark in zip(weights, SCALE, strict=True) if abs(mark - SCALE[middle]) <= tolerance
    ]
    return SCALE[middle], sum(near) / sum(weights)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("tolerance", [0.0, 1.0, 1.5])
def test_the_usual_mark_is_the_median_of_like_answers(own: bool, tolerance: float) -> None:
    known = some_known()
    typical = TypicalMarks.fit(*known, SCALE, own=own)
    asked = np.linspace(-3, 6, 50)
    for question in (0, 3, 77):
        found = np.column_stack(typical.marks(asked, question, tolerance))
        expected = [by_definition(one, question, tolerance, known, own=own) for one in asked]
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("own", [True, False])
def test_an_answer_is_judged_without_its_own_mark(own: bool) -> None:
    estimates, codes, questions = known = some_known()
    typical = TypicalMarks.fit(*known, SCALE, own=own)
    for question in range(4):
        rows = np.flatnonzero(questions == question)
        found = np.column_stack(typical.marks(estimates[rows], question, 0.5, codes[rows]))
        expected = [
            by_definition(estimates[row], question, 0.5, known, own=own, without=row)
            for row in rows
        ]
        np.testing.assert_allclose(found, expected, atol=1e-9)


def learned(*known: tuple[float, int, int], own: bool = True) -> TypicalMarks:
    estimates, codes, questions = map(np.array, zip(*known, strict=True))
    return TypicalMarks.fit(estimates.astype(float), codes, questions, SCALE, own=own)


def test_the_only_mark_there_is_tells_nothing_about_itself() -> None:
    typical = learned((3.0, 1, 0))
    marks, near = typical.marks(np.array([3.0]), 0, 0.5)
    assert (marks.tolist(), near.tolist()) == ([1.0], [1.0])
    marks, near = typical.marks(np.array([3.0]), 0, 0.5, np.array([1]))
    assert (marks.tolist(), near.tolist()) == ([3.0], [0.0])


def test_marks_of_the_same_question_count_more_or_not_at_all() -> None:
    known = [(3.0, 2, 0)] * 5 + [(3.0, 4, 1)]
    asked = np.array([3.0])
    assert learned(*known).marks(asked, 1, 0)[0] == SCALE[4]
    assert learned(*known).marks(asked, 1, 0)[1] == pytest.approx(
        (1 + OWN_QUESTION_WEIGHT) / (6 + OWN_QUESTION_WEIGHT)
    )
    assert learned(*known).marks(asked, 9, 0)[0] == SCALE[2]
    assert learned(*known, own=False).marks(asked, 1, 0)[0] == SCALE[2]
    assert learned(*known, own=False).marks(asked, 0, 0)[0] == SCALE[4]


def test_estimates_out_of_range_are_like_the_ends_and_unlike_ones_stay() -> None:
    typical = learned((-2.0, 1, 0), (5.0, 3, 0))
    assert typical.marks(np.array([-9.0, 99.0]), 0, 0)[0].tolist() == [1.0, 3.5]
    marks, near = typical.marks(np.array([1.5]), 0, 5.0)
    assert (marks.tolist(), near.round(9).tolist()) == ([1.5], [0.0])


def test_where_graders_give_one_of_two_the_mean_of_both_is_not_suggested() -> None:
    typical = learned(*[(1.5, 0, 0)] * 7, *[(1.5, 4, 0)] * 3)
    marks, near = typical.marks(np.array([1.5, 1.5]), 0, 0.5)
    assert marks.tolist() == [-2, -2]
    assert near == pytest.approx([0.7, 0.7])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("unit", "zero"), [(1.0, 0.0), (1e-3, 50.0), (1e4, -9.0)])
def test_probabilities_are_those_of_a_known_truth(unit: float, zero: float) -> None:
    rng = np.random.default_rng(1)
    signals = rng.standard_normal((4000, 2))  # the second one tells nothing
    right = rng.random(4000) < sigmoid(1.5 * signals[:, 0] - 0.5)
    asked = rng.standard_normal((500, 2))
    found = Calibrator.fit(signals * unit + zero, right).probability(asked * unit + zero)
    assert found.shape == (500,)
    np.testing.assert_allclose(found, sigmoid(1.5 * asked[:, 0] - 0.5), atol=0.06)


@pytest.mark.parametrize("seed", range(5))
def test_ten_suggestions_are_too_few_to_be_sure_of_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.permutation(np.arange(10) < 5)
    signals = rng.normal(size=(10, 7))  # which say nothing of it
    found = Calibrator.fit(signals, right).probability(rng.normal(size=(200, 7)))
    assert 0.2 < np.quantile(found, 0.1) and np.quantile(found, 0.9) < 0.8


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_always_right_or_wrong_is_not_certain(n: int) -> None:
    signals = np.full((n, 3), 0.1)
    for right, expected in ((True, (n + 3) / (n + 6)), (False, 3 / (n + 6))):
        found = Calibrator.fit(signals, np.full(n, right)).probability(signals[:1])
        assert found == pytest.approx([expected], abs=1e-3)


def test_what_is_far_from_all_that_was_seen_is_no_surer_than_four_spreads() -> None:
    signals = np.arange(-50.0, 50)[:, None]
    calibrator = Calibrator.fit(signals, signals[:, 0] + 20 * np.sin(signals[:, 0]) > 0)
    edge = signals.mean() + 4 * signals.std()
    found = calibrator.probability(np.array([[-1e9], [0.0], [edge - 20], [edge], [1e9]]))
    assert (np.diff(found)[:-1] > 0).all()
    assert found[-1] == pytest.approx(found[-2])
    assert 0 < found[0] < 0.01
    assert 0.99 < found[-1] < 1


def test_nothing_to_judge_is_no_probability() -> None:
    calibrator = Calibrator.fit(np.zeros((2, 4)), np.array([True, False]))
    assert calibrator.probability(np.empty((0, 4))).shape == (0,)
    assert calibrator.probability(np.zeros((1, 4))) == pytest.approx([0.5])


def test_graded_answers_are_suggested_for_once_each_without_their_own_outcome(
    tmp_path: Path,
) -> None:
    unlike = {f"q{question}-{n:02}": str(n % 5) for question in (1, 2) for n in range(14)}
    with course_index(tmp_path, with_scores(course(), unlike)) as index:
        corpus = load_corpus(index, "score")
    calibrated = CalibratedGrader(corpus, corpus.marks, 0.4)
    parts = list(calibrated.cross_fit())
    rows = np.concatenate([part.rows for part, _ in parts])
    assert sorted(rows.tolist()) == calibrated.rows.tolist()
    confidences = np.concatenate([confidence for _, confidence in parts])
    right = np.concatenate([part.right for part, _ in parts])
    assert confidences[right].mean() > confidences[~right].mean()
    assert abs(confidences.mean() - right.mean()) < 0.1

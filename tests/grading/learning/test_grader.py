"""Grading: neighbours and ridges against brute force, and on marks that have one explanation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix

from searchkit.grading.learning import grader as grading
from searchkit.grading.learning import ridge as ridges
from searchkit.grading.learning import stacking
from searchkit.grading.learning.grader import (
    MIN_GRADED_ANSWERS,
    TEMPERATURE,
    Grader,
)
from searchkit.grading.learning.inputs import Examples, Inputs
from searchkit.grading.learning.ridge import INTERCEPT_SCALE, likeness
from searchkit.grading.learning.shared import SHARED_STRENGTH

TIES = (np.random.default_rng(1).integers(0, 2, (40, 4)) - 0.5).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def scattered(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, d)))


def inputs(vectors: np.ndarray, features: np.ndarray | None = None) -> Inputs:
    """Return answers without words in common."""
    n = len(vectors)
    features = np.zeros((n, 3)) if features is None else features
    return Inputs(vectors, features, np.zeros((n, 3)), csr_matrix((n, 1)), np.zeros((n, 0)))


def wordy(n: int, d: int, seed: int = 0) -> Inputs:
    """Return answers with words and features beside their vectors."""
    rng = np.random.default_rng(seed)
    ngrams = unit(rng.random((n, 30)) * (rng.random((n, 30)) < 0.3) + 1e-3).astype(float)
    relative, cohorts = rng.normal(size=(n, 4)), np.zeros((n, 0))
    return Inputs(scattered(n, d, seed), np.zeros((n, 3)), relative, csr_matrix(ngrams), cohorts)


def one_question(answers: np.ndarray | Inputs, targets: np.ndarray) -> Examples:
    answers = answers if isinstance(answers, Inputs) else inputs(answers)
    n = len(answers)
    return Examples(answers, np.zeros(n, np.int64), targets.reshape(n, -1))


def five_questions(first: int = 12) -> Examples:
    """Marks that follow from the features, in all questions alike."""
    questions = np.repeat(np.arange(5), [first, 12, 12, 12, 12])
    features = np.random.default_rng(3).standard_normal((len(questions), 3))
    answers = inputs(scattered(len(features), 16), features)
    return Examples(answers, questions, features @ [[1], [-0.5], [0.2]])


def brute(rows: np.ndarray, k: int, besides: np.ndarray | None) -> list[list[int]]:
    order = np.argsort(-(rows @ rows.T).astype(float).round(6), axis=1, kind="stable").tolist()
    own = [-1] * len(rows) if besides is None else besides.tolist()
    return [[n for n in line if n != itself][:k] for line, itself in zip(order, own, strict=True)]


def ridge(known: np.ndarray, rest: np.ndarray, size: float, keep, asked) -> np.ndarray:
    """Learn from the rows to keep, centred on the mean of all, and estimate others."""
    center = known.mean(axis=0, dtype=float)
    kept = np.c_[known[keep] - center, np.full(len(rest[keep]), INTERCEPT_SCALE)]
    weights = np.linalg.solve(kept.T @ kept + size * np.eye(kept.shape[1]), kept.T @ rest[keep])
    return np.c_[asked - center, np.full(len(asked), INTERCEPT_SCALE)] @ weights


def kernel_ridge(known: Inputs, rest: np.ndarray, size: float, keep, asked: Inputs) -> np.ndarray:
    """Learn from the rows to keep by the dual form, with the kernel centred on all rows."""
    among, between = likeness(known, known), likeness(asked, known)
    between = between - between.mean(axis=1, keepdims=True) - among.mean(axis=0) + among.mean()
    among = among - among.mean(axis=1, keepdims=True) - among.mean(axis=0) + among.mean()
    among, between = among + INTERCEPT_SCALE**2, between + INTERCEPT_SCALE**2
    kept = among[keep][:, keep]
    return between[:, keep] @ np.linalg.solve(kept + size * np.eye(len(kept)), rest[keep])


def smoothed(cosines: np.ndarray, rest: np.ndarray, k: int) -> np.ndarray:
    best = np.argsort(-cosines, kind="stable")[:k]
    return np.average(
        rest[best], axis=0, weights=np.exp((cosines[best] - cosines.max()) / TEMPERATURE)
    )


@pytest.fixture
def best_alone(monkeypatch) -> None:
    """Let the best method decide alone, by a penalty that leaves nothing of the stack."""
    monkeypatch.setattr(stacking, "STACK_STRENGTH", 1e15)


@pytest.mark.parametrize("rows", [scattered(40, 4), TIES])
@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("block", [1, 1 << 24])
def test_the_nearest_are_found_and_equal_ones_by_row(rows, k, block) -> None:
    for besides in (None, np.arange(40), np.arange(40)[::-1]):
        for number in (99, k):
            near, scores = grading.nearest(rows, rows, number, besides, block_products=block)
            assert near.tolist() == brute(rows, number, besides)
            assert_allclose(scores, np.take_along_axis(rows @ rows.T, near, axis=1), atol=1e-6)
    assert grading.nearest(rows[:0], rows, k)[0].shape == (0, k)


@pytest.mark.parametrize(("n", "d"), [(30, 4), (6, 16)])
def test_leaving_one_out_is_learning_again_without_it(n: int, d: int) -> None:
    targets, start = np.random.default_rng(5).standard_normal((2, n, 2))
    answers, rest = wordy(n, d), targets - start
    vectors = answers.vectors
    found = dict(
        grading._QuestionModel(one_question(answers, targets), np.ones(n)).leave_one_out(start)
    )
    assert len(found) == 2 * len(grading.RIDGE_STRENGTHS) + len(grading.NEIGHBOUR_COUNTS)
    for row in range(n):
        keep = np.arange(n) != row
        for (method, size), values in found.items():
            if method == "linear":
                left = ridge(vectors, rest, size, keep, vectors[[row]])[0]
            elif method == "words":
                left = kernel_ridge(answers, rest, size, keep, answers.take(np.array([row])))[0]
            else:
                left = smoothed((vectors[keep] @ vectors[row]).astype(float), rest[keep], int(size))
            assert_allclose(values[row], start[row] + left, atol=2e-5)
    known = one_question(answers, targets)
    ((rows, _),) = Grader.fit(known, max_left_out=n // 2).leave_one_out()
    assert len(set(rows.tolist())) == n // 2
    for way, values in grading._QuestionModel(known, np.ones(n), n // 2).leave_one_out(start):
        assert_allclose(values, found[way][rows], atol=1e-9)


@pytest.mark.usefixtures("best_alone")
def test_marks_that_follow_words_are_learned_from_words() -> None:
    answers = wordy(90, 16)
    marks = answers.ngrams.toarray()[:, :3].sum(axis=1)
    known, asked = answers.take(np.arange(60)), answers.take(np.arange(60, 90))
    grader = Grader.fit(one_question(known, marks[:60]))
    assert grader.best.method == "words"
    values = grader.estimate(0, asked).values[:, 0]
    again = kernel_ridge(known, marks[:60, None], grader.best.size, slice(None), asked)
    assert_allclose(values, again[:, 0], atol=1e-5)
    assert np.corrcoef(values, marks[60:])[0, 1] > 0.8


def test_many_answers_are_learned_from_through_some_of_them(monkeypatch) -> None:
    answers, marks = wordy(60, 4), np.arange(60.0)
    exact = ridges.WordSpace(answers)
    products = exact.coordinates(answers) @ exact.own.T
    assert_allclose(products, likeness(answers, answers), atol=1e-6)
    monkeypatch.setattr(ridges, "MAX_LANDMARKS", 59)
    almost = ridges.WordSpace(answers)
    assert almost.own.shape == (60, 59)
    gap = np.abs(almost.own @ almost.own.T - products)
    assert (gap.max(axis=1) > 1e-6).sum() == 1  # only the one that is no landmark
    assert Grader.fit(one_question(answers, marks)).best is not None


def test_methods_that_err_apart_are_better_together() -> None:
    rng = np.random.default_rng(4)
    targets = rng.normal(size=(400, 2))
    first, second = (targets + rng.normal(0, 0.7, (400, 2)) for _ in range(2))
    stack = stacking.Stack([first[:200], second[:200]], targets[:200])
    errors = [
        np.mean((values - targets[200:]) ** 2)
        for values in (stack.combine([first[200:], second[200:]]), first[200:], second[200:])
    ]
    assert errors[0] < 0.7 * min(errors[1:])
    few = stacking.Stack([first[:1], second[:1]], targets[:1])
    assert_allclose(few.combine([first, second]), first)  # nothing is learned from one answer


def test_a_question_of_which_only_like_ones_are_graded_is_learned_from_these() -> None:
    known = five_questions()
    weights = np.eye(6)
    weights[5, 1] = 0.5
    known = Examples(known.inputs, known.questions, known.targets, weights)
    grader = Grader.fit(known)
    found = grader.estimate(5, known.inputs.take(np.arange(3)))
    assert found.own and not found.equal.any()
    assert (known.questions[found.nearest] == 1).all()
    assert 5 not in {int(known.questions[rows[0]]) for rows, _ in grader.leave_one_out()}
    weights[5, 1] = 0.1  # of 12 answers: worth about one
    assert not Grader.fit(known).estimate(5, known.inputs.take(np.arange(3))).own


def test_weights_count_as_often_as_rows() -> None:
    answers, targets = wordy(12, 4), np.random.default_rng(2).normal(size=(12, 1))
    weights = np.array([1.0] * 8 + [2.0] * 4)
    twice = np.r_[np.arange(12), np.arange(8, 12)]
    once, again = (
        ridges.Ridge(rows, counts)
        for rows, counts in (
            (answers.vectors.astype(float), weights),
            (answers.vectors[twice].astype(float), np.ones(16)),
        )
    )
    asked = scattered(3, 4, seed=9).astype(float)
    assert_allclose(
        once.estimate(asked, once.weights(targets, 0.3)),
        again.estimate(asked, again.weights(targets[twice], 0.3)),
        atol=1e-9,
    )


def test_answers_that_are_equal_in_all_are_no_trouble() -> None:
    answers = wordy(3, 4).take(np.arange(30) % 3)
    grader = Grader.fit(one_question(answers, np.arange(30) % 3 + 0.0))
    assert_allclose(grader.estimate(0, answers).values[:, 0], np.arange(30) % 3, atol=1e-6)


@pytest.mark.usefixtures("best_alone")
def test_marks_that_are_linear_in_the_vectors_are_learned_as_such() -> None:
    seen, asked, rule = scattered(60), scattered(20, seed=1), [1, -2, 0.5, 0, 0, 1, 0, 0]
    marks = 2 + seen.astype(float) @ rule
    grader = Grader.fit(one_question(seen, marks))
    assert (grader.best.method, grader.best.shared, len(grader.candidates)) == ("linear", False, 15)
    values = grader.estimate(0, inputs(asked)).values[:, 0]
    assert_allclose(values, 2 + asked @ rule, atol=0.05)
    again = ridge(seen, marks, grader.best.size, slice(None), asked)
    assert_allclose(values, again)


@pytest.mark.usefixtures("best_alone")
def test_marks_of_tight_groups_are_learned_from_neighbours() -> None:
    group = np.arange(100) % 20
    vectors = unit(scattered(20, 6)[group] + 0.02 * scattered(100, 6, seed=9))
    marks = np.random.default_rng(2).normal(group % 6, 0.1)
    grader = Grader.fit(one_question(vectors[20:], marks[20:]))
    assert grader.best.method == "neighbours"
    found = grader.estimate(0, inputs(vectors[:20]))
    assert_allclose(found.values[:, 0], group[:20] % 6, atol=0.4)
    for row, line in enumerate((vectors[:20] @ vectors[20:].T).astype(float)):
        assert_allclose(found.scores[row], line[found.nearest[row]], atol=1e-6)
        value = smoothed(line, marks[20:], int(grader.best.size))
        apart = np.abs(marks[20:][found.nearest[row, :5]] - value).mean()
        expected = [value, value, value**2, apart, line.max(), np.log(80)]
        assert_allclose([*found.values[row], *found.signals[row]], expected, atol=1e-4)


@pytest.mark.usefixtures("best_alone")
def test_what_all_questions_teach_is_learned_from_the_others() -> None:
    known = five_questions()
    grader = Grader.fit(known)
    assert grader.best.shared
    assert grader.best.loss == pytest.approx(min(one.loss for one in grader.candidates))
    even = (known.inputs.features - known.inputs.features.mean(axis=0)) / known.inputs.features.std(
        axis=0
    )
    ready, errors = np.c_[even.clip(-3, 3), np.ones(60)], []
    for rows, found in grader.leave_one_out():
        others = known.questions != known.questions[rows[0]]
        gram = ready[others].T @ ready[others] + np.diag([SHARED_STRENGTH] * 3 + [1e-6])
        expected = ready[rows] @ np.linalg.solve(gram, ready[others].T @ known.targets[others])
        assert found.own or np.abs(found.values - expected).max() < 1e-6
        errors += (found.values - known.targets[rows]).ravel().tolist() if found.own else []
    assert np.mean(np.square(errors)) == pytest.approx(grader.best.loss)
    far, farther = (
        grader.estimate(1, inputs(known.inputs.vectors, known.inputs.features * n)).values
        for n in (1e3, 1e6)
    )
    assert_allclose(far, farther)
    assert (far != grader.estimate(1, known.inputs).values).any()
    known.targets[:] = known.targets[::-1].copy()  # of other answers: features say nothing
    grader = Grader.fit(known)
    far, near = (
        grader.estimate(1, inputs(known.inputs.vectors, known.inputs.features * n)).values
        for n in (1e3, 1)
    )
    assert_allclose(far, near)


def test_a_question_with_few_marks_is_judged_from_the_others_only() -> None:
    known = five_questions(MIN_GRADED_ANSWERS - 1)
    grader = Grader.fit(known)
    found = grader.estimate(0, known.inputs)
    assert (found.own, found.equal.any(), found.nearest.shape) == (False, False, (52, 0))
    own = sorted((int(known.questions[rows[0]]), one.own) for rows, one in grader.leave_one_out())
    assert own == [(0, False)] + [(q, how) for q in range(1, 5) for how in (False, True)]
    assert Grader.fit(five_questions(MIN_GRADED_ANSWERS)).estimate(0, known.inputs).own
    for question, moves in ((0, False), (1, True)):  # its own marks change nothing
        known.targets[known.questions == question] *= -9
        after = Grader.fit(known).estimate(0, known.inputs)
        assert (np.abs(after.values - found.values).max() > 1e-6) == moves


def test_an_answer_equal_to_graded_ones_gets_their_mark() -> None:
    vectors, marks = scattered(30), np.arange(30) % 7 + 0.5
    vectors[:3] = vectors[3]
    grader = Grader.fit(one_question(vectors, marks))
    asked = np.vstack([vectors[3:], unit(vectors[3:4] + 0.02 * vectors[4:5])])
    found = grader.estimate(0, inputs(asked))
    assert found.equal.tolist() == [True] * 27 + [False]
    assert_allclose(found.values[:27, 0], [2.0, *marks[4:]])
    ((_, left),) = grader.leave_one_out()
    assert_allclose(left.values[left.equal, 0], [(8 - mark) / 3 for mark in marks[:4]])


def test_labels_are_estimated_each_for_itself_and_the_same_again() -> None:
    group = np.arange(60) % 3
    vectors = unit(scattered(3, 6)[group] + scattered(60, 6, seed=9))
    known = one_question(vectors[:45], np.eye(3)[group[:45]])
    one, again = (Grader.fit(known).estimate(0, inputs(vectors[45:])) for _ in range(2))
    best = np.sort(one.values, axis=1)
    assert (one.values.argmax(axis=1) == group[45:]).mean() > 0.9
    assert_allclose(one.signals[:, :2], np.c_[best[:, 2] - best[:, 1], best[:, 2]])
    assert (one.values == again.values).all() and (one.signals == again.signals).all()


def test_nothing_to_learn_from_is_an_error() -> None:
    grader = Grader.fit(
        one_question(scattered(MIN_GRADED_ANSWERS - 1), np.arange(MIN_GRADED_ANSWERS - 1.0))
    )
    assert (grader.best, grader.candidates, list(grader.leave_one_out())) == (None, [], [])
    with pytest.raises(ValueError, match="no marks to learn from for question 0"):
        grader.estimate(0, inputs(scattered(2)))
    assert not grader.can_estimate(0) and Grader.fit(five_questions(1)).can_estimate(77)

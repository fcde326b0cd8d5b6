"""Grading: marks suggested from the marks of others, on plain arrays.

What is learned is in two parts. From all questions together: how the marks of answers follow from
a few traits that an answer to any question has (a ridge regression on `traits`); for each question
from the others only, so that it also says something about a question without marks. And from the
question's own graded answers: what these deviate from that, either as the nearest of them do, or as
a ridge regression on the vectors says. Which of both, how strong, and whether the first part helps,
is chosen for the column by leave-one-out cross-validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64, Intp

Method = Literal["linear", "neighbours"]
OWN = 5  # graded answers that a question needs before its own marks are learned from
OTHERS = 3  # graded questions from which is learned what holds for any
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the ridge on a question's vectors
NUMBERS = (1, 3, 5, 10, 20)  # of neighbours
SHARED_STRENGTH = 10.0  # of the ridge on standardised traits, over all questions
WARMTH = 0.1  # cosines nearer by this much weigh e times as much
INTERCEPT = 30.0  # a column of ones times this: all but free of the penalty
SAMPLE = 4_000  # graded answers of one question that leave-one-out looks at
REASONS = 5  # neighbours whose marks tell how sure a suggestion is
EQUAL = 0.999995  # a cosine that only equal texts have
_BLOCK = 1 << 24  # products at a time


@dataclass(frozen=True, slots=True)
class Examples:
    """Graded answers.

    Attributes:
        vectors: `(n, d)` unit rows, of the whole answers.
        traits: `(n, t)` of each.
        questions: `(n,)` number of the question of each.
        targets: `(n, c)`: a number, or 1 for the label and 0 for the others.
    """

    vectors: Float32
    traits: Float64
    questions: Int64
    targets: Float64

    def take(self, rows: Intp | NDArray[np.bool_]) -> Examples:
        """Return some of them."""
        return Examples(
            self.vectors[rows], self.traits[rows], self.questions[rows], self.targets[rows]
        )


@dataclass(frozen=True, slots=True)
class Estimates:
    """What a grader thinks of some answers.

    Attributes:
        values: `(m, c)` estimated targets.
        signals: `(m, s)` what tells how sure that is; comparable within the same `own`.
        own: Whether marks of the same question were there to learn from.
        equal: `(m,)` whether an equal answer is graded; its mark is the estimate.
        nearest: `(m, k)` rows of the examples, the nearest graded answers to the question.
        scores: `(m, k)` their cosines.
    """

    values: Float64
    signals: Float64
    own: bool
    equal: NDArray[np.bool_]
    nearest: Int64
    scores: Float64


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to learn from a question's own marks, and how well it did.

    Attributes:
        method: `linear` or `neighbours`.
        size: The strength of the ridge, or the number of neighbours.
        shared: Whether it corrects what all questions teach, or starts from nothing.
        loss: Mean squared error of the targets when each answer was left out.
    """

    method: Method
    size: float
    shared: bool
    loss: float


class Grader:
    """Estimates marks; made by `fit`.

    Attributes:
        chosen: How it learns from a question's own marks; None where no question has enough.
        tried: All that was compared, best first.
        examples: What it learned from.
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self.chosen: Candidate | None = None
        self.tried: list[Candidate] = []
        self._shared = _Shared(examples)
        self._rows = {
            question: np.flatnonzero(examples.questions == question)
            for question in np.unique(examples.questions).tolist()
        }
        self._own: dict[int, _Own] = {}
        self._error: dict[int, float] = {}

    @classmethod
    def fit(cls, examples: Examples) -> Grader:
        """Learn from graded answers.

        Args:
            examples: At least two.
        """
        grader = cls(examples)
        own = [q for q, rows in grader._rows.items() if len(rows) >= OWN]
        starts = {
            False: grader._shared.nothing(len(examples.targets)),
            True: grader._shared.of_examples(),
        }
        if not grader._shared.helps:
            del starts[True]
        parts = {q: _Own(examples.take(grader._rows[q])) for q in own}
        losses: dict[tuple[Method, float, bool], list[Float64]] = {}
        for question, part in parts.items():
            rows = grader._rows[question]
            for shared, start in starts.items():
                for key, left_out in part.left_out(start[rows]):
                    error = ((left_out - examples.targets[rows][part.sample]) ** 2).sum(axis=1)
                    losses.setdefault((*key, shared), []).append(error)
        grader.tried = sorted(
            (Candidate(*key, float(np.concatenate(found).mean())) for key, found in losses.items()),
            key=lambda one: (round(one.loss, 9), one.method, -one.size),
        )
        if grader.tried:
            grader.chosen = grader.tried[0]
            for question, part in parts.items():
                part.settle(grader.chosen, starts[grader.chosen.shared][grader._rows[question]])
            grader._own = parts
        return grader

    def can_judge(self, question: int) -> bool:
        """Return whether there is anything to learn from for this question."""
        return question in self._own or self._shared.helps

    def left_out(self) -> Iterator[tuple[Int64, Estimates]]:
        """Estimate every example as if it had no mark: (rows, estimates) of each question.

        Twice where there is enough: from the question's own other marks, and from the other
        questions only.
        """
        shared = self._shared.of_examples()
        for question, rows in self._rows.items():
            if question in self._own:
                part = self._own[question]
                found = self._with_own(question, part.values, part.near, part.scores)
                yield rows[part.sample], found
            if self._shared.helps:
                yield rows, _without_own(shared[rows], self.examples.traits[rows])

    def estimate(self, question: int, vectors: Float32, traits: Float64) -> Estimates:
        """Estimate the marks of answers to a question.

        Args:
            question: Its number.
            vectors: `(m, d)` unit rows.
            traits: `(m, t)`.

        Raises:
            ValueError: if `can_judge` says no.
        """
        if not self.can_judge(question):
            raise ValueError(f"no marks to learn from for question {question}")
        values = self._shared.estimate(question, traits)
        if question not in self._own:
            return _without_own(values, traits)
        part = self._own[question]
        near, scores = nearest(vectors, part.examples.vectors, max(NUMBERS))
        if self.chosen and not self.chosen.shared:
            values = self._shared.nothing(len(vectors))
        values = part.estimate(values, vectors, near, scores)
        return self._with_own(question, values, near, scores)

    def _with_own(self, question: int, values: Float64, near: Int64, scores: Float64) -> Estimates:
        rows = self._rows[question]
        marks = self.examples.targets[rows][near]  # (m, k, c)
        same = (scores >= EQUAL)[:, :, None]
        equal = same[:, 0, 0]
        # What was graded word for word has its mark already.
        values = np.where(
            equal[:, None], (marks * same).sum(1) / np.maximum(same.sum(1), 1), values
        )
        apart = np.abs(marks[:, :REASONS] - values[:, None, :]).sum(axis=2).mean(axis=1)
        count = np.full(len(values), np.log(len(rows)))
        signals = [*_sureness(values), apart, scores[:, 0], count]
        return Estimates(values, np.column_stack(signals), True, equal, rows[near], scores)


class _Shared:
    """What all questions teach: a ridge regression of the targets on the traits."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        questions = np.unique(examples.questions)
        self.helps = len(questions) >= OTHERS
        self._center = examples.traits.mean(axis=0)
        self._spread = examples.traits.std(axis=0) + 1e-9
        self._all = self._ready(examples.traits)
        self._gram = self._all.T @ self._all
        self._sides = self._all.T @ examples.targets
        self._weights: dict[int, Float64] = {}

    def nothing(self, count: int) -> Float64:
        """Return nothing for so many."""
        return np.zeros((count, self.examples.targets.shape[1]))

    def of_examples(self) -> Float64:
        """Estimate every example from the other questions; `(n, c)`."""
        if not self.helps:
            return self.nothing(len(self.examples.targets))
        found = np.empty_like(self.examples.targets)
        for question in np.unique(self.examples.questions).tolist():
            rows = self.examples.questions == question
            found[rows] = self._all[rows] @ self._learned(question)
        return found

    def estimate(self, question: int, traits: Float64) -> Float64:
        """Estimate answers from all questions but their own."""
        if not self.helps:
            return self.nothing(len(traits))
        return self._ready(traits) @ self._learned(question)

    def _ready(self, traits: Float64) -> Float64:
        # Beyond what was seen a line says nothing: ten times as long isn't ten times better.
        even = np.clip((traits - self._center) / self._spread, -3, 3)
        return np.column_stack([even, np.ones(len(even))])

    def _learned(self, question: int) -> Float64:
        if question not in self._weights:
            rows = self.examples.questions == question
            own = self._all[rows]
            gram = self._gram - own.T @ own
            sides = self._sides - own.T @ self.examples.targets[rows]
            penalty = np.full(len(gram), SHARED_STRENGTH)
            penalty[-1] = 1e-6
            self._weights[question] = np.linalg.solve(gram + np.diag(penalty), sides)
        return self._weights[question]


class _Own:
    """The graded answers to one question, ready for every way to learn from them.

    Attributes:
        sample: `(s,)` which of them leave-one-out looks at.
        near: `(s, k)` the nearest others of each.
        scores: `(s, k)` their cosines.
        values: `(s, c)` what the way that was settled on estimates for each from the others.
    """

    values: Float64

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        count = len(examples.vectors)
        self.sample = np.arange(count)
        if count > SAMPLE:
            self.sample = np.sort(np.random.default_rng(0).choice(count, SAMPLE, replace=False))
        self.center = examples.vectors.mean(axis=0, dtype=np.float64)
        self.left, self.sizes, self.right = np.linalg.svd(
            self._ready(examples.vectors), full_matrices=False
        )
        self.near, self.scores = nearest(
            examples.vectors[self.sample], examples.vectors, max(NUMBERS), besides=self.sample
        )

    def left_out(self, start: Float64) -> Iterator[tuple[tuple[Method, float], Float64]]:
        """Estimate the sample, each answer from the others, in every way.

        The ridge by the closed form of leave-one-out (Rifkin and Lippert, Notes on Regularized
        Least-Squares, 2007): the residual over one minus the leverage.
        """
        rest = self.examples.targets - start
        turned = self.left.T @ rest
        for strength in STRENGTHS:
            kept = self.sizes**2 / (self.sizes**2 + strength)
            fitted = self.left[self.sample] @ (kept[:, None] * turned)
            leverage = (self.left[self.sample] ** 2 @ kept)[:, None]
            some = rest[self.sample]
            yield (
                ("linear", strength),
                start[self.sample] + some - (some - fitted) / np.maximum(1 - leverage, 1e-6),
            )
        for number in NUMBERS:  # or all the others, where there are fewer
            near, scores = self.near[:, :number], self.scores[:, :number]
            yield ("neighbours", number), start[self.sample] + _smoothed(rest, near, scores)

    def settle(self, chosen: Candidate, start: Float64) -> None:
        """Take one way, over what is known without this question's marks."""
        self._chosen, self._rest = chosen, self.examples.targets - start
        self.values = dict(self.left_out(start))[chosen.method, chosen.size]
        shrunk = self.sizes / (self.sizes**2 + chosen.size)
        self._weights = self.right.T @ (shrunk[:, None] * (self.left.T @ self._rest))

    def estimate(self, begin: Float64, vectors: Float32, near: Int64, scores: Float64) -> Float64:
        """Correct what is known without this question's marks."""
        if self._chosen.method == "neighbours":
            number = int(self._chosen.size)
            return begin + _smoothed(self._rest, near[:, :number], scores[:, :number])
        return begin + self._ready(vectors) @ self._weights

    def _ready(self, vectors: Float32) -> Float64:
        ones = np.full(len(vectors), INTERCEPT)
        return np.column_stack([vectors.astype(np.float64) - self.center, ones])


def nearest(
    vectors: Float32, among: Float32, k: int, besides: Int64 | None = None
) -> tuple[Int64, Float64]:
    """Find the nearest rows by cosine; equal ones (to six places) by their order.

    Args:
        vectors: `(m, d)` unit rows.
        among: `(n, d)` unit rows.
        k: How many; fewer where there are fewer.
        besides: `(m,)` for each the row that doesn't count, as it is itself.

    Returns:
        `(m, k)` rows and cosines, nearest first.
    """
    k = min(k, len(among) - (besides is not None))
    rows = np.empty((len(vectors), k), np.int64)
    scores = np.empty((len(vectors), k))
    size = max(1, _BLOCK // max(1, len(among)))
    for begin in range(0, len(vectors), size):
        products = np.rint((vectors[begin : begin + size] @ among.T).astype(np.float64) * 1e6)
        block = slice(begin, begin + len(products))
        if besides is not None:
            products[np.arange(len(products)), besides[block]] = -1e9
        # One number for the score and the order of the rows, so that no two are equal.
        keys = products.astype(np.int64) * len(among) - np.arange(len(among))
        best = np.argpartition(-keys, min(k, len(among) - 1), axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(keys, best, axis=1), axis=1)
        rows[block] = np.take_along_axis(best, order, axis=1)
        scores[block] = np.take_along_axis(products, rows[block], axis=1) / 1e6
    return rows, scores


def _without_own(values: Float64, traits: Float64) -> Estimates:
    signals = np.column_stack([*_sureness(values), traits])
    none = np.empty((len(values), 0))
    never = np.zeros(len(values), bool)
    return Estimates(values, signals, False, never, none.astype(np.int64), none)


def _smoothed(values: Float64, near: Int64, scores: Float64) -> Float64:
    weights = np.exp((scores - scores[:, :1]) / WARMTH)
    mean: Float64 = np.einsum(
        "mk,mkc->mc", weights / weights.sum(axis=1, keepdims=True), values[near]
    )
    return mean


def _sureness(values: Float64) -> list[Float64]:
    """Return what the estimates tell of their own sureness.

    Of labels how far the likeliest is ahead, and how likely it is; of numbers these themselves,
    as very good and very bad answers are easier to tell.
    """
    if values.shape[1] == 1:
        return [values[:, 0], values[:, 0] ** 2]
    best = np.sort(values, axis=1)
    return [best[:, -1] - best[:, -2], best[:, -1]]

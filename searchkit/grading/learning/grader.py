"""The grader: estimates marks from the marks of other answers, on plain arrays.

It has two parts. A shared model is a ridge regression of the marks on features that an answer to
any question has; for each question it is fitted on the other questions only, so that it also works
for a question without marks. For each question with enough marks, a model of its own estimates how
much they deviate from the shared model: the mean deviation of the nearest answers, or a ridge
regression on the vectors, or one on vectors, words and features together. Leave-one-out
cross-validation over the whole column chooses the strength of each method, and the methods are
stacked: the best one's estimates are corrected by what the others say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.grading.learning.inputs import Examples, Inputs
from searchkit.grading.learning.ridge import Ridge, VectorSpace, WordSpace
from searchkit.grading.learning.shared import SharedModel, plain_features
from searchkit.grading.learning.stacking import Stack

QuestionMethod = Literal["linear", "words", "neighbours"]
Setting = tuple[QuestionMethod, float, bool]  # method, size and shared of a candidate
SPACES: dict[QuestionMethod, type[VectorSpace | WordSpace]] = {
    "linear": VectorSpace,
    "words": WordSpace,
}
MIN_GRADED_ANSWERS = 5  # that a question needs to have a model of its own
RIDGE_STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)  # candidates for the ridge of a question
NEIGHBOUR_COUNTS = (1, 3, 5, 10, 20)  # candidates for the number of neighbours
TEMPERATURE = 0.1  # a cosine that is higher by this much has e times the weight
MAX_LEFT_OUT = 4_000  # graded answers of one question that leave-one-out estimates
SIGNAL_NEIGHBOURS = 5  # whose marks are compared with the estimate, as a signal
EQUAL_COSINE = 0.999995  # only equal texts have a cosine this high
BLOCK_PRODUCTS = 1 << 24  # products of `nearest` that are in memory at a time


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates for some answers to one question.

    Attributes:
        values: `(m, c)` estimated targets.
        signals: `(m, s)` values from which a calibrator tells how reliable an estimate is;
            comparable among estimates with the same `own`.
        own: Whether marks of the same question were learned from.
        equal: `(m,)` whether an equal answer is graded; its mark is then the estimate.
        nearest: `(m, k)` rows of the examples: the nearest graded answers to the question.
        scores: `(m, k)` cosines with these.
    """

    values: Float64
    signals: Float64
    own: bool
    equal: NDArray[np.bool_]
    nearest: Int64
    scores: Float64

    def take(self, chosen: NDArray[np.bool_]) -> Estimates:
        """Return the estimates for some of the answers."""
        return Estimates(
            self.values[chosen],
            self.signals[chosen],
            self.own,
            self.equal[chosen],
            self.nearest[chosen],
            self.scores[chosen],
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method of learning from a question's own marks, with its error in cross-validation.

    Attributes:
        method: `linear`: a ridge on the vectors; `words`: one that has words and features beside
            them; or `neighbours`.
        size: The strength of the ridge, or the number of neighbours.
        shared: Whether the method corrects the shared model, or starts from zero.
        loss: Mean squared error of the targets in leave-one-out.
    """

    method: QuestionMethod
    size: float
    shared: bool
    loss: float


class Grader:
    """Estimates marks; made by `fit`.

    Attributes:
        best: The best method for questions with enough marks; None if there are none.
        candidates: All methods that were compared, best first.
        examples: The graded answers that it learned from.
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self.best: Candidate | None = None
        self.candidates: list[Candidate] = []
        self._shared = SharedModel(examples)
        count = 0 if examples.weights is None else len(examples.weights)
        asked = np.union1d(examples.questions, np.arange(count)).tolist()
        self._rows = {question: _rows_of(examples, question) for question in asked}
        self._models: dict[int, _QuestionModel] = {}

    @classmethod
    def fit(cls, examples: Examples, *, max_left_out: int = MAX_LEFT_OUT) -> Grader:
        """Learn from graded answers.

        Args:
            examples: At least two.
            max_left_out: How many answers of a question leave-one-out estimates, at most.
        """
        grader = cls(examples)
        starts = {False: grader._shared.zeros(len(examples.targets))}
        if grader._shared.is_usable:
            starts[True] = grader._shared.estimate_examples()
        models = {}
        for question, rows in grader._rows.items():
            weights = examples.weights_for(question)[rows]
            if weights.sum() >= MIN_GRADED_ANSWERS:
                models[question] = _QuestionModel(examples.take(rows), weights, max_left_out)
        left_out = {
            question: {
                (*key, shared): estimates
                for shared, start in starts.items()
                for key, estimates in model.leave_one_out(start[grader._rows[question]])
            }
            for question, model in models.items()
            if len(model.sample)
        }
        if left_out:
            grader._choose(models, left_out, starts)
        return grader

    def _choose(
        self,
        models: dict[int, _QuestionModel],
        left_out: dict[int, dict[Setting, Float64]],
        starts: dict[bool, Float64],
    ) -> None:
        """Choose the best setting of each method by their leave-one-out estimates, and stack them.

        Args:
            models: By question.
            left_out: Estimates of each question's sample by each setting.
            starts: `(n, c)` estimates without the question's own marks, shared or zero.
        """
        targets = {
            question: self.examples.targets[self._rows[question]][models[question].sample]
            for question in left_out
        }
        all_targets = np.concatenate(list(targets.values()))
        settings = list(next(iter(left_out.values())))
        values = {one: np.concatenate([own[one] for own in left_out.values()]) for one in settings}
        losses = {one: ((values[one] - all_targets) ** 2).sum(axis=1).mean() for one in settings}
        self.candidates = sorted(
            (Candidate(*setting, float(loss)) for setting, loss in losses.items()),
            key=lambda candidate: (round(candidate.loss, 9), candidate.method, -candidate.size),
        )
        best: dict[tuple[QuestionMethod, bool], Candidate] = {}
        for candidate in self.candidates:
            best.setdefault((candidate.method, candidate.shared), candidate)
        self.best, self._models = self.candidates[0], models
        shared = [starts[True]] if True in starts else []
        members = {
            question: [
                *(own[one.method, one.size, one.shared] for one in best.values()),
                *(start[self._rows[question]][models[question].sample] for start in shared),
            ]
            for question, own in left_out.items()
        }
        self._stack = Stack(
            [np.concatenate(parts) for parts in zip(*members.values(), strict=True)], all_targets
        )
        for question, model in models.items():
            rows = self._rows[question]
            model.use(list(best.values()), {key: start[rows] for key, start in starts.items()})
            if question in members:
                model.values = self._stack.combine(members[question])

    def can_estimate(self, question: int) -> bool:
        """Whether there are marks to learn from for this question."""
        return question in self._models or self._shared.is_usable

    def leave_one_out(self) -> Iterator[tuple[Int64, Estimates]]:
        """Estimate every example without its own mark.

        Yields:
            (rows of the examples, estimates) for each question; twice if both are possible: first
            from the other marks of the question, then from the other questions only.
        """
        shared = self._shared.estimate_examples()
        for question, rows in self._rows.items():
            model = self._models.get(question)
            if model and len(model.sample):
                yield (
                    rows[model.sample],
                    self._own_estimates(question, model.values, model.near, model.scores),
                )
            own = rows[self.examples.questions[rows] == question]
            if self._shared.is_usable and len(own):
                yield own, _shared_estimates(shared[own], self.examples.inputs.take(own))

    def estimate(self, question: int, inputs: Inputs) -> Estimates:
        """Estimate the marks of answers to a question.

        Args:
            question: The code of the question.
            inputs: The answers; `m` of them.

        Raises:
            ValueError: if `can_estimate` is False.
        """
        if not self.can_estimate(question):
            raise ValueError(f"no marks to learn from for question {question}")
        values = self._shared.estimate(question, inputs)
        if question not in self._models:
            return _shared_estimates(values, inputs)
        model = self._models[question]
        near, scores = nearest(inputs.vectors, model.inputs.vectors, max(NEIGHBOUR_COUNTS))
        starts = {False: self._shared.zeros(len(inputs)), True: values}
        members = model.estimate(starts, inputs, near, scores)
        if self._shared.is_usable:
            members.append(values)
        return self._own_estimates(question, self._stack.combine(members), near, scores)

    def _own_estimates(
        self, question: int, values: Float64, near: Int64, scores: Float64
    ) -> Estimates:
        rows, weights = self._rows[question], self._models[question].weights
        marks = self.examples.targets[rows][near]  # (m, k, c)
        same = ((scores >= EQUAL_COSINE) & (weights[near] == 1))[:, :, None]
        equal = same.any(axis=(1, 2))
        # An answer whose text is graded already gets the mean mark of the equal texts.
        values = np.where(
            equal[:, None], (marks * same).sum(1) / np.maximum(same.sum(1), 1), values
        )
        differences = np.abs(marks[:, :SIGNAL_NEIGHBOURS] - values[:, None, :])
        count = np.full(len(values), np.log(weights.sum()))
        signals = [
            *_value_signals(values),
            differences.sum(axis=2).mean(axis=1),
            scores[:, 0],
            count,
        ]
        return Estimates(values, np.column_stack(signals), True, equal, rows[near], scores)


class _QuestionModel:
    """The graded answers to one question, prepared for all methods of learning from them.

    Attributes:
        weights: `(n,)` how much each counts; less than 1 for answers to a question that is like it.
        sample: `(s,)` rows that leave-one-out estimates; those of weight 1.
        near: `(s, k)` the nearest other rows of each of these.
        scores: `(s, k)` cosines with these.
        values: `(s, c)` leave-one-out estimates of the methods in use, stacked.
    """

    values: Float64

    def __init__(
        self, examples: Examples, weights: Float64, max_left_out: int = MAX_LEFT_OUT
    ) -> None:
        self.inputs, self._targets = examples.inputs, examples.targets
        self.weights = weights
        self.sample = np.flatnonzero(weights == 1)
        if len(self.sample) > max_left_out:
            rng = np.random.default_rng(0)
            self.sample = np.sort(rng.choice(self.sample, max_left_out, replace=False))
        self._spaces = {method: space(self.inputs) for method, space in SPACES.items()}
        self._ridges = {method: Ridge(space.own, weights) for method, space in self._spaces.items()}
        self.near, self.scores = nearest(
            self.inputs.vectors[self.sample],
            self.inputs.vectors,
            max(NEIGHBOUR_COUNTS),
            excluded=self.sample,
        )

    def leave_one_out(
        self, start: Float64
    ) -> Iterator[tuple[tuple[QuestionMethod, float], Float64]]:
        """Estimate each answer of the sample from the others, by every method.

        Args:
            start: `(n, c)` estimates without this question's marks.

        Yields:
            ((method, size), `(s, c)` estimates).
        """
        residuals = self._targets - start
        for method, ridge in self._ridges.items():
            estimates = ridge.leave_one_out(residuals, RIDGE_STRENGTHS, self.sample)
            for strength, values in zip(RIDGE_STRENGTHS, estimates, strict=True):
                yield (method, strength), start[self.sample] + values
        for count in NEIGHBOUR_COUNTS:  # all the others, if there are fewer
            near, scores = self.near[:, :count], self.scores[:, :count]
            yield (
                ("neighbours", count),
                start[self.sample] + self._smoothed(residuals, near, scores),
            )

    def use(self, candidates: Sequence[Candidate], starts: Mapping[bool, Float64]) -> None:
        """Use some methods, over `(n, c)` estimates without this question's marks."""
        self._candidates = candidates
        self._residuals = {shared: self._targets - start for shared, start in starts.items()}
        self._weights = [
            self._ridges[one.method].weights(self._residuals[one.shared], one.size)
            for one in candidates
            if one.method in self._ridges
        ]

    def estimate(
        self, starts: Mapping[bool, Float64], inputs: Inputs, near: Int64, scores: Float64
    ) -> list[Float64]:
        """Correct `(m, c)` estimates that were made without this question's marks, by each method.

        Args:
            starts: The estimates, shared or zero.
            inputs: The answers.
            near: `(m, k)` rows of the nearest answers.
            scores: `(m, k)` cosines with these.
        """
        coordinates = {
            method: space.coordinates(inputs)
            for method, space in self._spaces.items()
            if any(one.method == method for one in self._candidates)
        }
        weights = iter(self._weights)
        estimates = []
        for one in self._candidates:
            if one.method in coordinates:
                ridge = self._ridges[one.method]
                change = ridge.estimate(coordinates[one.method], next(weights))
            else:
                count = int(one.size)
                residuals = self._residuals[one.shared]
                change = self._smoothed(residuals, near[:, :count], scores[:, :count])
            estimates.append(starts[one.shared] + change)
        return estimates

    def _smoothed(self, values: Float64, near: Int64, scores: Float64) -> Float64:
        """Return the mean of the neighbours' values, weighted by a softmax of their cosines."""
        weights = self.weights[near] * np.exp((scores - scores[:, :1]) / TEMPERATURE)
        mean: Float64 = np.einsum(
            "mk,mkc->mc", weights / weights.sum(axis=1, keepdims=True), values[near]
        )
        return mean


def nearest(
    vectors: Float32,
    among: Float32,
    k: int,
    excluded: Int64 | None = None,
    *,
    block_products: int = BLOCK_PRODUCTS,
) -> tuple[Int64, Float64]:
    """Find the nearest rows by cosine; cosines that are equal to six places, in row order.

    Args:
        vectors: `(m, d)` unit rows.
        among: `(n, d)` unit rows.
        k: How many; fewer if there are fewer.
        excluded: `(m,)` the row that is left out for each vector: itself.
        block_products: How many cosines are in memory at a time.

    Returns:
        `(m, k)` rows and `(m, k)` cosines, nearest first.
    """
    k = min(k, len(among) - (excluded is not None))
    rows = np.empty((len(vectors), k), np.int64)
    scores = np.empty((len(vectors), k))
    size = max(1, block_products // max(1, len(among)))
    for begin in range(0, len(vectors), size):
        products = np.rint((vectors[begin : begin + size] @ among.T).astype(np.float64) * 1e6)
        block = slice(begin, begin + len(products))
        if excluded is not None:
            products[np.arange(len(products)), excluded[block]] = -1e9
        # One key holds the score and the row, so that no two keys are equal.
        keys = products.astype(np.int64) * len(among) - np.arange(len(among))
        best = np.argpartition(-keys, min(k, len(among) - 1), axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(keys, best, axis=1), axis=1)
        rows[block] = np.take_along_axis(best, order, axis=1)
        scores[block] = np.take_along_axis(products, rows[block], axis=1) / 1e6
    return rows, scores


def _rows_of(examples: Examples, question: int) -> Int64:
    """Return the examples that count for a question, its own answers first."""
    weights = examples.weights_for(question)
    rows = np.flatnonzero(weights)
    return rows[np.argsort(-weights[rows], kind="stable")]


def _shared_estimates(values: Float64, inputs: Inputs) -> Estimates:
    signals = np.column_stack([*_value_signals(values), plain_features(inputs)])
    empty = np.empty((len(values), 0))
    equal = np.zeros(len(values), bool)
    return Estimates(values, signals, False, equal, empty.astype(np.int64), empty)


def _value_signals(values: Float64) -> list[Float64]:
    """Return the signals that come from the estimated values alone.

    For labels the highest value, and its distance from the second; for numbers the value and its
    square, since very good and very bad answers are easier to grade.
    """
    if values.shape[1] == 1:
        return [values[:, 0], values[:, 0] ** 2]
    ordered = np.sort(values, axis=1)
    return [ordered[:, -1] - ordered[:, -2], ordered[:, -1]]

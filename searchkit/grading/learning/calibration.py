"""Calibration: the mark that an estimate stands for, and the probability that it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.grading.learning.corpus import Corpus
from searchkit.grading.learning.grader import Estimates, Grader
from searchkit.grading.marks import Grid, Marks, within_tolerance
from searchkit.grading.records import Mark

BINS = 64  # the range of marks is divided into so many
MIN_RECENT_ANSWERS = 20  # graded, that are compared with earlier answers in how marks are given
BANDWIDTH = 0.05  # standard deviation of the kernel over estimates, as a share of the range
OWN_QUESTION_WEIGHT = 5.0  # additional weight of an answer to the same question
PSEUDO_COUNT = 3  # of right, and of wrong suggestions that a calibrator knows beforehand
INVERSE_STRENGTH = 0.1  # of a calibrator's ridge
CALIBRATION_FOLDS = 10  # for the confidence in the suggestions for graded answers


class TypicalMarks:
    """The marks of the answers whose estimates are similar.

    An estimate is a mean: where graders gave one of two marks, it lies between both. The median
    mark of graded answers with similar estimates, each estimated without its own mark, is right
    more often.
    """

    def __init__(
        self, scale: Float64, shared: Float64, own: dict[int, Float64], own_weight: float
    ) -> None:
        self.scale = scale
        self._shared = shared  # (bins, marks)
        self._own = own
        self._own_weight = own_weight

    @classmethod
    def fit(
        cls, estimates: Float64, codes: Int64, questions: Int64, scale: Float64, *, own: bool
    ) -> TypicalMarks:
        """Learn from answers whose marks are known.

        Args:
            estimates: `(n,)` estimate for each answer, made without its own mark.
            codes: `(n,)` position of each answer's mark in the scale.
            questions: `(n,)` code of each answer's question.
            scale: `(c,)` marks, ascending.
            own: Whether answers to the same question have additional weight, or none at all.
        """
        weight = OWN_QUESTION_WEIGHT if own else -1.0
        typical = cls(scale, np.zeros((BINS + 1, len(scale))), {}, weight)
        bins = typical._bins(estimates)
        distances = np.subtract.outer(np.arange(BINS + 1), np.arange(BINS + 1)) / (BANDWIDTH * BINS)
        kernel = np.exp(-0.5 * distances**2)
        for question in np.unique(questions).tolist():
            rows = questions == question
            counts = np.zeros((BINS + 1, len(scale)))
            np.add.at(counts, (bins[rows], codes[rows]), 1)
            typical._own[question] = kernel @ counts
            typical._shared += typical._own[question]
        return typical

    def marks(
        self, estimates: Float64, question: int, tolerance: float, own_codes: Int64 | None = None
    ) -> tuple[Float64, Float64]:
        """Return the median mark for each estimate, and the share of marks near that.

        Args:
            estimates: `(m,)`.
            question: The code of the question that the answers belong to.
            tolerance: Marks that differ by no more than this are near.
            own_codes: `(m,)` positions of the answers' own marks in the scale, to be left out; None
                if the answers were not learned from.
        """
        bins = self._bins(estimates)
        weights = self._shared[bins]
        if question in self._own:
            weights = weights + self._own_weight * self._own[question][bins]
        if own_codes is not None and self._own_weight > 0:
            weights[np.arange(len(bins)), own_codes] -= 1 + self._own_weight
        weights = np.maximum(weights, 0)
        total = weights.sum(axis=1)
        middle = (np.cumsum(weights, axis=1) < total[:, None] / 2 - 1e-9).sum(axis=1)
        medians = np.where(
            total > 1e-6, self.scale[np.minimum(middle, len(self.scale) - 1)], estimates
        )
        near = np.abs(self.scale[None, :] - medians[:, None]) <= tolerance + 1e-6
        return medians, (weights * near).sum(axis=1) / np.maximum(total, 1e-6)

    def _bins(self, estimates: Float64) -> Int64:
        low, high = self.scale[0], self.scale[-1]
        bins: Int64 = np.rint(np.clip((estimates - low) / (high - low), 0, 1) * BINS).astype(int)
        return bins


class Calibrator:
    """Turns signals into the probability of being right, by logistic regression (Platt, 1999)."""

    def __init__(self, center: Float64, deviation: Float64, model: Any) -> None:  # noqa: ANN401
        self._center = center
        self._deviation = deviation
        self._model = model

    @classmethod
    def fit(cls, signals: Float64, right: NDArray[np.bool_]) -> Calibrator:
        """Learn from suggestions whose outcome is known.

        A few right and as many wrong suggestions with mean signals are added, so that ten right
        ones in a row do not make the next one certain, and the regression is a strong ridge: among
        ten suggestions, some signal always tells the right ones from the wrong ones.

        Args:
            signals: `(n, s)`, n at least 1.
            right: `(n,)` whether each suggestion was right.
        """
        from sklearn.linear_model import LogisticRegression

        center, deviation = signals.mean(axis=0), signals.std(axis=0) + 1e-9
        scaled = (signals - center) / deviation
        smoothed = np.vstack([scaled, np.zeros((2 * PSEUDO_COUNT, scaled.shape[1]))])
        outcomes = np.append(right, [True, False] * PSEUDO_COUNT)
        model = LogisticRegression(C=INVERSE_STRENGTH, max_iter=1000).fit(smoothed, outcomes)
        return cls(center, deviation, model)

    def probability(self, signals: Float64) -> Float64:
        """Return `(m,)` probabilities of being right for `(m, s)` signals."""
        if not len(signals):
            return np.empty(0)
        scaled = np.clip((signals - self._center) / self._deviation, -4, 4)
        probabilities: Float64 = self._model.predict_proba(scaled)[:, 1]
        return probabilities


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is suggested for graded answers to one question without their own marks.

    Attributes:
        rows: `(m,)` rows of the corpus.
        estimates: The estimates for these.
        suggested: The mark for each.
        signals: `(m, s)`, from which the confidence is computed.
        right: `(m,)` whether the suggestion is the answer's mark, or within the tolerance of it.
    """

    rows: Int64
    estimates: Estimates
    suggested: list[Mark]
    signals: Float64
    right: NDArray[np.bool_]


class CalibratedGrader:
    """A grader whose estimates are turned into marks with a confidence.

    Attributes:
        corpus: The answers.
        marks: The marks that are learned from: the corpus's own, or a part of them.
        tolerance: The difference up to which a suggested number counts as right.
        rows: `(g,)` rows of the graded answers in the corpus.
        grader: The grader; its examples are the answers in `rows`.
    """

    def __init__(self, corpus: Corpus, marks: Marks, tolerance: float) -> None:
        self.corpus, self.marks, self.tolerance = corpus, marks, tolerance
        self.rows = np.flatnonzero(marks.graded)
        self.grader = Grader.fit(corpus.examples(self.rows, marks))
        self._grids: dict[int, Grid] = {}
        self._typical: dict[bool, TypicalMarks] = {}
        self._calibrators: dict[bool, Calibrator] = {}
        self._left_out: dict[bool, list[LeftOut]] = {}
        self._folds: dict[bool, list[Calibrator]] = {}
        left_out = [(self.rows[rows], estimates) for rows, estimates in self.grader.leave_one_out()]
        for own in (True, False):
            parts = [(rows, estimates) for rows, estimates in left_out if estimates.own == own]
            if parts:
                self._calibrate(parts, own=own)

    def _calibrate(self, parts: list[tuple[Int64, Estimates]], *, own: bool) -> None:
        left_out = self._fit_typical(parts, own=own)
        recent = _recent(parts, self.corpus.earlier)
        if recent is not parts and sum(len(rows) for rows, _ in recent) >= MIN_RECENT_ANSWERS:
            # Earlier graders may have been more or less severe: whose marks an estimate stands for
            # is chosen by what is right for the recent answers.
            from_all = _share_right([self._suggest_left_out(*part) for part in recent])
            typical = self._typical.get(own)
            from_recent = self._fit_typical(recent, own=own)
            if _share_right(from_recent) > from_all:
                left_out = from_recent
            elif typical:
                self._typical[own] = typical
        self._left_out[own] = left_out
        self._calibrators[own] = Calibrator.fit(
            np.vstack([part.signals for part in left_out]),
            np.concatenate([part.right for part in left_out]),
        )

    def _fit_typical(self, parts: list[tuple[Int64, Estimates]], *, own: bool) -> list[LeftOut]:
        """Learn the marks that estimates stand for; return what is then suggested."""
        all_rows = np.concatenate([rows for rows, _ in parts])
        codes, questions = self.marks.codes[all_rows], self.corpus.questions[all_rows]
        if self.marks.kind == "numbers":
            scale = np.array(self.marks.scale, np.float64)
            values = np.concatenate([estimates.values[:, 0] for _, estimates in parts])
            self._typical[own] = TypicalMarks.fit(values, codes, questions, scale, own=own)
        return [self._suggest_left_out(*part) for part in parts]

    def _suggest_left_out(self, rows: Int64, estimates: Estimates) -> LeftOut:
        question = int(self.corpus.questions[rows[0]])
        suggested, signals = self._marks_and_signals(question, estimates, self.marks.codes[rows])
        true_marks = [self.marks.of(row) for row in rows.tolist()]
        right = within_tolerance(true_marks, suggested, self.tolerance)
        return LeftOut(rows, estimates, suggested, signals, right)

    def _marks_and_signals(
        self, question: int, estimates: Estimates, own_codes: Int64 | None = None
    ) -> tuple[list[Mark], Float64]:
        """Return the marks that estimates stand for, and the signals that a calibrator takes."""
        grid = self.grid(question)
        if self.marks.kind == "labels":
            return grid.nearest(estimates.values), estimates.signals
        typical = self._typical[estimates.own]
        marks, near = typical.marks(estimates.values[:, 0], question, self.tolerance, own_codes)
        marks = np.where(estimates.equal, estimates.values[:, 0], marks)
        return grid.nearest(marks[:, None]), np.column_stack([estimates.signals, near])

    def leave_one_out(self) -> Iterator[tuple[Int64, list[Mark], Estimates]]:
        """Estimate each graded answer from the others to the same question.

        Yields:
            For each question with enough marks: rows of the corpus, suggested marks, estimates.
        """
        for part in self._left_out.get(True, []):
            yield part.rows, part.suggested, part.estimates

    def cross_fit(self) -> Iterator[tuple[LeftOut, Float64]]:
        """Suggest a mark for each graded answer as if it had none.

        Yields:
            For each question: the suggestions, and `(m,)` confidences that were calibrated on
            other answers than those they belong to; they compare with `cross_confidence`.
        """
        own_questions: set[int] = set()
        for own in (True, False):
            parts = self._left_out.get(own, [])
            place = 0
            for part in parts:
                question = int(self.corpus.questions[part.rows[0]])
                if own or question not in own_questions:
                    folds = np.arange(place, place + len(part.rows)) % CALIBRATION_FOLDS
                    calibrators = self._cross_calibrators(own)
                    confidences = np.empty(len(folds))
                    for fold in np.unique(folds).tolist():
                        rows = folds == fold
                        confidences[rows] = calibrators[fold].probability(part.signals[rows])
                    yield part, confidences
                if own:
                    own_questions.add(question)
                place += len(part.rows)

    def cross_confidence(self, question: int, rows: Int64) -> Float64:
        """Return `(m,)` confidences in the suggestions for answers, from the same calibrators.

        The confidence of `suggest` is calibrated on all graded answers, more than those of
        `cross_fit` are, and a bit higher than these for that reason alone.

        Args:
            question: The code of the question.
            rows: `(m,)` rows of the corpus; none of them is graded.
        """
        estimates = self.grader.estimate(question, self.corpus.inputs.take(rows))
        _, signals = self._marks_and_signals(question, estimates)
        calibrators = self._cross_calibrators(estimates.own)
        mean: Float64 = np.mean([one.probability(signals) for one in calibrators], axis=0)
        return mean

    def _cross_calibrators(self, own: bool) -> list[Calibrator]:
        """Return a calibrator for each fold, which has learned from the other folds."""
        if own not in self._folds:
            signals = np.vstack([part.signals for part in self._left_out[own]])
            right = np.concatenate([part.right for part in self._left_out[own]])
            folds = np.arange(len(right)) % CALIBRATION_FOLDS
            self._folds[own] = [
                Calibrator.fit(signals[folds != fold], right[folds != fold])
                for fold in range(min(CALIBRATION_FOLDS, len(right)))
            ]
        return self._folds[own]

    def grid(self, question: int) -> Grid:
        """Return the marks that may be suggested for a question."""
        if question not in self._grids:
            rows = self.rows[self.corpus.questions[self.rows] == question]
            self._grids[question] = self.marks.grid(rows)
        return self._grids[question]

    def suggest(self, question: int, rows: Int64) -> tuple[list[Mark], Float64, Estimates]:
        """Return marks, `(m,)` confidences and estimates for answers to a question.

        Args:
            question: The code of the question.
            rows: `(m,)` rows of the corpus.
        """
        estimates = self.grader.estimate(question, self.corpus.inputs.take(rows))
        marks, signals = self._marks_and_signals(question, estimates)
        return marks, self._calibrators[estimates.own].probability(signals), estimates


def _recent(
    parts: list[tuple[Int64, Estimates]], earlier: NDArray[np.bool_]
) -> list[tuple[Int64, Estimates]]:
    """Return the parts without the answers of earlier indexes; the same list if there are none."""
    if not any(earlier[rows].any() for rows, _ in parts):
        return parts
    recent = [(rows[~earlier[rows]], estimates.take(~earlier[rows])) for rows, estimates in parts]
    return [(rows, estimates) for rows, estimates in recent if len(rows)]


def _share_right(parts: list[LeftOut]) -> float:
    return float(np.concatenate([part.right for part in parts]).mean())

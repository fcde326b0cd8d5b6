"""Calibration: what mark an estimate stands for, and how often a suggestion like it was right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64

BINS = 64  # of the range of marks
WIDTH = 0.05  # of the range: estimates so near are alike
HOME = 5.0  # an answer to the same question counts so many times more


class Usual:
    """The marks that answers with like estimates have.

    An estimate is a mean, and lies between the marks where the graders mostly gave one of two. Of
    the marks of graded answers, each estimated without its own, the median is nearest to most.
    """

    def __init__(
        self, scale: Float64, shared: Float64, own: dict[int, Float64], home: float
    ) -> None:
        self.scale = scale
        self._shared = shared  # (bins, marks)
        self._own = own
        self._home = home

    @classmethod
    def fit(
        cls, estimates: Float64, codes: Int64, questions: Int64, scale: Float64, *, own: bool
    ) -> Usual:
        """Learn from answers whose marks are known.

        Args:
            estimates: `(n,)` of each, without its own mark.
            codes: `(n,)` place of its mark in the scale.
            questions: `(n,)` its question.
            scale: `(c,)` marks, ascending.
            own: Whether answers to the same question count more, or not at all.
        """
        made = cls(scale, np.zeros((BINS + 1, len(scale))), {}, HOME if own else -1.0)
        bins = made._bins(estimates)
        apart = np.subtract.outer(np.arange(BINS + 1), np.arange(BINS + 1)) / (WIDTH * BINS)
        kernel = np.exp(-0.5 * apart**2)
        for question in np.unique(questions).tolist():
            some = questions == question
            counts = np.zeros((BINS + 1, len(scale)))
            np.add.at(counts, (bins[some], codes[some]), 1)
            made._own[question] = kernel @ counts
            made._shared += made._own[question]
        return made

    def marks(
        self, estimates: Float64, question: int, tolerance: float, besides: Int64 | None = None
    ) -> tuple[Float64, Float64]:
        """Return the median mark for each estimate, and the share of marks within reach of it.

        Args:
            estimates: `(m,)`.
            question: Whose answers they are of.
            tolerance: What is within reach.
            besides: `(m,)` codes of their own marks, if they were learned from.
        """
        bins = self._bins(estimates)
        weights = self._shared[bins]
        if question in self._own:
            weights = weights + self._home * self._own[question][bins]
        if besides is not None and self._home > 0:
            weights[np.arange(len(bins)), besides] -= 1 + self._home
        weights = np.maximum(weights, 0)
        total = weights.sum(axis=1)
        middle = (np.cumsum(weights, axis=1) < total[:, None] / 2 - 1e-9).sum(axis=1)
        found = np.where(
            total > 1e-6, self.scale[np.minimum(middle, len(self.scale) - 1)], estimates
        )
        near = np.abs(self.scale[None, :] - found[:, None]) <= tolerance + 1e-6
        return found, (weights * near).sum(axis=1) / np.maximum(total, 1e-6)

    def _bins(self, estimates: Float64) -> Int64:
        low, high = self.scale[0], self.scale[-1]
        bins: Int64 = np.rint(np.clip((estimates - low) / (high - low), 0, 1) * BINS).astype(int)
        return bins


class Calibrator:
    """Turns signals of sureness into a probability, by logistic regression (Platt, 1999)."""

    def __init__(self, center: Float64, spread: Float64, model: Any) -> None:  # noqa: ANN401
        self._center = center
        self._spread = spread
        self._model = model

    @classmethod
    def fit(cls, signals: Float64, right: NDArray[np.bool_]) -> Calibrator:
        """Learn from suggestions whose outcome is known.

        One right and one wrong suggestion of the usual kind are added, so that ten right ones in a
        row don't make the eleventh certain.

        Args:
            signals: `(n, s)`, n at least 1.
            right: `(n,)`.
        """
        from sklearn.linear_model import LogisticRegression

        center, spread = signals.mean(axis=0), signals.std(axis=0) + 1e-9
        even = (signals - center) / spread
        both = np.vstack([even, np.zeros((2, even.shape[1]))])
        model = LogisticRegression(max_iter=1000).fit(both, np.append(right, [True, False]))
        return cls(center, spread, model)

    def probability(self, signals: Float64) -> Float64:
        """Return the probability of being right; `(m,)`."""
        if not len(signals):
            return np.empty(0)
        even = np.clip((signals - self._center) / self._spread, -4, 4)
        found: Float64 = self._model.predict_proba(even)[:, 1]
        return found

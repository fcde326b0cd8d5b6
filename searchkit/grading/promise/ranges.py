"""Ranges: where the grader's mark lies, for nine suggestions in ten, by conformal prediction.

Every graded answer is suggested for without its own mark (cross-conformal prediction, Vovk, 2015;
Barber et al., 2021, on the jackknife). What nine in ten of these suggestions are off by, relative
to their confidence, those for other answers are off by, too, if both were drawn alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple, Self

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.grading.learning.calibration import CalibratedGrader, LeftOut
from searchkit.grading.learning.grader import Estimates
from searchkit.grading.marks import ROUNDING_ERROR, Grid
from searchkit.grading.records import Mark

LEVEL = 0.9  # share of the answers whose mark is in the range
MIN_SCORES = 20  # graded answers that a range is computed from
CERTAINTY_OFFSET = 0.2  # the width of a range is as 1 + this - the confidence


class Range(NamedTuple):
    """Where the grader's mark lies; all None where there are too few marks to tell.

    Attributes:
        low: The lowest number; None for labels.
        high: The highest number; None for labels.
        labels: The labels, most probable first; None for numbers.
    """

    low: float | None
    high: float | None
    labels: tuple[str, ...] | None


class Ranges:
    """The ranges of suggestions; made by `fit`."""

    def __init__(self) -> None:
        self._limits: dict[bool, float] = {}

    @classmethod
    def fit(cls, calibrated: CalibratedGrader) -> Self:
        """Learn from suggestions for graded answers, each made without its own mark."""
        ranges = cls()
        scores: dict[bool, list[Float64]] = {}
        for part, confidences in calibrated.cross_fit():
            score = _scores(calibrated, part, confidences)
            scores.setdefault(part.estimates.own, []).append(score)
        for own, parts in scores.items():
            ordered = np.sort(np.concatenate(parts))
            place = ceil((len(ordered) + 1) * LEVEL)
            if len(ordered) >= max(MIN_SCORES, place):
                ranges._limits[own] = float(ordered[place - 1])
        return ranges

    def of(
        self, suggested: list[Mark], confidences: Float64, estimates: Estimates, grid: Grid
    ) -> list[Range]:
        """Return the range of each suggestion for answers to a question.

        Args:
            suggested: The suggested marks.
            confidences: `(m,)`.
            estimates: The estimates that the suggestions come from.
            grid: The marks that may be suggested.
        """
        limit = self._limits.get(estimates.own)
        if limit is None:
            return [Range(None, None, None)] * len(suggested)
        if grid.labels is not None:
            return [Range(None, None, labels) for labels in _probable(estimates, grid, limit)]
        numbers, widths = np.array(suggested, np.float64), limit * _uncertainty(confidences)
        lows, highs = _on_grid(numbers - widths, numbers + widths, grid)
        return [Range(low, high, None) for low, high in zip(lows, highs, strict=True)]


def _probable(estimates: Estimates, grid: Grid, limit: float) -> Iterator[tuple[str, ...]]:
    """Yield the labels whose values are at most so far behind the best one, best first."""
    names = [str(label) for label in grid.labels or ()]
    for values in estimates.values:
        order = np.argsort(-values, kind="stable").tolist()
        behind = values[order[0]] - values
        yield tuple(names[n] for n in order if behind[n] <= limit + ROUNDING_ERROR)


def _scores(calibrated: CalibratedGrader, part: LeftOut, confidences: Float64) -> Float64:
    codes = calibrated.marks.codes[part.rows]
    values = part.estimates.values
    if calibrated.marks.kind == "labels":
        behind: Float64 = values.max(axis=1) - values[np.arange(len(codes)), codes]
        return behind
    numbers = np.array(calibrated.marks.scale, np.float64)[codes]
    return np.abs(numbers - np.array(part.suggested, np.float64)) / _uncertainty(confidences)


def _uncertainty(confidences: Float64) -> Float64:
    return 1 + CERTAINTY_OFFSET - confidences


def _on_grid(lows: Float64, highs: Float64, grid: Grid) -> tuple[list[float], list[float]]:
    """Return the outermost numbers of the grid that are in each range."""
    if grid.step:
        lows = grid.low + grid.step * np.ceil((lows - grid.low) / grid.step - 1e-6)
        highs = grid.low + grid.step * np.floor((highs - grid.low) / grid.step + 1e-6)
    digits = 6 if grid.step else 2
    return (
        np.round(np.clip(lows, grid.low, grid.high), digits).tolist(),
        np.round(np.clip(highs, grid.low, grid.high), digits).tolist(),
    )

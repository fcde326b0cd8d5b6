"""Ranges: where the grader's mark lies, for nine suggestions in ten, by conformal prediction.

Every graded answer is suggested for without its own mark (cross-conformal prediction, Vovk, 2015;
Barber et al., 2021, on the jackknife). What nine in ten of these suggestions are off by, relative
to their confidence, those for other answers are off by, too, if both were drawn alike.
"""

from __future__ import annotations

from math import ceil
from typing import Self

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.grading.learning.calibration import CalibratedGrader, LeftOut
from searchkit.grading.learning.grader import Estimates
from searchkit.grading.marks import ROUNDING_ERROR, Grid
from searchkit.grading.records import Mark

LEVEL = 0.9  # share of the answers whose mark is in the range
MIN_SCORES = 20  # graded answers that a range is computed from
CERTAINTY_OFFSET = 0.2  # the width of a range is as 1 + this - the confidence


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

    def numbers(
        self, suggested: list[Mark], confidences: Float64, own: bool, grid: Grid
    ) -> list[tuple[float, float] | None]:
        """Return the lowest and the highest number for each suggestion; None with too few marks."""
        if own not in self._limits:
            return [None] * len(suggested)
        numbers = np.array(suggested, np.float64)
        widths = self._limits[own] * _uncertainty(confidences)
        return list(zip(*_on_grid(numbers - widths, numbers + widths, grid), strict=True))

    def labels(self, estimates: Estimates, grid: Grid) -> list[tuple[str, ...] | None]:
        """Return the labels that are probable enough, best first; None with too few marks."""
        if estimates.own not in self._limits or grid.labels is None:
            return [None] * len(estimates.values)
        limit = self._limits[estimates.own] + ROUNDING_ERROR
        chosen: list[tuple[str, ...] | None] = []
        for values in estimates.values:
            order = np.argsort(-values, kind="stable")
            chosen.append(
                tuple(str(grid.labels[n]) for n in order if values[order[0]] - values[n] <= limit)
            )
        return chosen


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

"""Agreement: how near suggested marks come to those of the graders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def pearson(one: Floats, other: Floats) -> float:
    """Give Pearson's correlation; 0 where one side doesn't vary."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def rmse(one: Floats, other: Floats) -> float:
    """Give the root of the mean squared difference, in marks."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def weighted_kappa(one: Floats, other: Floats) -> float:
    """Give Cohen's kappa with quadratic weights (QWK; Cohen, 1968), for marks on any scale.

    1 minus the mean squared difference over the one that random pairing would give, which for
    marks in equal steps is what the matrix of weights gives.
    """
    chance = one.var() + other.var() + (one.mean() - other.mean()) ** 2
    return float(1 - np.mean((one - other) ** 2) / chance) if chance else 1.0


def accuracy(one: Sequence[object], other: Sequence[object]) -> float:
    """Give the share of equal ones."""
    return sum(a == b for a, b in zip(one, other, strict=True)) / max(1, len(one))


def macro_f1(given: Sequence[str], suggested: Sequence[str]) -> float:
    """Give the mean over the labels that were given of each one's F1."""
    scores = []
    for label in sorted(set(given)):
        hits = sum(g == s == label for g, s in zip(given, suggested, strict=True))
        total = given.count(label) + suggested.count(label)
        scores.append(2 * hits / total)
    return sum(scores) / max(1, len(scores))

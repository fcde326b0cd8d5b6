"""Surprise: how unlikely it is that two independent answers are as much alike as these two.

Answers to one question are alike because the question is the same, so a measure of likeness is
judged against the other pairs of the same question. Beyond four fifths of them the tail is taken
to be exponential, as in the statistics of sequence searches (Karlin and Altschul, PNAS 87, 1990);
it is fitted without its top 2 %, since that is where copies are. Several measures are added up,
as Fisher adds up the logarithms of probabilities, and since they depend on each other the sum is
judged against the sums of the other pairs, by the same kind of tail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float64

Measures = Mapping[str, Float64]  # of each pair, by the measure's name
BODY = 0.80  # up to this quantile the pairs themselves say how likely a value is
TOP = 0.98  # above this one copies may be
LOW, HIGH = 0.9, 0.4  # of the pairs with anything in common, if these are fewer
GAMMA = 0.55  # the sum's tail is exponential in this power of it
PRIOR = 30  # pairs in the tail that what is typical weighs as much as


@dataclass(frozen=True, slots=True)
class Usual:
    """What a tail is like in questions whose answers are honest, and what it can be at most.

    Attributes:
        start: Where it typically begins.
        scale: Its typical scale.
        latest: Where it begins at the latest: no question makes copying normal.
        least: Of its scale.
        most: Of its scale.
    """

    start: float
    scale: float
    latest: float
    least: float
    most: float


# What is typical of, and what is not exceeded by much in, the 170 questions of SemEval-2013 and SAF
# that have 20 answers or more (benchmarks/README.md).
USUAL = {
    "whole": Usual(0.2, 0.22, latest=0.45, least=0.05, most=0.5),
    "sentences": Usual(0.0, 0.003, latest=0.012, least=0.003, most=0.015),
    "short": Usual(0.5, 0.45, latest=1.2, least=0.3, most=0.6),
    "long": Usual(0.25, 0.3, latest=0.7, least=0.3, most=0.6),
}
SUM = Usual(2.38, 0.83, latest=3.6, least=0.3, most=1.75)


@dataclass(frozen=True, slots=True)
class Tail:
    """The distribution of one measure over the pairs of a question.

    Attributes:
        body: The pairs' values, ascending.
        start: Where the tail begins.
        scale: Its mean excess, in the measure's own unit.
        share: Of the pairs that are in the tail.
    """

    body: Float64
    start: float
    scale: float
    share: float

    @classmethod
    def fit(cls, values: Float64, usual: Usual) -> Tail:
        """Fit to the values `(n,)` of a question's pairs; copies among them do little harm.

        The fewer pairs there are, the more the tail is the usual one.
        """
        body = np.sort(np.asarray(values, np.float64))
        if not len(body):
            return cls(body, usual.start, usual.scale, 1 - BODY)
        # Where few pairs have anything in common, these few are asked what is usual among them.
        some = float((body > 0).mean())
        begin, end = max(BODY, 1 - some * LOW), max(TOP, 1 - some * HIGH)
        begin = min(begin, 1 - 1 / len(body))
        start, top = np.quantile(body, [begin, end])
        inside = body[(body >= start) & (body <= top) & (body > 0)]
        excess = float(inside.mean() - start) if len(inside) else 0.0
        scale = _truncated_scale(excess, float(top - start))
        own = len(inside) / (len(inside) + PRIOR)
        start = own * start + (1 - own) * usual.start
        scale = own * np.clip(scale, usual.least, usual.most) + (1 - own) * usual.scale
        if start > usual.latest:
            start, begin = usual.latest, BODY
        return cls(body, float(start), float(scale), 1 - begin)

    def surprise(self, values: Float64) -> Float64:
        """Return -log of the probability that a pair by chance reaches each value; in nats."""
        most = -np.log(self.share)
        beyond = most + (values - self.start) / self.scale
        reaching = len(self.body) - np.searchsorted(self.body, values, side="left")
        inside = -np.log(np.clip(reaching, 1, None) / max(1, len(self.body)))
        surprise: Float64 = np.where(values > self.start, beyond, np.minimum(inside, most))
        return surprise


@dataclass(frozen=True, slots=True)
class Null:
    """What chance does among the pairs of a question: a tail a measure, and one of their sum.

    Attributes:
        tails: By the measure's name.
        total: Of the power `GAMMA` of the sum of their surprises.
        pairs: How many pairs it was fitted to.
    """

    tails: dict[str, Tail]
    total: Tail
    pairs: int

    @classmethod
    def fit(cls, measures: Measures) -> Null:
        """Fit to measures, `(n,)` each, of pairs that are independent for the most part."""
        tails = {name: Tail.fit(measures[name], usual) for name, usual in USUAL.items()}
        summed = _summed(tails, measures)
        return cls(tails, Tail.fit(summed, SUM), len(summed))

    def chance(self, measures: Measures) -> Float64:
        """Return the probability that one independent pair is so much alike as each of these."""
        chance: Float64 = np.exp(-self.total.surprise(_summed(self.tails, measures)))
        return chance


def _summed(tails: Mapping[str, Tail], measures: Measures) -> Float64:
    total = sum(tail.surprise(measures[name]) for name, tail in tails.items())
    return np.asarray(total, np.float64) ** GAMMA


def _truncated_scale(mean: float, width: float) -> float:
    """Return the scale of an exponential whose mean below `width` is `mean`; by bisection."""
    if width <= 0 or mean <= 0:
        return 0.0
    low, high = 1e-9 * width, 100 * width
    for _ in range(60):
        scale = np.sqrt(low * high)
        with np.errstate(over="ignore"):
            expected = scale - width / np.expm1(width / scale)
        low, high = (scale, high) if expected < mean else (low, scale)
    return float(scale)

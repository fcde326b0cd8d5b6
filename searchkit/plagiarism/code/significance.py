"""Significance: the number of pairs as much alike that chance explains, and where none is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Bool, Float64
from searchkit.plagiarism.likeness.significance import MIN_UNRELATED

ALIKE = 0.9  # share of the literals of two programs, and of their sequences, that is the same
MAX_ALIKE_SHARE = 0.15  # of the pairs that are alike; with more, the exercise leaves no choice
# As many pairs as the tails were estimated on count at least: a likeness that is rare there isn't
# rarer because fewer programs are compared.
MIN_PAIRS = 120

TYPICAL_SHARE = 0.2  # of the pairs in the typical tail
CLASS_SHARE = 0.1  # of the pairs in the tail of a question
SPREAD_SHARES = (0.4, 0.05)  # of the pairs above each of two quantiles, which give its scale


@dataclass(frozen=True, slots=True)
class TypicalTail:
    """The exponential tail of a channel where nobody copied, in small exercises.

    Attributes:
        start: The likeness at which the tail of `TYPICAL_SHARE` of the pairs begins.
        scale: The mean excess over the start.
        min_scale: The lower limit of the scale of a question's own tail.
    """

    start: float
    scale: float
    min_scale: float


# Estimated on three small exercises of Java (docs/figures/plagiarism.md), with much room for all
# channels but the literals.
TYPICAL_TAILS = {
    "literals": TypicalTail(0.6, 0.21, min_scale=0.15),
    "names": TypicalTail(0.8, 0.5, min_scale=0.4),
    "comments": TypicalTail(0.3, 0.5, min_scale=0.4),
    "layout": TypicalTail(1.0, 0.6, min_scale=0.5),
    "structure": TypicalTail(1.4, 0.7, min_scale=0.5),
}
# Literals decide most: a copier changes them last, and independent authors seldom share rare ones.
WEIGHTS = {"literals": 0.9, "names": 0.025, "comments": 0.025, "layout": 0.025, "structure": 0.025}


@dataclass(frozen=True, slots=True)
class ProgramTail:
    """The upper tail of the likeness of independent programs in one channel.

    Attributes:
        typical: That of small exercises.
        start: The likeness at which the tail of `CLASS_SHARE` of the question's pairs begins.
        scale: Its scale, from the spread of the upper pairs.
    """

    typical: TypicalTail
    start: float
    scale: float

    @classmethod
    def fit(cls, values: Float64, typical: TypicalTail) -> ProgramTail:
        """Fit to the likeness `(p,)` of pairs that are not alike; copies among the top do no harm.

        In an exponential distribution two quantiles differ by the scale times the logarithm of the
        ratio of the shares above them.
        """
        if not len(values):
            return cls(typical, 0.0, typical.min_scale)
        start, low, high = np.quantile(values, [1 - CLASS_SHARE, *(1 - s for s in SPREAD_SHARES)])
        scale = float(high - low) / math.log(SPREAD_SHARES[0] / SPREAD_SHARES[1])
        return cls(typical, float(start), max(typical.min_scale, scale))

    def p_value(self, values: Float64) -> Float64:
        """Return `(p,)` the probability that an independent pair is as much alike.

        The tail of the question and the typical one are two estimates, of which the higher counts.
        """
        typical = (values - self.typical.start) / self.typical.scale
        own = (values - self.start) / self.scale
        p_value: Float64 = np.maximum(
            TYPICAL_SHARE * np.exp(-typical), CLASS_SHARE * np.exp(-own)
        ).clip(max=1)
        return p_value


@dataclass(frozen=True, slots=True)
class ProgramNull:
    """The distribution of the likeness of independent programs, by channel.

    Attributes:
        tails: The upper tail of each channel.
        unrelated: The number of pairs that are not alike.
        reason: Why chance can't be judged; empty if it can.
        alike: Whether the programs are all alike, so that their structure says nothing.
    """

    tails: dict[str, ProgramTail]
    unrelated: int
    reason: str
    alike: bool

    @classmethod
    def fit(cls, likeness: Mapping[str, Float64], alike: Bool, used: Bool) -> ProgramNull:
        """Fit to the pairs of a question, most of which are independent.

        Args:
            likeness: `(p,)` of all pairs, by channel.
            alike: `(p,)` which pairs are alike.
            used: `(p,)` which pairs count: those without drafts.
        """
        related, count = int((alike & used).sum()), int(used.sum())
        unrelated = count - related
        is_alike = related > MAX_ALIKE_SHARE * max(1, count)
        tails = {
            name: ProgramTail.fit(likeness[name][used & ~alike], typical)
            for name, typical in TYPICAL_TAILS.items()
        }
        reason = ""
        if unrelated < MIN_UNRELATED:
            reason = f"only {unrelated} pairs of programs are not alike"
        elif is_alike:
            share = related / count
            reason = (
                f"the programs are short or much alike, {share:.0%} of the pairs nearly the same"
            )
        return cls(tails, unrelated, reason, is_alike)

    @property
    def can_judge(self) -> bool:
        """Whether there are enough unrelated pairs to estimate what chance does."""
        return self.unrelated >= MIN_UNRELATED

    def p_value(self, likeness: Mapping[str, Float64]) -> Float64:
        """Return `(p,)` the probability that an independent pair is as much alike.

        The best of the channels counts, with a weighted Bonferroni correction for having looked at
        all of them.
        """
        weighted = [
            tail.p_value(likeness[name]) / WEIGHTS[name]
            for name, tail in self.tails.items()
            if not (self.alike and name == "structure")
        ]
        p_value: Float64 = np.minimum(np.min(weighted, axis=0), 1)
        return p_value

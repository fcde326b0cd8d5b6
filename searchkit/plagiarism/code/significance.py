"""Significance: the number of pairs as much alike that chance explains, and where none is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Bool, Float64
from searchkit.plagiarism.likeness.significance import Tail, TypicalTail

MIN_UNRELATED = 30  # pairs of programs that are not alike; with fewer, chance can't be judged
ALIKE = 0.9  # share of what two programs have, literals and sequences, that is the same
MAX_ALIKE_SHARE = 0.2  # of the pairs that are alike; with more, the exercise leaves no choice
# As many pairs as the tails were estimated on count at least: a likeness that is rare there isn't
# rarer because fewer programs are compared.
MIN_PAIRS = 120

# Of independent programs; estimated on three small exercises (docs/figures/plagiarism.md).
TYPICAL_TAILS = {
    "literals": TypicalTail(0.5, 0.25, max_start=1.0, min_scale=0.15, max_scale=0.6),
    "names": TypicalTail(0.8, 0.5, max_start=2.5, min_scale=0.4, max_scale=1.5),
    "comments": TypicalTail(0.3, 0.5, max_start=2.5, min_scale=0.4, max_scale=1.5),
    "layout": TypicalTail(1.0, 0.6, max_start=2.5, min_scale=0.5, max_scale=1.5),
    "structure": TypicalTail(1.4, 0.7, max_start=3.5, min_scale=0.5, max_scale=2.0),
}
# Literals decide most: a copier changes them last, and independent authors seldom share rare ones.
WEIGHTS = {"literals": 0.9, "names": 0.025, "comments": 0.025, "layout": 0.025, "structure": 0.025}


@dataclass(frozen=True, slots=True)
class ProgramNull:
    """The distribution of the likeness of independent programs, by channel.

    Attributes:
        tails: The upper tail of each channel.
        unrelated: The number of pairs that are not alike.
        reason: Why chance can't be judged; empty if it can.
        alike: Whether the programs are all alike, so that their structure says nothing.
    """

    tails: dict[str, Tail]
    unrelated: int
    reason: str
    alike: bool

    @classmethod
    def fit(cls, likeness: Mapping[str, Float64], score: Float64, used: Bool) -> ProgramNull:
        """Fit to the pairs of a question, most of which are independent.

        Args:
            likeness: `(p,)` of all pairs, by channel.
            score: `(p,)` the share of what both have that is the same.
            used: `(p,)` which pairs count: those without drafts.
        """
        related = (score >= ALIKE) & used
        unrelated = int(used.sum() - related.sum())
        alike = bool(related.sum() > MAX_ALIKE_SHARE * max(1, used.sum()))
        tails = {
            name: Tail.fit(likeness[name][used], typical) for name, typical in TYPICAL_TAILS.items()
        }
        reason = ""
        if unrelated < MIN_UNRELATED:
            reason = f"only {unrelated} pairs of programs are not alike"
        elif alike:
            share = related.sum() / used.sum()
            reason = (
                f"the programs are short or much alike, {share:.0%} of the pairs nearly the same"
            )
        return cls(tails, unrelated, reason, alike)

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
            np.exp(-tail.significance(likeness[name])) / WEIGHTS[name]
            for name, tail in self.tails.items()
            if not (self.alike and name == "structure")
        ]
        p_value: Float64 = np.minimum(np.min(weighted, axis=0), 1)
        return p_value

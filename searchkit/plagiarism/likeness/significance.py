"""Significance: how unlikely it is that two independent answers are as much alike as these two.

Answers to one question are alike because the question is the same, so a measure of likeness is
compared with its distribution over the other pairs of the same question. The upper fifth of this
null distribution is modelled as an exponential tail, as in the statistics of sequence searches
(Karlin and Altschul, PNAS 87, 1990); the tail is fitted without the top 2 %, where copies are.
Several measures are combined by the sum of their -log p-values, as in Fisher's method. Since they
are not independent, the sum is compared with the sums of the other pairs, with a tail of the same
form.

What two answers share word for word is judged by itself, too. Its information is measured with a
language model, so that a nat means the same in every question: the scale of its tail is a constant,
and only where the tail starts depends on the question. No number of copies can change that much.
The lower p-value of both counts, corrected for having looked twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float64

Measures = Mapping[str, Float64]  # the values of each pair, under the measure's name
TAIL_START = 0.80  # quantile up to which p-values are the empirical ones
TAIL_END = 0.98  # quantile above which values may come from copies, and are not fitted
# The same, as shares of the positive values, where these are so few that the quantiles are higher.
SPARSE_START, SPARSE_END = 0.9, 0.4
SUM_EXPONENT = 0.55  # the sum's tail is exponential in this power of the sum
PSEUDO_COUNT = 30  # pairs in the tail as many as which the typical values count


@dataclass(frozen=True, slots=True)
class TypicalTail:
    """The typical tail of a measure where nobody copied, and its limits.

    Attributes:
        start: The value at which the tail typically begins.
        scale: Its typical scale.
        max_start: The highest value at which it may begin: no question makes copying normal.
        min_scale: The lower limit of its scale.
        max_scale: The upper limit of its scale.
    """

    start: float
    scale: float
    max_start: float
    min_scale: float
    max_scale: float


# Estimated on the 170 questions of SemEval-2013 and SAF with 20 answers or more; the limits are not
# exceeded by much there (docs/figures/plagiarism.md).
TYPICAL_TAILS = {
    "whole": TypicalTail(0.2, 0.22, max_start=0.45, min_scale=0.05, max_scale=0.5),
    "sentences": TypicalTail(0.0, 0.003, max_start=0.012, min_scale=0.003, max_scale=0.015),
    "short": TypicalTail(0.5, 0.45, max_start=1.2, min_scale=0.3, max_scale=0.6),
    "long": TypicalTail(0.25, 0.3, max_start=0.7, min_scale=0.3, max_scale=0.6),
}
TYPICAL_SUM_TAIL = TypicalTail(2.38, 0.83, max_start=3.6, min_scale=0.3, max_scale=1.75)
VERBATIM = "verbatim"  # the name of the measure that is judged by itself
MEASURES = (*TYPICAL_TAILS, VERBATIM)
MIN_UNRELATED = 30  # pairs, of which the distribution is known
# How fast the tail of the shared information of independent answers falls, in nats. The mean excess
# over 5 nats beyond its start is 4.0 in SemEval-2013 and 4.3 in SAF.
VERBATIM_SCALE = 4.3
VERBATIM_START, VERBATIM_MIN_START, VERBATIM_MAX_START = 6.0, 5.0, 20.0  # typical, and its limits
VERBATIM_SHARE = 0.05  # of the pairs are in the tail
VERBATIM_PSEUDO_COUNT = 100  # pairs as many as which the typical start counts
# The part that each has of the p-value of both, as in weighted Bonferroni correction (Genovese,
# Roeder and Wasserman, Biometrika 93, 2006).
SUM_WEIGHT, VERBATIM_WEIGHT = 0.6, 0.6


@dataclass(frozen=True, slots=True)
class VerbatimTail:
    """The distribution of the shared information over independent pairs.

    Attributes:
        start: Where the tail starts, in nats.
    """

    start: float

    @classmethod
    def fit(cls, values: Float64) -> VerbatimTail:
        """Fit to the values `(n,)` of a question's pairs, shrunk towards the typical start."""
        start = VERBATIM_START
        if len(values):
            own = float(np.quantile(values, 1 - VERBATIM_SHARE))
            weight = len(values) / (len(values) + VERBATIM_PSEUDO_COUNT)
            start = weight * own + (1 - weight) * VERBATIM_START
        return cls(min(max(start, VERBATIM_MIN_START), VERBATIM_MAX_START))

    def p_value(self, values: Float64) -> Float64:
        """Return `(p,)` the probability that an independent pair reaches each value; at most 1."""
        beyond = np.maximum(values - self.start, 0)
        p_value: Float64 = np.where(
            values > self.start, VERBATIM_SHARE * np.exp(-beyond / VERBATIM_SCALE), 1.0
        )
        return p_value


@dataclass(frozen=True, slots=True)
class Tail:
    """The distribution of one measure over the pairs of a question, with an exponential tail.

    Attributes:
        values: `(n,)` the values of the pairs, ascending.
        start: The value at which the tail begins.
        scale: The mean excess over the start, in the measure's own unit.
        share: The share of the pairs in the tail.
    """

    values: Float64
    start: float
    scale: float
    share: float

    @classmethod
    def fit(cls, values: Float64, typical: TypicalTail) -> Tail:
        """Fit to the values `(n,)` of a question's pairs; copies among them do little harm.

        The estimate is shrunk towards the typical tail: the fewer pairs there are, the more.
        """
        ordered = np.sort(np.asarray(values, np.float64))
        if not len(ordered):
            return cls(ordered, typical.start, typical.scale, 1 - TAIL_START)
        # Where few pairs have anything in common, the quantiles are taken among these few.
        positive = float((ordered > 0).mean())
        begin = max(TAIL_START, 1 - positive * SPARSE_START)
        end = max(TAIL_END, 1 - positive * SPARSE_END)
        begin = min(begin, 1 - 1 / len(ordered))
        start, stop = np.quantile(ordered, [begin, end])
        fitted = ordered[(ordered >= start) & (ordered <= stop) & (ordered > 0)]
        excess = float(fitted.mean() - start) if len(fitted) else 0.0
        scale = _truncated_scale(excess, float(stop - start))
        weight = len(fitted) / (len(fitted) + PSEUDO_COUNT)
        scale = np.clip(scale, typical.min_scale, typical.max_scale)
        start = weight * start + (1 - weight) * typical.start
        scale = weight * scale + (1 - weight) * typical.scale
        if start > typical.max_start:
            start, begin = typical.max_start, TAIL_START
        return cls(ordered, float(start), float(scale), 1 - begin)

    def significance(self, values: Float64) -> Float64:
        """Return `(p,)` the -log p-value of each value `(p,)`, in nats.

        The p-value is the probability that an independent pair reaches the value.
        """
        at_start = -np.log(self.share)
        beyond = at_start + (values - self.start) / self.scale
        reaching = len(self.values) - np.searchsorted(self.values, values, side="left")
        empirical = -np.log(np.clip(reaching, 1, None) / max(1, len(self.values)))
        significance: Float64 = np.where(
            values > self.start, beyond, np.minimum(empirical, at_start)
        )
        return significance


@dataclass(frozen=True, slots=True)
class NullDistribution:
    """The distribution of the measures over the independent pairs of a question.

    Attributes:
        tails: The tail of each measure, under its name.
        sum_tail: The tail of the power `SUM_EXPONENT` of the sum of the measures' significances.
        verbatim: The tail of the shared information.
        pairs: The number of pairs it was fitted to.
    """

    tails: dict[str, Tail]
    sum_tail: Tail
    verbatim: VerbatimTail
    pairs: int

    @property
    def is_known(self) -> bool:
        """Whether there were enough pairs; with fewer, p-values only rank pairs."""
        return self.pairs >= MIN_UNRELATED

    @classmethod
    def fit(cls, measures: Measures) -> NullDistribution:
        """Fit to measures, `(n,)` each, of pairs most of which are independent."""
        tails = {name: Tail.fit(measures[name], tail) for name, tail in TYPICAL_TAILS.items()}
        sums = _combine(tails, measures)
        verbatim = VerbatimTail.fit(measures[VERBATIM])
        return cls(tails, Tail.fit(sums, TYPICAL_SUM_TAIL), verbatim, len(sums))

    def p_value(self, measures: Measures) -> Float64:
        """Return `(p,)` the probability that one independent pair is as much alike as each pair.

        Args:
            measures: `(p,)` for each measure.
        """
        of_sum = np.exp(-self.sum_tail.significance(_combine(self.tails, measures)))
        of_words = self.verbatim.p_value(measures[VERBATIM])
        p_value: Float64 = np.minimum(
            1.0, np.minimum(of_sum / SUM_WEIGHT, of_words / VERBATIM_WEIGHT)
        )
        return p_value


def _combine(tails: Mapping[str, Tail], measures: Measures) -> Float64:
    total = sum(tail.significance(measures[name]) for name, tail in tails.items())
    return np.asarray(total, np.float64) ** SUM_EXPONENT


def _truncated_scale(mean: float, width: float) -> float:
    """Return the scale of an exponential distribution that is truncated at `width`, by bisection.

    Args:
        mean: The mean of the truncated distribution.
        width: Where it is truncated.
    """
    if width <= 0 or mean <= 0:
        return 0.0
    low, high = 1e-9 * width, 100 * width
    for _ in range(60):
        scale = np.sqrt(low * high)
        with np.errstate(over="ignore"):
            expected = scale - width / np.expm1(width / scale)
        low, high = (scale, high) if expected < mean else (low, scale)
    return float(scale)

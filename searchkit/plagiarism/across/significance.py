"""Significance across languages: how often independent answers in two are as near in meaning.

The likeness of a question's pairs in two languages is nearly normal, with a longer tail above its
median. Median and spread are taken from the middle of the distribution, where copies are not, and
shrunk to typical ones, of twenty answers: by themselves, a few would too often be found alike.
Since both are estimates, and the tail is a little heavier than a normal one, it is that of
Student's t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float64

# Of SAF's and SemEval-2013's independent answers, as if in two languages, and of the demo corpus in
# four; the scale is rather that of SemEval's short answers, the widest (docs/other-languages.md).
TYPICAL_LOCATION, TYPICAL_SCALE = -0.26, 0.40
PSEUDO_ANSWERS = 20  # as many as which the typical values count
UPPER = 0.9  # the quantile that the spread above the median is taken from
NORMAL_UPPER = 1.2816  # of the standard normal distribution
MAX_FREEDOM = 30  # degrees of freedom of the tail, however many answers there are
MIN_PAIRS = 20  # of which the distribution is known: with so many, a pair can be significant


@dataclass(frozen=True, slots=True)
class AcrossNull:
    """The distribution of the likeness of independent answers in two languages.

    Attributes:
        location: Its median.
        scale: Its spread above the median, as a standard deviation.
        answers: The number of answers it was fitted to.
        pairs: The number of pairs of these.
    """

    location: float
    scale: float
    answers: int
    pairs: int

    @property
    def is_known(self) -> bool:
        """Whether there were enough pairs."""
        return self.pairs >= MIN_PAIRS

    @classmethod
    def fit(cls, values: Float64, answers: int) -> AcrossNull:
        """Fit to the likeness `(n,)` of a question's pairs, most of which are independent.

        Args:
            values: The likeness.
            answers: The number of answers in these pairs.
        """
        if not len(values):
            return cls(TYPICAL_LOCATION, TYPICAL_SCALE, answers, 0)
        location = float(np.median(values))
        scale = (float(np.quantile(values, UPPER)) - location) / NORMAL_UPPER
        weight = answers**2 / (answers**2 + PSEUDO_ANSWERS**2)  # as the number of pairs grows
        return cls(
            weight * location + (1 - weight) * TYPICAL_LOCATION,
            float(np.sqrt(weight * scale**2 + (1 - weight) * TYPICAL_SCALE**2)),
            answers,
            len(values),
        )

    def p_value(self, values: Float64) -> Float64:
        """Return `(p,)` the probability that an independent pair is at least as much alike.

        It is never below one in the square of the number of pairs: nobody knows the tail so far.
        """
        from scipy.special import stdtr

        freedom = max(1, min(MAX_FREEDOM, self.answers))
        tail = stdtr(freedom, -(values - self.location) / self.scale)
        p_value: Float64 = np.maximum(tail, 1 / max(1, self.pairs) ** 2)
        return p_value

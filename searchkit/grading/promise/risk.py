"""What can be promised about suggestions: at most how many of them are wrong.

Risk control by learn-then-test (Angelopoulos et al., 2021): thresholds of confidence are tested in
a fixed order, until one can't be held. The sample is drawn from the answers that the promise is
about, without replacement, so that the test is exact for any number of answers (the hypergeometric
distribution). It supposes nothing about the answers, and holds whatever other answers were marked,
and why: what these show only lowers the number that can be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64

LEVELS = 20  # thresholds that are considered
MAX_TO_MARK = 0.8  # share of the unmarked answers, for a forecast
SUFFICIENT_POWER = 0.8  # of a sample, for a forecast
MIN_SAMPLE = 5  # that is considered
SAMPLE_GROWTH = 1.15  # from one size of a sample that is considered to the next


@dataclass(frozen=True, slots=True)
class Pool:
    """The answers that a promise is about, and what is known of them.

    Attributes:
        confidences: `(n,)` probability that the suggestion for each answer is right; for a marked
            answer that of the suggestion that it would have without its mark; 0 without one.
        ranks: `(n,)` place of each answer in the random order.
        marked: `(n,)` whether each answer is marked.
        wrong: `(n,)` whether the suggestion for a marked answer is wrong.
    """

    confidences: Float64
    ranks: Int64
    marked: NDArray[np.bool_]
    wrong: NDArray[np.bool_]

    @property
    def sample(self) -> int:
        """How many answers are the sample: the first in the random order, up to an unmarked one."""
        unmarked = self.ranks[~self.marked]
        return int(unmarked.min()) if len(unmarked) else len(self.ranks)


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold of confidence, and the suggestions that reach it.

    Attributes:
        threshold: The lowest confidence.
        rest: How many unmarked answers reach it.
        max_wrong: How many of their suggestions may be wrong.
        p_value: Bound of the probability of what the sample shows if more of them are wrong.
        power: The probability of a p-value that is low enough, if the confidences are right.
    """

    threshold: float
    rest: int
    max_wrong: int
    p_value: float
    power: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will probably be enough for a promise.

    Attributes:
        sample: The size of the random sample.
        threshold: The lowest confidence of the suggestions that it will be about.
    """

    sample: int
    threshold: float


def control_risk(pool: Pool, max_off: float, alpha: float) -> Level | None:
    """Find the most suggestions of which at most a share is wrong; None if that can't be shown.

    The first threshold that is tested is the one that promises the most, as far as the confidences
    alone tell; then lower ones, each at the same level, until one can't be held.

    Args:
        pool: The answers.
        max_off: The share of the suggestions that may be wrong.
        alpha: The probability with which more of them may be wrong, nevertheless.
    """
    levels = _judge_levels(pool, pool.sample, max_off, alpha)
    promised = None
    if levels and max(level.power for level in levels) > 0:
        values = [level.power * level.rest for level in levels]
        for level in levels[values.index(max(values)) :]:
            if level.p_value > alpha:
                break
            promised = level
    return promised


def forecast(pool: Pool, max_off: float, alpha: float) -> Forecast | None:
    """Find the fewest answers to mark for a promise; None if most would have to be marked.

    Args:
        pool: The answers; `wrong` is not looked at.
        max_off: As for `control_risk`.
        alpha: As for `control_risk`.
    """
    best, fewest = None, MAX_TO_MARK * int((~pool.marked).sum())
    size = max(pool.sample, MIN_SAMPLE)
    while size < len(pool.ranks):
        marked = pool.marked | (pool.ranks < size)
        more = int((marked & ~pool.marked).sum())
        if more >= fewest:
            break
        drawn = Pool(pool.confidences, pool.ranks, marked, pool.wrong)
        for level in _judge_levels(drawn, size, max_off, alpha):
            below = int((~marked & (pool.confidences < level.threshold)).sum())
            if level.power >= SUFFICIENT_POWER and more + below < fewest:
                best, fewest = Forecast(size, level.threshold), more + below
        size = ceil(size * SAMPLE_GROWTH)
    return best


def smallest_sample(answers: int, max_off: float, alpha: float) -> int:
    """Return how many answers have to be drawn for a promise about the others, if none is wrong.

    Args:
        answers: How many answers there are.
        max_off: As for `control_risk`.
        alpha: As for `control_risk`.
    """
    sizes = np.arange(answers + 1)
    excess = np.array([floor(max_off * rest + 1e-9) + 1 for rest in (answers - sizes).tolist()])
    enough = excess_p_value(answers, sizes, np.zeros_like(sizes), excess) <= alpha
    return int(enough.argmax())


def excess_p_value(
    answers: int | Int64, sample: int | Int64, wrong: Int64, excess: int | Int64
) -> Float64:
    """Return the probability of so few wrong ones in a sample if too many are left outside.

    Args:
        answers: How many answers there are.
        sample: How many of them were drawn at random, without replacement.
        wrong: How many of these are wrong.
        excess: The least number of wrong ones outside of the sample that would be too many.

    Returns:
        p-values: if at least `excess` wrong ones are outside, one is at most x with a probability
        of at most x. 0 where there can't be that many.
    """
    from scipy.stats import hypergeom

    possible = excess <= answers - sample
    total = np.minimum(excess + wrong, answers)
    p_values: Float64 = np.where(possible, hypergeom.cdf(wrong, answers, total, sample), 0.0)
    return p_values


def _judge_levels(pool: Pool, sample: int, max_off: float, alpha: float) -> list[Level]:
    """Return the thresholds from the highest to the lowest, with what the sample says of each."""
    from scipy.stats import binom

    confidences = np.sort(pool.confidences[~pool.marked & (pool.confidences > 0)])[::-1]
    if not len(confidences) or not sample:
        return []
    places = np.ceil(np.linspace(1 / LEVELS, 1, LEVELS) * len(confidences)).astype(int) - 1
    thresholds = np.unique(confidences[places])[::-1]
    reached = pool.confidences >= thresholds[:, None]  # (levels, n)
    sampled = pool.ranks < sample
    answers, drawn = reached.sum(axis=1), (reached & sampled).sum(axis=1)
    rest = (reached & ~pool.marked).sum(axis=1)
    max_wrong = np.floor(max_off * rest + 1e-9).astype(np.int64)
    seen = (reached & pool.marked & pool.wrong & ~sampled).sum(axis=1)
    excess = max_wrong + 1 + seen
    p_values = excess_p_value(answers, drawn, (reached & sampled & pool.wrong).sum(axis=1), excess)
    passing = _most_passing(answers, drawn, excess, alpha)
    rates = 1 - (reached * pool.confidences).sum(axis=1) / answers
    powers = binom.cdf(passing, drawn, np.clip(rates, 0, 1))
    columns = (thresholds, rest, max_wrong, p_values, powers)
    return [Level(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _most_passing(answers: Int64, drawn: Int64, excess: Int64, alpha: float) -> Int64:
    """Return how many wrong ones each sample can have for a low enough p-value; -1 for none."""
    # More than would be expected if there are too many outside are no sign of fewer.
    most = np.minimum(drawn, excess * drawn // np.maximum(answers - drawn, 1))
    lengths = most + 1
    level = np.repeat(np.arange(len(lengths)), lengths)
    wrong = np.arange(len(level)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    p_values = excess_p_value(answers[level], drawn[level], wrong, excess[level])
    return np.bincount(level, p_values <= alpha, len(lengths)).astype(np.int64) - 1

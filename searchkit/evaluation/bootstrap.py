"""Resampling: how far a figure would move on other data, by the bootstrap (Efron, 1979).

Units are drawn with replacement: a resample is how often each was drawn. Every figure is computed
of many resamples at once, and of every model on the same ones, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.core.metrics import Truths, v_measures

RESAMPLES = 1_000
COVERED = 0.95  # of an interval
BLOCK = 5_000_000  # numbers that are held for one step
LEVELS = 4_096  # of scores that positives are told apart by, where there are more
Measure = Callable[[Float64], Float64]  # `(b, u)` counts of units → `(b, f)` figures
# -- drawing ---------------------------------------------------------------------------------------


def bootstrap(
    measure: Measure, units: int, *, resamples: int = RESAMPLES, seed: int = 0
) -> Float64:
    """Return the figures of resamples.

    Args:
        measure: Gives `(b, f)` figures of `(b, u)` how often each unit was drawn; NaN for one that
            can't be given.
        units: How many there are.
        resamples: How many to draw.
        seed: Of the draws; the same seed gives the same resamples.

    Returns:
        `(resamples, f)`.
    """
    return np.concatenate([measure(counts) for counts in _draws(units, resamples, seed)])


def _draws(units: int, resamples: int, seed: int) -> Iterator[Float64]:
    random = np.random.default_rng(seed)
    step = max(1, BLOCK // units)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = random.integers(0, units, (count, units)) + np.arange(count)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=count * units)
        yield counts.reshape(count, units).astype(np.float64)


def interval(figures: Float64) -> tuple[float, float]:
    """Return the interval that holds 95 % of the resamples: the percentile bootstrap's.

    Args:
        figures: `(r,)`; NaN where a resample has none.

    Returns:
        Its ends; NaN if most resamples have no figure.
    """
    known = figures[~np.isnan(figures)]
    if 2 * len(known) <= len(figures):
        return np.nan, np.nan
    low, high = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)


# -- figures of many resamples ---------------------------------------------------------------------


def weighted_pearson(one: Float64, other: Float64, weights: Float64) -> Float64:
    """Return Pearson's correlation in each resample.

    Args:
        one: `(n,)`, or `(b, n)` one row a resample.
        other: The same.
        weights: `(b, n)` how often each was drawn.

    Returns:
        `(b,)`; NaN where one side doesn't vary.
    """
    total = weights.sum(axis=1)

    def mean(values: Float64) -> Float64:
        sums = weights @ values if values.ndim == 1 else (weights * values).sum(axis=1)
        found: Float64 = sums / total
        return found

    # Relative to the middle, so that no digits are lost in the squares.
    one, other = one - one.mean(), other - other.mean()
    both = mean(one * other) - mean(one) * mean(other)
    spread = (mean(one**2) - mean(one) ** 2) * (mean(other**2) - mean(other) ** 2)
    varies = spread > 1e-18 * np.var(one) * np.var(other)
    found: Float64 = np.full(len(weights), np.nan)
    np.divide(both, np.sqrt(np.maximum(spread, 0)), out=found, where=varies)
    return found


def ranks(values: Float64, weights: Float64) -> Float64:
    """Return the rank of each value in each resample, equal ones sharing the mean of theirs.

    Args:
        values: `(n,)`.
        weights: `(b, n)` how often each was drawn.

    Returns:
        `(b, n)`; of what wasn't drawn, that between its neighbours.
    """
    levels, place = np.unique(values, return_inverse=True)
    drawn = _sums(weights, place, len(levels))
    upto = np.cumsum(drawn, axis=1)
    shared: Float64 = (upto - (drawn - 1) / 2)[:, place]
    return shared


def _sums(weights: Float64, place: Int64, places: int) -> Float64:
    """Sum the columns that have the same place: `(b, n)` → `(b, places)`."""
    if places == len(place):
        sums = np.empty_like(weights)
        sums[:, place] = weights
        return sums
    from scipy import sparse

    rows = np.arange(len(place))
    member = sparse.csr_matrix((np.ones(len(place)), (place, rows)), (places, len(place)))
    return np.ascontiguousarray((member @ weights.T).T)


class WeightedSeparation:
    """How well scores set positives apart from negatives, in many resamples at once.

    A row is drawn as often as its units: a pair of two answers, or of answers to two questions, as
    often as both together. Rows are summed up by score, and between two positives by nothing else
    but that, so that millions of rows cost no more than as many additions a resample. Of more than
    `LEVELS` different scores of positives, neighbours count as ties; the error is below 1/`LEVELS`.
    """

    def __init__(
        self, truth: Truths, scores: Float64, units: Int64, weights: Float64 | None = None
    ) -> None:
        """Take the rows.

        Args:
            truth: `(n,)` which are positive; some, and not all.
            scores: `(n,)`.
            units: `(n,)` the unit of each row, or `(n, 2)` both units.
            weights: `(n,)` as how many rows each counts.
        """
        from scipy import sparse

        levels = np.unique(scores[truth])
        if len(levels) > LEVELS:
            levels = np.unique(np.quantile(levels, np.linspace(0, 1, LEVELS), method="nearest"))
        at = np.searchsorted(levels, scores)
        equal = levels[np.minimum(at, len(levels) - 1)] == scores
        bins = 2 * at + equal  # the levels are odd, and what lies between them even
        pairs = units if units.ndim == 2 else np.column_stack([units, units])
        pairs = np.sort(pairs, axis=1)
        codes, place = np.unique(pairs[:, 0] << 32 | pairs[:, 1], return_inverse=True)
        self.left, self.right = codes >> 32, codes & 0xFFFFFFFF
        weights = np.ones(len(truth)) if weights is None else weights
        shape = (2 * len(levels) + 1, len(codes))
        self.positives, self.negatives = (
            sparse.csr_matrix((weights[rows], (bins[rows], place[rows])), shape)
            for rows in (truth, ~truth)
        )

    def figures(self, counts: Float64) -> Float64:
        """Return ROC AUC and average precision in each resample: `(b, u)` → `(b, 2)`.

        NaN where no positive, or no negative, was drawn.
        """
        step = max(1, BLOCK // sum(self.positives.shape))
        blocks = (counts[start : start + step] for start in range(0, len(counts), step))
        return np.concatenate([self._of(block) for block in blocks])

    def _of(self, counts: Float64) -> Float64:
        by_unit = np.ascontiguousarray(counts.T)  # (u, b)
        drawn = by_unit[self.left]
        two = self.left != self.right
        drawn[two] *= by_unit[self.right[two]]
        hits = (self.positives @ drawn)[::-1]  # (levels, b), the best first
        misses = (self.negatives @ drawn)[::-1]
        found, wrong = np.cumsum(hits, axis=0), np.cumsum(misses, axis=0)
        worse = wrong[-1] - wrong + misses / 2
        precision = np.divide(found, found + wrong, out=np.zeros_like(found), where=found > 0)
        positives = np.where(found[-1] > 0, found[-1], np.nan)
        negatives = np.where(wrong[-1] > 0, wrong[-1], np.nan)
        auc = (hits * worse).sum(axis=0) / positives / negatives
        mean_precision = (hits * precision).sum(axis=0) / positives + negatives * 0
        return np.column_stack([auc, mean_precision])


def weighted_v_measure(labels: Int64, clusters: Int64, weights: Float64) -> Float64:
    """Return the V-measure in each resample.

    Args:
        labels: `(n,)` from 0.
        clusters: `(n,)` from 0.
        weights: `(b, n)` how often each was drawn.

    Returns:
        `(b,)`; NaN where nothing was drawn.
    """
    high, wide = int(labels.max()) + 1, int(clusters.max()) + 1
    tables = _sums(weights, labels * wide + clusters, high * wide)
    return v_measures(tables.reshape(-1, high, wide))

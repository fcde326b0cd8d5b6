"""The bootstrap (Efron, 1979): metrics on resamples of the data, and confidence intervals.

Units are drawn with replacement; a resample is the number of times that each unit was drawn. The
metrics here take these numbers as weights and compute many resamples at once, which scikit-learn's
and scipy's functions can't. All models are measured on the same resamples, so that differences
between them are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.core.metrics import v_measures

RESAMPLES = 1_000
CONFIDENCE_LEVEL = 0.95
# Numbers in the arrays of one step: bounds the memory.
BLOCK_NUMBERS = 5_000_000
# Different scores of positives that `WeightedSeparation` distinguishes.
MAX_LEVELS = 4_096
# Computes `(b, m)` metrics of `(b, u)` counts: how often each unit was drawn in each resample.
ResampleMetrics = Callable[[Float64], Float64]
# -- drawing ---------------------------------------------------------------------------------------


def bootstrap(
    measure: ResampleMetrics,
    units: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    block_numbers: int = BLOCK_NUMBERS,
) -> Float64:
    """Compute metrics on resamples.

    Args:
        measure: Computes the metrics; NaN where one is undefined.
        units: Number of units.
        resamples: Number of resamples.
        seed: Seed of the draws; equal seeds give equal resamples.
        block_numbers: Number of counts that are drawn in one step; bounds the memory.

    Returns:
        `(resamples, m)` the metrics of each resample.
    """
    step = max(1, block_numbers // units)
    blocks = _draw_counts(units, resamples, seed, step)
    return np.concatenate([measure(counts) for counts in blocks])


def _draw_counts(units: int, resamples: int, seed: int, step: int) -> Iterator[Float64]:
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = rng.integers(0, units, (count, units)) + np.arange(count)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=count * units)
        yield counts.reshape(count, units).astype(np.float64)


def interval(values: Float64) -> tuple[float, float]:
    """Return the confidence interval of a metric by the percentile bootstrap.

    Args:
        values: `(r,)` the metric in each resample; NaN where it is undefined.

    Returns:
        Its ends; NaN if the metric is undefined in most resamples.
    """
    known = values[~np.isnan(values)]
    if 2 * len(known) <= len(values):
        return np.nan, np.nan
    low, high = np.quantile(known, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return float(low), float(high)


# -- metrics of many resamples ---------------------------------------------------------------------


def weighted_pearson(one: Float64, other: Float64, weights: Float64) -> Float64:
    """Return Pearson's correlation in each resample.

    Args:
        one: `(n,)`, or `(b, n)` with a row per resample.
        other: The other variable, in either shape.
        weights: `(b, n)` how often each observation was drawn.

    Returns:
        `(b,)`; NaN where one variable doesn't vary.
    """
    total = weights.sum(axis=1)

    def mean(values: Float64) -> Float64:
        sums = weights @ values if values.ndim == 1 else (weights * values).sum(axis=1)
        means: Float64 = sums / total
        return means

    # Centred, so that the squares lose no digits.
    one, other = one - one.mean(), other - other.mean()
    covariance = mean(one * other) - mean(one) * mean(other)
    spread = (mean(one**2) - mean(one) ** 2) * (mean(other**2) - mean(other) ** 2)
    varies = spread > 1e-18 * np.var(one) * np.var(other)
    correlations: Float64 = np.full(len(weights), np.nan)
    np.divide(covariance, np.sqrt(np.maximum(spread, 0)), out=correlations, where=varies)
    return correlations


def weighted_ranks(values: Float64, weights: Float64) -> Float64:
    """Return the rank of each value in each resample; equal values share their mean rank.

    Args:
        values: `(n,)`.
        weights: `(b, n)` how often each value was drawn.

    Returns:
        `(b, n)`; a value that wasn't drawn has a rank between those of its neighbours.
    """
    levels, place = np.unique(values, return_inverse=True)
    drawn = _sums(weights, place, len(levels))
    upto = np.cumsum(drawn, axis=1)
    shared: Float64 = (upto - (drawn - 1) / 2)[:, place]
    return shared


def _sums(weights: Float64, place: Int64, places: int) -> Float64:
    """Sum the columns of `(b, n)` weights that have the same place: `(b, places)`."""
    if places == len(place):
        sums = np.empty_like(weights)
        sums[:, place] = weights
        return sums
    from scipy import sparse

    rows = np.arange(len(place))
    member = sparse.csr_matrix((np.ones(len(place)), (place, rows)), (places, len(place)))
    return np.ascontiguousarray((member @ weights.T).T)


class WeightedSeparation:
    """ROC AUC and average precision in many resamples at once.

    A row that has one unit counts as often as the unit was drawn, and a row that has two as often
    as the product of their counts. Rows are summed by score in a histogram whose bins are the
    scores of positives and the gaps between them, so that a resample costs one addition per row. If
    positives have more than `max_levels` different scores, neighbouring scores count as ties; the
    error is below 1/`max_levels`.
    """

    def __init__(
        self,
        truth: Bool,
        scores: Float64,
        units: Int64,
        weights: Float64 | None = None,
        *,
        max_levels: int = MAX_LEVELS,
    ) -> None:
        """Build the histogram.

        Args:
            truth: `(n,)` whether each row is positive; there are rows of both kinds.
            scores: `(n,)` the score of each row.
            units: `(n,)` the unit of each row, or `(n, 2)` both units.
            weights: `(n,)` as how many rows each counts; by default 1.
            max_levels: Largest number of different scores of positives that are distinguished.
        """
        from scipy import sparse

        levels = np.unique(scores[truth])
        if len(levels) > max_levels:
            levels = np.unique(np.quantile(levels, np.linspace(0, 1, max_levels), method="nearest"))
        at = np.searchsorted(levels, scores)
        equal = levels[np.minimum(at, len(levels) - 1)] == scores
        bins = 2 * at + equal  # odd bins are levels, even ones the gaps between them
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

    def measure(self, counts: Float64, *, block_numbers: int = BLOCK_NUMBERS) -> Float64:
        """Return `(b, 2)` ROC AUC and average precision in each resample.

        Args:
            counts: `(b, u)` how often each unit was drawn.
            block_numbers: Size of the arrays of one step; bounds the memory.

        Returns:
            NaN where no positive, or no negative, was drawn.
        """
        step = max(1, block_numbers // sum(self.positives.shape))
        blocks = (counts[start : start + step] for start in range(0, len(counts), step))
        return np.concatenate([self._measure_block(block) for block in blocks])

    def _measure_block(self, counts: Float64) -> Float64:
        by_unit = np.ascontiguousarray(counts.T)  # (u, b)
        drawn = by_unit[self.left]
        has_two = self.left != self.right
        drawn[has_two] *= by_unit[self.right[has_two]]
        hits = (self.positives @ drawn)[::-1]  # (levels, b), the best first
        misses = (self.negatives @ drawn)[::-1]
        true_positives, false_positives = np.cumsum(hits, axis=0), np.cumsum(misses, axis=0)
        ranked_below = false_positives[-1] - false_positives + misses / 2
        precision = np.divide(
            true_positives,
            true_positives + false_positives,
            out=np.zeros_like(true_positives),
            where=true_positives > 0,
        )
        positives = np.where(true_positives[-1] > 0, true_positives[-1], np.nan)
        negatives = np.where(false_positives[-1] > 0, false_positives[-1], np.nan)
        auc = (hits * ranked_below).sum(axis=0) / positives / negatives
        mean_precision = (hits * precision).sum(axis=0) / positives + negatives * 0
        return np.column_stack([auc, mean_precision])


def weighted_v_measure(labels: Int64, clusters: Int64, weights: Float64) -> Float64:
    """Return the V-measure in each resample.

    Args:
        labels: `(n,)` the label of each row, from 0.
        clusters: `(n,)` the cluster of each row, from 0.
        weights: `(b, n)` how often each row was drawn.

    Returns:
        `(b,)`; NaN where nothing was drawn.
    """
    rows, columns = int(labels.max()) + 1, int(clusters.max()) + 1
    tables = _sums(weights, labels * columns + clusters, rows * columns)
    return v_measures(tables.reshape(-1, rows, columns))

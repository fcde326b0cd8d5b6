"""Metrics: how near estimates come to marks, scores to labels, rankings to what is relevant.

Plain functions of arrays: correlations and errors; how well scores set positives apart from
negatives; what a search finds, from the ranks of the relevant documents; how well clusters are
labels. Scores that differ by less than 1e-6 are the caller's to make equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64

Truths = NDArray[np.bool_]
# -- of marks and labels ---------------------------------------------------------------------------


def pearson(one: Float64, other: Float64) -> float:
    """Return Pearson's correlation; 0 where one side doesn't vary."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def rmse(one: Float64, other: Float64) -> float:
    """Return the root of the mean squared difference, in marks."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def weighted_kappa(one: Float64, other: Float64) -> float:
    """Return Cohen's kappa with quadratic weights (QWK; Cohen, 1968), for marks on any scale.

    1 minus the mean squared difference over the one that random pairing would give, which for
    marks in equal steps is what the matrix of weights gives.
    """
    chance = one.var() + other.var() + (one.mean() - other.mean()) ** 2
    return float(1 - np.mean((one - other) ** 2) / chance) if chance else 1.0


def accuracy(one: Sequence[object], other: Sequence[object]) -> float:
    """Return the share of equal ones."""
    return sum(a == b for a, b in zip(one, other, strict=True)) / max(1, len(one))


def macro_f1(given: Sequence[str], suggested: Sequence[str]) -> float:
    """Return the mean over the labels that were given of each one's F1."""
    scores = []
    for label in sorted(set(given)):
        hits = sum(g == s == label for g, s in zip(given, suggested, strict=True))
        total = given.count(label) + suggested.count(label)
        scores.append(2 * hits / total)
    return sum(scores) / max(1, len(scores))


# -- of scores -------------------------------------------------------------------------------------


def spearman(one: Float64, other: Float64) -> float:
    """Return Spearman's rank correlation, equal values sharing a rank; 0 where one doesn't vary."""
    from scipy.stats import rankdata

    return pearson(rankdata(one), rankdata(other))


def roc_auc(truth: Truths, scores: Float64, weights: Float64 | None = None) -> float:
    """Return how probably a positive scores above a negative, a tie being one half.

    Args:
        truth: `(n,)` which are positive; some, and not all.
        scores: `(n,)`.
        weights: `(n,)` as how many each counts.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores, sample_weight=weights))


def average_precision(truth: Truths, scores: Float64, weights: Float64 | None = None) -> float:
    """Return the mean over the positives of the precision among what scores as much or more.

    By chance it is the share of positives; arguments as for `roc_auc`.
    """
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, scores, sample_weight=weights))


# -- of a search -----------------------------------------------------------------------------------
# Of one query: `ranks`, `(r,)` from 1, are those of all documents that are relevant to it.


def recall_at(ranks: Int64, k: int) -> float:
    """Return the share of the relevant documents that are among the first k."""
    return float((ranks <= k).mean())


def reciprocal_rank(ranks: Int64, k: int) -> float:
    """Return 1 by the rank of the first relevant document; 0 if it is beyond k."""
    first = int(ranks.min())
    return 1 / first if first <= k else 0.0


def ndcg(ranks: Int64, gains: Float64, k: int) -> float:
    """Return the normalized discounted cumulative gain (Järvelin and Kekäläinen, 2002) at k.

    Args:
        ranks: Of the relevant documents.
        gains: `(r,)` how relevant each is, above 0; taken as they are, as trec_eval and BEIR do.
        k: How many are looked at.
    """
    found = ranks <= k
    ideal = np.sort(gains)[::-1][:k]
    best = (ideal / np.log2(np.arange(len(ideal)) + 2)).sum()
    return float((gains[found] / np.log2(ranks[found] + 1)).sum() / best)


def average_precision_of(ranks: Int64) -> float:
    """Return the mean over the relevant documents of the precision down to each.

    Its mean over queries is MAP.
    """
    return float((np.arange(1, len(ranks) + 1) / np.sort(ranks)).mean())


# -- of clusters -----------------------------------------------------------------------------------


def v_measure(labels: Int64, clusters: Int64) -> float:
    """Return the harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg, 2007).

    Args:
        labels: `(n,)` from 0.
        clusters: `(n,)` from 0.
    """
    table = np.zeros((1, int(labels.max()) + 1, int(clusters.max()) + 1))
    np.add.at(table[0], (labels, clusters), 1)
    return float(v_measures(table)[0])


def v_measures(tables: Float64) -> Float64:
    """Return the V-measure of each table: `(b, labels, clusters)` how many have both; NaN for none.

    That mean is twice the mutual information over both entropies; 1 if both are 0.
    """
    total = tables.sum(axis=(1, 2))
    shares = tables / np.where(total > 0, total, np.nan)[:, None, None]
    sides = _entropy(shares.sum(axis=2)) + _entropy(shares.sum(axis=1))
    shared = 2 * (sides - _entropy(shares.reshape(len(shares), -1)))
    return np.divide(shared, sides, out=np.where(np.isnan(sides), sides, 1.0), where=sides > 1e-12)


def _entropy(shares: Float64) -> Float64:
    """Return the entropy of each row, in nats."""
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: Float64 = -np.sum(shares * logs, axis=1)
    return entropy

"""Metrics as plain functions of arrays: of marks and labels, of scores, of a search, of clusters.

scikit-learn and scipy compute them where they have the metric. Callers round scores to six places,
so that scores that differ only by rounding errors are ties.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64

# -- of marks and labels ---------------------------------------------------------------------------


def pearson(one: Float64, other: Float64) -> float:
    """Return Pearson's correlation of two `(n,)` variables; 0 if one of them is constant."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def rmse(one: Float64, other: Float64) -> float:
    """Return the root mean squared error between `(n,)` marks, in marks."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def weighted_kappa(one: Float64, other: Float64) -> float:
    """Return Cohen's kappa with quadratic weights (QWK; Cohen, 1968), for marks on any scale.

    It is 1 minus the mean squared difference, divided by its expectation for independent marks. For
    marks in equal steps that equals scikit-learn's `cohen_kappa_score`, which takes classes and so
    can't compare marks with estimates between them. 1 if all marks are equal.
    """
    chance = one.var() + other.var() + (one.mean() - other.mean()) ** 2
    return float(1 - np.mean((one - other) ** 2) / chance) if chance else 1.0


def accuracy(one: Sequence[object], other: Sequence[object]) -> float:
    """Return the share of equal elements; 0 for none."""
    return sum(a == b for a, b in zip(one, other, strict=True)) / max(1, len(one))


def macro_f1(given: Sequence[str], suggested: Sequence[str]) -> float:
    """Return the mean F1 over the labels that occur in `given`; 0 for none."""
    from sklearn.metrics import f1_score

    labels = sorted(set(given))
    return float(f1_score(given, suggested, labels=labels, average="macro")) if labels else 0.0


# -- of scores -------------------------------------------------------------------------------------


def spearman(one: Float64, other: Float64) -> float:
    """Return Spearman's rank correlation of two `(n,)` variables; 0 if one of them is constant.

    Equal values share their mean rank.
    """
    from scipy.stats import rankdata

    return pearson(rankdata(one), rankdata(other))


def roc_auc(truth: Bool, scores: Float64, weights: Float64 | None = None) -> float:
    """Return the probability that a positive scores above a negative; a tie counts one half.

    Args:
        truth: `(n,)` whether each row is positive; there are rows of both kinds.
        scores: `(n,)` the score of each row.
        weights: `(n,)` as how many rows each counts; by default 1.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores, sample_weight=weights))


def average_precision(truth: Bool, scores: Float64, weights: Float64 | None = None) -> float:
    """Return the mean, over positives, of the precision among rows with an equal or higher score.

    Random scores give the share of positives. See `roc_auc` for the arguments.
    """
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, scores, sample_weight=weights))


# -- of a search -----------------------------------------------------------------------------------
# Metrics of one query; `ranks`, `(r,)` from 1, are those of all documents relevant to it.
# scikit-learn computes them only from the scores of all documents.


def recall_at(ranks: Int64, k: int) -> float:
    """Return the share of the relevant documents among the first k."""
    return float((ranks <= k).mean())


def reciprocal_rank(ranks: Int64, k: int) -> float:
    """Return the reciprocal rank of the first relevant document; 0 if it is beyond k."""
    first = int(ranks.min())
    return 1 / first if first <= k else 0.0


def ndcg(ranks: Int64, gains: Float64, k: int) -> float:
    """Return the normalized discounted cumulative gain (Järvelin and Kekäläinen, 2002) at k.

    Args:
        ranks: Ranks of the relevant documents.
        gains: `(r,)` how relevant each document is, above 0; linear, as in trec_eval and BEIR.
        k: Number of documents taken into account.
    """
    is_found = ranks <= k
    ideal = np.sort(gains)[::-1][:k]
    best = (ideal / np.log2(np.arange(len(ideal)) + 2)).sum()
    return float((gains[is_found] / np.log2(ranks[is_found] + 1)).sum() / best)


def average_precision_of_ranks(ranks: Int64) -> float:
    """Return the mean, over relevant documents, of the precision at each one's rank.

    The mean of it over queries is MAP.
    """
    return float((np.arange(1, len(ranks) + 1) / np.sort(ranks)).mean())


# -- of clusters -----------------------------------------------------------------------------------


def v_measure(labels: Int64, clusters: Int64) -> float:
    """Return the harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg, 2007).

    Args:
        labels: `(n,)` the label of each row, from 0.
        clusters: `(n,)` the cluster of each row, from 0.
    """
    table = np.zeros((1, int(labels.max()) + 1, int(clusters.max()) + 1))
    np.add.at(table[0], (labels, clusters), 1)
    return float(v_measures(table)[0])


def v_measures(tables: Float64) -> Float64:
    """Return the V-measure of many contingency tables at once, which scikit-learn can't.

    It is twice the mutual information, divided by the sum of both entropies; 1 if both are 0.

    Args:
        tables: `(b, labels, clusters)` the number of rows with a label and in a cluster.

    Returns:
        `(b,)`; NaN for an empty table.
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

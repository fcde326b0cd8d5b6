"""Metrics as plain functions of arrays: for marks and labels, scores, searches and clusters.

They call scikit-learn and SciPy if these have the metric. Callers round scores to six decimals, so
that scores that differ only by rounding errors are ties.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64

# -- marks and labels ------------------------------------------------------------------------------


def pearson(x: Float64, y: Float64) -> float:
    """Return Pearson's correlation of two `(n,)` variables; 0 if one of them is constant."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def rmse(given: Float64, suggested: Float64) -> float:
    """Return the root mean squared error between two `(n,)` series of marks, in marks."""
    return float(np.sqrt(np.mean((given - suggested) ** 2)))


def weighted_kappa(given: Float64, suggested: Float64) -> float:
    """Return Cohen's kappa with quadratic weights (QWK; Cohen, 1968), for marks on any scale.

    It is 1 minus the mean squared difference divided by the expected one of independent marks, and
    1 if all marks are equal. For marks in equal steps it equals scikit-learn's `cohen_kappa_score`,
    which takes classes, and so can't compare marks with estimates that lie between two marks.
    """
    expected = given.var() + suggested.var() + (given.mean() - suggested.mean()) ** 2
    return float(1 - np.mean((given - suggested) ** 2) / expected) if expected else 1.0


def accuracy(given: Sequence[object], suggested: Sequence[object]) -> float:
    """Return the share of suggestions that equal the given label; 0 if there are none."""
    return sum(a == b for a, b in zip(given, suggested, strict=True)) / max(1, len(given))


def macro_f1(given: Sequence[str], suggested: Sequence[str]) -> float:
    """Return the mean F1 score of the labels that occur in `given`; 0 if there are none."""
    from sklearn.metrics import f1_score

    labels = sorted(set(given))
    return float(f1_score(given, suggested, labels=labels, average="macro")) if labels else 0.0


# -- scores ----------------------------------------------------------------------------------------


def spearman(x: Float64, y: Float64) -> float:
    """Return Spearman's rank correlation of two `(n,)` variables; 0 if one of them is constant.

    Equal values have the mean of their ranks.
    """
    from scipy.stats import rankdata

    return pearson(rankdata(x), rankdata(y))


def roc_auc(truth: Bool, scores: Float64, weights: Float64 | None = None) -> float:
    """Return the probability that a positive row scores above a negative one; ties count half.

    Args:
        truth: `(n,)` whether each row is positive; there must be rows of both kinds.
        scores: `(n,)` the score of each row.
        weights: `(n,)` the weight of each row; None for equal weights.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores, sample_weight=weights))


def average_precision(truth: Bool, scores: Float64, weights: Float64 | None = None) -> float:
    """Return the mean, over positive rows, of the precision among rows with at least their score.

    For random scores it is about the share of positives. The arguments are those of `roc_auc`.
    """
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, scores, sample_weight=weights))


# -- search ----------------------------------------------------------------------------------------
# Metrics of one query. `ranks`, `(r,)`, are the ranks from 1 of all documents relevant to it;
# scikit-learn would need the scores of all documents.


def recall_at(ranks: Int64, k: int) -> float:
    """Return the share of the relevant documents that are among the first k."""
    return float((ranks <= k).mean())


def reciprocal_rank(ranks: Int64, k: int) -> float:
    """Return the reciprocal rank of the first relevant document; 0 if it is beyond k."""
    first = int(ranks.min())
    return 1 / first if first <= k else 0.0


def ndcg(ranks: Int64, gains: Float64, k: int) -> float:
    """Return the normalized discounted cumulative gain (Järvelin and Kekäläinen, 2002) at k.

    Args:
        ranks: Ranks of the relevant documents.
        gains: `(r,)` relevance of each document, above 0; used as it is (linear gain), as in
            trec_eval and BEIR.
        k: Number of documents that count.
    """
    in_top = ranks <= k
    ideal = np.sort(gains)[::-1][:k]
    best = (ideal / np.log2(np.arange(len(ideal)) + 2)).sum()
    return float((gains[in_top] / np.log2(ranks[in_top] + 1)).sum() / best)


def average_precision_of_ranks(ranks: Int64) -> float:
    """Return the mean, over relevant documents, of the precision at their ranks.

    Its mean over queries is MAP.
    """
    return float((np.arange(1, len(ranks) + 1) / np.sort(ranks)).mean())


# -- clusters --------------------------------------------------------------------------------------


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
    """Return the V-measure of each of many contingency tables.

    It is twice the mutual information, divided by the sum of the two entropies; 1 if both are 0.
    scikit-learn computes it for one table only.

    Args:
        tables: `(b, labels, clusters)` the number of rows with each label in each cluster.

    Returns:
        `(b,)`; NaN for an empty table.
    """
    total = tables.sum(axis=(1, 2))
    shares = tables / np.where(total > 0, total, np.nan)[:, None, None]
    entropies = _entropy(shares.sum(axis=2)) + _entropy(shares.sum(axis=1))
    information = entropies - _entropy(shares.reshape(len(shares), -1))
    undefined = np.where(np.isnan(entropies), entropies, 1.0)
    return np.divide(2 * information, entropies, out=undefined, where=entropies > 1e-12)


def _entropy(shares: Float64) -> Float64:
    """Return the entropy of each row, in nats."""
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: Float64 = -np.sum(shares * logs, axis=1)
    return entropy

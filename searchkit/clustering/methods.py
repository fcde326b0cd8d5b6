"""Three methods that cluster unit rows, and the choice of their settings from the data.

Each method assigns every row to a cluster or to noise, and gives every cluster a centre, which is
one of its rows. A row may represent several equal texts: its weight is their number.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.clustering.features import cluster_features
from searchkit.clustering.means import find_means, try_counts
from searchkit.core.arrays import Float32, Int64, centred
from searchkit.mining.exact import mine_blocks

THRESHOLDS = tuple(round(0.4 + 0.025 * n, 3) for n in range(23))  # that are tried
MAX_TRIAL_ROWS = 3_000  # rows on which a threshold is tried
TOLERATED_QUALITY = 0.9  # share of the best separation: the finest such clusters are chosen
TOLERATED_K_QUALITY = 0.95  # share of the best quality of k: the fewest such clusters are chosen
NOISE = -1

ClusterMethod = Literal["communities", "k-means", "hdbscan"]
CLUSTER_METHODS: tuple[ClusterMethod, ...] = ("communities", "k-means", "hdbscan")


@dataclass(frozen=True, slots=True)
class Clustering:
    """Rows in clusters, which are numbered by size, largest first.

    Attributes:
        labels: `(n,)` the cluster of each row, from 0; `NOISE` for none.
        centres: `(c,)` the row that is the centre of each cluster.
        scores: `(n,)` the cosine of each row with its cluster's centre; 0 for noise.
    """

    labels: Int64
    centres: Int64
    scores: Float32


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that was chosen from the data.

    Attributes:
        value: The threshold, or the number of clusters.
        quality: The separation of its clusters; of a number of clusters see `try_counts`.
        tried: The (value, quality) of every setting that was tried, ascending.
    """

    value: float
    quality: float
    tried: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How one question is clustered; for each setting see `cluster`."""

    method: ClusterMethod
    threshold: float | None
    k: int | None
    min_size: int
    seed: int


def cluster_rows(
    settings: ClusterSettings, question: tuple[Float32, Int64, Sequence[str]]
) -> tuple[Clustering, Choice | None]:
    """Cluster the rows of one question: the task of a worker.

    Args:
        settings: The method and its settings.
        question: `(n, d)` float32 unit rows, `(n,)` their weights, and their texts.

    Returns:
        The clusters, and the threshold or k that was chosen from the data, if one was.
    """
    rows, weights, texts = question
    choice = None
    if settings.method == "communities":
        threshold = settings.threshold
        if threshold is None:
            choice = choose_threshold(rows, weights=weights)
            threshold = choice.value
        return communities(rows, threshold, weights=weights), choice
    if settings.method == "k-means":
        features = cluster_features(rows, texts, weights=weights)
        k = settings.k
        if k is None:
            choice = choose_k(features, weights=weights, seed=settings.seed)
            k = int(choice.value)
        found = k_means(rows, k, weights=weights, seed=settings.seed, features=features)
        return found, choice
    return hdbscan(rows, settings.min_size, weights=weights), None


def communities(vectors: Float32, threshold: float, *, weights: Int64 | None = None) -> Clustering:
    """Cluster rows around the densest centres: every member reaches the threshold with its centre.

    The neighbours of a row are the rows that score at least the threshold with it, itself included.
    The row whose neighbours weigh most is the first centre, and they are its members; the next
    centre is found in the same way among the remaining rows. Of equal weights, the greater sum of
    scores decides, then the lower number of the row. Exact: no neighbour is left out.

    Args:
        vectors: `(n, d)` float32 unit rows.
        threshold: Inclusive; compared to six decimals.
        weights: `(n,)` the number of texts that each row represents; None: one.

    Returns:
        Every row is in a cluster; a row without neighbours is in one of its own.
    """
    return _grow(vectors, _neighbours(vectors, threshold), weights)


def _grow(vectors: Float32, neighbours: _Neighbours, weights: Int64 | None) -> Clustering:
    """Cluster rows as `communities` does, with a priority queue of possible centres."""
    count = len(vectors)
    weights = np.ones(count, np.int64) if weights is None else np.asarray(weights, np.int64)
    rows, begins = neighbours.rows, neighbours.begins
    others, scores = neighbours.others, neighbours.scores
    gains = np.bincount(rows, weights[others], count).astype(np.int64)
    sums = np.zeros(count, np.int64)  # of scores in millionths: exact in any order
    np.add.at(sums, rows, scores)
    labels = np.full(count, NOISE, np.int64)
    centres: list[int] = []
    queue = [
        (-g, -s, row) for row, (g, s) in enumerate(zip(gains.tolist(), sums.tolist(), strict=True))
    ]
    heapq.heapify(queue)
    while queue:
        gain, total, row = heapq.heappop(queue)
        if labels[row] != NOISE:
            continue
        current = (-int(gains[row]), -int(sums[row]))
        if current != (gain, total):  # some of its neighbours are in a cluster now
            heapq.heappush(queue, (*current, row))
            continue
        if -gain > weights[row]:
            members = others[begins[row] : begins[row + 1]]
            members = members[labels[members] == NOISE]
            places = _ranges(begins[members], begins[members + 1])
            lost = np.repeat(weights[members], begins[members + 1] - begins[members])
            np.subtract.at(gains, others[places], lost)
            np.subtract.at(sums, others[places], scores[places])
            labels[members] = len(centres)
        labels[row] = len(centres)
        centres.append(row)
    return _by_size(vectors, labels, np.array(centres, np.int64), weights)


def _ranges(starts: Int64, stops: Int64) -> Int64:
    """Return the numbers of all ranges from `starts` to `stops`, one range after the other."""
    lengths = stops - starts
    before = np.cumsum(lengths) - lengths
    numbers: Int64 = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return numbers


def k_means(
    vectors: Float32,
    k: int,
    *,
    weights: Int64 | None = None,
    seed: int = 0,
    features: Float32 | None = None,
) -> Clustering:
    """Cluster rows by spherical k-means; see `means.py`.

    Args:
        vectors: `(n, d)` float32 unit rows.
        k: The number of clusters; one for each row, if there are fewer rows.
        weights: `(n,)` the number of texts that each row represents; None: one.
        seed: Of the starts.
        features: `(n, f)` what rows are clustered by, from `cluster_features`; None: the vectors.

    Returns:
        At most k clusters; the centre of each is the row nearest to its mean.
    """
    rows = np.ascontiguousarray(vectors if features is None else features, np.float32)
    if not len(rows):
        return _by_size(rows, np.empty(0, np.int64), np.empty(0, np.int64), None)
    labels, cosines = find_means(rows, min(k, len(rows)), weights, seed)
    return _around_best(vectors, labels, cosines, weights)


def hdbscan(vectors: Float32, min_size: int, *, weights: Int64 | None = None) -> Clustering:
    """Find clusters of varying density (Campello et al., 2013; scikit-learn); the rest is noise.

    Args:
        vectors: `(n, d)` float32 unit rows; their Euclidean distance falls as the cosine rises.
        min_size: The least number of rows in a cluster, 2 or more.
        weights: `(n,)` the number of texts that each row represents; None: one. A row that would
            be noise is a cluster if it represents at least `min_size` texts.
    """
    from sklearn.cluster import HDBSCAN

    count = len(vectors)
    weights = np.ones(count, np.int64) if weights is None else np.asarray(weights, np.int64)
    labels = np.full(count, NOISE, np.int64)
    if count >= max(2, min_size):
        fitted = HDBSCAN(min_cluster_size=min_size, copy=True).fit(vectors.astype(np.float64))
        labels = fitted.labels_.astype(np.int64)
    for row in np.flatnonzero((labels == NOISE) & (weights >= min_size)):
        labels[row] = labels.max() + 1
    means = _means(vectors, labels, weights)
    cosines = np.einsum("nd,nd->n", vectors, means[labels]) if len(means) else np.zeros(count)
    return _around_best(vectors, labels, cosines, weights)


def separation(vectors: Float32, clustering: Clustering, weights: Int64 | None = None) -> float:
    """Return the mean difference between a row's cosine with its own centre and with the next one.

    It is the numerator of a simplified silhouette (Hruschka, de Castro and Campello, ICDM 2004)
    with one difference: a row that is alone in its cluster, or noise, has no centre of its own, and
    counts as minus its cosine with the next one. So neither one large cluster nor many small ones
    are best.
    """
    if not len(clustering.centres):
        return 0.0
    weights = np.ones(len(vectors), np.int64) if weights is None else weights
    inside = np.flatnonzero(clustering.labels >= 0)
    labels = clustering.labels[inside]
    sizes = np.bincount(labels, weights[inside], len(clustering.centres))
    cosines = vectors @ vectors[clustering.centres].T  # (n, c)
    own = np.zeros(len(vectors), np.float32)
    own[inside] = np.where(sizes[labels] > 1, cosines[inside, labels], 0)
    cosines[inside, labels] = 0
    differences = own - np.maximum(cosines.max(axis=1), 0)
    return float((differences * weights).sum() / weights.sum())


def choose_threshold(
    vectors: Float32, *, weights: Int64 | None = None, thresholds: Sequence[float] = THRESHOLDS
) -> Choice:
    """Choose the threshold of `communities` whose clusters have the best `separation`.

    Vectors are taken relative to their mean for that: all answers to one question are alike, and
    one large cluster of them would be of no use. Of many rows a sample is used.
    """
    rows, sizes = _sample(vectors, weights)
    relative = centred(rows, sizes.astype(np.float64))
    neighbours = _neighbours(rows, min(thresholds))
    return _finest_of_the_best(
        [
            (t, separation(relative, _grow(rows, neighbours.above(t), sizes), sizes))
            for t in thresholds
        ]
    )


def choose_k(rows: Float32, *, weights: Int64 | None = None, seed: int = 0) -> Choice:
    """Choose the least k of `k_means` whose clusters are nearly best set apart.

    Tried are numbers from 2 to twice the square root of the number of rows.

    Args:
        rows: `(n, f)` float32, from `cluster_features`; of equal texts' vectors, one.
        weights: `(n,)` the number of texts that each row represents; None: one.
        seed: Of the small clusters that are merged.
    """
    tried = tuple((float(k), quality) for k, quality in try_counts(rows, weights, seed))
    if not tried:
        return Choice(2, 0.0, ())
    best = max(quality for _, quality in tried)
    value, quality = next(pair for pair in tried if pair[1] >= TOLERATED_K_QUALITY * best)
    return Choice(value, quality, tried)


def _finest_of_the_best(tried: Sequence[tuple[float, float]]) -> Choice:
    """Choose the highest value whose quality is nearly the best.

    Args:
        tried: The (value, quality) of each setting; a higher value makes smaller clusters.
    """
    best = max(quality for _, quality in tried)
    lowest = best - (1 - TOLERATED_QUALITY) * abs(best) - 1e-9
    value, quality = max(pair for pair in tried if pair[1] >= lowest)
    return Choice(value, quality, tuple(tried))


def _sample(vectors: Float32, weights: Int64 | None) -> tuple[Float32, Int64]:
    """Return at most `MAX_TRIAL_ROWS` rows with their weights; always the same ones."""
    sizes = np.ones(len(vectors), np.int64) if weights is None else np.asarray(weights)
    if len(vectors) <= MAX_TRIAL_ROWS:
        return vectors, sizes
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(len(vectors), MAX_TRIAL_ROWS, replace=False))
    return vectors[rows], sizes[rows]


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The pairs of rows that are near to each other, each row with itself among them.

    Attributes:
        rows: `(m,)` one row of each pair, ascending.
        others: `(m,)` the other row.
        scores: `(m,)` their cosines in millionths.
        begins: `(n + 1,)` where the pairs of each row begin.
    """

    rows: NDArray[np.int32]
    others: NDArray[np.int32]
    scores: Int64
    begins: Int64

    def above(self, threshold: float) -> _Neighbours:
        """Return the pairs that score at least the threshold."""
        near = self.scores >= round(threshold * 1e6)
        return _Neighbours(
            self.rows[near],
            self.others[near],
            self.scores[near],
            np.concatenate([[0], np.cumsum(near)])[self.begins],
        )


def _neighbours(vectors: Float32, threshold: float) -> _Neighbours:
    """Return the pairs of rows that score at least the threshold."""
    count = len(vectors)
    itself = np.arange(count, dtype=np.int32)
    lefts, rights, scores = [itself], [itself], [np.full(count, 1_000_000, np.int32)]
    for block in mine_blocks(vectors, threshold):
        lefts += [block.left.astype(np.int32), block.right.astype(np.int32)]
        rights += [block.right.astype(np.int32), block.left.astype(np.int32)]
        scores += [np.rint(block.scores.astype(np.float64) * 1e6).astype(np.int32)] * 2
    left = np.concatenate(lefts)
    order = np.argsort(left, kind="stable")
    begins = np.concatenate([[0], np.cumsum(np.bincount(left, minlength=count))])
    return _Neighbours(
        left[order],
        np.concatenate(rights)[order],
        np.concatenate(scores)[order].astype(np.int64),
        begins,
    )


def _means(vectors: Float32, labels: Int64, weights: Int64) -> Float32:
    """Return `(c, d)` the unit mean of each cluster, weighted."""
    from scipy import sparse

    rows = np.flatnonzero(labels >= 0)
    count = int(labels.max()) + 1 if len(rows) else 0
    membership = sparse.csr_matrix(
        (weights[rows].astype(np.float32), (labels[rows], rows)), (count, len(vectors))
    )
    sums = membership @ vectors
    means: Float32 = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return means


def _around_best(
    vectors: Float32, labels: Int64, cosines: NDArray[np.floating], weights: Int64 | None
) -> Clustering:
    """Make the row nearest to its cluster's mean the centre, and drop empty clusters.

    Args:
        vectors: `(n, d)` float32 unit rows.
        labels: `(n,)` the cluster of each row; `NOISE` for none.
        cosines: `(n,)` the cosine of each row with its cluster's mean.
        weights: `(n,)` the number of texts that each row represents; None: one.
    """
    order = np.lexsort((np.arange(len(labels)), -np.round(cosines, 6), labels))
    order = order[labels[order] >= 0]
    used, first = np.unique(labels[order], return_index=True)
    renumbered = np.full(int(labels.max(initial=0)) + 1, NOISE, np.int64)
    renumbered[used] = np.arange(len(used))
    labels = np.where(labels >= 0, renumbered[labels], NOISE)
    return _by_size(vectors, labels, order[first], weights)


def _by_size(vectors: Float32, labels: Int64, centres: Int64, weights: Int64 | None) -> Clustering:
    """Number clusters by size, largest first; equal ones by their centres."""
    weights = np.ones(len(labels), np.int64) if weights is None else weights
    inside = labels >= 0
    sizes = np.bincount(labels[inside], weights[inside], len(centres))
    order = np.lexsort((centres, -sizes))
    place = np.empty(len(centres), np.int64)
    place[order] = np.arange(len(centres))
    centres = centres[order]
    labels = np.where(inside, place[labels] if len(place) else NOISE, NOISE)
    scores = np.zeros(len(labels), np.float32)
    scores[inside] = np.einsum("nd,nd->n", vectors[inside], vectors[centres[labels[inside]]])
    return Clustering(labels, centres, scores)

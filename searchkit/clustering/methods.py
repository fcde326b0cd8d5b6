"""Clustering: which texts say the same, by three methods on the same vectors.

Each gives every row a cluster and every cluster a centre, which is one of its rows. A row may stand
for several equal texts, as its weight says.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Int64, centred
from searchkit.mining.exact import mine_blocks

GRID = tuple(round(0.4 + 0.025 * n, 3) for n in range(23))  # thresholds that are tried
SAMPLE = 3_000  # rows on which a threshold or a number of clusters is tried
NEARLY = 0.9  # of the best separation: among those the finest clusters are chosen
ROUNDS, STARTS = 25, 3  # of k-means
NOISE = -1


@dataclass(frozen=True, slots=True)
class Clustering:
    """Rows in clusters.

    Attributes:
        labels: `(n,)` the cluster of each row, from 0; `NOISE` for none.
        centres: `(c,)` the row that is the centre of each cluster.
        scores: `(n,)` cosine of each row with its cluster's centre; 0 for noise.
    """

    labels: Int64
    centres: Int64
    scores: Float32


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that was chosen from the data, and the quality of each that was tried.

    Attributes:
        value: The threshold, or the number of clusters.
        quality: Its separation.
        tried: Every (value, quality), ascending.
    """

    value: float
    quality: float
    tried: tuple[tuple[float, float], ...]


def communities(vectors: Float32, threshold: float, *, weights: Int64 | None = None) -> Clustering:
    """Put rows around the densest centres: every member scores at least the threshold with it.

    The row that most rows not yet in a cluster score at least `threshold` with (itself counted,
    by weight) is the first centre, and they are its members; then the same among the others.
    Equal counts go to the greater sum of scores, then to the lower row. Exact: no neighbour is
    left out.

    Args:
        vectors: `(n, d)` float32 unit rows.
        threshold: Inclusive; compared to six places.
        weights: `(n,)` how many texts each row stands for; None: one.

    Returns:
        Every row is in a cluster; one that nothing is near to is in one of its own.
    """
    return _grown(vectors, _neighbours(vectors, threshold), weights)


def _grown(vectors: Float32, near: _Near, weights: Int64 | None) -> Clustering:
    count = len(vectors)
    weights = np.ones(count, np.int64) if weights is None else np.asarray(weights, np.int64)
    rows, begins, others, scores = near.rows, near.begins, near.others, near.scores
    gains = np.bincount(rows, weights[others], count).astype(np.int64)
    sums = np.zeros(count, np.int64)  # of scores in millionths: exact in any order
    np.add.at(sums, rows, scores)
    labels = np.full(count, NOISE, np.int64)
    centres: list[int] = []
    heap = [
        (-g, -s, row) for row, (g, s) in enumerate(zip(gains.tolist(), sums.tolist(), strict=True))
    ]
    heapq.heapify(heap)
    while heap:
        gain, total, row = heapq.heappop(heap)
        if labels[row] != NOISE:
            continue
        now = (-int(gains[row]), -int(sums[row]))
        if now != (gain, total):  # its neighbours went elsewhere: it waits its turn again
            heapq.heappush(heap, (*now, row))
            continue
        if -gain > weights[row]:
            members = others[begins[row] : begins[row + 1]]
            members = members[labels[members] == NOISE]
            places = _ranges(begins[members], begins[members + 1])
            gone = np.repeat(weights[members], begins[members + 1] - begins[members])
            np.subtract.at(gains, others[places], gone)
            np.subtract.at(sums, others[places], scores[places])
            labels[members] = len(centres)
        labels[row] = len(centres)
        centres.append(row)
    return _ordered(vectors, labels, np.array(centres, np.int64), weights)


def _ranges(starts: Int64, stops: Int64) -> Int64:
    """Return all numbers of these ranges, one range after the other."""
    lengths = stops - starts
    before = np.cumsum(lengths) - lengths
    numbers: Int64 = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return numbers


def k_means(vectors: Float32, k: int, *, weights: Int64 | None = None, seed: int = 0) -> Clustering:
    """Split rows into k clusters around means on the sphere (FAISS).

    Args:
        vectors: `(n, d)` float32 unit rows.
        k: How many; no more than there are rows.
        weights: `(n,)` how many texts each row stands for; None: one.
        seed: Of the first means.

    Returns:
        At most k clusters; the centre of each is the row nearest to its mean.
    """
    import faiss

    rows = np.ascontiguousarray(vectors, np.float32)
    k = min(k, len(rows))
    if not len(rows):
        return _ordered(rows, np.empty(0, np.int64), np.empty(0, np.int64), None)
    means = faiss.Kmeans(
        rows.shape[1],
        k,
        niter=ROUNDS,
        nredo=STARTS,
        seed=seed + 1,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=max(256, len(rows) // k + 1),
    )
    means.train(rows, weights=None if weights is None else np.asarray(weights, np.float32))
    cosines, nearest = means.index.search(rows, 1)
    labels = nearest.ravel().astype(np.int64)
    return _around_best(rows, labels, cosines.ravel(), weights)


def hdbscan(vectors: Float32, min_size: int, *, weights: Int64 | None = None) -> Clustering:
    """Find clusters of any density (Campello et al., 2013; scikit-learn); the others are noise.

    Args:
        vectors: `(n, d)` float32 unit rows; their euclidean distance goes with the cosine.
        min_size: Rows of a cluster, at least; 2 or more.
        weights: `(n,)` how many texts each row stands for. A row that would be noise is a cluster
            if it stands for so many.
    """
    from sklearn.cluster import HDBSCAN

    count = len(vectors)
    weights = np.ones(count, np.int64) if weights is None else np.asarray(weights, np.int64)
    labels = np.full(count, NOISE, np.int64)
    if count >= max(2, min_size):
        found = HDBSCAN(min_cluster_size=min_size, copy=True).fit(vectors.astype(np.float64))
        labels = found.labels_.astype(np.int64)
    for row in np.flatnonzero((labels == NOISE) & (weights >= min_size)):
        labels[row] = labels.max() + 1
    means = _means(vectors, labels, weights)
    own = np.einsum("nd,nd->n", vectors, means[labels]) if len(means) else np.zeros(count)
    return _around_best(vectors, labels, own, weights)


def separation(vectors: Float32, found: Clustering, weights: Int64 | None = None) -> float:
    """Say by how much rows are nearer to their own centre than to the next one; a cosine.

    It is the numerator of a simplified silhouette (Hruschka, de Castro and Campello, ICDM 2004)
    with one difference: a row that is alone, or noise, has no centre of its own, and counts as
    minus its cosine with the next. So neither one great cluster nor many small ones are best.
    """
    if not len(found.centres):
        return 0.0
    weights = np.ones(len(vectors), np.int64) if weights is None else weights
    inside = np.flatnonzero(found.labels >= 0)
    labels = found.labels[inside]
    sizes = np.bincount(labels, weights[inside], len(found.centres))
    cosines = vectors @ vectors[found.centres].T  # (n, c)
    own = np.zeros(len(vectors), np.float32)
    own[inside] = np.where(sizes[labels] > 1, cosines[inside, labels], 0)
    cosines[inside, labels] = 0
    apart = own - np.maximum(cosines.max(axis=1), 0)
    return float((apart * weights).sum() / weights.sum())


def choose_threshold(
    vectors: Float32, *, weights: Int64 | None = None, grid: Sequence[float] = GRID
) -> Choice:
    """Choose the threshold of `communities` whose clusters are best apart, by `separation`.

    Vectors are taken relative to their mean for that: answers to one question are all alike, and
    one great cluster of them would say nothing. Of many rows a sample is looked at.
    """
    rows, sizes = _sampled(vectors, weights)
    apart = centred(rows, sizes.astype(np.float64))
    near = _neighbours(rows, min(grid))
    return _best([(t, separation(apart, _grown(rows, near.above(t), sizes), sizes)) for t in grid])


def choose_k(vectors: Float32, *, weights: Int64 | None = None, seed: int = 0) -> Choice:
    """Choose the k of `k_means` whose clusters are best apart, as `choose_threshold` does.

    Tried are 2, 3, 4 and then some up to twice the square root of the number of rows.
    """
    rows, sizes = _sampled(vectors, weights)
    apart = centred(rows, sizes.astype(np.float64))
    most = min(len(rows) - 1, int(2 * np.sqrt(len(rows))))
    ks = sorted({int(k) for k in np.geomspace(2, max(2, most), 12).round()})
    return _best(
        [(k, separation(apart, k_means(rows, k, weights=sizes, seed=seed), sizes)) for k in ks]
    )


def _best(tried: Sequence[tuple[float, float]]) -> Choice:
    """Choose the finest setting that is nearly as good as the best one."""
    best = max(quality for _, quality in tried)
    enough = best - (1 - NEARLY) * abs(best) - 1e-9
    value, quality = max(pair for pair in tried if pair[1] >= enough)
    return Choice(value, quality, tuple(tried))


def _sampled(vectors: Float32, weights: Int64 | None) -> tuple[Float32, Int64]:
    sizes = np.ones(len(vectors), np.int64) if weights is None else np.asarray(weights)
    if len(vectors) <= SAMPLE:
        return vectors, sizes
    some = np.sort(np.random.default_rng(0).choice(len(vectors), SAMPLE, replace=False))
    return vectors[some], sizes[some]


@dataclass(frozen=True, slots=True)
class _Near:
    """For each row the rows that are near to it, itself among them.

    Attributes:
        rows: `(m,)` ascending.
        others: `(m,)` what is near to it.
        scores: `(m,)` in millionths.
        begins: `(n + 1,)` where each row's begin.
    """

    rows: NDArray[np.int32]
    others: NDArray[np.int32]
    scores: Int64
    begins: Int64

    def above(self, threshold: float) -> _Near:
        """Leave what scores at least so much."""
        kept = self.scores >= round(threshold * 1e6)
        return _Near(
            self.rows[kept],
            self.others[kept],
            self.scores[kept],
            np.concatenate([[0], np.cumsum(kept)])[self.begins],
        )


def _neighbours(vectors: Float32, threshold: float) -> _Near:
    """Find the rows that score at least the threshold."""
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
    return _Near(
        left[order],
        np.concatenate(rights)[order],
        np.concatenate(scores)[order].astype(np.int64),
        begins,
    )


def _means(vectors: Float32, labels: Int64, weights: Int64) -> Float32:
    from scipy import sparse

    rows = np.flatnonzero(labels >= 0)
    count = int(labels.max()) + 1 if len(rows) else 0
    member = sparse.csr_matrix(
        (weights[rows].astype(np.float32), (labels[rows], rows)), (count, len(vectors))
    )
    sums = member @ vectors
    means: Float32 = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return means


def _around_best(
    vectors: Float32, labels: Int64, cosines: NDArray[np.floating], weights: Int64 | None
) -> Clustering:
    """Make the row that is nearest to its cluster's mean the centre; empty clusters vanish."""
    order = np.lexsort((np.arange(len(labels)), -np.round(cosines, 6), labels))
    order = order[labels[order] >= 0]
    known, first = np.unique(labels[order], return_index=True)
    renumbered = np.full(int(labels.max(initial=0)) + 1, NOISE, np.int64)
    renumbered[known] = np.arange(len(known))
    labels = np.where(labels >= 0, renumbered[labels], NOISE)
    return _ordered(vectors, labels, order[first], weights)


def _ordered(vectors: Float32, labels: Int64, centres: Int64, weights: Int64 | None) -> Clustering:
    """Number the clusters by size, largest first; equal ones by their centres."""
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


ClusterMethod = Literal["communities", "k-means", "hdbscan"]
CLUSTER_METHODS: tuple[ClusterMethod, ...] = ("communities", "k-means", "hdbscan")


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How one question is clustered; see `cluster` for what each means."""

    method: ClusterMethod
    threshold: float | None
    k: int | None
    min_size: int
    seed: int
    torch: bool = False  # mining takes it where it is loaded, and it sums in another order


def cluster_vectors(
    rows: Float32, weights: Int64, settings: ClusterSettings
) -> tuple[Clustering, Choice | None]:
    """Cluster rows as the settings say; return the threshold or k that was chosen, if one was."""
    method, seed = settings.method, settings.seed
    choice = None
    if method == "communities":
        if settings.threshold is None:
            choice = choose_threshold(rows, weights=weights)
        value = choice.value if choice else settings.threshold
        return communities(rows, float(value or 0), weights=weights), choice
    if method == "k-means":
        if settings.k is None:
            choice = choose_k(rows, weights=weights, seed=seed)
        value = choice.value if choice else settings.k
        return k_means(rows, int(value or 1), weights=weights, seed=seed), choice
    return hdbscan(rows, settings.min_size, weights=weights), None

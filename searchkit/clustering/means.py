"""k-means whose starts are good: many small clusters, merged by Ward's criterion, then moved.

From random means k-means ends with some classes torn and others joined; from merged small clusters
(the hybrid of Wong, 1982; Ward, 1963) hardly. The merges also tell a number of clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.core.errors import MAX_SEED
from searchkit.index.vectors.faiss_runtime import load_faiss

STARTS = 3  # of which the best by inertia is kept
ITERATIONS, SMALL_ITERATIONS = 25, 15
MAX_SMALL_CLUSTERS = 400  # that are merged
MAX_TRIAL_ROWS = 3_000  # rows on which a number of clusters is tried
K_CANDIDATES = 40  # numbers of clusters that are tried


def find_means(
    rows: Float32, k: int, weights: Int64 | None = None, seed: int = 0
) -> tuple[Int64, Float32]:
    """Cluster rows by spherical k-means, from the best of several seeded starts.

    Args:
        rows: `(n, d)` float32, contiguous; unit rows, or zeros.
        k: The number of clusters, from 1 to n.
        weights: `(n,)` the number of texts that each row represents; None: one.
        seed: Of the starts.

    Returns:
        `(n,)` the cluster of each row, and `(n,)` its cosine with the cluster's mean.
    """
    counts = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    is_small = len(rows) <= MAX_SMALL_CLUSTERS  # then nothing is drawn at random
    found = []
    for start in range(1 if is_small else STARTS):
        first = None
        if 2 * k <= MAX_SMALL_CLUSTERS or is_small:
            small = merge_rows(rows, counts, seed * STARTS + start)
            first = small.means(k)
        found.append(_k_means(rows, k, counts, seed * STARTS + start, ITERATIONS, first))
    return max(found, key=lambda pair: float(counts @ pair[1].astype(np.float64)))


def try_counts(
    rows: Float32, weights: Int64 | None = None, seed: int = 0
) -> list[tuple[int, float]]:
    """Return the numbers of clusters that were tried, ascending, each with its quality.

    The quality is the product of two: the simplified silhouette of small clusters among the merged
    ones (Hruschka, de Castro and Campello, 2004), which prefers fine clusters, and the mean
    difference of their cosines with their own mean and the next one, which prefers coarse ones.
    """
    counts = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    small = merge_rows(rows, counts, seed)
    sample = np.random.default_rng(0).permutation(len(rows))[:MAX_TRIAL_ROWS]
    highest = min(int(1.5 * len(rows) ** 0.5), len(small.sizes) // 2)
    ks = sorted({int(k) for k in np.geomspace(2, max(2, highest), K_CANDIDATES).round()})
    return [
        (k, small.quality(k, rows[sample], counts[sample])) for k in ks if k <= len(small.sizes)
    ]


@dataclass(frozen=True, slots=True)
class SmallClusters:
    """Small clusters of rows, and the order in which they are merged.

    Attributes:
        centres: `(m, d)` the mean of each small cluster, not scaled.
        sizes: `(m,)` the number of texts in each.
        merges: `(m - 1, 2)` which cluster takes in which other one, both named by a small cluster.
    """

    centres: Float64
    sizes: Float64
    merges: Int64

    def labels(self, k: int) -> Int64:
        """Return `(m,)` the cluster of each small cluster, when there are k."""
        labels = np.arange(len(self.sizes))
        for taker, taken in self.merges[: len(self.sizes) - k].tolist():
            labels[labels == taken] = taker
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)

    def means(self, k: int) -> Float32:
        """Return `(k, d)` unit means of the merged clusters."""
        return _unit(self._sums(self.labels(k))).astype(np.float32)

    def quality(self, k: int, rows: Float32, counts: Float64) -> float:
        """Return how well k clusters set some rows apart; see `try_counts`.

        Args:
            k: The number of clusters.
            rows: `(s, d)` the rows that are looked at.
            counts: `(s,)` the number of texts that each represents.
        """
        labels = self.labels(k)
        means = (self._sums(labels) / np.bincount(labels, self.sizes)[:, None]).astype(np.float32)
        products = rows @ means.T
        lengths = (means**2).sum(axis=1)
        distances = np.sqrt(np.maximum((rows**2).sum(axis=1)[:, None] + lengths - 2 * products, 0))
        own, other = np.partition(distances, 1, axis=1)[:, :2].T
        silhouette = counts @ ((other - own) / np.maximum(other, 1e-9)) / counts.sum()
        cosines = products / np.maximum(np.sqrt(lengths), 1e-9)
        other, own = np.partition(cosines, k - 2, axis=1)[:, -2:].T
        return float(silhouette * (counts @ (own - np.maximum(other, 0))) / counts.sum())

    def _sums(self, labels: Int64) -> Float64:
        sums = np.zeros((labels.max() + 1, self.centres.shape[1]))
        np.add.at(sums, labels, self.centres * self.sizes[:, None])
        return sums


def merge_rows(rows: Float32, counts: Float64, seed: int) -> SmallClusters:
    """Divide rows into small clusters, and merge those whose joining adds least to the inertia."""
    labels = np.arange(len(rows))
    if len(rows) > MAX_SMALL_CLUSTERS:
        found, _ = _k_means(rows, MAX_SMALL_CLUSTERS, counts, seed, SMALL_ITERATIONS)
        labels = np.unique(found, return_inverse=True)[1]
    sizes = np.bincount(labels, counts).astype(np.float64)
    centres = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(centres, labels, rows * counts[:, None])
    centres /= sizes[:, None]
    return SmallClusters(centres, sizes, _ward(centres, sizes))


def _ward(centres: Float64, sizes: Float64) -> Int64:
    """Return the merges by Ward's criterion, of weighted centres (Lance and Williams, 1967)."""
    count = len(sizes)
    weights = sizes.copy()
    squares = (centres**2).sum(axis=1)
    costs = np.maximum(squares[:, None] + squares - 2 * centres @ centres.T, 0)
    costs *= weights[:, None] * weights / (weights[:, None] + weights)
    np.fill_diagonal(costs, np.inf)
    merges = np.empty((max(count - 1, 0), 2), np.int64)
    for number in range(len(merges)):
        taker, taken = divmod(int(costs.argmin()), count)
        merges[number] = taker, taken
        cost, one, other = costs[taker, taken], weights[taker], weights[taken]
        merged = (one + weights) * costs[taker] + (other + weights) * costs[taken] - cost * weights
        merged /= one + other + weights
        costs[taker], costs[:, taker] = merged, merged
        costs[taken], costs[:, taken] = np.inf, np.inf
        costs[taker, taker] = np.inf
        weights[taker] += other
    return merges


def _k_means(
    rows: Float32,
    k: int,
    counts: Float64,
    seed: int,
    iterations: int,
    first: Float32 | None = None,
) -> tuple[Int64, Float32]:
    """Run spherical k-means (FAISS) from means that are given, or else drawn at random."""
    faiss = load_faiss()

    means = faiss.Kmeans(
        rows.shape[1],
        k,
        niter=iterations,
        seed=int(seed + 1) % MAX_SEED,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=max(256, len(rows) // k + 1),
    )
    means.train(rows, weights=counts.astype(np.float32), init_centroids=first)
    cosines, nearest = means.index.search(rows, 1)
    return nearest.ravel().astype(np.int64), cosines.ravel()


def _unit(rows: Float64) -> Float64:
    scaled: Float64 = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return scaled

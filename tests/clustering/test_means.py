"""k-means: merges by Ward's criterion, starts from them, and what tells a number of clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from searchkit.clustering import means
from searchkit.clustering.means import MAX_SMALL_CLUSTERS, find_means, merge_rows, try_counts


def blobs(sizes: list[int], spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around random centres, and the centre of each."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rows = rng.standard_normal((len(sizes), 32))[truth]
    rows = rows + spread * rng.standard_normal((len(truth), 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


@pytest.mark.parametrize("k", [1, 2, 5, 12, 60])
def test_rows_are_merged_as_by_ward(k: int) -> None:
    rows, _ = blobs([20, 20, 12, 8], spread=1.5)
    merged = merge_rows(rows, np.ones(60), 0)
    theirs = fcluster(linkage(rows.astype(np.float64), "ward"), k, "maxclust")
    assert adjusted_rand_score(theirs, merged.labels(k)) == 1


def test_a_weight_counts_as_so_many_rows() -> None:
    rows, _ = blobs([6, 5, 4], spread=1.5)
    weights = np.arange(15) % 3 + 1
    merged = merge_rows(rows, weights.astype(float), 0)
    repeated = merge_rows(np.repeat(rows, weights, axis=0), np.ones(weights.sum()), 0)
    for k in range(1, 15):
        theirs = repeated.labels(k)
        assert adjusted_rand_score(theirs, np.repeat(merged.labels(k), weights)) == 1


def test_no_class_is_torn_or_joined() -> None:
    rows, truth = blobs([40] * 30, spread=0.6)
    assert len(rows) > MAX_SMALL_CLUSTERS
    labels, cosines = find_means(rows, 30)
    assert adjusted_rand_score(truth, labels) > 0.99
    centres = np.stack([rows[labels == n].mean(axis=0) for n in range(30)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    assert np.allclose(cosines, np.einsum("nd,nd->n", rows, centres[labels]), atol=1e-4)
    again, _ = find_means(rows, 30)
    assert np.array_equal(labels, again)


def test_the_best_start_is_kept() -> None:
    rows, _ = blobs([30] * 20, spread=2.0)
    totals = [float(find_means(rows, 20, seed=seed)[1].sum()) for seed in range(4)]
    single = [
        float(means._k_means(rows, 20, np.ones(600), seed, 25)[1].sum()) for seed in range(12)
    ]
    assert min(totals) > np.mean(single)


def test_more_clusters_than_are_merged_and_as_many_as_rows() -> None:
    rows, _ = blobs([2] * 300, spread=0.3)
    labels, _ = find_means(rows, 300)
    assert len(np.unique(labels)) > 200
    labels, cosines = find_means(rows[:50], 50)
    assert len(np.unique(labels)) == 50
    assert np.allclose(cosines, 1, atol=1e-5)


@pytest.mark.parametrize("classes", [3, 8, 25])
def test_the_number_of_clusters_that_are_set_apart_is_best(classes: int) -> None:
    rows, _ = blobs([60] * classes, spread=0.5)
    tried = try_counts(rows - rows.mean(axis=0))
    best, _ = max(tried, key=lambda pair: pair[1])
    assert abs(best - classes) <= 0.15 * classes
    assert [k for k, _ in tried] == sorted({k for k, _ in tried})

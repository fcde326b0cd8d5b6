"""Clustering: each method against its definition, in plain Python, and on what has one answer."""

from __future__ import annotations

import numpy as np
import pytest

from searchkit.clustering.features import cluster_features
from searchkit.clustering.methods import (
    NOISE,
    Clustering,
    choose_k,
    choose_threshold,
    communities,
    hdbscan,
    k_means,
    separation,
)


def blobs(sizes: list[int], noise: float = 0.25, seed: int = 0, d: int = 24) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((len(sizes), d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rows = np.repeat(centres, sizes, axis=0) + rng.standard_normal((sum(sizes), d)) * noise / d**0.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def by_definition(rows: np.ndarray, threshold: float, weights: np.ndarray) -> list[list[int]]:
    """The densest centre first, among the rows that are in no cluster yet."""
    near = (rows @ rows.T >= threshold - 5e-7) | np.eye(len(rows), dtype=bool)
    millionths = np.rint(np.where(np.eye(len(rows), dtype=bool), 1.0, rows @ rows.T) * 1e6)
    free = set(range(len(rows)))
    found = []
    while free:

        def density(row: int, among: set[int] = free) -> tuple[float, float, int]:
            inside = [n for n in among if near[row, n]]
            return -weights[inside].sum(), -millionths[row, inside].sum(), row

        centre = min(free, key=density)
        members = sorted(n for n in free if near[centre, n])
        found.append([centre, *members])
        free -= set(members)
    return found


def as_lists(found: Clustering) -> list[list[int]]:
    return [
        [int(centre), *np.flatnonzero(found.labels == n).tolist()]
        for n, centre in enumerate(found.centres)
    ]


@pytest.mark.parametrize("threshold", [-1, 0.2, 0.5, 0.8, 0.95, 1])
@pytest.mark.parametrize("seed", [0, 1])
def test_communities_are_what_they_are_defined_to_be(threshold: float, seed: int) -> None:
    rows = blobs([9, 7, 4, 1, 1], noise=0.9, seed=seed)
    weights = np.random.default_rng(seed).integers(1, 4, len(rows))
    found = communities(rows, threshold, weights=weights)
    assert sorted(as_lists(found)) == sorted(by_definition(rows, threshold, weights))
    assert (found.scores >= threshold - 1e-6).all()
    sizes = [int(weights[members[1:]].sum()) for members in as_lists(found)]
    assert sizes == sorted(sizes, reverse=True)


def test_equal_to_the_threshold_is_in_and_all_equal_are_one() -> None:
    rows = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    assert communities(rows, 0.8).labels.tolist() == [0, 0, 1]
    assert communities(rows, 0.800001).labels.tolist() == [0, 1, 2]
    equal = np.repeat(rows[:1], 50, axis=0)
    assert communities(equal, 1.0).labels.tolist() == [0] * 50


@pytest.mark.parametrize("rows", [np.empty((0, 3), np.float32), np.ones((1, 1), np.float32)])
def test_nothing_and_one(rows: np.ndarray) -> None:
    for found in (communities(rows, 0.5), k_means(rows, 3), hdbscan(rows, 2)):
        assert len(found.labels) == len(rows)
        assert len(found.centres) <= len(rows)
    assert choose_threshold(rows).quality == 0
    assert choose_k(rows).value == 2


def test_k_means_finds_blobs_and_is_the_same_again() -> None:
    rows = blobs([30, 20, 10])
    found = k_means(rows, 3)
    assert [np.unique(part).tolist() for part in np.split(found.labels, [30, 50])] == [
        [0],
        [1],
        [2],
    ]
    assert k_means(rows, 3).centres.tolist() == found.centres.tolist()
    assert len(k_means(rows, 999).centres) <= len(rows)
    weights = np.where(np.arange(60) == 59, 500, 1)  # the last row stands for many
    assert k_means(rows, 3, weights=weights).labels[59] == 0


def test_hdbscan_finds_blobs_and_calls_the_rest_noise() -> None:
    rows = np.concatenate([blobs([30, 20], noise=0.1), blobs([1] * 5, seed=9)])
    found = hdbscan(rows, 5)
    assert set(found.labels[:30]) == {0}
    assert set(found.labels[30:50]) == {1}
    noise = found.labels == NOISE
    assert noise[50:].sum() >= 3
    assert (found.scores[noise] == 0).all()
    weights = np.ones(len(rows), np.int64)
    weights[52] = 7  # of it there are enough by itself
    assert hdbscan(rows, 5, weights=weights).labels[52] == 2


def test_the_chosen_threshold_and_k_separate_blobs() -> None:
    rows = blobs([40, 25, 15, 10], noise=0.6)
    truth = np.repeat(np.arange(4), [40, 25, 15, 10])
    choice = choose_threshold(rows)
    labels = communities(rows, choice.value).labels
    assert (labels == truth).mean() > 0.9
    features = cluster_features(rows, [""] * len(rows))
    assert choose_k(features).value == 4
    assert (k_means(rows, 4, features=features).labels == truth).all()
    best = max(quality for _, quality in choice.tried)
    assert choice.value == max(value for value, quality in choice.tried if quality >= 0.9 * best)


def test_separation_by_hand() -> None:
    rows = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    found = Clustering(np.array([0, 0, 1]), np.array([0, 2]), np.ones(3, np.float32))
    # the first is at its centre, and 0 from the other; the second 0.8 and 0.6; the third is alone
    assert separation(rows, found) == pytest.approx((1 + 0.2 - 0) / 3)
    assert separation(rows, found, np.array([1, 1, 2])) == pytest.approx((1 + 0.2 + 2) / 4)
    assert separation(rows[:0], communities(rows[:0], 0.5)) == 0

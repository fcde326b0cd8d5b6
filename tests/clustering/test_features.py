"""What k-means sees: meaning, words, and the mean of the nearest texts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from searchkit.clustering import features as module
from searchkit.clustering.features import cluster_features
from searchkit.clustering.methods import choose_k, k_means

WORDS = ("loop callback queue", "stream chunk pipe", "promise await reject", "buffer byte octet")


def noise(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, 256))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def corpus(count: int) -> tuple[list[str], np.ndarray]:
    """Texts on four themes that have their words, and the theme of each."""
    rng = np.random.default_rng(1)
    themes = np.arange(count) % len(WORDS)
    fillers = [" ".join(rng.choice(list("abcdefghij"), 3)) for _ in range(count)]
    return [f"{WORDS[t]} {filler}" for t, filler in zip(themes, fillers, strict=True)], themes


def test_words_tell_what_vectors_do_not() -> None:
    texts, themes = corpus(400)
    vectors = noise(400)
    alone = k_means(vectors, 4).labels
    assert adjusted_rand_score(themes, alone) < 0.2
    beside = cluster_features(vectors, texts)
    assert adjusted_rand_score(themes, k_means(vectors, 4, features=beside).labels) > 0.9
    assert choose_k(beside).value == 4


def test_rows_are_unit_and_the_same_again() -> None:
    texts, _ = corpus(90)
    found = cluster_features(noise(90), texts)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.array_equal(found, cluster_features(noise(90), texts))


def test_neighbours_are_drawn_together_and_themes_stay_apart() -> None:
    texts, themes = corpus(200)
    vectors = noise(4)[themes] + 0.8 * noise(200, seed=3)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = cluster_features(vectors, texts)
    same = themes[:, None] == themes
    assert (found @ found.T)[same].mean() > (vectors @ vectors.T)[same].mean() + 0.1
    assert (found @ found.T)[~same].mean() < 0.1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_rows(count: int) -> None:
    found = cluster_features(noise(3)[:count], ["one text", "one text", ""][:count])
    assert len(found) == count
    assert np.isfinite(found).all()


def test_texts_without_words_in_common() -> None:
    texts = [f"word{n}" for n in range(30)]
    assert cluster_features(noise(30), texts).shape == (30, 256)


def test_many_rows_are_searched_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, themes = corpus(600)
    monkeypatch.setattr(module, "MAX_EXACT_ROWS", 500)
    found = cluster_features(noise(600), texts)
    assert adjusted_rand_score(themes, k_means(noise(600), 4, features=found).labels) > 0.9

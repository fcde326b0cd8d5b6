"""What to mark next: the greedy order by its definition, and equal texts."""

from __future__ import annotations

import numpy as np

from searchkit.grading.promise.coverage import likeness, order_by_gain


def some_vectors(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, 8))
    vectors = centres[rng.integers(0, 4, count)] + 0.5 * rng.normal(size=(count, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_definition(
    similarity: np.ndarray, uncertainty: np.ndarray, marked: np.ndarray, candidates: np.ndarray
) -> list[int]:
    """The best answer again and again, each gain computed anew."""

    def value(rows: np.ndarray) -> float:
        nearest = similarity[:, rows].max(axis=1, initial=0)
        return float((np.where(marked, 0, uncertainty) * nearest).sum())

    order: list[int] = []
    while True:
        rows = np.append(np.flatnonzero(marked), order).astype(int)
        left = [row for row in np.flatnonzero(candidates).tolist() if row not in order]
        gains = [value(np.append(rows, row)) - value(rows) for row in left]
        if not gains or max(gains) < 1e-9:
            return order
        order.append(left[int(np.argmax(gains))])


def test_the_order_is_the_greedy_one() -> None:
    vectors = some_vectors(70)
    questions = np.arange(70) % 2
    similarity = likeness(vectors, questions)
    dense = similarity.toarray()
    assert np.allclose(dense, dense.T) and dense.min() >= 0
    assert np.allclose(dense.diagonal(), 1)
    assert not dense[np.not_equal.outer(questions, questions)].any()
    rng = np.random.default_rng(1)
    uncertainty = rng.random(70)
    marked = rng.random(70) < 0.2
    candidates = ~marked & (rng.random(70) < 0.8)
    order = order_by_gain(similarity, uncertainty, marked, candidates).tolist()
    expected = by_definition(dense, uncertainty, marked, candidates)
    assert order[: len(expected)] == expected
    assert sorted(order) == np.flatnonzero(candidates).tolist()


def test_equal_texts_count_once() -> None:
    vectors = some_vectors(30)
    vectors[10:20] = vectors[0]
    questions = np.zeros(30, int)
    nothing = np.zeros(30, bool)
    order = order_by_gain(likeness(vectors, questions), np.ones(30), nothing, ~nothing)
    equal = {0, *range(10, 20)}
    assert order[0] in equal  # it stands for eleven answers
    assert equal - {int(order[0])} == set(order[-10:].tolist())


def test_all_answers_equal_or_one_alone() -> None:
    for count in (1, 2, 12):
        vectors = np.repeat(some_vectors(1), count, axis=0)
        nothing = np.zeros(count, bool)
        similarity = likeness(vectors, np.zeros(count, int))
        assert np.allclose(similarity.diagonal(), 1) and np.allclose(similarity.toarray()[0], 1)
        order = order_by_gain(similarity, np.ones(count), nothing, ~nothing)
        assert order.tolist() == list(range(count))

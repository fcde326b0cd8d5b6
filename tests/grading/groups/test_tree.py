"""Nested groups: what is together, at which level, and in which order."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from searchkit.grading.groups import tree as module
from searchkit.grading.groups.tree import ALONE, build_tree, choose_cards

THINGS = ("the event loop", "a promise", "the call stack", "garbage collection", "a worker thread")
DOES = ("runs callbacks", "waits for files", "keeps order", "frees memory", "blocks the queue")


def corpus(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Answers on five themes, with vectors around one centre each."""
    rng = np.random.default_rng(seed)
    theme = rng.integers(0, len(THINGS), count)
    texts = [
        f"{THINGS[t]} {DOES[t]} {' '.join(rng.choice(list('abcdefgh'), 3))} note{rng.integers(50)}"
        for t in theme
    ]
    centres = rng.standard_normal((len(THINGS), 32))
    rows = centres[theme] + 0.4 * rng.standard_normal((count, 32))
    return texts, (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def sets(labels: np.ndarray) -> set[frozenset[int]]:
    """The groups and single answers of a cut."""
    keys = np.where(labels == ALONE, -1 - np.arange(len(labels)), labels)
    return {frozenset(np.flatnonzero(keys == key).tolist()) for key in np.unique(keys)}


def test_cuts_are_nested_and_get_coarser() -> None:
    tree = build_tree(*corpus(80))
    cuts = [sets(tree.cut(level)) for level in range(tree.levels)]
    assert tree.levels == 20
    for finer, coarser in itertools.pairwise(cuts):
        assert len(finer) >= len(coarser)
        assert all(any(group <= larger for larger in coarser) for group in finer)
    assert len(cuts[0]) > 40
    assert len(cuts[-1]) < 12


def test_groups_are_numbered_by_size_and_then_by_the_first_row() -> None:
    tree = build_tree(*corpus(60))
    for level in range(tree.levels):
        labels = tree.cut(level)
        groups = [np.flatnonzero(labels == n) for n in range(labels.max() + 1)]
        keys = [(-len(rows), rows[0]) for rows in groups]
        assert keys == sorted(keys)
        assert all(len(rows) > 1 for rows in groups)


def test_the_default_has_a_card_for_less_than_half_of_the_answers() -> None:
    for count, cards in ((10, 4), (90, 39), (360, 79)):
        tree = build_tree(*corpus(count))
        assert choose_cards(count) == cards
        assert len(sets(tree.cut(tree.default))) == cards


def test_equal_texts_are_together_at_every_level() -> None:
    texts, vectors = corpus(30)
    texts[7], texts[19] = "The event  loop!", "the Event loop"
    vectors[19] = -vectors[7]  # whatever the model says
    tree = build_tree(texts, vectors)
    for level in range(tree.levels):
        assert tree.cut(level)[7] == tree.cut(level)[19] != ALONE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the terminal is connected to the bulb", "the terminal is not connected to the bulb"),
        ("it takes 5 ms to send", "it takes 5 s to send"),
        ("sorting takes O(n) steps", "sorting takes O(n^2) steps"),
    ],
)
def test_a_claim_sets_apart_what_vectors_hold_for_the_same(one: str, other: str) -> None:
    texts, vectors = corpus(40)
    texts[:12] = [one] * 6 + [other] * 6
    vectors[:12] = vectors[0]
    tree = build_tree(texts, vectors)
    labels = tree.cut(tree.default)
    assert len(set(labels[:6].tolist())) == len(set(labels[6:12].tolist())) == 1
    assert labels[0] != labels[6]


def test_the_same_input_gives_the_same_groups() -> None:
    first, second = build_tree(*corpus(50)), build_tree(*corpus(50))
    assert np.array_equal(first.merges, second.merges)
    assert first.default == second.default


def test_known_marks_allow_coarser_groups() -> None:
    texts, vectors = corpus(90)
    fine = build_tree(texts, vectors).default
    assert build_tree(texts, vectors, marks=[None] * 71 + [1.0] * 19).default == fine
    coarse = build_tree(texts, vectors, marks=["correct"] * 60 + [None] * 30)
    assert coarse.default > fine
    numbers = [float(THINGS.index(next(t for t in THINGS if text.startswith(t)))) for text in texts]
    of_themes = build_tree(texts, vectors, marks=numbers)
    assert fine < of_themes.default
    assert len(sets(of_themes.cut(of_themes.default))) >= len(THINGS)
    rng = np.random.default_rng(0)
    mixed = build_tree(texts, vectors, marks=rng.integers(0, 9, 90).astype(float).tolist())
    assert mixed.default == fine


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_answers(count: int) -> None:
    texts, vectors = corpus(3)
    tree = build_tree(texts[:count], vectors[:count])
    for level in range(tree.levels):
        assert tree.cut(level).shape == (count,)


def test_texts_without_words_and_equal_vectors() -> None:
    tree = build_tree(["?", "!", "…", "?"], np.ones((4, 1), np.float32))
    assert len(sets(tree.cut(0))) == 1


def test_beyond_the_limit_answers_join_the_most_similar_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_TREE_ROWS", 60)
    texts, vectors = corpus(150)
    tree = build_tree(texts, vectors)
    cuts = [sets(tree.cut(level)) for level in range(tree.levels)]
    assert sum(map(len, cuts[0])) == 150
    assert len(cuts[0]) <= 60
    for finer, coarser in itertools.pairwise(cuts):
        assert all(any(group <= larger for larger in coarser) for group in finer)
    coarse = tree.cut(tree.default)
    theme = [next(n for n, thing in enumerate(THINGS) if t.startswith(thing)) for t in texts]
    for label in range(coarse.max() + 1):
        found = [theme[row] for row in np.flatnonzero(coarse == label)]
        assert np.bincount(found).max() > 0.8 * len(found)


def test_300_answers_take_less_than_a_second() -> None:
    texts, vectors = corpus(300)
    build_tree(texts[:30], vectors[:30])  # what is imported
    started = time.perf_counter()
    build_tree(texts, vectors)
    assert time.perf_counter() - started < 3  # 0.3 s on an idle core

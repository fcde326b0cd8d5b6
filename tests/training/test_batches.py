"""Batches that spread questions and repeat no text; whole questions held out."""

from __future__ import annotations

from collections import Counter
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.training.batches import connected_groups, hold_out_groups, spread_batches


def rows(sizes: dict[str, int]) -> tuple[list[str], list[tuple[str, str]]]:
    questions = [question for question, size in sizes.items() for _ in range(size)]
    return questions, [(f"{q} left {n}", f"{q} right {n}") for n, q in enumerate(questions)]


def test_questions_are_spread_evenly() -> None:
    questions, texts = rows({"a": 40, "b": 20, "c": 10, "d": 10})
    batches = spread_batches(questions, texts, 8)
    assert sorted(row for batch in batches for row in batch) == list(range(80))
    assert [len(batch) for batch in batches] == [8] * 10
    for batch in batches:
        assert Counter(questions[row] for row in batch) == {"a": 4, "b": 2, "c": 1, "d": 1}


def test_a_text_is_never_twice_in_a_batch() -> None:
    questions = ["a"] * 30 + ["b"] * 30
    texts = [("reference", f"answer {n % 25}") for n in range(30)]
    texts += [(f"left {n}", "I don't know" if n % 3 else "reference") for n in range(30)]
    batches = spread_batches(questions, texts, 16, seed=3)
    assert sorted(row for batch in batches for row in batch) == list(range(60))
    for batch in batches:
        said = Counter(text for row in batch for text in set(texts[row]))
        assert max(said.values()) == 1
    assert len(batches) >= 40  # "reference" is in forty rows


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 5)), max_size=40),
    st.integers(1, 7), st.integers(0, 5),
)  # fmt: skip
def test_every_row_once_and_no_text_twice(drawn, size: int, seed: int) -> None:
    questions = [q for q, _, _ in drawn]
    texts = [(f"t{a}", f"t{b}") for _, a, b in drawn]
    batches = spread_batches(questions, texts, size, seed)
    assert sorted(row for batch in batches for row in batch) == list(range(len(drawn)))
    for batch in batches:
        assert 0 < len(batch) <= size
        said = Counter(text for row in batch for text in set(texts[row]))
        assert max(said.values()) == 1


def test_the_seed_decides_the_order() -> None:
    questions, texts = rows({"a": 9, "b": 9})
    assert spread_batches(questions, texts, 4, seed=1) == spread_batches(
        questions, texts, 4, seed=1
    )
    assert spread_batches(questions, texts, 4, seed=1) != spread_batches(
        questions, texts, 4, seed=2
    )
    assert len(spread_batches(questions, texts, 4)) == ceil(18 / 4)


def test_what_shares_a_text_is_connected() -> None:
    labels = connected_groups([("a", "b"), ("c", "d"), ("b", "e"), ("d", "c"), ("f", "f")])
    assert labels[0] == labels[2] and labels[1] == labels[3]
    assert len({labels[0], labels[1], labels[4]}) == 3


def test_whole_groups_are_held_out() -> None:
    groups = [f"q{n % 20}" for n in range(400)]
    out = hold_out_groups(groups, 0.2, seed=5)
    assert out.sum() == 80
    inside = {g for g, held in zip(groups, out, strict=True) if held}
    assert not inside & {g for g, held in zip(groups, out, strict=True) if not held}
    assert hold_out_groups(groups, 0.2, seed=5).tolist() == out.tolist()
    assert hold_out_groups(groups, 0.2, seed=6).tolist() != out.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_great_group_is_not_held_out(seed: int) -> None:
    groups = np.repeat(["great", *"abcdefghij"], [500, *[10] * 10]).tolist()
    assert hold_out_groups(groups, 0.1, seed=seed).sum() == 60
    assert hold_out_groups(["a", "b"], 0.9).sum() == 1
    assert not hold_out_groups(["a", "a"], 0.5).any()

"""Overlap: what two texts share, on texts where one can see it, and on random ones by oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.plagiarism.overlap import MIN_LENGTH, coverage, overlaps, shared_runs
from searchkit.plagiarism.records import Overlap
from searchkit.text.words import sequences, split_words

LEFT = "First of all: the event loop runs callbacks when the stack is empty. Node uses one thread."
RIGHT = "I think The EVENT loop, runs callbacks when the stack is full! There is just one thread."


def shown(left: str, right: str, passage: Overlap) -> tuple[str, str]:
    return left[slice(*passage.left)], right[slice(*passage.right)]


def test_a_verbatim_passage_has_both_offsets() -> None:
    (passage,) = overlaps(LEFT, RIGHT)
    assert passage.kind == "verbatim"
    assert shown(LEFT, RIGHT, passage) == (
        "the event loop runs callbacks when the stack is",
        "The EVENT loop, runs callbacks when the stack is",
    )


def test_a_reworded_sentence_is_found_by_its_vector() -> None:
    def embed(texts: list[str]) -> np.ndarray:
        return np.array([[1, 0] if "thread" in text else [0, 1] for text in texts], np.float32)

    verbatim, reworded = overlaps(LEFT, RIGHT, embed)
    assert reworded.kind == "reworded"
    assert reworded.score == 1
    assert shown(LEFT, RIGHT, reworded) == ("Node uses one thread.", "There is just one thread.")
    assert verbatim.left < reworded.left


@pytest.mark.parametrize(("left", "right"), [("", ""), ("", "a b c d"), ("a b c", "a b c")])
def test_texts_with_nothing_to_show(left: str, right: str) -> None:
    assert overlaps(left, right) == []


def test_moved_passages_are_both_found() -> None:
    one, other = "a b c d e f g h", "m n o p q r s t"
    found = overlaps(f"{one}. {other}.", f"{other}. {one}.")
    assert [passage.kind for passage in found] == ["verbatim", "verbatim"]
    assert found[0].right > found[1].right


def test_renamed_and_reformatted_code_is_the_same_code() -> None:
    left = "```js\nfunction add(first, second) {\n  return first + second; // sum\n}\n```"
    right = "```js\nfunction plus(a, b)\n{ return a+b; }\n```"
    (passage,) = overlaps(left, right)
    assert shown(left, right, passage)[1].startswith("function plus(a, b)")


def test_what_is_left_out_begins_no_passage_but_may_stand_in_one() -> None:
    stock = "the stack is empty"
    out = set(sequences(split_words(stock), (3, 6))[0].tolist())
    alone = (split_words(f"alpha {stock} beta"), split_words(f"gamma {stock} delta"))
    assert shared_runs(*alone, out) == []
    text = f"we saw that {stock} and we went on"
    (run,) = shared_runs(split_words(text), split_words(text), out)
    assert run.length == len(text.split())


@given(*[st.lists(st.sampled_from("abcd"), max_size=30)] * 2)
def test_runs_are_equal_and_no_word_is_in_two(left: list[str], right: list[str]) -> None:
    one, other = split_words(" ".join(left)), split_words(" ".join(right))
    runs = shared_runs(one, other)
    for run in runs:
        assert run.length >= MIN_LENGTH[0]
        assert (
            one.tokens[run.left : run.left + run.length]
            == other.tokens[run.right : run.right + run.length]
        )
    for side in ("left", "right"):
        taken = [
            k for run in runs for k in range(getattr(run, side), getattr(run, side) + run.length)
        ]
        assert len(taken) == len(set(taken))
    assert 0 <= coverage(runs, one, other) <= 1
    if left == right and len(left) >= MIN_LENGTH[0]:
        assert coverage(runs, one, other) == 1


@given(*[st.lists(st.sampled_from("abcdefgh"), max_size=25)] * 2)
def test_the_longest_common_run_is_always_found(left: list[str], right: list[str]) -> None:
    longest = max(
        (
            n
            for i in range(len(left))
            for j in range(len(right))
            for n in [common(left[i:], right[j:])]
        ),
        default=0,
    )
    runs = shared_runs(split_words(" ".join(left)), split_words(" ".join(right)))
    if longest >= MIN_LENGTH[0]:
        assert max(run.length for run in runs) == longest
    else:
        assert runs == []


def common(left: list[str], right: list[str]) -> int:
    n = 0
    while n < min(len(left), len(right)) and left[n] == right[n]:
        n += 1
    return n

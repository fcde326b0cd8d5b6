"""Names that a user typed: the nearest ones are suggested."""

from __future__ import annotations

import time

import pytest

from searchkit.core.names import names_by_beginning, nearest_names, not_found, same_names


@pytest.mark.parametrize(
    ("name", "names", "nearest"),
    [
        ("q99", ["q01", "q09", "q10"], ["q09"]),
        ("ann leee", ["Ann Lee", "Bob", "Anna Lea"], ["Ann Lee", "Anna Lea"]),
        ("lee", ["Ann Maria van der Lee", "Bob"], ["Ann Maria van der Lee"]),
        ("a", ["b", "Aardvark"], []),
        ("q", ["q1", "q2", "q3", "q4"], ["q4", "q3", "q2"]),
        ("", ["q1"], []),
    ],
)
def test_the_nearest_names_are_few_and_in_order(name, names, nearest) -> None:
    assert nearest_names(name, names) == nearest


def test_names_are_the_same_without_regard_to_case_and_white_space() -> None:
    assert same_names(" ann  LEE", ["Ann Lee", "Anne Lee", "ann\u00a0lee"]) == [
        "Ann Lee",
        "ann\u00a0lee",
    ]


@pytest.mark.parametrize(
    ("missing", "names", "message"),
    [
        (["q99"], ["q19", "q09"], "no question 'q99' in index; did you mean 'q19' or 'q09'?"),
        (["q99", "x"], ["q09"], "no question 'q99' and 1 more in index; did you mean 'q09'?"),
        (["x"], ["q2", "q1"], "no question 'x' in index; there are q1, q2"),
        (["x"], [], "no question 'x' in index; it has no question"),
        (
            ["x"],
            map(str, range(1000)),
            "no question 'x' in index; none of its 1,000 questions has a name like it",
        ),
    ],
)  # fmt: skip
def test_the_message_says_what_there_is(missing, names, message) -> None:
    assert str(not_found("question", missing, "index", names)) == message


def test_a_million_names_are_compared_in_seconds() -> None:
    names = [f"student-{n:07}" for n in range(1_000_000)]
    started = time.monotonic()
    assert nearest_names("student-00012x4", names)
    assert time.monotonic() - started < 30


def test_a_name_that_was_cut_is_found_by_its_beginning_and_by_the_whole_text() -> None:
    names = ["What is the event loop of Node.js, and what…", "What is CORS, and why…", "q10"]
    for text in (
        "what is the EVENT loop",
        "What is the event loop of Node.js, and what does it do?",
    ):
        assert names_by_beginning(text, names) == names[:1]
    assert names_by_beginning("What is ", names) == []  # too short
    assert names_by_beginning("q1", names) == []
    assert names_by_beginning("What is C", names) == names[1:2]

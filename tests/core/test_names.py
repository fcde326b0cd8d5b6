"""Names that a user typed: the nearest ones are suggested."""

from __future__ import annotations

import time

import pytest

from searchkit.core.identity import MAX_NAME_LENGTH, question_name
from searchkit.core.names import (
    names_by_beginning,
    natural_order,
    nearest_names,
    not_found,
    same_names,
)


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


def test_a_question_that_was_named_by_its_text_is_found_by_a_beginning_of_it() -> None:
    loop = "What is the event loop of Node.js, and what does it do? Explain in your own words."
    names = [question_name(loop), question_name("What is CORS, and why does it exist?"), "q10"]
    assert names[0].startswith("What is the event loop of Node.js, and what… (")
    assert names_by_beginning("what is the EVENT loop", names) == names[:1]
    assert names_by_beginning("What is ", names) == []  # too short
    assert names_by_beginning("q1", names) == []
    assert names_by_beginning("What is CORS", names) == []  # it was not cut, and so not found


def test_questions_with_one_beginning_have_two_names_in_every_file() -> None:
    long = "Read the text of the exercise below carefully, then answer: why is it so?"
    one, other = question_name(long), question_name(long.replace("why", "how"))
    assert one != other
    assert one == question_name(f"  {long.replace(' ', chr(10), 3)} ")
    assert len(one) <= MAX_NAME_LENGTH + 8


def test_names_are_sorted_as_people_count() -> None:
    names = ["q10", "q2", "Q1", "a", "", "q02b", "9" * 5_000, "10", "9", "²"]
    ordered = sorted(names, key=natural_order)
    assert ordered.index("Q1") < ordered.index("q2") < ordered.index("q10")
    assert ordered.index("9") < ordered.index("10") < ordered.index("9" * 5_000)

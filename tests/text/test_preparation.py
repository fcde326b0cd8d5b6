"""Preparation: texts reduced to keywords for a model that was trained on such texts."""

from __future__ import annotations

import pytest

from searchkit.text.preparation import prepare, reduce_to_keywords


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("express non-blocking I/O operations", "express nonblocking io operation"),
        ("The loop runs the callbacks, when its stack is empty.", "loop run callback stack empty"),
        ("Node.js doesn’t wait!", "nodejs doesnt wait"),
        ("client/server, and so on", "client server"),
        ("It is NOT blocking; it never was.", "not block never"),
        ("Größe wächst", "größe wächst"),
        ("It was so.", "it was so."),
        ("?!", "?!"),
        ("", ""),
    ],
)
def test_words_that_carry_the_meaning(text: str, expected: str) -> None:
    assert reduce_to_keywords(text) == expected


def test_a_second_time_it_changes_nothing() -> None:
    once = reduce_to_keywords("Streams were reading files piece by piece, without a buffer")
    assert reduce_to_keywords(once) == once


def test_preparations_by_name() -> None:
    assert prepare(["Callbacks run"], "") == ["Callbacks run"]
    assert prepare(["Callbacks run"], "keywords") == ["callback run"]
    with pytest.raises(ValueError, match="no preparation 'stems'; there is keywords"):
        prepare(["x"], "stems")

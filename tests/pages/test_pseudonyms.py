"""Pseudonyms: consistent, whole words only, and offsets that still point at the same text."""

from __future__ import annotations

import pytest

from searchkit import Answer
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.text.mentions import move_offset

ANSWERS = [
    Answer("x-17", "", "q", "Zoë Quinn"),
    Answer("x-17-b", "", "q", "<b>Al"),
    Answer("404", "", "q", "reference"),
    Answer("7", "", "q", "Ann Quinn"),
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("zoe\u0308\nQUINN and Zoë", "author 1 and author 1"),
        ("Quinn, quinn's, Quinns", "somebody, somebody's, somebodys"),
        ("x-17-b before x-17, not ax-17", "answer 2 before answer 1, not ax-17"),
        ("error 404, 7 times; a reference", "error 404, 7 times; a reference"),
        ("so said <b>al.", "so said author 2."),
        ("", ""),
    ],
)
def test_names_and_ids_are_replaced_where_they_are_whole_words(text: str, shown: str) -> None:
    assert Pseudonyms(ANSWERS).replace_in_text(text) == shown


def test_generated_sentences_replace_ids_of_any_kind() -> None:
    names = Pseudonyms(ANSWERS)
    assert names.replace_in_message("7 was handed in first") == "answer 4 was handed in first"
    assert names.author("reference") == "reference"


def test_offsets_move_with_replacements() -> None:
    names = Pseudonyms(ANSWERS)
    text = "First Zoë Quinn wrote, and x-17 has it. Then the rest."
    mentions = names.mentions(text)
    shown = names.replace_in_text(text)
    for part in ("First ", " wrote, and ", "Then the rest."):
        start = text.index(part)
        a = move_offset(start, mentions, is_end=False)
        b = move_offset(start + len(part), mentions, is_end=True)
        assert shown[a:b] == part
    inside = text.index("Quinn")
    assert shown[move_offset(inside, mentions, is_end=False) :].startswith("author 1 wrote")
    assert shown[: move_offset(inside, mentions, is_end=True)].endswith("author 1")


def test_many_names_are_found_quickly() -> None:
    many = [Answer(f"id-{n}", "", "q", f"s{n}") for n in range(100_000)]
    assert Pseudonyms(many).replace_in_text("s99999 " * 100).count("author 100000") == 100

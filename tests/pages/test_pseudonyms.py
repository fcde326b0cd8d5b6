"""Pseudonyms: consistent, whole words only, and offsets that still point at the same text."""

from __future__ import annotations

import time

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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "May and will: so Will said, and May's loop",
            "May and will: so author 1 said, and author 1's loop",
        ),
        ("Will May wrote; will  may did", "author 1 wrote; author 1 did"),
        ("An answer by Li, not li, of LI Wei", "An answer by author 2, not li, of author 2"),
        (
            "as Jürgen, jurgen and JÜRGENS van Dyke",
            "as author 3, author 3 and author 3S van author 3",
        ),
        ("mail j.van.dyke@x.example or j.van.dyke", "mail author 3 or author 3"),
        ("van and 1234, but 1234567", "van and 1234, but author 3"),
        ("\u5c0f\u738b\u4fca\u51ef\u8bf4 and 王俊凯", "\u5c0fauthor 4\u8bf4 and author 4"),
        ("student, Student 17", "student, author 5"),
        ("O'Neil and o\u2019neil's", "author 6 and author 6's"),
        ("the Zoom\u200bA trick, zooma", "the author 7 trick, author 7"),
    ],
)
def test_names_of_several_kinds_are_replaced(text: str, shown: str) -> None:
    names = Pseudonyms(
        [
            Answer("i1", "", "q", "Will May"),
            Answer("i2", "", "q", "Li Wei"),
            Answer("i3", "", "q", "Jürgen van Dyke",
                   meta={"E-Mail": "j.van.dyke@x.example", "Matrikelnr.": "1234567"}),
            Answer("i4", "", "q", "\u738b\u4fca\u51ef"),
            Answer("i5", "", "q", "Student 17"),
            Answer("i6", "", "q", "O\u2019Neil"),
            Answer("i7", "", "q", "zooma"),
        ]
    )  # fmt: skip
    assert names.replace_in_text(text) == shown


def test_a_column_with_one_value_for_all_names_nobody() -> None:
    rows = [Answer(f"i{n}", "", "q", f"p{n}", meta={"Name": "Event loops"}) for n in range(5)]
    assert Pseudonyms(rows).replace_in_text("event loops") == "event loops"


def test_one_person_in_several_spellings_is_one_and_questions_stay_apart() -> None:
    rows = [
        Answer("i1", "", "essay of Ann Lee", "Ann Lee"),
        Answer("i2", "", "essay of ann  lee", "ANN LEE"),
        Answer("i3", "", "other", None, meta={"Vorname": "Bo", "Nachname": "Quist"}),
    ]
    names = Pseudonyms(rows, replace=True)
    assert names.author("ann lee") == names.author("Ann Lee") == "author 1"
    assert names.questions == {
        "essay of Ann Lee": "essay of author 1",
        "essay of ann  lee": "essay of author 1 (2)",
        "other": "other",
    }
    assert names.originals["question"]["essay of author 1 (2)"] == "essay of ann  lee"
    assert names.replace_in_text("by Quist") == "by author 2"


def test_a_long_text_is_searched_in_seconds() -> None:
    names = Pseudonyms([Answer(f"i{n}", "", "q", f"Will{n} May") for n in range(1000)])
    text = "May we say that Will7 may do it? " * 30_000
    started = time.monotonic()
    assert names.replace_in_text(text).count("author 8") == 30_000
    assert time.monotonic() - started < 20

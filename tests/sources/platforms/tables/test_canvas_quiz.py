"""Student analyses of Canvas quizzes, whole and with columns left out, in other languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_table, shown

from searchkit.core.errors import BadInput

HEADER = (
    *("name", "id", "section", "section_id", "submitted"),
    *("88123: <p>What is the <b>event loop</b>?</p>", "10.0", "88124: What is CORS?", "10.0"),
    *("n correct", "n incorrect", "score"),
)
ADA = (
    "Ada Moss",
    "41",
    "WEB-1",
    "7",
    "2025-08-07 17:53:20 UTC",
    LOOP,
    "7",
    CORS,
    "8",
    "0",
    "0",
    "15",
)
BEN = (
    "Ben Reed",
    "42",
    "WEB-1",
    "7",
    "2025-08-07 17:53:21 UTC",
    POLL,
    "9.5",
    "",
    "",
    "0",
    "0",
    "9.5",
)


def test_a_student_analysis(tmp_path: Path) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", HEADER, ADA, BEN))
    assert title == "Canvas student analysis"
    assert shown(answers) == [
        ("What is the event loop?", "Ada Moss", LOOP),
        ("What is CORS?", "Ada Moss", CORS),
        ("What is the event loop?", "Ben Reed", POLL),
    ]
    loop, cors, other = answers
    assert loop.meta["prompt"] == "What is the event loop?"
    assert [a.meta["points"] for a in answers] == ["7", "8", "9.5"]
    assert {a.meta["points possible"] for a in answers} == {"10.0"}
    assert [a.meta["question id"] for a in answers] == ["88123", "88124", "88123"]
    assert (loop.meta["id"], cors.meta["section"], other.meta["score"]) == ("41", "WEB-1", "9.5")
    assert loop.submitted_at == "2025-08-07 17:53:20 UTC"


def test_headers_of_another_language_and_people_of_the_same_name(tmp_path: Path) -> None:
    header = ("Name", "ID", "Abschnitt", "Abschnitts-ID", "Abgegeben", *HEADER[5:9], "Ergebnis")
    other = ("Ada Moss", "42", *BEN[2:9], "9")
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, (*ADA[:9], "15"), other))
    assert [a.author for a in answers] == ["Ada Moss (41)", "Ada Moss (41)", "Ada Moss (42)"]
    assert answers[0].submitted_at == ADA[4]


def test_an_anonymous_survey(tmp_path: Path) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", HEADER[2:], ADA[2:], BEN[2:]))
    assert (title, len(answers)) == ("Canvas student analysis", 3)
    assert {a.author for a in answers} == {None}
    assert len({a.id for a in answers}) == 3


def test_choices_are_columns_beside_answers(tmp_path: Path) -> None:
    header = (*HEADER[:7], "88125: Which one?", "1.0", "score")
    rows = [(*ADA[:7], "epoll", "1", "8"), (*BEN[:7], "epoll", "1", "9")]
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, *rows))
    assert [a.text for a in answers] == [LOOP, POLL]
    assert answers[0].meta["88125: Which one?"] == "epoll"
    alone = [row[:5] + row[7:] for row in (header, *rows)]
    _, answers = read_table(csv_file(tmp_path / "b.csv", *alone))
    assert [a.text for a in answers] == ["epoll", "epoll"]


def test_questions_of_one_text_and_many_questions(tmp_path: Path) -> None:
    header = [*HEADER[:5], *(h for n in range(200) for h in (f"{n}: Explain.", "5.0")), "score"]
    row = [*ADA[:5], *(h for n in range(200) for h in (f"{LOOP} {n}", str(n))), "9"]
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, row))
    assert len({a.question for a in answers}) == len({a.id for a in answers}) == 200
    assert [a.meta["points"] for a in answers] == [str(n) for n in range(200)]


def test_a_table_that_is_none(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("name", "1: Why?", "comment"), ("Ada", LOOP, ""))
    with pytest.raises(
        BadInput, match=r"canvas-quiz needs the columns 88123: .* there are: name, 1"
    ):
        read_table(path, "canvas-quiz")

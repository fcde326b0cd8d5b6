"""Gradebooks of Canvas: marks for answers of the index, and no student called Points Possible."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import write

from searchkit.core.errors import BadInput
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_rows

HEAD = "Student,ID,SIS User ID,SIS Login ID,Section,Essay (1001),Quiz 2 (1002),Final Score"
POSTING = ",,,,,Manual Posting,,"
POSSIBLE = "    Points Possible,,,,,10.00,5.00,(read only)"
STUDENTS = [
    '"Moss, Ada",101,s1,ada,WEB-1,8.00,4.00,85',
    '"Reed, Ben",102,s2,ben,WEB-1,,3.00,65',
    '"Student, Test",103,,t,WEB-1,,,',
]
MARKS = [
    ("Moss, Ada", "Essay", "8.00"),
    ("Moss, Ada", "Quiz 2", "4.00"),
    ("Reed, Ben", "Quiz 2", "3.00"),
]


def marks(path: Path, *lines: str) -> list[AnswerColumns]:
    write(path, "".join(f"{line}\n" for line in lines))
    rows = list(read_rows([path], FileOptions(), allow_marks=True))
    return [row for row in rows if isinstance(row, AnswerColumns)]


@pytest.mark.parametrize("heads", [[], [POSSIBLE], [POSTING, POSSIBLE]], ids=len)
def test_a_gradebook(tmp_path: Path, heads: list[str]) -> None:
    rows = marks(tmp_path / "a.csv", HEAD, *heads, *STUDENTS)
    assert [(row.author, row.question, row.meta["points"]) for row in rows] == MARKS
    possible = ["10.00", "5.00", "5.00"] if heads else [None] * 3
    assert [row.meta.get("points possible") for row in rows] == possible
    assert [row.identity for row in rows] == [("ID", "101"), ("ID", "101"), ("ID", "102")]
    assert not {"Essay (1001)", "Quiz 2 (1002)"} & set(rows[0].meta)


def test_a_gradebook_in_german_without_logins(tmp_path: Path) -> None:
    rows = marks(
        tmp_path / "a.csv",
        "Student/in;ID;Abschnitt;Essay (1001)",
        "    Mögliche Punkte;;;10,00",
        "Moss, Ada;101;WEB-1;8,00",
    )
    assert [(row.author, row.meta["points"]) for row in rows] == [("Moss, Ada", "8,00")]


def test_any_other_table_of_marks_keeps_its_columns(tmp_path: Path) -> None:
    rows = marks(tmp_path / "a.csv", "Student,ID,Height (2024)", "Ada,7,168", "Ben,8,170")
    assert [(row.id, row.meta["Height (2024)"]) for row in rows] == [("7", "168"), ("8", "170")]


def test_alone_it_says_that_the_answers_are_needed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"{HEAD}\n{POSSIBLE}\n{STUDENTS[0]}\n")
    with pytest.raises(BadInput, match=r"only marks, no answers \(Canvas gradebook\); ingest it"):
        list(read_rows([path], FileOptions()))

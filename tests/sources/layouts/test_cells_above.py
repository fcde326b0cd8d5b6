"""Cells that a spreadsheet showed as merged are blank in a CSV, and mean what stands above them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from helpers.source_files import read, write

from searchkit.sources.layouts.sample import SAMPLE_ROWS

QUESTIONS = "q1,Ada,one\n,Ben,two\n,Cat,three\nq2,Ada,four\n,Ben,five\n,Dan,\n"
PEOPLE = "q1,Ada,one\nq2,,two\nq1,Ben,three\nq2,,four\n"


@pytest.mark.parametrize("rows", [QUESTIONS, PEOPLE], ids=["questions", "people"])
def test_a_blank_cell_is_the_one_above(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rows: str
) -> None:
    path = write(tmp_path / "a.csv", f"Question,Student,Answer\n{rows}")
    with caplog.at_level(logging.WARNING, "searchkit"):
        answers = read(path)
    names = ("q1", "Ada"), ("q1", "Ben"), ("q1", "Cat"), ("q2", "Ada"), ("q2", "Ben"), ("q2", "Dan")
    if rows == PEOPLE:
        names = ("q1", "Ada"), ("q2", "Ada"), ("q1", "Ben"), ("q2", "Ben")
    assert [(answer.question, answer.author) for answer in answers] == list(names)
    column = "Student" if rows == PEOPLE else "Question"
    assert caplog.messages == [f"{path}: blank cells of {column} are read as the one above"]


def test_questions_of_a_large_class(tmp_path: Path) -> None:
    people = [f"s{n}" for n in range(SAMPLE_ROWS + 10)]
    rows = "".join(
        f"{q if who == 's0' else ''},{who},{q} {who}\n" for q in ("q1", "q2") for who in people
    )
    answers = read(write(tmp_path / "a.csv", f"Question,Student,Answer\n{rows}"))
    assert [answer.question for answer in answers] == ["q1"] * len(people) + ["q2"] * len(people)


@pytest.mark.parametrize(
    "rows",
    [
        "q1,Ada,x\nq1,,y\nq1,,z\nq2,Ada,x\nq2,,y\nq2,,z\n",  # two without a name
        "q1,Ada,x\n,Ben,y\n,Cat,z\n",  # perhaps no question's
        "q1,Ada,x\nq1,Ben,y\n,Cat,z\nq2,Ada,x\n",
        "q1,Ada,x\n,,y\n,Ben,z\nq2,Ada,x\n",
        ",Ada,x\n,Ben,y\nq1,Ada,z\n,Ben,x\n",
    ],
)
def test_what_may_have_no_name_gets_none(tmp_path: Path, rows: str) -> None:
    answers = read(write(tmp_path / "a.csv", f"Question,Student,Answer\n{rows}"))
    cells = [row.split(",") for row in rows.splitlines()]
    assert [(a.question or "", a.author or "") for a in answers] == [
        (q, who) for q, who, _ in cells
    ]

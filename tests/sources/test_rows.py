"""Rows and columns that would give answers to the wrong people, or answers that nobody wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, rejected, workbook, write

from searchkit.core.errors import BadInput
from searchkit.sources.columns import Columns
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_rows

GROUPS = [
    ["Name", "Answer", "Points", "Points"],
    ["Ada", "The loop runs", "3", "1"],
    ["Name", "Answer", "Points", "Points"],
    ["Ben", "Timers fire", "2", "1"],
    ["Name", "Answer", "", ""],
    ["Name", "My name is no header", "", ""],
]


def csv(path: Path, rows: list[list[str]]) -> Path:
    return write(path, "".join(",".join(row) + "\n" for row in rows))


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_the_header_of_a_second_group_is_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    path = (csv if name == "a.csv" else workbook)(tmp_path / name, GROUPS)
    assert [(a.author, a.text) for a in read(path)] == [
        ("Ada", "The loop runs"),
        ("Ben", "Timers fire"),
        ("Name", "My name is no header"),
    ]
    assert [r.getMessage() for r in caplog.records if "once more" in r.getMessage()] == [
        f"{path}:{line}: the columns' names once more; left out" for line in (3, 5)
    ]


def test_one_word_is_no_header(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [["Answer", "Name"], ["Answer", "Ada"], ["Answer", ""]])
    assert [(a.author, a.text) for a in read(path)] == [("Ada", "Answer"), (None, "Answer")]


@pytest.mark.parametrize("number", ["2.0251E+11", "2,0251E+11", "2E+11", " 2.0251E+11 "])
@pytest.mark.parametrize("header", ["Student ID", "id"])
def test_a_rounded_number_names_nobody(tmp_path: Path, header: str, number: str) -> None:
    rows = f"{header};Question;Answer\n{number};q1;The loop runs\n0012;q1;Timers fire\n"
    path = write(tmp_path / "a.csv", rows)
    answers, bad = rejected(path)
    assert [answer.text for answer in answers] == ["Timers fire"]
    assert [(row.line, row.reason) for row in bad] == [
        (
            2,
            f"column '{header}' has rounded numbers ({number.strip()}), which several rows may "
            "share; format it in the spreadsheet as numbers without decimals, and save it again",
        )
    ]


@pytest.mark.parametrize("name", ["E+12", "1E5", "12E+1234", "Ann E+10", "2.5.7E+11"])
def test_other_names_are_no_rounded_numbers(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.csv", f"student;answer\n{name};x\n")
    assert [answer.author for answer in read(path)] == [name]


def test_two_columns_of_answers_with_one_header(tmp_path: Path) -> None:
    first, second = "The loop takes callbacks in turn", "One thread is quite enough"
    path = csv(tmp_path / "a.csv", [["Name", "Answer", "Answer"], ["Ada", first, second]])
    with pytest.raises(BadInput, match=r"holds the answers: Answer \('The loop .* or Answer \(2\)"):
        read(path)
    answers = read(path, columns=Columns(text=["Answer", "Answer (2)"]))
    assert [(a.author, a.text) for a in answers] == [("Ada", first), ("Ada", second)]
    assert [a.text for a in read(path, columns=Columns(text="Answer"))] == [first]


def test_a_time_in_many_words_is_no_answer(tmp_path: Path) -> None:
    header = ["First Name", "Last Name", "Started At", "When did it end?", "Loop"]
    times = ["Thu 07 Aug 2025 05:13 PM", "Thu 07 Aug 2025 05:53 PM"]
    path = csv(tmp_path / "a.csv", [header, ["Ada", "Moss", *times, "It runs one at a time"]])
    answers = read(path, columns=Columns(wide=True))
    assert [answer.question for answer in answers] == ["When did it end?", "Loop"]
    with pytest.raises(BadInput, match=r"look like answers: When did it end[?], Loop; name one"):
        read(path)


MARKS = "Name;Email;Task 1;Task 2\nAda;a@x;7,5;1/2\nBen;b@x;;75 %\n"


def test_marks_with_a_column_a_question(tmp_path: Path) -> None:
    path = write(tmp_path / "marks.csv", MARKS)
    layouts: list[str] = []
    rows = read_rows(
        [path],
        FileOptions(),
        on_layout=lambda _, layout, names: layouts.append(layout.describe(names)),
        allow_marks=True,
    )
    assert [(row.author, row.question, row.meta["points"]) for row in rows] == [
        ("Ada", "Task 1", "7,5"),
        ("Ada", "Task 2", "1/2"),
        ("Ben", "Task 2", "75 %"),
    ]
    shown = (
        "no answers, only columns of answers: Task 1, Task 2; author: Name; other columns: Email"
    )
    assert layouts == [shown]


def test_numbers_are_answers_only_if_their_columns_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "marks.csv", MARKS)
    with pytest.raises(BadInput, match=r"Task 1, Task 2: marks, or answers.* they hold only num"):
        read(path, columns=Columns(wide=True))
    answers = read(path, columns=Columns(text=["Task 1", "Task 2"]))
    assert [answer.text for answer in answers] == ["7,5", "1/2", "75 %"]


@pytest.mark.parametrize(
    ("header", "last"), [("Name;Task 1", "one of them"), ("Task 1;Task 2", "1"), ("Name;Task", "1")]
)
def test_other_tables_are_no_marks_of_questions(tmp_path: Path, header: str, last: str) -> None:
    path = write(tmp_path / "a.csv", f"{header}\nAda;2\nBen;{last}\n")
    with pytest.raises(BadInput, match=r"a.csv:2: no column|a.csv:2: which column"):
        list(read_rows([path], FileOptions(), allow_marks=True))

"""The row with the columns' names is found below the titles of a report."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from helpers.source_files import read, workbook, write

from searchkit.core.errors import BadInput
from searchkit.sources.columns import Columns
from searchkit.sources.tables.header import find_header

TABLE = [["id", "question", "author", "answer"], ["1", "q1", "ann", "The loop"]]
OTHER_NAMES = [["Wer", "Was", "Wo", "Wann"], ["ann", "x", "y", "z"], ["bob", "x", "y", "z"]]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        (TABLE, 0),
        ([["Quiz report", "", "", ""], *TABLE], 1),
        ([["Quiz report"], *TABLE], 1),
        ([["", "", "Quiz report", ""], *TABLE], 1),
        ([["Quiz report", "", "", ""], ["Generated", "2025-08-07"], [], *TABLE], 3),
        ([["Course:", "Web", "Room 5", ""], ["Term:", "WS 25", "", ""], *TABLE], 2),
        ([["Quiz report"], [], *OTHER_NAMES], 2),
        ([["Quiz report"], [], ["author", "answer"], ["ann", "x"]], 2),
        ([[""], *TABLE], 1),
        (
            [
                ["Exam", "", ""],
                [],
                ["Pupil", "", "Answer"],
                ["first name", "name", "Why?"],
                ["a"] * 3,
            ],
            3,
        ),
        # What is no title: names of which one is left out, or that nothing better follows.
        ([["", "id", "text"], ["0", "a", "b"]], 0),
        ([["", "text"], ["ann", "hello"], ["bob", "bye"]], 0),
        ([["words", ""], ["ann", "hello"], ["bob", "bye"]], 0),
        ([["nr", "wort", ""], ["a", "b", "c"], ["d", "e", "f"]], 0),
        ([["id", "text", ""], ["a1", "b", "c"], ["a2", "e", "f"]], 0),
        ([["name", "1.0", "1.0"], ["ann", "b", "c"]], 0),
        ([["words"], ["x, y"], ["a", "b", "c"], ["d"]], 0),
        ([["Report"], ["1", "2", "3"], ["4", "5", "6"]], 0),
        ([["id", "", "answer"], ["1", "x", "text"], ["2", "y", "b"]], 0),
        ([["text"]], 0),
        ([], 0),
    ],
)
def test_the_header_is_the_first_row_that_looks_like_one(rows: list[list[str]], header: int):
    assert find_header(rows) == header


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("title", ["Quiz report", "Quiz report, August", '"Quiz; report"', "a,b,c"])
def test_titles_need_not_have_the_delimiter_of_the_table(
    tmp_path: Path, title: str, delimiter: str
) -> None:
    table = "".join(delimiter.join(row) + "\n" for row in TABLE)
    (answer,) = read(write(tmp_path / "a.csv", f"{title}\n\n{table}"))
    assert (answer.id, answer.text, answer.line) == ("1", "The loop", 4)


def test_the_line_of_the_names_is_said_or_chosen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.csv", "Report,,\n\nid,who,answer\nnr,author,text\n1,ann,x\n")
    with caplog.at_level(logging.WARNING, "searchkit"):
        assert [a.id for a in read(path)] == ["nr", "1"]
    assert caplog.messages == [
        f"{path}: the columns' names are in line 3, and what is above it is left out; "
        "`skip_rows=N` chooses another line"
    ]
    assert [(a.author, a.line) for a in read(path, skip_rows=3)] == [("ann", 5)]
    with pytest.raises(BadInput, match=r"a.csv:3: no column with the answers; there are: Report"):
        read(path, skip_rows=0)
    with pytest.raises(BadInput, match=r"a.csv: empty; the first line must hold"):
        read(path, skip_rows=9)


def test_titles_in_a_workbook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [["Quiz report"], ["Generated", "2025-08-07"], [], *TABLE]
    path = workbook(tmp_path / "a.xlsx", rows)
    with caplog.at_level(logging.WARNING, "searchkit"):
        (answer,) = read(path)
    assert (answer.id, answer.author, answer.line) == ("1", "ann", 5)
    assert "the columns' names are in line 4" in caplog.messages[0]
    assert [a.id for a in read(path, skip_rows=3)] == ["1"]
    with pytest.raises(BadInput, match="no column with the answers; there are: Quiz report"):
        read(path, skip_rows=0)


GROUPS = [["", "", "Task 1", "", "Task 2", ""]]
COLUMNS = [["Name", "Number", "Answer", "Points", "Answer", "Points"]]
ROWS = [["Ada", "7", "The loop", "4", "A cell", "3"], ["Ben", "8", "A call", "2", "A wall", "1"]]


@pytest.mark.parametrize(
    "header",
    [
        [*GROUPS, *COLUMNS],
        [["Quiz of 3 May", *[""] * 5], *GROUPS, *COLUMNS],
        [["Name", "Number", *GROUPS[0][2:]], ["", "", *COLUMNS[0][2:]]],
        [["Name", "Number", *GROUPS[0][2:]], *COLUMNS],
    ],
    ids=["labels above", "title", "names above", "both"],
)
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_names_in_two_rows_are_read_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, header: list[list[str]], name: str
) -> None:
    rows = [*header, *ROWS]
    if name == "a.csv":
        path = write(tmp_path / name, "".join(",".join(row) + "\n" for row in rows))
    else:
        path = workbook(tmp_path / name, [[cell or None for cell in row] for row in rows])
    answers = read(path, columns=Columns(wide=True))
    assert [(a.question, a.author, a.text, a.meta["points"]) for a in answers] == [
        ("Task 1", "Ada", "The loop", "4"), ("Task 2", "Ada", "A cell", "3"),
        ("Task 1", "Ben", "A call", "2"), ("Task 2", "Ben", "A wall", "1"),
    ]  # fmt: skip
    lines = f"lines {len(header) - 1} and {len(header)}"
    assert f"{path}: the columns' names are in {lines}; `skip_rows=N` chooses one line" in (
        caplog.messages
    )


@pytest.mark.parametrize("row", ["user,text,text", "user,topic,text", ",text,text"])
def test_a_row_of_data_is_no_second_row_of_names(tmp_path: Path, row: str) -> None:
    path = write(tmp_path / "a.csv", f"name,question,answer\n{row}\nben,y,z\n")
    assert [a.text for a in read(path)] == ["text", "z"]

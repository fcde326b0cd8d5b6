"""Canvas: a gradebook by Canvas' ids, one assignment, nobody's mark 0 who has none."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from helpers.marks import index_of, marked_index, rows_of, write_table

from searchkit.core.errors import BadInput
from searchkit.output.platforms.formats import marks_file
from searchkit.output.platforms.marks import MarkOptions

ESSAY = MarkOptions(assignment="Essay (4711)")
ANALYSIS = [
    ["name", "id", "sis_id", "section", "section_id", "submitted", "attempt",
     "801: What does the loop do?", "1.0", "802: What is a stream?", "1.0", "n correct",
     "n incorrect", "score"],
    ["Ada Moss", "1001", "007", "Group A", "55", "2025-03-01 10:00:00 UTC", "1",
     "It runs callbacks when nothing else runs", "0.0", "A file read in pieces", "0.0", "0", "2",
     "0.0"],
    ["Bo Lind", "1002", "0012", "Group B", "56", "2025-03-01 10:05:00 UTC", "1",
     "It waits for the stack to be empty", "0.0", "Data that comes piece by piece", "0.0", "0",
     "2", "0.0"],
]  # fmt: skip


def read_as_canvas(content: bytes) -> tuple[str, dict[str, str]]:
    """Return assignment and grade by Canvas ID, by the rules of Canvas' importer."""
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    assert header[0] == "Student"
    assert header[1] == "ID"
    assert (header[2], header[3], header[4]) == ("SIS User ID", "SIS Login ID", "Section")
    assert rows[0][0].strip() == "Points Possible"
    assert len({len(row) for row in rows} | {len(header)}) == 1
    return header[5], {row[1]: row[5] for row in rows[1:]}


def test_students_have_canvas_ids_and_blank_is_not_0(tmp_path: Path) -> None:
    people = [
        ("a", "Ada Moss", {"id": "1001", "sis_id": "007", "section": "Group A"}),
        ("b", "Bo Lind", {"id": "1002", "sis_id": "0012", "section": "Group B"}),
        ("c", "Cy Ray", {"user": "1003"}),
    ]
    with marked_index(tmp_path, people, "7,5") as index:
        index.update_columns({"b": {"mark": None}, "c": {"mark": "0"}})
        file = marks_file(index, "canvas", MarkOptions(assignment="Essay (4711)", maximum=10))
    assert read_as_canvas(file.content) == (
        "Essay (4711)", {"1001": "7.5", "1002": "", "1003": "0"},
    )  # fmt: skip
    possible, ada, _, _ = rows_of(file)
    assert possible["Essay (4711)"] == "10"
    assert (ada["Student"], ada["SIS User ID"], ada["Section"]) == ("Ada Moss", "007", "Group A")
    assert file.notes[1:] == ["1 person stays blank, as 1 answer has no mark: b · Bo Lind"]


def test_questions_of_a_quiz_are_one_assignment(tmp_path: Path) -> None:
    path = write_table(tmp_path / "analysis.csv", ANALYSIS)
    with index_of(path, folder=tmp_path / "i") as index:
        answers = list(index.answers())
        index.update_columns({answer.id: {"mark": "0.5"} for answer in answers})
        file = marks_file(index, "canvas", MarkOptions(assignment="Quiz 1 (12)"))
        with pytest.raises(BadInput, match="which of Canvas' assignments are the marks for"):
            marks_file(index, "canvas")
    assert read_as_canvas(file.content) == ("Quiz 1 (12)", {"1001": "1", "1002": "1"})
    assert rows_of(file)[1]["SIS User ID"] == "007"


def test_points_possible_stay_as_they_are_where_they_are_unknown(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("a", "Ada", {"id": "1"})]) as index:
        file = marks_file(index, "canvas", ESSAY)
    # A quoted "" would be an empty text, and set the points to nothing.
    assert file.content.decode().splitlines()[1] == "    Points Possible,,,,,"


def test_labels_are_refused(tmp_path: Path) -> None:
    with (
        marked_index(tmp_path, [("a", "Ada", {"id": "1"})], "good") as index,
        pytest.raises(BadInput, match="Canvas takes numbers, but mark holds 'good'"),
    ):
        marks_file(index, "canvas", ESSAY)


def test_what_canvas_can_t_take_is_said(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("a", "Ada", {}), ("b", "Bo", {"id": "2"})]) as index:
        index.update_columns({"a": {"comment": "Good"}})
        file = marks_file(index, "canvas")
    assert [row["q1"] for row in rows_of(file)] == ["", "7", "7"]
    assert file.notes[1:] == [
        "no Canvas ID or SIS ID of 1 person, found by name: Ada",
        "Canvas makes a new assignment 'q1' unless it has one of that name; its exported gradebook "
        "has the name with its number, such as 'Essay (4711)'",
        "Canvas takes no comments from a file: 1 left out; csv has them",
    ]


def test_the_gradebook_is_marks_alone_for_the_index(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("Ada", "Ada", {"id": "1"})]) as index:
        file = marks_file(index, "canvas", ESSAY)
    assert rows_of(file)[1]["Student"] == "Ada"

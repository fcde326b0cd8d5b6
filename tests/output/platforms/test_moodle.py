"""Moodle: a worksheet comes back as it was but for marks; a quiz goes into the gradebook."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.marks import Row, index_of, marked_index, rows_of, write_marks, write_table

from searchkit.core.errors import BadInput
from searchkit.output.platforms.formats import marks_file
from searchkit.output.platforms.marks import MarkOptions

HEADER = [
    "Identifier", "Full name", "ID number", "Email address", "Status", "Grade", "Maximum Grade",
    "Grade can be changed", "Last modified (submission)", "Online text", "Last modified (grade)",
    "Feedback comments",
]  # fmt: skip
DATE = "Monday, 3 March 2025, 10:00 AM"
WORKSHEET = [
    HEADER,
    ["Participant 51001", "Ada Moss", "007", "ada@x.org", "Submitted for grading", "", "10.00",
     "Yes", DATE, "<p>The event loop runs callbacks.</p><p>It is one thread.</p>", "-", ""],
    ["Participant 51002", "Bo Lind", "0012", "bo@x.org", "Submitted for grading", "", "10.00",
     "Yes", DATE, "Promises settle once, for all who wait", "-", ""],
    ["Participant 51003", "Cy Ray", "013", "cy@x.org", "Submitted for grading - Graded", "4.00",
     "10.00", "Yes", DATE, "Nothing waits for the stack", "Tuesday, 4 March 2025, 9:00 AM", "See"],
]  # fmt: skip
QUIZ = [
    ["Last name", "First name", "ID number", "Email address", "State", "Started on", "Completed",
     "Time taken", "Grade/10.00", "Response 1", "Response 2", "Response 3"],
    ["Moss", "Ada", "007", "ada@x.org", "Finished", "1 March 2025 10:00 AM",
     "1 March 2025 10:30 AM", "30 mins", "-", "Loops run callbacks", "Streams read", "One thread"],
    ["Lind", "Bo", "0012", "bo@x.org", "Finished", "1 March 2025 10:00 AM",
     "1 March 2025 10:20 AM", "20 mins", "-", "The loop waits", "Pieces of data", "-"],
]  # fmt: skip


def read_as_moodle(rows: list[Row]) -> dict[str, tuple[str, str]]:
    """Return grade and comment by participant, by the rules of Moodle's importer."""
    found = {}
    for row in rows:
        assert {"Identifier", "Grade", "Last modified (grade)"} <= row.keys()
        number = row["Identifier"].removeprefix("Participant ")
        assert number.isdecimal()
        grade = row["Grade"].replace(" ", "")
        if grade and 0 <= float(grade) <= float(row["Maximum Grade"] or "100"):
            found[number] = (grade, row["Feedback comments"])
    return found


def test_a_worksheet_comes_back_as_it_was_but_for_the_marks(tmp_path: Path) -> None:
    path = write_table(tmp_path / "grades.csv", WORKSHEET)
    with index_of(path, folder=tmp_path / "i") as index:
        write_marks(index, {"Ada Moss": ("7,5", "Good, but\nshort"), "Cy Ray": ("0", "")})
        file = marks_file(index, "moodle-worksheet")
    given = [dict(zip(HEADER, row, strict=True)) for row in WORKSHEET[1:]]
    expected = [
        given[0] | {"Grade": "7.5", "Feedback comments": "Good, but\nshort"},
        given[1],
        given[2] | {"Grade": "0"},  # with the comment that Moodle has
    ]
    rows = rows_of(file)
    assert rows == expected
    assert list(rows[0]) == HEADER
    assert read_as_moodle(rows)["51001"] == ("7.5", "Good, but\nshort")
    assert file.notes[1:] == ["1 person stays blank, as 1 answer has no mark: "
                          "Participant 51002 · Bo Lind"]  # fmt: skip


def test_the_worksheet_goes_into_the_index_again(tmp_path: Path) -> None:
    path = write_table(tmp_path / "grades.csv", WORKSHEET)
    with index_of(path, folder=tmp_path / "i") as index:
        write_marks(index, {"Ada Moss": ("7.5", "Good")})
        texts = [answer.text for answer in index.answers()]
        path.write_bytes(marks_file(index, "moodle-worksheet").content)
    with index_of(path, folder=tmp_path / "i") as index:
        answers = list(index.answers())
    assert [answer.text for answer in answers] == texts
    assert answers[0].written == {"mark": "7.5", "comment": "Good"}
    assert (answers[0].meta["points"], answers[0].meta["feedback"]) == ("7.5", "Good")


def test_answers_of_a_zip_have_the_participants_number(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("a", "Ada Moss", {"participant": "51001"})], "75 %") as index:
        file = marks_file(index, "moodle-worksheet", MarkOptions(maximum=20))
        with pytest.raises(BadInput, match="marks are in per cent; say how many points"):
            marks_file(index, "moodle-worksheet")
    (row,) = rows_of(file)
    assert (row["Identifier"], row["Full name"], row["Grade"], row["Maximum Grade"]) == (
        "Participant 51001", "Ada Moss", "15", "20",
    )  # fmt: skip


def test_who_is_no_participant_is_listed(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("a", "Ada", {"participant": "1"}), ("b", "Bo", {})]) as index:
        file = marks_file(index, "moodle-worksheet")
    assert [row["Identifier"] for row in rows_of(file)] == ["Participant 1"]
    assert "1 answer left out: no participant's number is known" in file.notes[1]
    assert "b · Bo" in file.notes[1]


def test_what_moodle_would_skip_is_said(tmp_path: Path) -> None:
    with marked_index(tmp_path, [("a", "Ada", {"participant": "1"})], "12") as index:
        file = marks_file(index, "moodle-worksheet", MarkOptions(maximum=10))
    assert file.notes[1:2] == ["Moodle skips 1 grade below 0 or above the maximum: Ada (12 of 10)"]


def test_words_are_for_scales_and_never_among_numbers(tmp_path: Path) -> None:
    people = [("a", "Ada", {"participant": "1"}), ("b", "Bo", {"participant": "2"})]
    with marked_index(tmp_path, people, "good") as index:
        file = marks_file(index, "moodle-worksheet")
        assert [row["Grade"] for row in rows_of(file)] == ["good", "good"]
        assert "only where a scale with them is chosen: good" in file.notes[2]
        index.update_columns({"a": {"mark": "7"}})
        with pytest.raises(BadInput, match="Moodle takes numbers, but mark holds 'good'"):
            marks_file(index, "moodle-worksheet")


def test_a_quiz_goes_into_the_gradebook(tmp_path: Path) -> None:
    path = write_table(tmp_path / "responses.csv", QUIZ)
    with index_of(path, folder=tmp_path / "i") as index:
        index.update_columns(
            {a.id: {"mark": "2.5", "comment": "Yes"} for a in index.answers() if "3" in a.question}
            | {a.id: {"mark": "1"} for a in index.answers() if "3" not in a.question}
        )
        file = marks_file(index, "moodle-worksheet", MarkOptions(assignment="Quiz 1"))
    ada, bo = rows_of(file)
    assert ada == {
        "First name": "Ada", "Last name": "Moss", "ID number": "007",
        "Email address": "ada@x.org", "Question 1": "1", "Question 2": "1", "Question 3": "2.5",
        "Quiz 1": "4.5", "Feedback": "Question 3: Yes",
    }  # fmt: skip
    assert (bo["ID number"], bo["Question 3"], bo["Quiz 1"]) == ("0012", "", "2")
    assert "no worksheet but a file for the gradebook: Grades > Import > CSV file" in file.notes[1]


def test_a_mark_that_is_missing_leaves_the_total_blank(tmp_path: Path) -> None:
    path = write_table(tmp_path / "responses.csv", QUIZ)
    with index_of(path, folder=tmp_path / "i") as index:
        index.update_columns(
            {a.id: {"mark": "1"} for a in index.answers() if a.question != "Question 1"}
        )
        file = marks_file(index, "moodle-worksheet")
    assert [row["Grade"] for row in rows_of(file)] == ["", ""]
    assert "2 people stay blank, as 2 answers have no mark: " in file.notes[2]


def test_other_marks_are_no_comments(tmp_path: Path) -> None:
    path = write_table(tmp_path / "responses.csv", QUIZ)
    with index_of(path, folder=tmp_path / "i") as index:
        index.update_columns({a.id: {"mark": "1", "my_note": "2,5"} for a in index.answers()})
        file = marks_file(index, "moodle-worksheet", MarkOptions("mark"))
    assert {row["Feedback"] for row in rows_of(file)} == {""}


def test_people_whom_moodle_can_t_know_are_refused(tmp_path: Path) -> None:
    with (
        marked_index(tmp_path, [("a", "Ada", {})]) as index,
        pytest.raises(BadInput, match="these answers have none of them"),
    ):
        marks_file(index, "moodle-worksheet")

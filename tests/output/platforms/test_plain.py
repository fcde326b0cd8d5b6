"""Plain tables: everything about an answer in a row, or a student in a row; CSV and workbooks."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from helpers.encoder import ToyEncoder
from helpers.marks import index_of, rows_of

from searchkit import Answer, Index
from searchkit.cli.upkeep import export
from searchkit.core.errors import BadInput
from searchkit.core.where import Where
from searchkit.index.decisions import decide
from searchkit.output.platforms.formats import NAMES, MarksFile, marks_file
from searchkit.output.platforms.marks import MarkOptions
from searchkit.output.platforms.tables import MAX_XLSX_TEXT, Table, csv_bytes, texts_cut, xlsx_bytes

ANSWERS = [
    Answer("007", "=1+1 is what the loop runs", "q1", "Ada", meta={"email": "ada@x.org", "n": "1"}),
    Answer("008", "Another text for the loop", "q1", "Bo", meta={"email": "bo@x.org", "n": "2"}),
    Answer("009", "A stream reads", "q2", "ada ", meta={"email": "ada@x.org", "n": "3"}),
    Answer("ref", "The right one", "q1", "reference", meta={}),
]
STUDENTS = MarkOptions(per="student")


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index.create(tmp_path / "i", ToyEncoder())
    index.add(ANSWERS)
    index.update_columns({
        "007": {"mark": "1,5", "comment": "- one\n- two", "suggested_mark": "2"},
        "008": {"mark": "0", "suggested_mark": "1"},
        "009": {"mark": "3", "comment": "Fine"},
    })  # fmt: skip
    return index


def cells(file: MarksFile) -> list[tuple[object, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(file.content))
    return list(book.active.iter_rows(values_only=True))


def test_a_row_an_answer_has_all_columns_suggestions_and_decisions(index: Index) -> None:
    decide(index, "007", "008", "confirmed", "copied")
    decide(index, "008", "009", "dismissed")
    decide(index, "007", "009", "asked", "which book")
    file = marks_file(index, "csv", MarkOptions(marks="mark"))
    ada, bo, more = rows_of(file)
    assert ada == {
        "id": "007", "question": "q1", "author": "Ada", "submitted_at": "",
        "text": "'=1+1 is what the loop runs", "email": "ada@x.org", "n": "1", "mark": "1,5",
        "comment": "'- one\n- two", "suggested_mark": "2",
        "decisions": "confirmed with 008 (copied); ask the student with 009 (which book)",
    }  # fmt: skip
    assert bo["decisions"] == "confirmed with 007 (copied); dismissed with 009"
    assert (more["suggested_mark"], more["mark"]) == ("", "3")


def test_a_row_a_student_has_a_column_a_question(index: Index) -> None:
    file = marks_file(index, "csv", MarkOptions(marks="mark", per="student"))
    ada, bo = rows_of(file)
    assert ada == {
        "author": "Ada", "email": "ada@x.org", "q1": "1.5", "q2": "3", "total": "4.5",
        "comments": "q1: - one\n- two\nq2: Fine",
    }  # fmt: skip
    assert (bo["q1"], bo["q2"], bo["total"], bo["comments"]) == ("0", "", "0", "")


def test_there_is_no_other_format(index: Index) -> None:
    with pytest.raises(BadInput, match="`platform` must be one of moodle-worksheet, canvas, "):
        marks_file(index, "moodl")


def test_labels_have_no_sum(index: Index) -> None:
    index.update_columns({"007": {"mark": "good"}})
    file = marks_file(index, "csv", MarkOptions(marks="mark", per="student"))
    assert list(rows_of(file)[0]) == ["author", "email", "q1", "q2", "comments"]


def test_in_a_workbook_ids_are_text_and_marks_are_numbers(index: Index) -> None:
    header, ada, *_ = cells(marks_file(index, "xlsx", MarkOptions(marks="mark")))
    row = dict(zip(header, ada, strict=True))
    assert row["id"] == "007"
    assert row["mark"] == 1.5
    assert row["n"] == "1"
    assert row["text"] == "=1+1 is what the loop runs"
    file = marks_file(index, "xlsx", MarkOptions(marks="mark", per="student"))
    assert cells(file)[1][2:5] == (1.5, 3, 4.5)


def test_no_text_of_a_workbook_is_a_formula_or_breaks_it() -> None:
    table = Table(["=A1", "b"], [["=cmd|' /C calc'!A0", "a\x00\x1b\ud800\uffffb"],
                                 ["x" * 40_000, 2.5]])  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(table)))
    kinds = [[cell.data_type for cell in row] for row in book.active.iter_rows()]
    assert kinds == [["s", "s"], ["s", "s"], ["s", "n"]]
    assert book.active["B2"].value.startswith("a<U+0000><U+001B>")
    assert len(book.active["A3"].value) == MAX_XLSX_TEXT
    assert texts_cut(table) == [
        "1 text cut at 32,767 characters, as cells hold no more; csv has all"
    ]


def test_in_csv_formulas_are_guarded_and_ids_and_numbers_stay() -> None:
    row = ["@ada", "=HYPERLINK(1)", "-5", "+cmd|x", "a\rb", -2.5]
    table = Table(["id", "own", "b", "c", "d", "e"], [row], ids=frozenset({"id", "own"}))
    line = csv_bytes(table).decode().partition("\r\n")[2]
    assert line == "@ada,'=HYPERLINK(1),-5,'+cmd|x,\"a\rb\",-2.5\r\n"


def test_which_column_holds_the_marks_is_asked_for(index: Index) -> None:
    index.update_columns({"007": {"points": "2", "points_comment": "Well"}})
    with pytest.raises(BadInput, match=r"which column holds the marks: mark or points\? name it"):
        marks_file(index, "csv", STUDENTS)
    with pytest.raises(BadInput, match="`marks`: no answer has a column 'grade'; there are: email"):
        marks_file(index, "csv", MarkOptions(marks="grade"))
    file = marks_file(index, "csv", MarkOptions(marks="MARK", per="student"))
    assert rows_of(file)[0]["q1"] == "1.5"


def test_marks_go_before_suggestions_and_the_columns_are_said(index: Index) -> None:
    file = marks_file(index, "csv", STUDENTS)
    assert [row["q1"] for row in rows_of(file)] == ["1.5", "0"]
    assert file.notes == ["marks of column 'mark' and comments of column 'comment'"]
    index.update_columns({id_: {"mark": None} for id_ in ("007", "008", "009")})
    file = marks_file(index, "csv", STUDENTS)
    assert [row["q1"] for row in rows_of(file)] == ["2", "1"]
    assert file.notes[0] == "marks of column 'suggested_mark' and comments of column 'comment'"


def test_what_a_workbook_can_t_hold_is_refused(index: Index) -> None:
    with pytest.raises(BadInput, match="a sheet of a workbook holds 1,048,576 rows and 16,384"):
        xlsx_bytes(Table(["a"] * 16_385, []))
    with pytest.raises(BadInput, match="`per` is for csv and xlsx, not canvas"):
        marks_file(index, "canvas", STUDENTS)


def test_where_nothing_was_written_the_columns_are_named(tmp_path: Path) -> None:
    with Index.create(tmp_path / "other", ToyEncoder()) as index:
        index.add(ANSWERS)
        with pytest.raises(BadInput, match="no marks were written here; name the column with"):
            marks_file(index, "csv", STUDENTS)
        assert len(rows_of(marks_file(index, "csv"))) == 3


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_index_is_no_crash(tmp_path: Path, name: str) -> None:
    with Index.create(tmp_path / "empty", ToyEncoder()) as index:
        if name in ("csv", "xlsx"):
            assert marks_file(index, name).content
        else:
            with pytest.raises(BadInput, match="no marks were written here"):
                marks_file(index, name)


def test_the_command_offers_every_format() -> None:
    option = next(param for param in export.params if param.name == "platform")
    assert tuple(option.type.choices) == NAMES


def test_the_latest_attempt_counts_where_a_row_is_a_student(tmp_path: Path) -> None:
    with Index.create(tmp_path / "other", ToyEncoder()) as index:
        index.add([Answer("1", "First text", "q1", "Ada"), Answer("2", "Another", "q1", "ADA ")])
        index.update_columns({"1": {"mark": "5"}, "2": {"mark": "7"}})
        file = marks_file(index, "csv", STUDENTS)
        assert [row["q1"] for row in rows_of(file)] == ["7"]
        assert file.notes[1:] == ["1 mark of earlier attempts left out: 1 · Ada"]
        first = marks_file(index, "csv", STUDENTS, Where(attempts="first"))
        assert [row["q1"] for row in rows_of(first)] == ["5"]
        with pytest.raises(BadInput, match="a person has one mark for a question: `attempts="):
            marks_file(index, "csv", STUDENTS, Where(attempts="all"))
        rows = rows_of(marks_file(index, "csv"))
    assert [(row["id"], row["mark"], row["attempt"]) for row in rows] == [
        ("1", "5", "1"), ("2", "7", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("platform", ["prairielearn", "nbgrader", "moodle-worksheet"])
def test_a_file_without_any_answer_is_refused(tmp_path: Path, platform: str) -> None:
    with Index.create(tmp_path / "other", ToyEncoder()) as index:
        index.add([Answer("1", "A text", "q1", "Ada")])
        index.update_columns({"1": {"mark": "5"}})
        with pytest.raises(BadInput, match=r"none of 1 answer came from|have none of them"):
            marks_file(index, platform)


def test_what_comes_out_as_csv_goes_in_again_unchanged(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer("1", "A text", "q1", "Ada"), Answer("2", "Another", "q1", "Bo")])
        index.update_columns({"1": {"mark": "1,5", "comment": "Good"}, "2": {"mark": "1/2"}})
        path = tmp_path / "out.csv"
        path.write_bytes(marks_file(index, "csv").content)
    with index_of(path, folder=tmp_path / "i") as index:
        answers = list(index.answers())
    assert [dict(answer.meta) for answer in answers] == [
        {"mark": "1,5", "comment": "Good"}, {"mark": "1/2"},
    ]  # fmt: skip
    assert all(answer.written == answer.meta for answer in answers)

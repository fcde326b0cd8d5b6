"""A cell that is merged over several rows holds for each of them."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from helpers.older_workbooks import ods, xls
from helpers.source_files import read, workbook, zipped

from searchkit.core.errors import BadInput
from searchkit.sources.tables.workbooks.merged import MergedCells

ROWS = [
    ["Question", "Student", "Answer"],
    ["Q1", "Ada", "The loop runs"],
    [None, "Ben", "Timers fire"],
    ["Q2", "Ada", "Streams move"],
    [None, "Ben", "Sockets wait"],
]
_BLANK = b'<table:table-cell office:value-type="string"><text:p></text:p></table:table-cell>'
EXPECTED = [("Q1", "Ada"), ("Q1", "Ben"), ("Q2", "Ada"), ("Q2", "Ben")]


def merge(path: Path, *ranges: str) -> Path:
    book = openpyxl.load_workbook(path)
    for cells in ranges:
        book.active.merge_cells(cells)
    book.save(path)
    return path


@pytest.mark.parametrize("num_before", [0, 2])
def test_a_question_merged_over_its_answers(tmp_path: Path, num_before: int) -> None:
    rows = [[None]] * num_before + [[None, *row] for row in ROWS]
    ranges = [f"B{2 + num_before}:B{3 + num_before}", f"B{4 + num_before}:B{5 + num_before}"]
    answers = read(merge(workbook(tmp_path / "a.xlsx", rows), *ranges))
    assert [(a.question, a.author) for a in answers] == EXPECTED
    assert [a.id for a in answers] == ["Q1/Ada", "Q1/Ben", "Q2/Ada", "Q2/Ben"]


def test_a_student_merged_over_the_questions(tmp_path: Path) -> None:
    rows = [["Student", "Question", "Answer"], ["Ada", "Q1", "x"], [None, "Q2", "y"]]
    answers = read(merge(workbook(tmp_path / "a.xlsx", rows), "A2:A3"))
    assert [(a.question, a.author) for a in answers] == [("Q1", "Ada"), ("Q2", "Ada")]


def test_rows_that_are_blank_stay_blank(tmp_path: Path) -> None:
    rows = [*ROWS[:1], *ROWS[3:], [None], [None, "Cleo", "z"]]
    answers = read(merge(workbook(tmp_path / "a.xlsx", rows), "A2:A20"))
    assert [(a.question, a.author) for a in answers] == [*EXPECTED[2:], ("Q2", "Cleo")]


@pytest.mark.parametrize(("name", "writer"), [("a.xls", xls), ("a.ods", ods)])
def test_another_kind_of_workbook(tmp_path: Path, name: str, writer: Callable[..., Path]) -> None:
    rows = [[cell or "" for cell in row] for row in ROWS]
    answers = read(writer(tmp_path / name, {"Quiz": rows}, [(1, 2, 0, 0), (3, 4, 0, 0)]))
    assert [(a.question, a.author) for a in answers] == EXPECTED


def test_an_opendocument_with_rows_and_cells_that_stand_for_many(tmp_path: Path) -> None:
    """Blank rows above, a blank column before, and another sheet."""
    empty: list[str | float] = ["", "", "", ""]
    rows = [[cell or "" for cell in row] for row in ROWS]
    table: list[list[str | float]] = [empty, empty, *(["", *row] for row in rows)]
    path = ods(tmp_path / "a.ods", {"Quiz": table}, [(3, 4, 1, 1), (5, 6, 1, 1)])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    blank = b"<table:table-row>" + 4 * _BLANK + b"</table:table-row>"
    repeated = b'<table:table-row table:number-rows-repeated="2"><table:table-cell '
    repeated += b'table:number-columns-repeated="4"/></table:table-row>'
    other = b'<table:table table:name="Old"><table:table-row table:number-rows-repeated="9"/>'
    other += b"</table:table>"
    content = parts["content.xml"]
    assert 2 * blank in content
    content = content.replace(2 * blank, repeated)
    content = content.replace(b"<table:table ", other + b"<table:table ", 1)
    answers = read(zipped(path, {**parts, "content.xml": content}))
    assert [(a.question, a.author) for a in answers] == EXPECTED


def test_cells_merged_within_a_row_stay_empty(tmp_path: Path) -> None:
    rows = [["Student", "Answer", "Mark"], ["Ada", "did not come", None], ["Ben", "x", 2]]
    first, second = read(merge(workbook(tmp_path / "a.xlsx", rows), "B2:C2"))
    assert (first.meta, second.meta) == ({}, {"Mark": "2"})


def test_headers_of_two_rows(tmp_path: Path) -> None:
    rows = [["Student", "Task 1", None], [None, "Answer", "Mark"], ["Ada", "x", 2]]
    (answer,) = read(merge(workbook(tmp_path / "a.xlsx", rows), "A1:A2", "B1:C1"))
    assert (answer.author, answer.text, answer.meta) == ("Ada", "x", {"Mark": "2"})


def test_a_long_text_over_many_rows_is_refused(tmp_path: Path, monkeypatch) -> None:
    rows = [["Answer", "Student"], ["x" * 1000, "a"], *[[None, f"s{n}"] for n in range(40)]]
    path = merge(workbook(tmp_path / "a.xlsx", rows), "A2:A42")
    assert {a.text for a in read(path)} == {"x" * 1000}
    monkeypatch.setattr("searchkit.sources.tables.workbooks.workbook.MAX_TEXTS", 20_000)
    with pytest.raises(BadInput, match=r"a\.xlsx: the same long texts in so many cells"):
        read(path)


def test_odd_ranges_are_left_out() -> None:
    merged = MergedCells()
    for reference in ("", "A1", "A0:", "B3:A1", "A1:ZZZZ9", "A2:A3"):
        merged.add(reference)
    rows = [["q", "x"], ["", "y"], ["", "z"]]
    for number, row in enumerate(rows, 2):
        merged.fill(number, row)
    assert rows == [["q", "x"], ["q", "y"], ["", "z"]]


def test_short_rows_below_many_merged_columns_take_no_time() -> None:
    columns, rows = 16_000, 5_000
    merged = MergedCells((1, rows, column) for column in range(columns))
    merged.fill(1, ["q1"] * columns)
    started = time.process_time()
    for number in range(2, rows + 1):
        row = ["", "an answer"]
        merged.fill(number, row)
        assert row == ["q1", "an answer"]
    assert time.process_time() - started < 2  # 10 when each row looked at all columns

"""Workbooks are read as they show, whatever wrote them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from helpers.source_files import lying, read, rejected, rewritten, workbook, write, zipped

from searchkit.core.errors import BadInput


def test_a_workbook_is_read_as_it_shows(tmp_path: Path) -> None:
    from datetime import date, datetime

    rows = [["id", "answer", "n", "half", "day", "at", "ok"],
            ["007", "x", 1.0, 2.5, date(2025, 1, 2), datetime(2025, 1, 2, 3, 4, 5), True],
            [8, None, None, None, None, None, None]]  # fmt: skip
    first, second = read(workbook(tmp_path / "a.xlsx", rows, {"empty": []}))
    assert (first.id, first.text, first.line) == ("007", "x", 2)
    assert first.meta == {
        "n": "1", "half": "2.5", "day": "2025-01-02", "at": "2025-01-02 03:04:05", "ok": "true",
    }  # fmt: skip
    assert (second.id, second.text, second.meta) == ("8", "", {})


def test_several_sheets_ask_for_one(tmp_path: Path) -> None:
    rows = [["id", "text"], [1, "x"]]
    path = workbook(tmp_path / "a.xlsx", rows, {"Quiz 2": [["id", "text"], [2, "y"]]})
    with pytest.raises(
        BadInput, match="several sheets; choose one with `sheet=NAME`: Sheet, Quiz 2"
    ):
        read(path)
    assert read(path, sheet="Quiz 2")[0].text == "y"
    with pytest.raises(BadInput, match="no sheet 'x'; there are: Sheet, Quiz 2"):
        read(path, sheet="x")


def test_formulas_and_errors_in_cells(tmp_path: Path) -> None:
    rows = [["id", "text", "x"], [1, "fine", "#REF!"], [2, '=A1&"x"', 5], [3, "#REF!", 5],
            [4, "ok", "=A1"]]  # fmt: skip
    path = workbook(tmp_path / "a.xlsx", rows)
    book = openpyxl.load_workbook(path)
    for cell in ("C2", "B4"):
        book.active[cell].data_type = "e"
    book.save(path)
    answers, bad = rejected(path)
    assert [(a.id, a.meta) for a in answers] == [("1", {"x": "#REF!"}), ("4", {})]
    assert [(r.line, r.reason.split(";")[0]) for r in bad] == [
        (3, "the cell in column 'text' shows a formula without a stored value"),
        (4, "the cell in column 'text' shows #REF!"),
    ]


@pytest.mark.parametrize(
    ("pattern", "by"),
    [(rb'<c r="[A-Z]+\d+"', b"<c"), (rb'="([^"]*)"', rb"='\1'"),
     (rb"(</?)(row|c|v|is|t)\b", rb"\1\2"), (rb"<c r=", b"<c x='>' r=")],
)  # fmt: skip
def test_errors_in_cells_however_the_sheet_is_written(tmp_path: Path, pattern, by) -> None:
    path = workbook(tmp_path / "a.xlsx", [["text"], ["#REF!"], ["fine"]])
    book = openpyxl.load_workbook(path)
    book.active["A2"].data_type = "e"
    book.save(path)
    answers, bad = rejected(rewritten(path, pattern, by))
    assert ([a.line for a in answers], [r.line for r in bad]) == ([3], [2])
    assert bad[0].row == '{"text": "#REF!"}'


def test_an_error_for_an_id_and_a_formula_that_gives_nothing(tmp_path: Path) -> None:
    rows = [["id", "text"], ["#N/A", "x"], ["2", "=A1"]]
    path = workbook(tmp_path / "a.xlsx", rows)
    book = openpyxl.load_workbook(path)
    book.active["A2"].data_type = "e"
    book.save(path)
    blank = rewritten(path, rb'<c r="B3"[^>]*>.*?</c>', b'<c r="B3" t="str"><f>A1</f><v></v></c>')
    answers, bad = rejected(blank)
    assert [(a.id, a.text) for a in answers] == [("2", "")]
    assert "column 'id' shows #N/A" in bad[0].reason


def test_a_table_that_does_not_begin_in_the_corner(tmp_path: Path) -> None:
    rows = [[], [], [None, None, "id", "text"], [], [None, None, "1", "x"], [None, None, "2", "y"]]
    answers = read(workbook(tmp_path / "a.xlsx", rows))
    assert [(a.id, a.text, a.line, a.meta) for a in answers] == [("1", "x", 5, {}),
                                                                ("2", "y", 6, {})]  # fmt: skip
    (answer,) = read(
        workbook(tmp_path / "b.xlsx", [[], [], ["text", "points", "points"], [1, 2, 3]])
    )
    assert answer.meta == {"points": "2", "points (2)": "3"}
    with pytest.raises(BadInput, match="the sheet is empty; its first row must hold"):
        read(workbook(tmp_path / "c.xlsx", []))


def test_a_cell_in_the_last_row_does_no_harm(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cell, value in {"A1": "id", "B1": "text", "A2": "1", "B2": "x", "B1048576": "end"}.items():
        book.active[cell] = value
    book.save(tmp_path / "a.xlsx")
    answers, bad = rejected(tmp_path / "a.xlsx")
    assert [a.id for a in answers] == ["1"]
    assert [r.line for r in bad] == [1_048_576]
    book.active["XFD1048576"] = "far"
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(BadInput, match="row 1,048,576, column 16,384 makes the sheet too large"):
        read(tmp_path / "b.xlsx")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "can't be read .*; save it as .xlsx, without a password",
        ),
        (b"", "not a complete .xlsx file"),
        (b"PK\x03\x04 but no more", "not a complete .xlsx file"),
    ],
)
@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_what_is_no_workbook(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / name, data))


def test_rows_far_apart_without_references_do_no_harm(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "text"]])
    row = b"<c><v>1</v></c>" * 300
    sheet = (
        b'<sheetData><row r="1">' + row + b'</row><row r="1048576">' + row + b"</row></sheetData>"
    )
    with pytest.raises(BadInput, match="row 1,048,576, column 300 makes the sheet too large"):
        read(rewritten(path, rb"<sheetData>.*</sheetData>", sheet))


def test_a_workbook_that_would_burst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.xlsx", {"xl/worksheets/sheet1.xml": bytes(9 << 20)})
    monkeypatch.setattr("searchkit.sources.tables.workbooks.workbook.MAX_DOCUMENT_BYTES", 3 << 20)
    with pytest.raises(BadInput, match="unpacks to more than 3,145,728 bytes; split the workbook"):
        read(path)
    with pytest.raises(BadInput, match="unpacks to more than 3,145,728 bytes"):
        read(lying(path, "xl/worksheets/sheet1.xml", b"\0" * 9))
    monkeypatch.undo()
    path = zipped(tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": bytes(20 << 20)})
    with pytest.raises(BadInput, match="unpacks to more than 100 times its size; split the work"):
        read(path)


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/SHAREDSTRINGS.xml"])
def test_a_long_text_that_many_cells_share(tmp_path: Path, name: str) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "text"]])
    cells = b"".join(b"<row><c t='s'><v>1</v></c></row>" for _ in range(20_000))
    rewritten(path, b"<sheetData>.*</sheetData>", b"<sheetData>" + cells + b"</sheetData>")
    text = "<si><t>text</t></si><si><r><t>" + "x" * 20_000 + "</t></r><r><t>" + "y" * 9_000
    shared = f'<sst xmlns="urn:x">{text}</t></r></si></sst>'
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr(name, shared)
    with pytest.raises(BadInput, match=r"a.xlsx: the same long texts in so many cells make"):
        read(path)


def test_a_directory_of_sheets_has_a_limit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("searchkit.sources.tables.workbooks.workbook.MAX_DIRECTORY_BYTES", 300)
    with pytest.raises(BadInput, match=r"not a complete .xlsx file \(xl/.* larger than 300 bytes"):
        read(workbook(tmp_path / "a.xlsx", [["id", "text"], ["1", "x"]]))


def test_a_workbook_whose_part_lies_about_its_size(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "text"], ["1", "x"]])
    with zipfile.ZipFile(path) as book:
        whole = book.read("xl/worksheets/sheet1.xml")
    with pytest.raises(BadInput, match=r"a.xlsx: damaged .*sheet1.xml: Bad CRC"):
        read(lying(path, "xl/worksheets/sheet1.xml", whole[:99]))


@pytest.mark.parametrize("format", ["yyyy-mm-dd", "h:mm:ss", "[h]:mm:ss"])
@pytest.mark.parametrize("number", ["-1e300", "1e300", "inf", "NaN", "2958466", "-1"])
def test_dates_out_of_range_are_named_or_shown(tmp_path: Path, format: str, number: str) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "text"], ["1", "x"], ["2", 12345]])
    book = openpyxl.load_workbook(path)
    book.active["B3"].number_format = format
    book.save(path)
    rewritten(path, b"<v>12345</v>", f"<v>{number}</v>".encode())
    try:
        assert len(read(path)) == 2
    except BadInput as error:
        assert "a.xlsx:3: a date or time that can't be read (" in str(error)

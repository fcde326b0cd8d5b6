"""Workbooks of OpenDocument and of Excel 97: read as others, or refused in a line."""

from __future__ import annotations

import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.older_workbooks import Sheets, ods, xls
from helpers.source_files import read, write, zipped

from searchkit.core.errors import BadInput
from searchkit.sources.reader import read_answers

WRITERS = {"a.ods": ods, "a.xls": xls}
ROWS = [
    ["id", "author", "answer", "mark"],
    ["1", "Ann", "größer\nund ✓", 7.5],
    ["2", "Bob", "x", 8],
]
Write = Callable[[Path, Sheets], Path]


@pytest.fixture(params=WRITERS)
def write_book(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Sheets], Path]:
    return lambda sheets: WRITERS[request.param](tmp_path / request.param, sheets)


def test_older_workbooks_are_read(write_book) -> None:
    answers = read(write_book({"Quiz": ROWS, "Other": []}))
    assert [(a.id, a.author, a.meta, a.line) for a in answers] == [
        ("1", "Ann", {"mark": "7.5"}, 2), ("2", "Bob", {"mark": "8"}, 3)
    ]  # fmt: skip
    assert answers[0].text.split() == ["größer", "und", "✓"]  # OpenDocument has no line ends


def test_one_of_several_sheets_is_chosen(write_book) -> None:
    path = write_book({"one": ROWS, "two": [["text"], ["other"]]})
    with pytest.raises(BadInput, match=r"several sheets; choose one with `sheet=NAME`: one, two"):
        read(path)
    assert [a.text for a in read(path, sheet="two")] == ["other"]
    with pytest.raises(BadInput, match=r"no sheet 'three'; there are: one, two"):
        read(path, sheet="three")
    with pytest.raises(BadInput, match="the sheet is empty"):
        read(write_book({"one": []}))


def test_titles_and_streams(write_book) -> None:
    path = write_book({"one": [["Quiz report"], *ROWS]})
    with path.open("rb") as stream:
        assert [a.line for a in read_answers(["-"], stdin=stream)] == [3, 4]


def test_a_reader_that_stops_leaves_no_process(write_book) -> None:
    path = write_book({"one": ROWS[:1] + [[str(n), "a", "text " * 10, 1] for n in range(100)]})
    answers = read_answers([path])
    assert next(answers).text.startswith("text")
    answers.close()


def test_damaged_ones_end_in_a_line(write_book) -> None:
    path = write_book({"one": ROWS})
    data = path.read_bytes()
    numbers = random.Random(17)
    for size in (8, len(data) // 2, len(data), len(data), len(data)):
        damaged = bytearray(data[:size])
        for _ in range(30 if size == len(data) else 0):
            damaged[numbers.randrange(8, size)] ^= 1 << numbers.randrange(8)
        write(path, bytes(damaged))
        try:
            read(path)
        except BadInput as error:
            assert str(path) in str(error)
            assert "\n" not in str(error)


@pytest.mark.skipif(sys.platform != "linux", reason="no limit of memory")
def test_a_file_that_takes_too_much_memory_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("searchkit.sources.tables.workbooks.isolated.MAX_MEMORY", 500 << 20)
    path = ods(tmp_path / "a.ods", {"one": ROWS})
    assert len(read(path)) == 2
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    bomb = b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
    bomb += b'table:number-columns-repeated="16000" office:value-type="float" office:value="1"/>'
    start = b"<table:table-row>"
    content = parts["content.xml"].replace(start, bomb + b"</table:table-row>" + start, 1)
    parts["content.xml"] = content
    with pytest.raises(BadInput, match=r"a.ods: (damaged|can't be read).*; save it as .xlsx"):
        read(zipped(path, parts))

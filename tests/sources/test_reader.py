"""Whatever a teacher's file looks like, it is read right or refused with file and line."""

from __future__ import annotations

import csv
import gzip
import inspect
import io
import json
import os
import re
import sqlite3
import sys
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.sources import folders
from searchkit.sources.columns import USUAL_NAMES, Columns, Reject, fold_name
from searchkit.sources.reader import count_rows, read_answers

HEAD = "id,question,author,answer,score\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path | str, **options: object) -> list[Answer]:
    return list(read_answers([path], **options))


def rejected(path: Path, **options: object) -> tuple[list[Answer], list[Reject]]:
    bad: list[Reject] = []
    return read(path, on_reject=bad.append, **options), bad


# -- columns ---------------------------------------------------------------------------------------


def test_columns_are_found_by_their_usual_names(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "Key,Prompt,Student-ID,Created at,Response,Mark\n1,q,s,t,x,5\n"
    )
    assert read(path) == [Answer("1", "x", "q", "s", "t", str(path), 2, {"Mark": "5"})]


def test_the_first_usual_name_wins_and_the_others_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,answer,text,prompt,question_id\n1,second,first,p,q\n")
    (answer,) = read(path)
    assert (answer.text, answer.question) == ("first", "q")
    assert answer.meta == {"answer": "second", "prompt": "p"}


def test_named_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "nr,essay,text,who\n1,real,other,me\n")
    (answer,) = read(path, columns=Columns(id="nr", text="Essay", author="who"))
    assert (answer.id, answer.text, answer.author, answer.meta) == ("1", "real", "me",
                                                                    {"text": "other"})  # fmt: skip


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        (
            "a,b\n1,2\n",
            Columns(),
            r"a.csv:2: no column with the answers; there are: a, b; .*`columns.text=NAME`",
        ),
        ("a,b\n1,2\n", Columns(text="c"), r"no column 'c' \(`columns.text`\); there are: a, b"),
        ("text,b\n1,2\n", Columns(submitted_at="c"), r"no column 'c' \(`columns.submitted_at`\)"),
        ("1,some answer\n2,other\n", Columns(), "there are: 1, some answer.*first line must hold"),
    ],
)
def test_a_missing_column_is_named_with_those_found(tmp_path, content, columns, message) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.csv", content), columns=columns)


def test_one_column_is_the_text(tmp_path: Path) -> None:
    assert [a.text for a in read(write(tmp_path / "a.csv", "words\nx\ny\n"))] == ["x", "y"]


def test_ids_that_are_made(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "question,author,text\nq,s,one\nq,s,two\nq,,three\n,,four\n")
    assert [a.id for a in read(path)] == ["q/s", "q/s#2", "a:4", "a:5"]


@pytest.mark.parametrize("value", ["007", "NA", "null", "None", "1e5", "TRUE", "-0"])
def test_values_stay_the_text_that_they_are(tmp_path: Path, value: str) -> None:
    path = write(tmp_path / "a.csv", f"id,text,x\n{value},{value},{value}\n")
    (answer,) = read(path)
    assert (answer.id, answer.text, answer.meta["x"]) == (value, value, value)


# -- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_encodings_with_a_mark(tmp_path: Path, encoding: str) -> None:
    data = (HEAD + "1,q,s,café ✓ 😀,5\n").encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert read(write(tmp_path / "a.csv", data))[0].text == "café ✓ 😀"


def test_cp1252_is_named_by_byte_and_line_and_read_when_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", (HEAD + "1,q,s,plain,5\n2,q,s,caf\xe9,5\n").encode("cp1252"))
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0xE9 is not UTF-8; .*`encoding='cp1252'`"):
        read(path)
    assert read(path, encoding="cp1252")[1].text == "café"
    for encoding in ("klingon", "hex", "undefined"):
        with pytest.raises(BadInput, match=f"no encoding '{encoding}'; try utf-8"):
            read(path, encoding=encoding)


@pytest.mark.parametrize("cut", [b"\x00\xd8", b"\x61"])
def test_damaged_wide_characters_are_named_by_byte_and_line(tmp_path: Path, cut: bytes) -> None:
    data = "id,text\r\n1,x\r\n2,y".encode("utf-16") + cut
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0x\w\w is not UTF-16; the file is damaged"):
        read(write(tmp_path / "a.csv", data))


def test_wide_characters_without_a_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,text\n1,é\n".encode("utf-16-le"))
    assert read(path, encoding="utf-16-le")[0].text == "é"
    with pytest.raises(BadInput, match=r"no mark of utf-16 .*`encoding='utf-16-le'` or utf-16-be"):
        read(path, encoding="utf-16")


def test_a_bad_byte_in_a_file_with_cr_alone(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0xE9 is not UTF-8; .*`encoding='cp1252'`"):
        read(write(tmp_path / "a.csv", b"id,text\r1,x\r2,caf\xe9\r"))


def test_mixed_encodings_are_refused_where_they_change(tmp_path: Path) -> None:
    data = (HEAD + "1,q,s,café,5\n").encode() + "2,q,s,caf\xe9,5\n".encode("latin-1")
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0xE9"):
        read(write(tmp_path / "a.csv", data))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_give_the_same(tmp_path: Path, end: str) -> None:
    content = (HEAD + '1,q,s,"two\nlines",5\n\n2,q,s,x,6\n').replace("\n", end)
    answers = read(write(tmp_path / "a.csv", content))
    assert [(a.id, a.text, a.line) for a in answers] == [("1", "two\nlines", 2), ("2", "x", 5)]


def test_odd_characters_are_kept(tmp_path: Path) -> None:
    text = "a\0b\x1b[1m\u202e\u200b👩\u200d👧 é e\u0301\x0b\x85\u2028z"
    path = write(tmp_path / "a.csv", f"id,text\n1,{text}\n")
    assert read(path)[0].text == text
    lines = write(tmp_path / "a.jsonl", json.dumps({"id": "1", "text": text}) + "\n")
    assert read(lines)[0].text == text


def test_blank_answers_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,text,x\n1,,5\n2,"  ",\n')
    assert [(a.text, a.meta) for a in read(path)] == [("", {"x": "5"}), ("  ", {})]


def test_very_long_texts(tmp_path: Path) -> None:
    for text in ("word " * 2_000_000, "x" * 1_000_000):
        path = write(tmp_path / "a.csv", f'id,text\n1,"{text}"\n')
        assert read(path)[0].text == text


# -- CSV and TSV -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "id;text\n1;x, y\n"), ("a.csv", "id\ttext\n1\tx, y\n"),
     ("a.tsv", "id\ttext\n1\tx, y\n"), ("a.csv", 'id,text\n1,"x, y"\n'),
     ("a.csv", "\n\nid|text\n1|x, y\n"), ("a.tsv", 'id,text\n1,"x, y"\n'),
     ("a.csv", "sep=;\r\nid;text\r\n1;x, y\r\n"), ("a.csv", 'id,text\n1,"x, y"\n,\n,,,\n')],
)  # fmt: skip
def test_the_delimiter_is_seen(tmp_path: Path, name: str, content: str) -> None:
    assert [(a.id, a.text) for a in read(write(tmp_path / name, content))] == [("1", "x, y")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + '1,q,s,"never closed,5\n2,q,s,x,5\n', r"a.csv:2: a double quote opened .* closed"),
        (HEAD + '1,q,s,x,5\n2,q,s,"open,5\n3,q,s,"y",5\n', r"a.csv:3: not CSV up to line 4"),
        (HEAD + "1,q,s,x,5\n2,q\n", r"a.csv:3: 2 fields where the first line has 5"),
        (HEAD + "1,q,s,x,5,6\n", r"a.csv:2: 6 fields where the first line has 5"),
        ("id,text,id\n1,x,2\n", r"a.csv:1: two columns are called 'id'; rename one"),
        (HEAD + ",q,s,x,5\n", r"a.csv:2: the id \(column 'id'\) is blank"),
        ("", r"a.csv: empty; the first line must hold the columns' names"),
        ("\n  \n", r"a.csv: empty"),
    ],
)
def test_what_is_not_csv_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.csv", content))


def test_one_column_of_tsv_may_hold_commas(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.tsv", "words\nx, y\n"))[0].text == "x, y"


@pytest.mark.parametrize(
    ("content", "message"),
    [("\n\nid,text,id\n", r"a.csv:3: two columns"), (",,\n\n", r"a.csv: empty; the first line"),
     ('id,"te"xt\n', r"a.csv:1: the columns' names can't be read: not CSV")],
)  # fmt: skip
def test_bad_names_of_columns(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.csv", content))


def test_a_header_alone_is_no_error(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", HEAD)) == []


def test_bad_rows_are_set_aside_and_the_others_read(tmp_path: Path) -> None:
    content = HEAD + '1,q,s,x,5\n2,q\n3,q,s,"a"b,5\n,q,s,x,5\n4,q,s,y,5\n'
    answers, bad = rejected(write(tmp_path / "a.csv", content))
    assert [a.id for a in answers] == ["1", "4"]
    assert [(r.line, r.source.endswith("a.csv")) for r in bad] == [(3, True), (4, True), (5, True)]
    assert "2 fields" in bad[0].reason
    assert [r.row for r in bad[:2]] == ["2,q", '3,q,s,"a"b,5']
    assert json.loads(bad[2].row)["answer"] == "x"


def test_a_quote_that_closes_lines_later_loses_nothing(tmp_path: Path) -> None:
    content = HEAD + '1,q,s,"open,5\n2,q,s,"y",5\n3,q,s,z,5\n'
    answers, bad = rejected(write(tmp_path / "a.csv", content))
    assert [a.id for a in answers] == ["3"]
    assert [(r.line, r.row) for r in bad] == [(2, '1,q,s,"open,5\n2,q,s,"y",5')]


def test_columns_without_a_name_get_one(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "id,text,,\n1,x,y,\n"))[0].meta == {"column 3": "y"}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, delimiter: str) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(["id", "text", "more"])
        writer.writerows([(f"r{n}", *row) for n, row in enumerate(rows)])
    answers = read(path)
    assert [(a.text, a.meta.get("more", "")) for a in answers] == rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(texts, texts, max_size=3), min_size=1, max_size=4))
def test_what_json_writes_is_read_back(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    taken = {name for names in USUAL_NAMES.values() for name in names}
    rows = [{k: v for k, v in row.items() if fold_name(k) not in taken} for row in rows]
    lines = [json.dumps({**row, "id": f"r{n}", "text": "x"}) for n, row in enumerate(rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [dict(a.meta) for a in read(path)] == rows


# -- JSON ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "array"), [("a.json", True), ("a.jsonl", False),
                                             ("a.json", False), ("a.jsonl", True)])  # fmt: skip
def test_json_and_lines_whatever_the_ending(tmp_path: Path, name: str, array: bool) -> None:
    rows = [{"id": "1", "text": "x"}, {"id": 2, "text": "y", "n": 1.50, "b": True, "z": None}]
    raw = [json.dumps(row).replace("1.5", "1.50") for row in rows]
    content = "[" + ",\n".join(raw) + "]" if array else "\n\n".join(raw)
    answers = read(write(tmp_path / name, content))
    assert [(a.id, a.text, a.meta) for a in answers] == [
        ("1", "x", {}),
        ("2", "y", {"n": "1.50", "b": "true"}),
    ]


def test_nested_values_and_huge_numbers_are_kept_as_they_are(tmp_path: Path) -> None:
    digits = "9" * 5000
    line = '{"id": DIGITS, "text": "x", "n": {"a": [1.0, "é", null]}}'.replace("DIGITS", digits)
    (answer,) = read(write(tmp_path / "a.jsonl", line))
    assert answer.id == digits
    assert answer.meta == {"n": '{"a": [1.0, "é", null]}'}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": 1, "text": "x"', "not JSON"),
        ('{"id": 1, "text": "cut o', "not JSON"),
        ('{"id": 1, "text": 5}', r"the text \(column 'text'\) is a number; a string is needed"),
        ('{"id": 1, "text": null}', "is null"),
        ('{"id": 1, "text": {"a": 1}}', "is an object"),
        ('{"id": 1, "text": "x", "n": NaN}', "NaN is not JSON"),
        ('{"id": 1, "text": "x", "n": -Infinity}', "-Infinity is not JSON"),
        ('{"id": 1, "text": "x", "id": 2}', "the name 'id' comes twice"),
        ('{"id": 1, "text": "\\ud800"}', r"a lone surrogate U\+D800 in column 'text'"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ('"just a string"', "a string where an object is needed"),
        ("5", "a number where an object is needed"),
        ('{"id": 1, "x": "y"}', "no column with the answers; there are: id, x"),
        ('{"id": "", "text": "y"}', "the id .* is blank"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "a.jsonl", '{"id": 0, "text": "fine"}\n' + line)
    with pytest.raises(BadInput, match=rf"a.jsonl:2: .*({message})"):
        read(path)
    answers, bad = rejected(path)
    assert len(answers) == len(bad) == 1


@pytest.mark.parametrize("depth", [300, 700, 950, 100_000])
@pytest.mark.parametrize("array", [True, False])
def test_nesting_at_any_depth_is_read_or_refused(tmp_path: Path, depth: int, array: bool) -> None:
    row = '{"text": "x", "n": ' + "[" * depth + "]" * depth + "}"
    path = write(tmp_path / "a.json", f"[{row}]" if array else row)
    try:
        answers, bad = rejected(path)
    except BadInput as error:
        assert "nested too deeply" in str(error)  # so deeply that its end can't be found
    else:
        assert len(answers) + len(bad) == 1


def test_line_ends_in_json_are_those_of_every_other_file(tmp_path: Path) -> None:
    row = {"text": "a\r\nb\rc\nd", "x": "e\r\nf"}
    (answer,) = read(write(tmp_path / "a.json", json.dumps([row])))
    assert (answer.text, answer.meta) == ("a\nb\nc\nd", {"x": "e\nf"})


def test_a_bad_element_of_an_array_spoils_no_other(tmp_path: Path) -> None:
    content = """[{"text": "a"}, {"text": "b", "text": "c"},
        {"text": "d", "n": NaN}, 5, {"text": "e"}]"""
    answers, bad = rejected(write(tmp_path / "a.json", content))
    assert [(a.id, a.text) for a in answers] == [("a:1", "a"), ("a:5", "e")]
    assert [(r.line, r.row) for r in bad] == [
        (2, '{"text": "b", "text": "c"}'), (3, '{"text": "d", "n": NaN}'), (4, "5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"text": "a"},\n{"text": "b"', "a.json:2: not JSON .*column 13"),
        ('[{"text": "a"}\n{"text": "b"}]', "a.json:2: not JSON .a comma or the array's end"),
        ('[{"text": "a"}]\n5', "a.json:2: not JSON .something comes after the array's end"),
        ('[{"text": "a"},]', "a.json:1: not JSON"),
        ('{"answers": [{"text": "a"}]}', "is an array; .*make it the whole file"),
        ('{\n"text": "a"\n}', "a.json:1: one object over several lines; write an array"),
    ],
)
def test_where_an_array_stops_being_json(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.json", content))


@pytest.mark.parametrize("content", ["", "  \n", "[1", "{", "[{]"])
def test_what_is_no_json_at_all(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadInput, match=r"a.json: (empty|not JSON)|a.json:1: "):
        read(write(tmp_path / "a.json", content))


# -- workbooks -------------------------------------------------------------------------------------


def workbook(path: Path, rows: list[list[object]], more: dict[str, list] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, others in (more or {}).items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    book.save(path)
    return path


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


def rewritten(path: Path, pattern: bytes, by: bytes) -> Path:
    """Change the XML of the first sheet of a workbook."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(pattern, by, parts[sheet], flags=re.S)
    return zipped(path, parts)


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
    with pytest.raises(BadInput, match=r"b.xlsx:3: two columns are called 'text'"):
        read(workbook(tmp_path / "b.xlsx", [[], [], ["text", "text"]]))
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
            "an old .xls file, or one with a password",
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
    monkeypatch.setattr("searchkit.sources.workbook.MAX_BYTES", 3 << 20)
    with pytest.raises(BadInput, match="unpacks to more than 3,145,728 bytes; split the workbook"):
        read(path)
    with pytest.raises(BadInput, match="unpacks to more than 3,145,728 bytes"):
        read(lying(path, "xl/worksheets/sheet1.xml", b"\0" * 9))


def test_a_workbook_whose_part_lies_about_its_size(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "text"], ["1", "x"]])
    with zipfile.ZipFile(path) as book:
        whole = book.read("xl/worksheets/sheet1.xml")
    with pytest.raises(BadInput, match=r"a.xlsx: damaged .*sheet1.xml: Bad CRC"):
        read(lying(path, "xl/worksheets/sheet1.xml", whole[:99]))


# -- Parquet and SQLite ----------------------------------------------------------------------------


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({
        "id": [1, 2], "text": ["x", ""], "n": [1.0, None], "l": [[1, 2], None],
        "s": [{"a": "b"}, None], "e": ["", "é"],
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert first.meta == {"n": "1", "l": "[1, 2]", "s": '{"a": "b"}', "e": ""}
    assert (first.id, first.line, second.text, second.meta) == ("1", 1, "", {"e": "é"})
    parquet.write_table(pa.table({"text": ["x", None]}), tmp_path / "b.parquet")
    with pytest.raises(BadInput, match=r"b.parquet:2: no text in column 'text'"):
        read(tmp_path / "b.parquet")


def test_odd_columns_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    when = pa.array([1_700_000_000_000_000_001, None], pa.timestamp("ns"))
    whole = pa.array([1_700_000_000_000_001_000, None], pa.timestamp("ns"))
    columns = {"text": ["x", "y"], "t": when, "w": whole, "b": [b"ok", b"\xff"]}
    parquet.write_table(pa.table(columns), path)
    answers, bad = rejected(path)
    assert [a.meta for a in answers] == [
        {"t": "2023-11-14 22:13:20.000000001", "w": "2023-11-14 22:13:20.000001", "b": "ok"}
    ]
    assert bad[0].line == 2
    assert "column 'b' holds bytes" in bad[0].reason
    parquet.write_table(pa.table({"text": [["x"]]}), path)
    with pytest.raises(BadInput, match=r"a.parquet:1: the text \(column 'text'\) is nested"):
        read(path)
    twice = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    parquet.write_table(twice, path)
    with pytest.raises(BadInput, match="two columns are called 'text'; rename one"):
        read(path)


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_parquet(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": [f"text {n}" for n in range(1000)]}), path,
                        compression="snappy", write_page_checksum=True)  # fmt: skip
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-50]
    else:
        data[200] ^= 0xFF
    with pytest.raises(BadInput, match=r"a.parquet:\d+: not a complete Parquet file"):
        read(write(path, bytes(data)))


def test_a_sqlite_table(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE answers(id, text, n)")
        db.execute("INSERT INTO answers VALUES (7, 'x', 1.0), (8, 'y', NULL)")
    db.close()
    assert [(a.id, a.text, a.meta) for a in read(path)] == [("7", "x", {"n": "1"}), ("8", "y", {})]
    with sqlite3.connect(path) as db:
        db.execute('CREATE TABLE "odd ""name"(id, text)')
        db.execute('INSERT INTO "odd ""name" VALUES (1, ?)', [b"bytes"])
    db.close()
    with pytest.raises(BadInput, match="choose a table with `table=NAME`; there are: answers, odd"):
        read(path)
    with pytest.raises(BadInput, match="no table 'x'; there are"):
        read(path, table="x")
    with sqlite3.connect(path) as db:
        db.execute('INSERT INTO "odd ""name" VALUES (2, ?), (3, CAST(? AS TEXT)), (4, ?)',
                   [b"\xff\0", b"\xff", ""])  # fmt: skip
    db.close()
    answers, bad = rejected(path, table='odd "name')
    assert [(a.id, a.text) for a in answers] == [("1", "bytes"), ("4", "")]
    assert [r.line for r in bad] == [2, 3]
    assert "column 'text' holds bytes that are no UTF-8 text" in bad[0].reason


@pytest.mark.parametrize("name", ["a.db", "a.parquet", "a.zip", "a.csv.gz"])
def test_files_that_are_not_what_their_name_says(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=name):
        read(write(tmp_path / name, b"something else entirely " * 9))


# -- folders and zips ------------------------------------------------------------------------------


def test_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "q1").mkdir()
    write(tmp_path / "q1" / "ann.txt", "one\r\ntwo")
    write(tmp_path / "q1" / "Bob.java", "class A {}")
    write(tmp_path / "top.md", "")
    write(tmp_path / "photo.jpg", b"\xff\xd8")
    (tmp_path / "link.txt").symlink_to(tmp_path / "top.md")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    skipped: list[str] = []
    answers = read(tmp_path, on_skip=skipped.append)
    assert [(a.id, a.text, a.question) for a in answers] == [
        ("q1/Bob.java", "class A {}", "q1"), ("q1/ann.txt", "one\ntwo", "q1"), ("top.md", "", None),
    ]  # fmt: skip
    assert [line.split(": ")[1] for line in sorted(skipped)] == [
        "a link", "a link", "not a text file by its name", "a pipe",
    ]  # fmt: skip


def test_what_systems_leave_beside_the_texts_is_skipped(tmp_path: Path) -> None:
    for name in ("__MACOSX", ".git"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.txt", b"\0\5\x16")
    write(tmp_path / ".b.txt", b"\0")
    write(tmp_path / "c.txt", "x")
    skipped: list[str] = []
    assert [a.id for a in read(tmp_path, on_skip=skipped.append)] == ["c.txt"]
    assert [line.split(": ")[1] for line in skipped] == ["hidden"] * 3
    path = zipped(tmp_path / "a.zip", {"__MACOSX/._c.txt": b"\0", "c.txt": b"x"})
    assert [a.id for a in read(path, on_skip=skipped.append)] == ["c.txt"]
    assert skipped[3:] == [f"{path}/__MACOSX/._c.txt: hidden"]


def test_folders_deeper_than_python_recurses(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*["a"] * 200)
    deepest.mkdir(parents=True)
    write(deepest / "t.txt", "x")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 120)
    try:
        answers = read(tmp_path)
    finally:
        sys.setrecursionlimit(limit)
    assert [(a.text, a.question) for a in answers] == [("x", "a")]


def test_a_text_that_changes_while_it_is_read(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "a.txt", "x")
    states = (os.stat_result((0,) * 6 + (size, 0, 0, 0)) for size in range(99))
    monkeypatch.setattr(folders.os, "fstat", lambda _: next(states))
    with pytest.raises(BadInput, match=r"a.txt: changed while it was read; run it again"):
        read(path.parent)


def test_binary_in_a_text_file_is_a_bad_row(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", b"\x00\x01binary")
    write(tmp_path / "b.txt", b"\xff\xfe")
    write(tmp_path / "c.txt", "fine")
    with pytest.raises(BadInput, match=r"a.txt: binary, not text"):
        read(tmp_path)
    answers, bad = rejected(tmp_path)
    assert "c.txt" in [a.id for a in answers]
    assert bad[0].source.endswith("a.txt")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no text files in it"):
        read(tmp_path)


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    try:
        os.close(os.open(name, os.O_CREAT))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    write(tmp_path / "b.txt", "y")
    skipped: list[str] = []
    assert [a.id for a in read(tmp_path, on_skip=skipped.append)] == ["b.txt"]
    assert "not UTF-8" in skipped[0]


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_a_zip_of_texts(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.txt", "y")
    path = zipped(tmp_path / "a.zip", {
        "q1/ann.txt": "é".encode(), "../evil.txt": b"x", "/abs.txt": b"x",
        "in.zip": inner.getvalue(), "b.txt": b"z", "dir/": b"",
    })  # fmt: skip
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    skipped: list[str] = []
    answers = read(path, on_skip=skipped.append)
    assert [(a.id, a.text, a.question) for a in answers] == [("b.txt", "z", None),
                                                            ("q1/ann.txt", "é", "q1")]  # fmt: skip
    assert len(skipped) == 4
    assert not (tmp_path.parent / "evil.txt").exists()


def lying(path: Path, name: str, claimed: bytes) -> Path:
    """Let an entry claim the size and the checksum of other bytes."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
    directory = data.rfind(name.encode()) - 46
    for at in (entry.header_offset + 14, directory + 16):
        data[at : at + 4] = zlib.crc32(claimed).to_bytes(4, "little")
        data[at + 8 : at + 12] = len(claimed).to_bytes(4, "little")
    return write(path, bytes(data))


def test_an_entry_that_claims_to_be_its_own_beginning_is_not_cut_off(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"I did not copy this. " * 50})
    with pytest.raises(BadInput, match=r"a.zip/a.txt: damaged \(Bad CRC"):
        read(lying(path, "a.txt", b"I did not"))


def test_all_texts_of_a_zip_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", {f"{n}.txt": bytes(100).replace(b"\0", b"x") for n in "abc"})
    monkeypatch.setattr(folders, "MAX_ZIP_BYTES", 250)
    with pytest.raises(BadInput, match=r"a.zip: unpacks to more than 250 bytes"):
        read(path)


@pytest.mark.parametrize("name", ["a.zip", "a.xlsx"])
def test_a_zip_of_a_version_to_come(tmp_path: Path, name: str) -> None:
    data = bytearray(zipped(tmp_path / name, {"a.txt": b"x"}).read_bytes())
    data[data.rfind(b"PK\x01\x02") + 6] = 84
    with pytest.raises(BadInput, match=rf"{name}: not a complete .* \(zip file version 8.4\)"):
        read(write(tmp_path / name, bytes(data)))


def test_names_in_zips_of_macos(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"cafXX.txt": b"x", "b.txt": b"y"})
    write(path, path.read_bytes().replace(b"cafXX", "café".encode()))
    assert [a.id for a in read(path)] == ["b.txt", "café.txt"]


def test_zips_that_lie_burst_or_are_locked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"x" * 1000})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")  # claims 10 bytes
    with pytest.raises(BadInput, match=r"lie.zip/a.txt: damaged \(claims 10 bytes, holds 1,000"):
        read(write(tmp_path / "lie.zip", bytes(data)))
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.find(mark) + offset] |= 1
    skipped: list[str] = []
    with pytest.raises(BadInput, match="no text files"):
        read(write(tmp_path / "locked.zip", bytes(data)), on_skip=skipped.append)
    assert "encrypted" in skipped[0]
    bomb = zipped(tmp_path / "bomb.zip", {"a.txt": bytes(80 << 20)})
    with pytest.raises(BadInput, match=r"bomb.zip/a.txt: larger than 67,108,864 bytes"):
        read(bomb)


# -- files -----------------------------------------------------------------------------------------


def test_gz_is_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", gzip.compress((HEAD + "1,q,s,x,5\n").encode()))
    assert read(path)[0].text == "x"
    with pytest.raises(BadInput, match=r"a.csv.gz: not a complete .gz file"):
        read(write(path, path.read_bytes()[:-12]))


@pytest.mark.parametrize(
    ("name", "message"), [("nope.csv", "no such file"), ("nope", "no such file")]
)
def test_missing_files(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(BadInput, match=f"{name}: {message}"):
        read(tmp_path / name)


@pytest.mark.parametrize("path", ["x" * 300 + ".csv", "a/" * 3000])
def test_names_that_no_file_can_have(path: str) -> None:
    with pytest.raises(BadInput, match=r"can't be read .File name too long"):
        read(path)


def test_a_name_that_is_empty() -> None:
    with pytest.raises(BadInput, match="a file's name is empty"):
        read("")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", HEAD)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadInput, match=r"a.csv: can't be read \(Permission denied\)"):
        read(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadInput, match=r"pipe.csv: not a file; pipe it in, and write -"):
        read(tmp_path / "pipe.csv")
    with pytest.raises(BadInput, match="a folder; leave out `format`"):
        read(tmp_path, format="csv")
    with pytest.raises(BadInput, match="no folder; leave out `format`"):
        read(write(tmp_path / "a.csv", HEAD), format="folder")
    with pytest.raises(BadInput, match=r"a.txt: a text by itself; name the folder that holds it"):
        read(write(tmp_path / "a.txt", "x"))


def test_an_unknown_ending_asks_for_the_format(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dat", HEAD + "1,q,s,x,5\n")
    with pytest.raises(BadInput, match=r"what kind of file is it.*`format=csv"):
        read(path)
    assert read(path, format="csv")[0].text == "x"
    with pytest.raises(BadInput, match="no format 'doc'; there are: csv"):
        read(path, format="doc")


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1,q,s,x,5\n" * 1)
    stream = read_answers([path])
    next(stream)
    with path.open("a") as file:
        file.write("2,q,s,y,5\n")
    with pytest.raises(BadInput, match=r"a.csv: changed while it was read; run it again"):
        list(stream)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"id,text\n1,x\n", "x"),
        (b'{"text": "y"}\n', "y"),
        (b'[{"text": "z"}]', "z"),
        ('{"text": "é"}\n'.encode("utf-16"), "é"),
        ("id,text\n1,é\n".encode("utf-8-sig"), "é"),
        (gzip.compress(b"id;text\n1;x\n", mtime=0), "x"),
    ],
)
def test_standard_input_is_known_by_its_first_bytes(data: bytes, text: str) -> None:
    (answer,) = read("-", stdin=io.BytesIO(data))
    assert (answer.text, answer.source) == (text, "-")


def test_a_workbook_from_standard_input(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["text"], ["x"]])
    assert read("-", stdin=io.BytesIO(path.read_bytes()))[0].text == "x"


def test_a_zip_and_what_is_nothing_from_standard_input(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"x"})
    assert [(a.id, a.text) for a in read("-", stdin=io.BytesIO(path.read_bytes()))] == [
        ("a.txt", "x")
    ]
    with pytest.raises(BadInput, match="-: sqlite can't come from standard input; name its path"):
        read("-", stdin=io.BytesIO(b"SQLite format 3\0"))
    with pytest.raises(BadInput, match=r"-: an old .xls file"):
        read("-", stdin=io.BytesIO(b"\xd0\xcf\x11\xe0" + bytes(99)))
    with pytest.raises(BadInput, match=r"-: not a complete .gz file"):
        read("-", stdin=io.BytesIO(gzip.compress(b"id;text\n1;x\n")[:-9]))
    with pytest.raises(BadInput, match="-: empty"):
        read("-", stdin=io.BytesIO(b""))


def test_rows_are_counted_for_the_bar(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + '1,q,s,"two\nlines ""quoted""",5\n2,q,s,x,5\n')
    assert count_rows(path) == len(read(path)) == 2
    assert count_rows(write(tmp_path / "a.jsonl", '{"text": "x"}\n{"text": "y"}\n')) == 2
    assert count_rows(write(tmp_path / "b.csv", 'id,text\r1,5" pipe\r2,x\r3\r')) == 3
    lines = write(tmp_path / "b.jsonl", '{"text": "a\\"b"}\n\n{"text": "c"}')
    assert count_rows(lines) == 2
    assert count_rows(write(tmp_path / "c.csv.gz", gzip.compress(b"text\n\xe9\n"))) == 1
    parquet.write_table(pa.table({"text": ["x", "y"]}), tmp_path / "a.parquet")
    assert count_rows(tmp_path / "a.parquet") == 2
    for name, content in {"a.json": "[]", "a.zip": "", "c.parquet": "", "d.csv": ""}.items():
        assert count_rows(write(tmp_path / name, content)) is None
    assert count_rows(tmp_path / "none.csv") is None
    assert count_rows("-") is None


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write(HEAD)
        file.writelines(f"{n},q,s,some words in an answer {n},5\n" for n in range(60_000))
    tracemalloc.start()
    assert sum(1 for _ in read_answers([path])) == 60_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("name", "count"),
    [("semeval2013-train.csv", 9250), ("saf-train.csv", 1494), ("banking77-train.csv", 10003),
     ("medquad.csv.gz", 16407), ("irplag-java-01-03.jsonl", 194),
     ("alpaca-answers.jsonl.gz", 80492)],
)  # fmt: skip
def test_real_corpora(shared_data: Path, name: str, count: int) -> None:
    answers = read(shared_data / name)
    assert len(answers) == count
    assert all(answer.id for answer in answers)

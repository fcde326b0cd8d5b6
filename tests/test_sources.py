"""Whatever a teacher's file looks like, it is read right or refused with file and line."""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from searchkit.errors import BadInput
from searchkit.sources import Columns, Reject, count_rows, read_answers
from searchkit.types import Answer

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
            r"a.csv:2: no column with the answers; there are: a, b; .*--text",
        ),
        ("a,b\n1,2\n", Columns(text="c"), r"no column 'c' \(--text-column\); there are: a, b"),
        ("text,b\n1,2\n", Columns(submitted_at="c"), r"no column 'c' \(--time-column\)"),
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
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0xE9 is not UTF-8; .*--encoding cp1252"):
        read(path)
    assert read(path, encoding="cp1252")[1].text == "café"
    with pytest.raises(BadInput, match="no encoding 'klingon'; try utf-8"):
        read(path, encoding="klingon")


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
     ("a.csv", "\n\nid|text\n1|x, y\n")],
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


def test_a_header_alone_is_no_error(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", HEAD)) == []


def test_bad_rows_are_set_aside_and_the_others_read(tmp_path: Path) -> None:
    content = HEAD + '1,q,s,x,5\n2,q\n3,q,s,"a"b,5\n,q,s,x,5\n4,q,s,y,5\n'
    answers, bad = rejected(write(tmp_path / "a.csv", content))
    assert [a.id for a in answers] == ["1", "4"]
    assert [(r.line, r.source.endswith("a.csv")) for r in bad] == [(3, True), (4, True), (5, True)]
    assert "2 fields" in bad[0].reason
    assert bad[0].row == "2,q"


def test_columns_without_a_name_get_one(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "id,text,,\n1,x,y,\n"))[0].meta == {"column 3": "y"}


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
        BadInput, match="several sheets; choose one with --sheet NAME: Sheet, Quiz 2"
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
        (3, "the text's cell shows a formula without a stored value"),
        (4, "the text's cell shows #REF!"),
    ]


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
        (b"", "not a whole .xlsx file"),
        (b"PK\x03\x04 but no more", "not a whole .xlsx file"),
    ],
)
@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_what_is_no_workbook(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / name, data))


def test_a_workbook_that_would_burst(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        with bomb.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(1100):
                part.write(bytes(1 << 20))
    with pytest.raises(BadInput, match="would unpack to 1,153,433,600 bytes"):
        read(path)


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
    with pytest.raises(BadInput, match=r"a.parquet:\d+: not a whole Parquet file"):
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
    with pytest.raises(BadInput, match="choose a table with --table NAME; there are: answers, odd"):
        read(path)
    with pytest.raises(BadInput, match="no table 'x'; there are"):
        read(path, table="x")
    with pytest.raises(BadInput, match=r"a.db:1: a column holds bytes"):
        read(path, table='odd "name')


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


def test_zips_that_lie_burst_or_are_locked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"x" * 1000})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")  # claims 10 bytes
    with pytest.raises(BadInput, match=r"lie.zip/a.txt: damaged"):
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
    with pytest.raises(BadInput, match=r"a.csv.gz: not a whole .gz file"):
        read(write(path, path.read_bytes()[:-12]))


@pytest.mark.parametrize(
    ("name", "message"), [("nope.csv", "no such file"), ("nope", "no such file")]
)
def test_missing_files(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(BadInput, match=f"{name}: {message}"):
        read(tmp_path / name)


def test_an_unknown_ending_asks_for_the_format(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dat", HEAD + "1,q,s,x,5\n")
    with pytest.raises(BadInput, match=r"what kind of file is it.*--input-format csv"):
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
    [(b"id,text\n1,x\n", "x"), (b'{"text": "y"}\n', "y"), (b'[{"text": "z"}]', "z")],
)
def test_standard_input_is_known_by_its_first_bytes(data: bytes, text: str) -> None:
    (answer,) = read("-", stdin=io.BytesIO(data))
    assert (answer.text, answer.source) == (text, "-")


def test_a_workbook_from_standard_input(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["text"], ["x"]])
    assert read("-", stdin=io.BytesIO(path.read_bytes()))[0].text == "x"


def test_rows_are_counted_for_the_bar(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + '1,q,s,"two\nlines ""quoted""",5\n2,q,s,x,5\n')
    assert count_rows(path) == len(read(path)) == 2
    assert count_rows(write(tmp_path / "a.jsonl", '{"text": "x"}\n{"text": "y"}\n')) == 2
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
     ("medquad.csv.gz", 16407), ("irplag-java-01-03.jsonl", 194)],
)  # fmt: skip
def test_real_corpora(shared_data: Path, name: str, count: int) -> None:
    answers = read(shared_data / name)
    assert len(answers) == count
    assert all(answer.id for answer in answers)

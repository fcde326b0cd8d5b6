"""Parquet and SQLite give the same answers as text files."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest
from helpers.source_files import read, rejected, write
from pyarrow import parquet

from searchkit.core.errors import BadInput


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

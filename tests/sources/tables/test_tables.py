"""Parquet and SQLite give the same answers as text files."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from helpers.source_files import read, rejected, write
from pyarrow import parquet

from searchkit.core.errors import BadInput
from searchkit.sources.reader import read_answers
from searchkit.sources.tables import parquet as parquet_files
from searchkit.sources.tables import sqlite


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
    parquet.write_table(pa.table({"text": [{"a": "x"}]}), path)
    with pytest.raises(BadInput, match=r"a.parquet:1: the text \(column 'text'\) is nested"):
        read(path)
    twice = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    parquet.write_table(twice, path)
    (answer,) = read(path)
    assert (answer.text, answer.meta) == ("a", {"text (2)": "b"})


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


# -- times of Parquet ------------------------------------------------------------------------------

LAST, FIRST = 2**63 - 1, -(2**63) + 1  # the least number of all is null


def integers(*values: int, type: pa.DataType) -> pa.Array:
    bits = pa.int32() if type.bit_width == 32 else pa.int64()
    return pa.array(values, bits).view(type)


def shown(path: Path, column: pa.Array) -> list[str]:
    parquet.write_table(pa.table({"text": ["x"] * len(column), "c": column}), path)
    return [answer.meta["c"] for answer in read(path)]


EXTREMES = [
    (pa.date32(), [0, 2**31 - 1, -(2**31)], ["1970-01-01", "2147483647", "-2147483648"]),
    (pa.date32(), [2932896, 2932897], ["9999-12-31", "2932897"]),
    (pa.time32("ms"), [1, 86_400_000, -1], ["00:00:00.001000", "86400000", "-1"]),
    (pa.time64("us"), [1, LAST], ["00:00:00.000001", str(LAST)]),
    (pa.time64("ns"), [1, LAST], ["00:00:00.000000001", str(LAST)]),
    (pa.duration("s"), [90, LAST], ["0:01:30", str(LAST)]),
    (pa.duration("ms"), [1, FIRST], ["0:00:00.001000", str(FIRST)]),
    (pa.duration("us"), [-1], ["-1 day, 23:59:59.999999"]),
    (pa.duration("ns"), [1, 1000], ["0:00:00.000000001", "0:00:00.000001"]),
    (pa.timestamp("ms"), [1, LAST], ["1970-01-01 00:00:00.001000", str(LAST)]),
    (pa.timestamp("us"), [0, FIRST], ["1970-01-01", str(FIRST)]),
    (pa.timestamp("ns"), [0, 1], ["1970-01-01", "1970-01-01 00:00:00.000000001"]),
    (pa.timestamp("us", "UTC"), [1, LAST], ["1970-01-01 00:00:00.000001+00:00", str(LAST)]),
    (pa.timestamp("ns", "+05:30"), [1], ["1970-01-01 05:30:00.000000001+05:30"]),
    (pa.timestamp("us", "Asia/Tokyo"), [0], ["1970-01-01 09:00:00+09:00"]),
    (pa.timestamp("us", "Mars/Olympus"), [3 * 10**6], ["1970-01-01 00:00:03+00:00"]),
    (pa.timestamp("us", "+99:99"), [3 * 10**6], ["1970-01-01 00:00:03+00:00"]),
    (pa.timestamp("us", "../../etc/passwd"), [3 * 10**6], ["1970-01-01 00:00:03+00:00"]),
]


@pytest.mark.parametrize(("type", "numbers", "texts"), EXTREMES, ids=str)
def test_times_that_python_cannot_hold(
    tmp_path: Path, type: pa.DataType, numbers: list[int], texts: list[str]
) -> None:
    column = integers(*numbers, type=type)
    path = tmp_path / "a.parquet"
    assert shown(path, column) == texts
    one_row = pa.array([0, len(column)], pa.int32())
    inner = pa.ListArray.from_arrays(one_row, column)
    assert shown(path, inner) == [json.dumps(texts)]
    pairs = pa.MapArray.from_arrays(one_row, pa.array([str(n) for n in numbers]), column)
    keyed = [[str(number), text] for number, text in zip(numbers, texts, strict=True)]
    assert shown(path, pairs) == [json.dumps(keyed)]
    nested = pa.StructArray.from_arrays([inner, inner], ["a", "b"])
    assert shown(path, nested) == [json.dumps({"a": texts, "b": texts})]


def test_a_time_in_a_dictionary_and_one_without_a_value(tmp_path: Path) -> None:
    times = pa.array([LAST, None, 0], pa.int64()).view(pa.timestamp("us")).dictionary_encode()
    parquet.write_table(pa.table({"text": ["x"] * 3, "c": times}), tmp_path / "a.parquet")
    assert [a.meta.get("c") for a in read(tmp_path / "a.parquet")] == [
        str(LAST),
        None,
        "1970-01-01",
    ]


def test_a_text_of_parquet_that_is_not_utf8_costs_one_row(tmp_path: Path) -> None:
    bad = pa.array([b"x", b"\xff", b"y"]).view(pa.string())
    parquet.write_table(pa.table({"text": bad}), tmp_path / "a.parquet")
    answers, rejects = rejected(tmp_path / "a.parquet")
    assert ([a.text for a in answers], [r.line for r in rejects]) == (["x", "y"], [2])


def test_fields_of_the_same_name_are_both_kept(tmp_path: Path) -> None:
    twice = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    assert shown(tmp_path / "a.parquet", twice) == ['[["a", 1], ["a", 2]]']


# -- what unpacks to too much ----------------------------------------------------------------------


def repeated(text: str, count: int) -> pa.Array:
    return pa.array([text]).take(pa.array([0] * count))


def in_one_row(column: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)


BURSTING = {
    "text": lambda: {"text": ["z" * 20_000_000]},
    "rows": lambda: {"text": repeated("yes", 17_000_000)},
    "nulls": lambda: {"text": ["x"], "c": in_one_row(pa.nulls(17_000_000, pa.int8()))},
    "list": lambda: {"text": ["x"], "c": in_one_row(repeated("z" * 200_000, 600))},
}


@pytest.mark.parametrize("name", BURSTING)
def test_parquet_that_would_burst(tmp_path: Path, name: str, monkeypatch) -> None:
    monkeypatch.setattr(parquet_files, "MAX_DOCUMENT_BYTES", 30_000_000)
    monkeypatch.setattr(parquet_files, "BATCH_BYTES", 30_000_000)
    table = pa.table(BURSTING[name]())
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    monkeypatch.setattr(parquet_files, "_values", None)  # it is refused before any value is read
    with pytest.raises(BadInput, match=r"a.parquet: unpacks to more than 100 times its size; wri"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize("encoding", ["dictionary", "DELTA_BYTE_ARRAY"])
def test_few_rows_of_long_texts_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    if encoding == "dictionary":
        table, options = pa.table({"text": repeated("z" * 1_000_000, 300)}), {}
    else:
        table = pa.table({"text": ["z" * 200_000 + str(n) for n in range(1_500)]})
        options = {"use_dictionary": False, "column_encoding": encoding}
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd", **options)
    size = table.nbytes
    del table
    monkeypatch.setattr(parquet_files, "BATCH_BYTES", 10_000_000)
    with (tmp_path / "a.parquet").open("rb") as file:
        before = pa.total_allocated_bytes()
        rows = parquet_files.read_parquet(file, "a.parquet")
        next(rows)
        assert pa.total_allocated_bytes() - before < size // 5
        rows.close()


@pytest.mark.parametrize("nested", [False, True])
def test_damaged_metadata_does_not_end_the_process(tmp_path: Path, nested: bool) -> None:
    """Statistics of a column that don't fit its type: pyarrow's `column` calls `terminate`."""
    path = tmp_path / "a.parquet"
    texts = pa.array([None, *(f"text {number}" for number in range(8_999))])
    columns = {"text": texts, "c": pa.array([["x"], None, []] * 3_000) if nested else texts}
    parquet.write_table(pa.table(columns), path, store_schema=False)
    data = path.read_bytes()
    footer = data.rindex(b"PAR1") - 4 - int.from_bytes(data[-8:-4], "little")
    at = data.index(b"\x25\x02\x18\x01c" if not nested else b"\x25\x02\x18\x07element", footer)
    write(path, data[: at + 1] + b"\x00" + data[at + 2 :])  # an optional column is required now
    code = f"from searchkit import read_answers; list(read_answers([{str(path)!r}]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    assert "not a complete Parquet file (" in run.stderr


def test_a_column_chunk_whose_path_is_another_than_the_schema_says(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": ["x"], "abcde": [["y"]]}
    parquet.write_table(pa.table(columns), path, store_schema=False)
    data = path.read_bytes()
    at = data.rindex(b"abcde")  # in the metadata of the chunk; the schema stands before
    write(path, data[:at] + b"zzzzz" + data[at + 5 :])
    assert [(a.text, a.meta) for a in read(path)] == [("x", {"abcde": '["y"]'})]


# -- hostile databases -----------------------------------------------------------------------------


def database(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"aaaa", b"a\xffaa", r"the name 'a\\\\xffaa' is not UTF-8; rename it"),
        (b"bbbb", b"b\xffbb", r"the name 'b\\\\xffbb' is not UTF-8; rename it"),
    ],
    ids=["table", "column"],
)
def test_names_that_are_not_utf8(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    path = database(tmp_path / "a.db", "CREATE TABLE aaaa (text, bbbb)",
                    "INSERT INTO aaaa VALUES ('x', 'y')")  # fmt: skip
    write(path, path.read_bytes().replace(old, new))
    with pytest.raises(BadInput, match=f"a.db: {message}"):
        read(path)


def test_a_table_beside_one_whose_name_is_not_utf8(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "CREATE TABLE aaaa (text)", "CREATE TABLE other (text)",
                    "INSERT INTO other VALUES ('x')")  # fmt: skip
    write(path, path.read_bytes().replace(b"aaaa", b"a\xffaa"))
    with pytest.raises(
        BadInput, match=r"choose a table with `table=NAME`; there are: a\\xffaa, oth"
    ):
        read(path)
    assert read(path, table="other")[0].text == "x"
    with pytest.raises(BadInput, match=r"no table 'a\\udcffaa'; there are"):
        read(path, table="a\udcffaa")


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "


def test_a_view_whose_next_row_never_comes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "TIME_LIMIT", 0.5)
    path = database(tmp_path / "a.db", f"CREATE VIEW v AS {ENDLESS} count(*) AS text FROM n")
    with pytest.raises(BadInput, match=r"a.db: can't be read \(a row took more than 0 s; write"):
        read(path)


def test_a_view_that_a_reader_is_slow_with_is_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "TIME_LIMIT", 0.2)
    view = f"CREATE VIEW v AS {ENDLESS} x AS text FROM n LIMIT 30000"
    for number, _ in enumerate(read_answers([database(tmp_path / "a.db", view)])):
        if number % 10_000 == 0:
            time.sleep(0.3)
    assert number == 29_999


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE VIEW v AS {ENDLESS} 'row ' || x AS text FROM n",
        f"CREATE VIEW v AS {ENDLESS} hex(zeroblob(1000000)) AS text FROM n",
        f"CREATE VIEW v AS {ENDLESS} NULL AS text FROM n",
    ],
)
def test_a_view_with_rows_without_end(tmp_path: Path, statement: str) -> None:
    path = database(tmp_path / "a.db", statement)
    with pytest.raises(BadInput, match=r"a.db: unpacks to more than 100 times its size; write it"):
        rejected(path)


def test_one_value_without_end(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "CREATE VIEW v AS SELECT hex(zeroblob(900000000)) AS text")
    with pytest.raises(BadInput, match=r"a.db: can't be read \(string or blob too big\)"):
        read(path)


def test_a_database_whose_rows_stand_in_its_log(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "a.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    with writer:
        writer.execute("CREATE TABLE answers (text)")
        writer.executemany("INSERT INTO answers VALUES (?)", [["x" * 50_000]] * 200)
    assert (tmp_path / "a.db").stat().st_size < 10_000
    assert len(read(tmp_path / "a.db")) == 200
    writer.close()


def test_a_database_that_is_left_is_closed_by_any_thread(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE answers AS SELECT 'x' AS text UNION ALL SELECT 'y'")
    rows = sqlite.read_sqlite(path, "a.db", None)
    next(rows)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(rows.close).result()

"""Files of every format, whole and damaged, read as `ingest` reads them.

Each must give answers that can be stored, or a message of one line, soon and in little memory.
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

import pyarrow as pa
from breaking.shared.isolation import IsolatedReport, run_isolated
from breaking.shared.mutations import damaged, damaged_xml
from helpers.documents import open_document, portable, word
from openpyxl import Workbook
from pyarrow import parquet

from searchkit.core.errors import SearchkitError
from searchkit.core.records import Answer
from searchkit.sources.columns import Columns, Reject
from searchkit.sources.files import FORMATS, FileOptions
from searchkit.sources.preview import count_rows, preview
from searchkit.sources.reader import read_files

MAX_MESSAGE = 5_000  # characters
ODD_TEXTS = [
    "", " ", "x", "007", "NA", "null", "\0", "\x1b[31m", "\u202ex", "\x9b", "é", "e\u0301",
    "👩\u200d👧", "\ufeff", "=1+1", '"', "'", "a,b", "a;b", "a\tb", "a\nb", "a\r\nb", "a\rb",
    "<script>", "../../x", "nan", "inf", "1e999", "-0", "9" * 400, "word " * 300, "\u2028", "%s",
    "{x}", "`k`", "\x7f", "\ud7ff", "𝔘" * 50,
]  # fmt: skip
NAMES = ["id", "text", "answer", "question", "author", "date", "Key", "x", "", " id ", "text "]
TOKENS = [
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf",
    b"{", b"}", b"[", b"]", b":", b"null", b"NaN", b"-", b"1e99999", b"\\u", b"\\ud800", b"\\",
    b"<", b">", b"&", b"<c>", b"</row>", b'<row r="1048576">', b't="s"', b"<v>", b"PK\x03\x04",
    b"PK\x01\x02", b"PK\x05\x06", b"PAR1", b"\x1f\x8b", b"SQLite format 3\0", b"\x80", b"\xc3",
    b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"sep=;\n", b"9" * 30, b"../",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"CREATE VIEW v AS SELECT ", b"WITH RECURSIVE ",
    b"\x15\x80\x80\x80\x80\x10",
]  # fmt: skip

DOCUMENT_TOKENS = [
    b"<p>", b"</p>", b"<b a='", b"<!--", b"-->", b"<script>", b"&#x110000;", b"&lt", b"<w:t>",
    b"</", b"<w:tc>", b"{\\rtf1", b"\\'", b"\\u", b"{", b"}", b"%PDF-1.4", b"obj", b"endobj",
    b"<<", b">>",
    b"stream\n", b"/Length 9", b"BT ", b"(x) Tj", b'{"cells": [', b'"source"', b"x", b"\n", b"\0",
]  # fmt: skip


def run(seed: int, count: int | None = None, seconds: float = 20.0) -> IsolatedReport:
    """Read `count` files, or as many as there are in `seconds`."""
    return run_isolated(read_a_file, seed, count, seconds)


def read_a_file(random: Random, room: Path) -> str:
    """Write a file, read it in every way, and check what comes; return its format and outcome."""
    format = random.choice(list(MAKERS))
    path = MAKERS[format](random, room)
    source = FileOptions(
        Columns(text="x" if random.random() < 0.03 else None),
        random.choice([None] * 20 + ["cp1252", "utf-16-le"]),
        random.choice([None] * 15 + ["Sheet", "x"]),
        random.choice([None, "answers", "answers", "answers", "v"]),
        random.choice([None] * 150 + [*FORMATS]),
    )
    try:
        preview(path, source)
        count_rows(path)
        num_bad = 0

        def reject(row: Reject) -> None:
            nonlocal num_bad
            num_bad += 1
            check_message(row.reason)

        on_reject = reject if random.random() < 0.7 else None
        if path.is_file() and random.random() < 0.15:
            answers = read_files(["-"], source, on_reject=on_reject, stdin=path.open("rb"))
        else:
            answers = read_files([path], source, on_reject=on_reject, on_skip=check_message)
        number = sum(map(check_answer, answers))
    except SearchkitError as error:
        check_message(error.message)
        return "refused"
    return "read in part" if num_bad and number else "all rows bad" if num_bad else "read"


def check_answer(answer: Answer) -> int:
    """Check that an answer can be stored; return 1."""
    for text in (answer.id, answer.text, answer.question, answer.author, answer.submitted_at):
        if text is not None:
            assert isinstance(text, str), repr(text)
            text.encode()
    for name, value in answer.meta.items():
        assert isinstance(name, str) and isinstance(value, str), (name, value)
        (name + value).encode()
    return 1


def check_message(message: str) -> None:
    """Check that a message is one that can be shown."""
    assert "\n" not in message, message
    assert message.strip() and len(message) < MAX_MESSAGE, message[:300]
    assert "internal" not in message, message


# -- how files are made ----------------------------------------------------------------------------


def text_of(random: Random) -> str:
    return random.choice(ODD_TEXTS) if random.random() < 0.5 else f"some words {random.random()}"


def names_of(random: Random) -> list[str]:
    names = [random.choice(NAMES) for _ in range(random.randint(0, 5))]
    return list(dict.fromkeys(["text", *names] if random.random() < 0.9 else ["x", *names]))


def maybe_damaged(random: Random, data: bytes) -> bytes:
    if random.random() < 0.4:
        return data
    return damaged(random, data, TOKENS, random.choice([1, 1, 2, 6]))


def encoded(random: Random, text: str) -> bytes:
    names = ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252", "latin-1"]
    return text.encode(random.choice(names), "replace")


def make_delimited(random: Random, room: Path) -> Path:
    mark = random.choice([",", ",", ";", "\t", "|"])
    end = random.choice(["\n", "\n", "\r\n", "\r"])
    rows = [names_of(random)]
    rows += [[text_of(random) for _ in rows[0]] for _ in range(random.randint(0, 30))]
    cells = (
        ['"' + cell.replace('"', '""') + '"' if random.random() < 0.8 else cell for cell in row]
        for row in rows
    )
    text = end.join(map(mark.join, cells)) + random.choice(["", end])
    if random.random() < 0.03:
        text = random.choice([mark, '"', "x", "\0", end, "é"]) * random.choice([10**5, 10**6])
    path = room / random.choice(["a.csv", "a.csv", "a.tsv", "a.tab"])
    path.write_bytes(maybe_damaged(random, encoded(random, text)))
    return path


def value_of(random: Random, depth: int = 0) -> object:
    kind = random.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return text_of(random)
    if kind < 6:
        return random.choice([None, True, 0, -1, 1.5, 10**30, float("nan"), 1e300, "\ud800"])
    if kind == 6:
        return [value_of(random, depth + 1) for _ in range(random.randrange(4))]
    return {name: value_of(random, depth + 1) for name in names_of(random)}


def make_json(random: Random, room: Path) -> Path:
    rows = [
        {name: value_of(random) if random.random() < 0.3 else text_of(random) for name in names}
        for names in [names_of(random)]
        for _ in range(random.randint(0, 20))
    ]
    if random.random() < 0.5:
        text = json.dumps(rows, indent=random.choice([None, 1]), ensure_ascii=random.random() < 0.5)
    else:
        text = "\n".join(json.dumps(row) for row in rows)
    if random.random() < 0.05:
        part = random.choice(["[", '{"a":', "0,", '{"text": "x"}\n', "[0],", '"', "{}"])
        text = random.choice(["", "["]) + part * random.choice([10**3, 10**5, 10**6])
    path = room / random.choice(["a.json", "a.jsonl", "a.ndjson"])
    path.write_bytes(
        maybe_damaged(random, encoded(random, text.encode("utf-8", "replace").decode()))
    )
    return path


def zip_of(random: Random, parts: dict[str, bytes]) -> bytes:
    """Return a zip whose entries are damaged before they are packed, or which is damaged itself."""
    out = io.BytesIO()
    inside = random.random() < 0.5
    kinds = [zipfile.ZIP_DEFLATED] * 40 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            if inside and (
                data[:1] != b"<" or name.endswith("sheet1.xml") or not random.randrange(9)
            ):
                damage = random.random()
                if data[:1] == b"<" and damage < 0.7:
                    data = damaged_xml(random, data)
                elif damage < 0.8:
                    data = damaged(random, data, TOKENS, 2)
            archive.writestr(name, data, random.choice(kinds))
    return out.getvalue() if inside else maybe_damaged(random, out.getvalue())


def make_workbook(random: Random, room: Path) -> Path:
    book = Workbook()
    for row in range(random.randint(0, 12)):
        row = names_of(random) if not row else [text_of(random) for _ in range(4)]
        row += random.choice([[], [], [1.5, True, "=A1", "#REF!"]])
        book.active.append(["".join(c for c in str(v) if c.isprintable()) for v in row])
    if random.random() < 0.3:
        cell = book.active.cell(2, random.randint(1, 5), random.choice([1.5, -1, 45_000, 1e10]))
        cell.number_format = random.choice(["yyyy-mm-dd", "h:mm:ss", "[h]:mm:ss", "0.00"])
    if random.random() < 0.2:
        book.active.cell(random.choice([9, 70_000, 1_048_576]), random.choice([1, 40, 16_384]), "x")
    if random.random() < 0.2:
        book.create_sheet("x").append(["text"])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if random.random() < 0.1:
        parts["xl/sharedStrings.xml"] = b"<sst><si><t>" + b"x" * 10**6 + b"</t></si></sst>"
        parts["xl/worksheets/sheet1.xml"] = (
            b"<worksheet><sheetData>" + b'<row><c t="s"><v>0</v></c></row>' * 5_000
        ) + b"</sheetData></worksheet>"
    path = room / random.choice(["a.xlsx", "a.xlsm", "a.xls"])
    path.write_bytes(zip_of(random, parts))
    return path


def make_zip(random: Random, room: Path) -> Path:
    names = ["a.txt", "q1/a.py", "q1/b.md", "../x.txt", "/x.txt", "a.png", ".x.txt", "é.txt", "a/"]
    parts = {
        name: random.choice([text_of(random).encode("utf-8"), b"\0", b"x" * 10**6, bytes(10**7)])
        for name in random.sample(names, random.randint(0, 6))
    }
    path = room / "a.zip"
    path.write_bytes(zip_of(random, parts))
    return path


def make_folder(random: Random, room: Path) -> Path:
    folder = room / "texts"
    folder.mkdir()
    for number in range(random.randint(0, 6)):
        inner = folder / random.choice(["q1", "q2", ".", ".git", "é"])
        inner.mkdir(exist_ok=True)
        name = random.choice([b"a.txt", b"b.java", b"c.png", b"\xff.txt", b"d\n.md", b".e.txt"])
        path = inner / f"{number}{name.decode('utf-8', 'surrogateescape')}"
        path.write_bytes(maybe_damaged(random, encoded(random, text_of(random))))
        if random.random() < 0.2:
            (inner / f"{number}.txt").symlink_to(random.choice([folder, path, "/dev/zero", "none"]))
    return folder


def make_gz(random: Random, room: Path) -> Path:
    make = random.choice([make_delimited, make_json, make_workbook, make_zip, make_parquet])
    inner = make(random, room)
    data = inner.read_bytes()
    if random.random() < 0.1:
        data = random.choice([b",", b"[", b"\n", b"0,", b'"', b"PK", b"a,b\n"]) * 10**7
    path = inner.with_name(f"{inner.name}.gz")
    packed = gzip.compress(data, random.choice([1, 9]))
    path.write_bytes(packed if random.random() < 0.5 else maybe_damaged(random, packed))
    return path


@cache
def documents() -> dict[str, bytes]:
    cells = [{"cell_type": "code", "source": ["x"], "metadata": {"nbgrader": {"grade_id": "q"}}}]
    html = "<html><body><p>one &amp; <b>two</b><ul><li>x<pre> y\n z</pre></ul><!-- c --></body>"
    xml = '<w:document xmlns:w="w"><w:p><w:r><w:t>one</w:t></w:r></w:p></w:document>'
    return {
        ".docx": word(),
        ".odt": open_document(),
        ".pdf": portable("One page of words", "and another"),
        ".rtf": rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}} The {\b loop}\par caf\'e9 \u8364?}",
        ".ipynb": json.dumps({"cells": cells}).encode(),
        ".html": html.encode(),
        ".DOCX": stored("word/document.xml", xml.encode()),
    }


def stored(part: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(part, content)
    return file.getvalue()


def make_document(random: Random, room: Path) -> Path:
    suffix = random.choice(list(documents()))
    data = documents()[suffix]
    if random.random() < 0.2:
        data = b"".join(random.choice(DOCUMENT_TOKENS) for _ in range(random.randint(0, 3000)))
        if suffix == ".DOCX":
            data = stored("word/document.xml", data)
    path = room / f"Ada Moss{suffix}"
    path.write_bytes(maybe_damaged(random, data))
    return path


def make_platform_zip(random: Random, room: Path) -> Path:
    names = random.choice([
        ["Ada Moss_1_assignsubmission_file/a", "Ben_2_assignsubmission_onlinetext_o", "x"],
        ["moss_1001_7001_a", "reed_LATE_1002_7002_b", "anon_x_text", "lee_1_link"],
        ["E_am_attempt_2026-01-31-10-00-00", "E_am_attempt_2026-01-31-10-00-00_b", "x"],
        ["submission_metadata.yml", "submission_1/a", "submission_2/b"],
        ["info.csv", "a", "b/c", "top/info.csv"],
    ])  # fmt: skip
    lists = [b"submission_1:\n  :submitters:\n  - :name: A\n", b"filename,full_name\na.txt,A\n"]
    parts = {}
    for name in random.sample(names, random.randint(1, len(names))):
        suffix, data = random.choice(
            [*documents().items(), (".txt", b"Name: A (b)\nx"), ("", b"x")]
        )
        if name.endswith((".yml", ".csv")):
            suffix, data = "", random.choice(lists)
        parts[name + suffix] = maybe_damaged(random, data)
    path = room / random.choice(["WEB-HW-1.zip", "submissions.zip", "a (1).zip"])
    path.write_bytes(zip_of(random, parts))
    return path


INTEGERS = [0, 1, -1, 86_400, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63) + 1, 10**15]


def array_of(random: Random, size: int, depth: int = 0) -> pa.Array:
    """Return an array of any type that Parquet can hold, with the extremes of its values."""
    units = random.choice(["s", "ms", "us", "ns"])
    zone = random.choice([None, "UTC", "Europe/Berlin", "+05:30", "-99:99", "Mars", "", "/etc/x"])
    integers = [random.choice([*INTEGERS, None]) for _ in range(size)]
    texts = [random.choice([text_of(random), None]) for _ in range(size)]
    long = pa.array(integers, pa.int64())
    short = pa.array([n and n % 2**31 * random.choice([1, -1]) for n in integers], pa.int32())
    makers: list[Callable[[], pa.Array]] = [
        lambda: pa.array(texts, random.choice([pa.string(), pa.large_string()])),
        lambda: pa.array([t and t.encode() for t in texts], pa.large_binary()),
        lambda: pa.array([t and random.randbytes(3) for t in texts]).view(pa.string()),
        lambda: pa.array([t and random.randbytes(4) for t in texts], pa.binary(4)),
        lambda: long.view(pa.timestamp(units, zone)),
        lambda: long.view(pa.duration(units)),
        lambda: long.view(pa.date64()),
        lambda: long.view(pa.time64(random.choice(["us", "ns"]))),
        lambda: short.view(random.choice([pa.date32(), pa.time32("s"), pa.time32("ms")])),
        lambda: random.choice([long, short, pa.nulls(size)]),
        lambda: pa.array([random.choice([0.1, float("nan"), float("inf")]) for _ in texts]),
        lambda: pa.array([t and Decimal("9" * 30) for t in texts], pa.decimal256(60, 5)),
        lambda: pa.array([t and random.randbytes(16) for t in texts], pa.uuid()),
        lambda: array_of(random, size, depth).dictionary_encode(),
    ]
    if depth < 3 and random.random() < 0.4:
        inner = array_of(random, size, depth + 1)
        offsets = pa.array(sorted(random.randint(0, size) for _ in range(size + 1)), pa.int32())
        keys = pa.array([f"k{n % 3}" for n in range(size)])
        names = random.choice([["a", "b"], ["a", "a"], ["", "x"]])
        makers = [
            lambda: pa.ListArray.from_arrays(offsets, inner),
            lambda: pa.StructArray.from_arrays([inner, keys], names),
            lambda: pa.MapArray.from_arrays(offsets, keys, inner),
        ]
    try:
        return random.choice(makers)()
    except (pa.ArrowException, ValueError):
        return keys if depth < 3 and "keys" in locals() else pa.nulls(size)


def make_parquet(random: Random, room: Path) -> Path:
    size = random.choice([0, 1, 3, 20])
    columns = {name or "c": array_of(random, size) for name in names_of(random)}
    if random.random() < 0.8:
        columns["text"] = pa.array([text_of(random) for _ in range(size)])
    if random.random() < 0.1:
        text, count = random.choice([("yes", 2 * 10**5), ("x" * 10**6, 100), ("x" * 10**4, 10**4)])
        columns = {"text": pa.array([text]).take(pa.array([0] * count))}
    path = room / "a.parquet"
    table = pa.table(columns)
    try:
        parquet.write_table(
            table,
            path,
            compression=random.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
            use_dictionary=random.random() < 0.5,
            data_page_version=random.choice(["1.0", "2.0"]),
            write_page_checksum=random.random() < 0.3,
            version=random.choice(["1.0", "2.4", "2.6"]),
            row_group_size=random.choice([max(len(table) // 3, 1), 10**6]),
            store_schema=random.random() < 0.8,
        )
    except (pa.ArrowException, OverflowError):  # a type or a value that can't be written
        parquet.write_table(pa.table({"text": ["x"]}), path)
    path.write_bytes(maybe_damaged(random, path.read_bytes()))
    return path


NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "
STATEMENTS = [
    "CREATE VIEW v AS SELECT text, upper(text) AS x FROM answers",
    f"CREATE VIEW v AS {NUMBERS} x AS text FROM n",
    f"CREATE VIEW v AS {NUMBERS} hex(zeroblob(x)) AS text FROM n",
    f"CREATE VIEW v AS {NUMBERS} printf('%.*c', 9999999, 'x') AS text FROM n LIMIT 9",
    "CREATE VIEW v AS SELECT * FROM v2",
    "CREATE VIEW v AS SELECT hex(zeroblob(400000000)) AS text",
    "CREATE TABLE g (id, text AS (hex(zeroblob(1000000))))",
    'CREATE TABLE "odd ""; name" (text)',
    "CREATE VIRTUAL TABLE f USING fts5(text)",
    "CREATE INDEX i ON answers (text)",
    "DROP TABLE answers",
]


def make_sqlite(random: Random, room: Path) -> Path:
    path = room / random.choice(["a.db", "a.sqlite"])
    names = [name or "c" for name in names_of(random)]
    names = list({name.lower(): name for name in names}.values())
    connection = sqlite3.connect(path)
    if random.random() < 0.2:
        connection.execute(f"PRAGMA encoding = '{random.choice(['UTF-16le', 'UTF-16be'])}'")
    columns = ", ".join(f'"{name}"' for name in names)
    connection.execute(f"CREATE TABLE answers ({columns})")
    for _ in range(random.choice([0, 3, 200])):
        values = [
            random.choice([*[text_of(random)] * 30, None, 1, 1.5, 2**63 - 1, b"\xff"])
            for _ in names
        ]
        connection.execute(f"INSERT INTO answers VALUES ({', '.join('?' * len(names))})", values)
    for statement in random.sample(STATEMENTS, random.choice([0, 0, 1, 2])):
        try:
            connection.execute(statement)
        except sqlite3.Error:  # without the table, or twice the same name
            pass
    connection.commit()
    connection.close()
    path.write_bytes(maybe_damaged(random, path.read_bytes()))
    return path


MAKERS: dict[str, Callable[[Random, Path], Path]] = {
    "delimited": make_delimited,
    "json": make_json,
    "workbook": make_workbook,
    "zip": make_zip,
    "folder": make_folder,
    "document": make_document,
    "platform": make_platform_zip,
    "gz": make_gz,
    "parquet": make_parquet,
    "sqlite": make_sqlite,
}

if __name__ == "__main__":
    print(run(int(sys.argv[1]), seconds=float(sys.argv[2])))

"""A packed file is unpacked while it is read, and refused where it would fill the memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.source_files import HEAD, read, rejected, workbook, write, zipped

from searchkit.core.errors import BadInput
from searchkit.sources import files
from searchkit.sources.labelled import read_pairs
from searchkit.sources.preview import count_rows

TOO_MUCH = "unpacks to more than 100 times its size; unpack it first if you trust it"
BOMBS = {
    "a.csv.gz": b"," * (40 << 20),
    "a.tsv.gz": b"\0" * (40 << 20),
    "a.json.gz": b"[" + b"0," * (20 << 20),
    "a.jsonl.gz": b'{"a": "' + b"x" * (40 << 20),
    "a.xlsx.gz": b"PK" + bytes(40 << 20),
    "a.parquet.gz": b"PAR1" + bytes(40 << 20),
    "a.zip.gz": b"PK" + bytes(40 << 20),
}


def peak(run: Callable[[], object]) -> int:
    tracemalloc.start()
    run()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


@pytest.mark.parametrize("name", BOMBS)
def test_a_gz_that_would_burst_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, gzip.compress(BOMBS[name]))

    def refuse() -> None:
        with pytest.raises(BadInput, match=rf"{name}: {TOO_MUCH}"):
            read(path)

    assert peak(refuse) < 100 << 20
    assert count_rows(path) is None
    with pytest.raises(BadInput, match=TOO_MUCH):
        read_pairs([path])


def test_a_gz_that_would_burst_in_standard_input_and_in_a_prompt(tmp_path: Path) -> None:
    data = gzip.compress(b"," * (40 << 20))
    with pytest.raises(BadInput, match=f"-: {TOO_MUCH}"):
        read("-", stdin=io.BytesIO(data))
    with pytest.raises(BadInput, match=rf"a.txt.gz: {TOO_MUCH}"):
        files.read_text(write(tmp_path / "a.txt.gz", data))


def test_gz_in_gz_is_not_unpacked_twice(tmp_path: Path) -> None:
    inner = gzip.compress(b"," * (40 << 20))
    with pytest.raises(BadInput, match=r"a.csv.gz:1: byte 0x8B is not UTF-8"):
        read(write(tmp_path / "a.csv.gz", gzip.compress(inner)))


def test_what_is_packed_well_for_good_reason_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{n % 40},yes\n" for n in range(200_000))  # packed to a 350th
    path = write(tmp_path / "a.csv.gz", gzip.compress(f"question,answer\n{rows}".encode()))
    assert path.stat().st_size * files.MAX_RATIO < len(rows) < files.HARMLESS_BYTES
    assert count_rows(path) == 200_000
    rows = "".join(f"s{n},q{n % 40},yes\n" for n in range(150_000))
    packed = gzip.compress(rows.encode())
    files.Allowance("a.csv.gz", "", len(packed), harmless_bytes=0).spend(len(rows))


def test_several_members_are_one_file(tmp_path: Path) -> None:
    data = gzip.compress(HEAD.encode()) + gzip.compress(b"1,q,s,x,5\n") + bytes(64)
    assert [a.text for a in read(write(tmp_path / "a.csv.gz", data))] == ["x"]


def test_formats_that_need_the_whole_file_are_read_from_gz(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", [["id", "text"], ["1", "x"]]).read_bytes()
    assert read(write(tmp_path / "b.xlsx.gz", gzip.compress(book)))[0].text == "x"
    texts = zipped(tmp_path / "a.zip", {"q1/a.txt": b"y"}).read_bytes()
    assert read(write(tmp_path / "b.zip.gz", gzip.compress(texts)))[0].text == "y"


def test_what_is_held_in_memory_has_a_limit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "MAX_DOCUMENT_BYTES", 5_000)
    data = workbook(tmp_path / "a.xlsx", [["id", "text"], *([n, "x" * n] for n in range(400))])
    with pytest.raises(BadInput, match=r"-: larger than 5,000 bytes; unpack it, and name its path"):
        read("-", stdin=io.BytesIO(data.read_bytes()))


def test_a_prompt_has_a_limit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 5_000)
    with pytest.raises(BadInput, match=r"a.txt: larger than 5,000 characters; split it"):
        files.read_text(write(tmp_path / "a.txt", "word\n" * 1_001))


def test_a_bad_row_in_a_gz_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", gzip.compress((HEAD + "1,q,s,x,5\n2,q\n").encode()))
    answers, bad = rejected(path)
    assert ([a.id for a in answers], [r.line for r in bad]) == (["1"], [3])


ROWS = "Name\tAnswer\r\nAda\tThe loop runs, größer\r\nBen\tTimers fire\r\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("name", ["gradebook.xls", "gradebook.xlsx"])
def test_a_table_of_text_with_the_ending_of_a_workbook(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, encoding: str
) -> None:
    path = write(tmp_path / name, ROWS.encode(encoding))
    assert [(a.author, a.text) for a in read(path)] == [
        ("Ada", "The loop runs, größer"),
        ("Ben", "Timers fire"),
    ]
    assert f"{path}: no workbook, though its name says so; read as CSV" in caplog.text
    assert count_rows(path) == 2 or encoding == "utf-16"


def test_a_workbook_with_the_ending_of_a_table_of_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book = workbook(tmp_path / "a.xlsx", [["id", "answer"], [1, "x"]])
    path = book.rename(tmp_path / "a.csv")
    assert [(a.id, a.text) for a in read(path)] == [("1", "x")]
    assert f"{path}: a workbook, though its name doesn't say so" in caplog.text
    assert count_rows(path) is None


@pytest.mark.parametrize("start", ["<html><table>", "\ufeff<?xml version='1.0'?>", "\n <table>"])
def test_a_web_page_with_the_ending_of_a_workbook(tmp_path: Path, start: str) -> None:
    path = write(tmp_path / "a.xls", f"{start}<tr><td>Name</td></tr>")
    with pytest.raises(BadInput, match=r"a.xls: a web page or XML, no workbook; open it in"):
        read(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"P\0\x03\x04", b"xK\x03\x04\x14\0\x06\0"])
def test_a_damaged_workbook_is_still_one(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadInput, match=r"a.xlsx: not a complete .xlsx file"):
        read(write(tmp_path / "a.xlsx", data))

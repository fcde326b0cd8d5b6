"""Whatever a teacher's file looks like, it is read right or refused with file and line."""

from __future__ import annotations

import gzip
import io
import logging
import os
import sqlite3
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from helpers.source_files import HEAD, read, workbook, write, zipped
from pyarrow import parquet

from searchkit.core.errors import BadInput
from searchkit.sources.files import FileOptions
from searchkit.sources.known import read_known_sources
from searchkit.sources.preview import count_rows, preview
from searchkit.sources.reader import read_answers


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


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("read_all", [read_answers, read_known_sources])
def test_one_path_is_no_list_of_paths(tmp_path: Path, kind, read_all) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1,q,s,x,5\n")
    assert len(list(read_all(iter([kind(path)])))) == 1
    with pytest.raises(TypeError, match="`paths` takes a list, not one"):
        read_all(kind(path))


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


def test_one_file_a_question(tmp_path: Path) -> None:
    first = write(tmp_path / "q01.csv", "author,answer\nann,x\nbob,y\n")
    second = write(tmp_path / "q02.csv.gz", gzip.compress(b"author,question,answer\nann,Why?,z\n"))
    answers = list(read_answers([first, second], question_from="filename"))
    assert [(a.question, a.id) for a in answers] == [
        ("q01", "q01/ann"), ("q01", "q01/bob"), ("q02", "q02/ann")
    ]  # fmt: skip
    assert answers[2].meta == {"prompt": "Why?"}
    assert {answer.question for answer in read_answers([first])} == {None}


def test_a_zip_and_what_is_nothing_from_standard_input(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"x"})
    assert [(a.id, a.text) for a in read("-", stdin=io.BytesIO(path.read_bytes()))] == [("a", "x")]
    with pytest.raises(BadInput, match="-: sqlite can't come from standard input; name its path"):
        read("-", stdin=io.BytesIO(b"SQLite format 3\0"))
    with pytest.raises(BadInput, match=r"-: can't be read .*; save it as .xlsx, without"):
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


def test_a_preview_of_rows_with_other_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "x", "id": "1"}\n{"a": 1, "b": 2}\n')
    shown = preview(path, FileOptions())
    assert ([a.text for a in shown.answers], shown.names, shown.roles) == (
        ["x"],
        ("text", "id"),
        {"text": "text", "id": "id"},
    )
    assert "a.jsonl:2: no column with the answers" in (shown.problem or "")


# -- nothing in it ---------------------------------------------------------------------------------


def empty_files(folder: Path) -> dict[str, str]:
    """Write files that can be read and hold no answers; return the message for each."""
    write(folder / "empty.csv", "")
    write(folder / "header.csv", HEAD)
    write(folder / "header.tsv", "id\ttext\n")
    write(folder / "rubbish.csv", "\x7fELF rubbish")
    write(folder / "rubbish.csv.gz", gzip.compress(b"rubbish"))
    write(folder / "array.json", "[]")
    write(folder / "blank.jsonl", "\n \n")
    workbook(folder / "sheet.xlsx", [])
    workbook(folder / "header.xlsx", [["id", "text"]])
    parquet.write_table(pa.table({"text": pa.array([], pa.string())}), folder / "rows.parquet")
    parquet.write_table(pa.table({}), folder / "columns.parquet")
    sqlite3.connect(folder / "tables.db").execute("VACUUM").connection.close()
    with sqlite3.connect(folder / "rows.db") as connection:
        connection.execute("CREATE TABLE answers (id, text)")
    connection.close()
    zipped(folder / "none.zip", {})
    zipped(folder / "pictures.zip", {"a.png": b"x"})
    (folder / "texts").mkdir()
    write(folder / "texts" / "a.png", "x")
    return {
        "empty.csv": "empty; the first line must hold",
        "header.csv": "no rows in it, only a line that was taken",
        "header.tsv": "no rows in it, only a line that was taken",
        "rubbish.csv": "no rows in it, only a line that was taken",
        "rubbish.csv.gz": "no rows in it, only a line that was taken",
        "array.json": "no rows in it; is it the right file?",
        "blank.jsonl": "empty; a JSON object a line",
        "sheet.xlsx": "the sheet is empty",
        "header.xlsx": "no rows in it; is it the right file?",
        "rows.parquet": "no rows in it; is it the right file?",
        "columns.parquet": "no rows in it; is it the right file?",
        "tables.db": "(no table|empty)",
        "rows.db": "no rows in it; is it the right file?",
        "none.zip": "no text files in it",
        "pictures.zip": "no text files in it",
        "texts": "no text files in it",
    }


def test_a_file_without_answers_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    messages = empty_files(tmp_path)
    good = write(tmp_path / "good.csv", HEAD + "1,q,s,x,5\n")
    for name, message in messages.items():
        with pytest.raises(BadInput, match=f"{name}: {message}"):
            read(tmp_path / name)
    with pytest.raises(BadInput, match=r"header.csv: no rows in it"):
        list(read_answers([tmp_path / "header.csv", tmp_path / "array.json"]))
    assert not caplog.messages
    with caplog.at_level(logging.WARNING, "searchkit"):
        paths = [*(tmp_path / name for name in messages), good]
        assert [answer.id for answer in read_answers(paths)] == ["1"]
    assert len(caplog.messages) == len(messages)
    assert all(name in text for name, text in zip(messages, caplog.messages, strict=True))


def test_a_file_of_bad_rows_is_not_empty(tmp_path: Path) -> None:
    for name, content in {"a.csv": HEAD + "1,q\n", "a.json": "[1]", "a.jsonl": "1\n"}.items():
        bad: list[object] = []
        assert read(write(tmp_path / name, content), on_reject=bad.append) == []
        assert len(bad) == 1

"""Bytes to text: encodings, line ends, odd characters; nothing is lost or guessed."""

from __future__ import annotations

import io
import json
import logging
import time
from pathlib import Path

import pytest
from helpers.source_files import HEAD, read, write

from searchkit.core.errors import BadInput
from searchkit.sources import decoding
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_encodings_with_a_mark(tmp_path: Path, encoding: str) -> None:
    data = (HEAD + "1,q,s,café ✓ 😀,5\n").encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert read(write(tmp_path / "a.csv", data))[0].text == "café ✓ 😀"


def test_bytes_in_no_usual_encoding_are_named_by_byte_and_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", (HEAD + "1,q,s,plain,5\n2,q,s,Привет всем,5\n").encode("cp1251")
    )
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0xCF is not UTF-8; .*`encoding='cp1252'`"):
        read(path)
    assert read(path, encoding="cp1251")[1].text == "Привет всем"
    for encoding in ("klingon", "hex", "undefined"):
        with pytest.raises(BadInput, match=f"no encoding '{encoding}'; try utf-8"):
            read(path, encoding=encoding)


TEXTS = {
    "cp1252": "Größe, Müller: „Ja“ – 5 °C, café, l’été, 3 €, Straße, Œuvre, ¿Qué? año…",
    "mac-roman": "Größe, Müller: „Ja“ – 5 °C, café, l’été, Straße, ¿Qué? año…",
    "cp1250": "Książka, która leży na stole, jest większa niż krzesło, ponieważ śnieg",
    "cp850": "Größe, Müller, café, Straße, año, Übung",
}


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("encoding", TEXTS)
def test_older_encodings_are_found_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, encoding: str, end: str
) -> None:
    content = f"id;text\n1;plain\n2;{TEXTS[encoding]}\n".replace("\n", end)
    path = write(tmp_path / "a.csv", content.encode(encoding))
    with caplog.at_level(logging.WARNING, "searchkit"):
        assert [a.text for a in read(path)] == ["plain", TEXTS[encoding]]
    assert caplog.messages == [
        f"{path}: not UTF-8, and read as {encoding}; `encoding=NAME` chooses another encoding"
    ]


@pytest.mark.parametrize(
    "word", ["größer", "café", "señor", "naïve", "MÜLLER", "Zoë", "it’s", "Ja!“"]
)
def test_one_word_tells_the_encoding(tmp_path: Path, word: str) -> None:
    for encoding in ("cp1252", "mac-roman"):
        path = write(tmp_path / "a.csv", f"id,text\n1,a {word} b\n".encode(encoding))
        assert read(path)[0].text == f"a {word} b"


def test_each_file_may_have_its_own_encoding(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "id,text\n1,größer\n".encode("cp1252"))
    other = write(tmp_path / "b.csv", "id,text\n2,größer\n".encode("cp437"))
    options = FileOptions(encoding="cp1252", encodings={"b.csv": "cp437"})
    assert [a.text for a in read_files([first, other], options)] == ["größer", "größer"]
    options = FileOptions(encodings={str(other): "cp437"})
    assert [a.text for a in read_files([first, other], options)] == ["größer", "größer"]
    with pytest.raises(BadInput, match=r"`encoding`: c.csv is none of the files; there are: .*b"):
        list(read_files([first, other], FileOptions(encodings={"c.csv": "cp437"})))


@pytest.mark.parametrize("word", ["Ελλάδα", "Привет", "日本語"])
def test_other_alphabets_are_not_taken_for_latin_letters(tmp_path: Path, word: str) -> None:
    for encoding in ("cp1253", "cp1251", "shift-jis"):
        try:
            data = f"id,text\n1,a {word} b\n".encode(encoding)
        except UnicodeEncodeError:
            continue
        with pytest.raises(BadInput, match=r"a.csv:2: byte 0x.. is not UTF-8"):
            read(write(tmp_path / "a.csv", data))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_characters_are_found_without_a_mark(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", "id,text\n1,größer\n".encode(encoding))
    assert read(path)[0].text == "größer"


def test_an_older_encoding_that_begins_later(tmp_path: Path) -> None:
    rows = "".join(f"{n},plain\n" for n in range(20_000))
    path = write(tmp_path / "a.csv", f"id,text\n{rows}x,größer\n".encode("cp1252"))
    assert read(path)[-1].text == "größer"
    write(path, path.read_bytes() + ("y,plain\n" * 20_000 + "z,größer\n").encode())
    with pytest.raises(BadInput, match=r"a.csv:40003: CP1252 up to here and UTF-8 in this line"):
        read(path)


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
    with pytest.raises(BadInput, match=r"a.csv:3: byte 0x9D is not UTF-8; .*`encoding='cp1252'`"):
        read(write(tmp_path / "a.csv", b"id,text\r1,x\r2,caf\x9d\xff\x90\x88\r"))


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_without_end_is_refused(encoding: str) -> None:
    file = io.BytesIO(("id,text\n1," + "x" * 500_000).encode(encoding))
    lines = decoding.lines(decoding.buffered(file), "a.csv", None, max_bytes=100_000)
    assert next(lines) == "id,text\n"
    with pytest.raises(BadInput, match=r"a.csv:2: a line of more than 100,000 bytes; is the file"):
        next(lines)


def test_a_long_line_is_decoded_in_linear_time(tmp_path: Path) -> None:
    seconds = []
    for length in (1_000_000, 8_000_000):
        path = write(tmp_path / "a.csv", f"id,text\n1,{'x' * length}\n".encode("utf-16"))
        started = time.perf_counter()
        assert len(read(path)[0].text) == length
        seconds.append(time.perf_counter() - started)
    assert seconds[1] < 40 * seconds[0]

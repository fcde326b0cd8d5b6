"""Folders and zip files of texts, with what lies beside the texts."""

from __future__ import annotations

import inspect
import io
import os
import sys
import zipfile
from pathlib import Path

import pytest
from helpers.source_files import lying, read, rejected, write, zipped

from searchkit.core.errors import BadInput
from searchkit.sources.folders import members


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
        ("q1/Bob", "class A {}", "q1"), ("q1/ann", "one\ntwo", "q1"), ("top", "", None),
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
    assert [a.id for a in read(tmp_path, on_skip=skipped.append)] == ["c"]
    assert [line.split(": ")[1] for line in skipped] == ["hidden"] * 3
    path = zipped(tmp_path / "a.zip", {"__MACOSX/._c.txt": b"\0", "c.txt": b"x"})
    assert [a.id for a in read(path, on_skip=skipped.append)] == ["c"]
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
    monkeypatch.setattr(members.os, "fstat", lambda _: next(states))
    with pytest.raises(BadInput, match=r"a.txt: changed while it was read; run it again"):
        read(path.parent)


def test_binary_in_a_text_file_is_a_bad_row(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", b"\x00\x01binary")
    write(tmp_path / "b.txt", b"\xff\xfe")
    write(tmp_path / "c.txt", "fine")
    with pytest.raises(BadInput, match=r"a.txt: binary, not text"):
        read(tmp_path)
    answers, bad = rejected(tmp_path)
    assert "c" in [a.id for a in answers]
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
    assert [a.id for a in read(tmp_path, on_skip=skipped.append)] == ["b"]
    assert "not UTF-8" in skipped[0]


def test_a_zip_of_texts(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.txt", "y")
    path = zipped(tmp_path / "a.zip", {
        "q1/ann.txt": "é".encode(), "../evil.txt": b"x", "/abs.txt": b"x",
        "a/in/deep.zip": inner.getvalue()[:9], "b.txt": b"z", "dir/": b"",
    })  # fmt: skip
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    skipped: list[str] = []
    answers = read(path, on_skip=skipped.append)
    assert [(a.id, a.text, a.question) for a in answers] == [("b", "z", None),
                                                            ("q1/ann", "é", "q1")]  # fmt: skip
    assert len(skipped) == 4, skipped
    assert not (tmp_path.parent / "evil.txt").exists()


def test_an_entry_that_claims_to_be_its_own_beginning_is_not_cut_off(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"I did not copy this. " * 50})
    with pytest.raises(BadInput, match=r"a.zip/a.txt: damaged \(Bad CRC"):
        read(lying(path, "a.txt", b"I did not"))


def test_all_texts_of_a_zip_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", {f"{n}.txt": bytes(100).replace(b"\0", b"x") for n in "abc"})
    monkeypatch.setattr(members, "MAX_DOCUMENT_BYTES", 250)
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
    assert [a.id for a in read(path)] == ["b", "café"]


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
    bomb = zipped(tmp_path / "bomb.zip", {"a.txt": bytes(20 << 20)})
    with pytest.raises(BadInput, match=r"bomb.zip: unpacks to more than 100 times its size; split"):
        read(bomb)
    many = zipped(tmp_path / "many.zip", {f"{n}.txt": b"x" * (2 << 20) for n in range(10)})
    with pytest.raises(BadInput, match=r"many.zip: unpacks to more than 100 times its size"):
        read(many)


def test_a_text_of_a_zip_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_TEXT_BYTES", 3_000)
    path = zipped(tmp_path / "a.zip", {"a.txt": b"word " * 1_000})
    with pytest.raises(BadInput, match=r"a.zip/a.txt: larger than 3,000 bytes; refused"):
        read(path)


@pytest.mark.parametrize("name", ["a.zip", "a.xlsx"])
def test_a_message_quotes_only_the_beginning_of_a_damaged_name(tmp_path: Path, name: str) -> None:
    """A header that claims a name of 60,000 bytes is quoted by zipfile as a whole."""
    path = zipped(tmp_path / name, {"a.txt": os.urandom(90_000)})
    data = bytearray(path.read_bytes())
    data[26:28] = (60_000).to_bytes(2, "little")
    with pytest.raises(BadInput, match=r"damaged \(.*File name in directory") as caught:
        read(write(path, bytes(data)))
    assert len(str(caught.value)) < 600


def test_an_entry_without_a_name_is_left_out() -> None:
    assert not members._is_usable("", zipfile.ZipInfo(""), "a.zip/", print)

"""Known sources from files: each file is one, each row of a table is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from searchkit import Answer
from searchkit.core.errors import BadInput
from searchkit.sources.known import check_known_sources, read_known_sources

TEXT = "A stack is a thing that holds plates, one upon the other."


def test_each_file_and_each_row_is_a_source(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    (folder / "week 1").mkdir(parents=True)
    (folder / "week 1" / "page.txt").write_text(TEXT)
    (folder / "wiki.html").write_text("<p>A queue is <b>longer</b>.</p>")
    (folder / "solutions.csv").write_text("id,text,question\ns1,one,q1\ns2,two,q2\n")
    (folder / "bot.jsonl").write_text('{"id": "b1", "text": "As a language model"}\n')
    sources = read_known_sources([folder])
    assert {source.id: source.text for source in sources} == {
        "week 1/page.txt": TEXT,
        "wiki.html": "A queue is longer.",
        "s1": "one",
        "s2": "two",
        "b1": "As a language model",
    }
    assert {source.question for source in sources} == {None, "q1", "q2"}


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name / "page.txt" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(TEXT)
    assert [source.id for source in read_known_sources(paths)] == ["page.txt", "page.txt 2"]


def test_the_encoding_is_that_which_was_given(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_bytes("Grüße aus dem Süden".encode("cp1252"))
    assert read_known_sources([path], "cp1252")[0].text == "Grüße aus dem Süden"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.txt", None, "no such file"),
        ("empty.txt", b"", "no text in it"),
        ("blank.html", b"<p> </p>", "no text in it"),
        ("broken.docx", b"PK\x03\x04", "broken.docx"),
        ("picture.png", b"\x89PNG", "what kind of file is it"),
    ],
)
def test_a_file_that_is_no_source_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=message) as error:
        read_known_sources([path])
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_leaves_out_what_holds_no_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(BadInput, match="no file in it that holds a text"):
        read_known_sources([tmp_path])
    (tmp_path / "page.txt").write_text(TEXT)
    caplog.clear()
    assert [source.id for source in read_known_sources([tmp_path])] == ["page.txt"]
    assert {"empty.txt", "picture.png"} == {
        name for name in ("empty.txt", "picture.png") if name in caplog.text
    }


def test_sources_made_in_python_are_checked() -> None:
    with pytest.raises(BadInput, match="no text"):
        check_known_sources([Answer("page", " ")])
    with pytest.raises(BadInput, match="two sources"):
        check_known_sources([Answer("page", TEXT), Answer("page", "other")])
    check_known_sources([Answer("page", TEXT)])

"""Documents as texts, whole, damaged and hostile; they are built here by the libraries."""

from __future__ import annotations

import json
import random
import sys
import time

import nbformat.v4 as nb
import pytest
from helpers.documents import open_document, portable, word, zip_of

from searchkit.core.errors import BadInput, MissingExtra, SearchkitError
from searchkit.sources.documents import pdf, zipped_xml
from searchkit.sources.documents.formats import document_texts


def text(name: str, data: bytes) -> str:
    (found,) = document_texts(name, data, name)
    return found.text


def notebook(*cells: object) -> bytes:
    return nb.writes(nb.new_notebook(cells=list(cells))).encode()


def graded(cell: object, grade_id: str, **flags: bool) -> object:
    cell.metadata["nbgrader"] = {"grade_id": grade_id, **flags}
    return cell


def test_word() -> None:
    assert text("a.docx", word()) == (
        "Loops\n\nOne & two\n\na point\n\nleft\tright\n\nline\nbreak\ttab"
    )


def test_open_document() -> None:
    assert text("a.odt", open_document()) == (
        "Loops\n\nOne & two  three\n\n- a point\n\n- another\n\nleft\tright"
    )


def test_pdf_joins_wrapped_lines_and_cut_words() -> None:
    page = "A paragraph that is so long that it was wrap-\nped at the width of its page"
    page += ", as usual\nhere.\nNext"
    data = portable(page, "Second page")
    assert text("a.pdf", data) == (
        "A paragraph that is so long that it was wrapped at the width of its page, as usual here."
        "\nNext\n\nSecond page"
    )


def test_a_pdf_without_text_is_said_to_be_one() -> None:
    with pytest.raises(BadInput, match=r"a\.pdf: a PDF without text, perhaps a scan; recognise"):
        text("a.pdf", portable(""))


def test_encrypted_documents() -> None:
    with pytest.raises(BadInput, match=r"a\.pdf: encrypted; save it without a password"):
        text("a.pdf", portable("x", password="secret"))
    assert text("a.pdf", portable("readable by all", password="")) == "readable by all"
    with pytest.raises(BadInput, match=r"a\.docx: an old \.doc file, or one with a password"):
        text("a.docx", b"\xd0\xcf\x11\xe0" + bytes(100))


def test_rich_text() -> None:
    data = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 The \b loop\b0\par caf\'e9 \u8364?}"
    assert text("a.rtf", data) == "The loop\ncafé €"
    with pytest.raises(BadInput, match="no \\.rtf file by its beginning"):
        text("a.rtf", b"plain")


def test_halves_of_characters_are_joined_or_replaced() -> None:
    assert text("a.rtf", rb"{\rtf1 x \u55357?\u56832? \u55357? y}") == "x \U0001f600 \ufffd y"
    cell = {"cell_type": "code", "source": "\ud83d\ude00 \ud83d"}
    assert text("a.ipynb", json.dumps({"cells": [cell]}).encode()) == "\U0001f600 \ufffd"


def test_html_keeps_what_it_was() -> None:
    (found,) = document_texts("a.HTML", b"<p>one &amp; two</p>", "a.HTML")
    assert (found.text, found.original) == ("one & two", "<p>one &amp; two</p>")


def test_a_notebook_is_one_text() -> None:
    data = notebook(nb.new_markdown_cell("# Why"), nb.new_code_cell("x = 1"), nb.new_raw_cell("r"))
    assert text("a.ipynb", data) == "# Why\n\nx = 1"


def test_solutions_of_a_notebook_are_answers_to_their_questions() -> None:
    data = notebook(
        nb.new_markdown_cell("Explain loops"),
        graded(nb.new_markdown_cell("They go round"), "loops", solution=True, grade=True),
        graded(nb.new_code_cell("assert x"), "test_x", solution=False, grade=True),
        graded(nb.new_code_cell("x = 1"), "code", solution=True),
    )
    found = document_texts("a.ipynb", data, "a.ipynb")
    assert [(f.question, f.text) for f in found] == [("loops", "They go round"), ("code", "x = 1")]


@pytest.mark.parametrize("name", ["a.PY", "a.hs", "a.m", "a.asm", "a.tex", "a.md", "a.TXT", "a"])
def test_source_code_and_plain_text_stay_as_they_are(name: str) -> None:
    assert text(name, b"one\r\n  <b>two</b>\n") == "one\n  <b>two</b>\n"


@pytest.mark.parametrize(
    ("module", "name", "data"),
    [("pypdf", "a.pdf", b"%PDF"), ("striprtf", "a.rtf", b"{\\rtf1 x}")],
)
def test_a_missing_library_is_named(monkeypatch, module: str, name: str, data: bytes) -> None:
    for loaded in [n for n in sys.modules if n.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'searchkit\[documents\]'"):
        text(name, data)


# -- damage and bombs ----------------------------------------------------------------------------


def body(inner: str, head: str = "") -> bytes:
    return f'{head}<w:document xmlns:w="w"><w:body>{inner}</w:body></w:document>'.encode()


def test_a_document_that_unpacks_to_too_much() -> None:
    data = zip_of("word/document.xml", body("<w:p>" + " " * (30 << 20)))
    with pytest.raises(BadInput, match=r"a\.docx: unpacks to more than 100 times its size"):
        text("a.docx", data)


def test_a_document_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped_xml, "MAX_XML_BYTES", 1000)
    with pytest.raises(BadInput, match=r"a\.odt: unpacks to more than 1,000 bytes"):
        text("a.odt", open_document())


def test_entities_and_external_references_are_refused() -> None:
    laugh = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    for head in (laugh, '<!DOCTYPE d SYSTEM "file:///etc/passwd">'):
        data = zip_of("word/document.xml", body("<w:p><w:r><w:t>&b;</w:t></w:r></w:p>", head))
        with pytest.raises(BadInput, match="a document type, which may hold entities"):
            text("a.docx", data)
        utf16 = body("x", head).decode().encode("utf-16")
        with pytest.raises(BadInput, match="a document type, which may hold entities"):
            text("a.odt", zip_of("content.xml", utf16))


@pytest.mark.parametrize("name", ["word/document.xml", "content.xml"])
def test_deep_xml_is_survived(name: str) -> None:
    deep = "<w:p>" * 100_000 + "</w:p>" * 100_000
    assert text("a.docx" if "word" in name else "a.odt", zip_of(name, body(deep))) == ""


def test_a_pdf_page_of_too_many_instructions() -> None:
    with pytest.raises(BadInput, match=r"a\.pdf: page 1 takes more than 8,388,608 bytes"):
        text("a.pdf", portable("x" * 80, repeat=100_000))


def test_a_pdf_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_SECONDS", 0.1)
    start = time.monotonic()
    with pytest.raises(BadInput, match=r"a\.pdf: page 1: reading takes more than"):
        text("a.pdf", portable("x" * 20, repeat=50_000))
    assert time.monotonic() - start < 20


def test_a_pdf_of_too_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    with pytest.raises(BadInput, match=r"a\.pdf: 3 pages, at most 2 are read; split it"):
        text("a.pdf", portable("x", "y", "z"))


@pytest.mark.parametrize(
    "notebook",
    [b"", b"[]", b"{}", b'{"cells": 1}', b'{"cells": [1]}', b'{"cells": [{"cell_type": "code"}]}',
     b"[" * 100_000, b'{"cells": [{"cell_type": "code", "source": [1]}]}',
     b'{"cells": [{"cell_type": "code", "source": "x", "metadata": 1}]}'],
)  # fmt: skip
def test_what_is_no_notebook(notebook: bytes) -> None:
    with pytest.raises(BadInput, match=r"a\.ipynb: not a complete notebook"):
        text("a.ipynb", notebook)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", word()),
        ("a.odt", open_document()),
        ("a.pdf", portable("One page of words", "and another")),
        ("a.rtf", rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}} The {\b loop}\par caf\'e9 \u8364?}"),
        ("a.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": ["x"]}]}).encode()),
    ],
)
def test_damaged_documents_are_texts_or_one_line(name: str, data: bytes) -> None:
    chance = random.Random(17)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        if chance.random() < 0.3:
            del broken[chance.randrange(len(broken)) :]
        try:
            document_texts(name, bytes(broken), name)
        except SearchkitError as error:
            assert str(error).startswith(name)
            assert "\n" not in str(error)

"""XML that is cut off, damaged or made to do harm."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from helpers.source_files import read, write

from searchkit.core.errors import BadInput
from searchkit.sources.platforms.nested import elements

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(12))
POSTS = (
    '<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
    '  <row Id="1" PostTypeId="1" Title="Why?" Body="&lt;p&gt;Ä&lt;/p&gt;" />\n'
    '  <row Id="2" PostTypeId="2" ParentId="1" Body="&lt;p&gt;a&lt;/p&gt;" OwnerUserId="8" />\n'
    "</posts>\n"
)
RESULT = (
    "<assessmentResult><context sourcedId='a'/>\n<itemResult identifier='q'>\n"
    "<responseVariable baseType='string'><candidateResponse><value>ä</value>\n"
    "</candidateResponse></responseVariable></itemResult></assessmentResult>"
)
QUESTION = "<question id='q'>\n<studentAnswer id='1'>ja &amp; nein</studentAnswer>\n</question>"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POSTS[:100], r"p.xml:3: not complete XML \(.+\); export it again"),
        (POSTS[:-5], r"p.xml:5: not complete XML \(.+\)"),
        (POSTS.replace("</posts>", "</post>"), r"p.xml:5: not complete XML \(Opening and ending"),
        (POSTS + "<a/>", r"p.xml:6: not complete XML \(Extra content"),
        (POSTS.replace("Ä", "\x01"), r"p.xml:3: not complete XML"),
        (POSTS.replace("&lt;p", "&boo;", 1), r"p.xml:3: not complete XML \(Entity 'boo' not"),
        ("<question>\n<studentAnswer>&boo;</studentAnswer></question>", r"p.xml:2: not complete"),
        (
            POSTS.replace("Ä", "\ud800").encode("utf-8", "surrogatepass"),
            r"p.xml:3: byte 0xED is no",
        ),
        (POSTS.encode("latin-1"), r"p.xml:3: byte 0xC4 is not UTF-8"),
        (POSTS.replace('"utf-8"', '"x-none"'), r"p.xml: no encoding 'x-none'"),
        ("", r"p.xml: empty"),
        ("answer\nyes", r"p.xml:1: not complete XML \(Start tag expected"),
        (f"<!DOCTYPE posts [{LAUGHS}]><posts a='&a11;'>&a11;</posts>", r"Maximum entity ampli"),
        (f"<!DOCTYPE posts [{LAUGHS}]><posts>&a11;</posts>", r"Maximum entity amplification"),
        ('<!DOCTYPE posts [<!ENTITY a "b">]><posts>&a;</posts>', "document type"),
        ('<!DOCTYPE posts SYSTEM "http://x/y.dtd"><posts/>', "document type"),
        ('<!DOCTYPE posts [<!ENTITY a SYSTEM "/etc/passwd">]><posts>&a;</posts>', "document type"),
        ("<posts>" + "<a>" * 100_000, r"p.xml:1: not complete XML \(Excessive depth"),
        (
            "<Workbook/>",
            r"p.xml: XML of <Workbook>, which isn't read; what is: <question> or .+CSV",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        read(write(tmp_path / "p.xml", content))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_large_elements_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "MAX_TEXT_BYTES", 10_000)
    monkeypatch.setattr(elements, "MAX_ELEMENTS", 100)
    monkeypatch.setattr(elements, "SLICE_LENGTH", 1_000)
    name = "<question id='q'><studentAnswer id='1'>"
    for content in (
        f"<posts><row Body='{'x' * 20_000}'/></posts>",
        f"<posts>{'x' * 20_000}</posts>",
        f"{name}{'<a>words</a>' * 200}</studentAnswer></question>",
        f"{name}{'many words ' * 2_000}",
    ):
        with pytest.raises(BadInput, match=r"p.xml:1: an element with more than 10,000 characters"):
            read(write(tmp_path / "p.xml", content))
    many = "".join(f"<row Id='{n}' PostTypeId='2' Body='{'x' * 900}'/>" for n in range(300))
    assert len(read(write(tmp_path / "p.xml", f"<posts>{many}</posts>"))) == 300


def test_ten_megabytes_are_an_answer(tmp_path: Path) -> None:
    long = "<question><studentAnswer id='1'>" + "words " * 2_000_000 + "</studentAnswer></question>"
    assert len(read(write(tmp_path / "p.xml", long))[0].text) == 11_999_999


def test_line_ends_are_the_same(tmp_path: Path) -> None:
    unix = [(a.text, a.line) for a in read(write(tmp_path / "p.xml", QUESTION))]
    for end in ("\r\n", "\r"):
        path = write(tmp_path / "p.xml", QUESTION.replace("\n", end).encode())
        assert [(a.text, a.line) for a in read(path)] == unix


@pytest.mark.parametrize("text", [POSTS, RESULT, QUESTION])
def test_damage_ends_in_one_line(tmp_path: Path, text: str) -> None:
    random_ = random.Random(5)
    whole = text.encode()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(random_.randint(1, 3)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        del data[random_.choice([len(data), random_.randrange(len(data))]) :]
        try:
            read(write(tmp_path / "p.xml", bytes(data)))
        except BadInput as error:
            assert re.match(r"\S*p\.xml(:\d+)?: \S", str(error)), str(error)
            assert "\n" not in str(error)

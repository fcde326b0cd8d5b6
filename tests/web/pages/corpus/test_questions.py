"""The list of questions: texts, order, findings, progress."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.serving import finished, make_index, writer
from starlette.testclient import TestClient

from searchkit import Answer
from searchkit.index.decisions import decide

SAME = "The event loop runs callbacks when the stack is empty and nothing else waits for it now"
TEXTS = [
    SAME,
    SAME,
    "Middleware is a function with request response and next that ends or passes on",
    "Streams read data piece by piece so that memory stays small however large the file",
    "One thread serves many clients because waiting is left to the system underneath",
]
SIZES = {"q10": 3, "q2": 5, "Q1": 4}


@pytest.fixture
def folder(tmp_path: Path, toy: None) -> Path:
    answers = [
        Answer(f"{q}-{n}", f"{TEXTS[n]} {q}", q, f"s{n}",
               meta={"prompt": f"Why is {q} asked? " * 30, "mark": "1" if q == "q2" else ""})
        for q, size in SIZES.items()
        for n in range(size)
    ]  # fmt: skip
    return make_index(tmp_path / "course", [*answers, Answer("alone", "Nobody asked", None)])


def names(page: str) -> list[str]:
    return re.findall(r'scope="row"><a [^>]*>(?:<bdi>)?([^<]+)', page)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["(no question)", "Q1", "q2", "q10"]),
        ("?order=down", ["q10", "q2", "Q1", "(no question)"]),
        ("?sort=answers", ["q2", "Q1", "q10", "(no question)"]),
        ("?sort=answers&order=up", ["(no question)", "q10", "Q1", "q2"]),
        ("?sort=authors", ["q2", "Q1", "q10", "(no question)"]),
        ("?sort=graded", ["q2", "(no question)", "Q1", "q10"]),
        ("?sort=findings", ["Q1", "q10", "q2", "(no question)"]),
    ],
)
def test_the_address_holds_the_order(
    client: TestClient, folder: Path, query: str, order: list[str]
) -> None:
    with writer(folder) as index:
        decide(index, "q2-0", "q2-1", "confirmed", "")
    page = finished(client, f"/questions{query}")
    assert names(page) == order
    (head,) = re.findall(r'aria-sort="(\w+)"><a href="([^"]+)"', page)
    other = finished(client, head[1].replace("&amp;", "&"))  # the other way round
    (back,) = re.findall(r'aria-sort="(\w+)"', other)
    assert {head[0], back} == {"ascending", "descending"}


def test_a_row_has_text_findings_and_progress(client: TestClient, folder: Path) -> None:
    with writer(folder) as index:
        decide(index, "q2-0", "q2-1", "confirmed", "")
    page = finished(client, "/questions")
    row = page.split(">q2<")[1].split("</tr>")[0]
    assert "Why is q2 asked?" in row and " …</bdi>" in row
    assert len(re.sub("<[^>]*>", "", row)) < 500
    assert "✓ all" in row
    assert re.search(r'href="/review\?question=q2"[^>]*>0 of 1</a>', row)
    row = page.split(">Q1<")[1].split("</tr>")[0]
    assert re.search(r'href="/grade\?question=Q1" aria-label="Grade Q1: 0 of 4 graded"', row)
    assert re.search(r'href="/review\?question=Q1"[^>]*>1 of 1</a>', row)

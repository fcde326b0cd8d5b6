"""The start page: what is in the index, and what isn't waited for."""

from __future__ import annotations

import html
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from helpers.encoder import ToyEncoder
from helpers.serving import client_of, finished, make_index, writer
from starlette.testclient import TestClient

from searchkit import Answer
from searchkit.encoding.models.names import DEFAULT_MODEL, MULTILINGUAL
from searchkit.index.decisions import decide
from searchkit.web.pages.corpus.overview import Overview, survey

SAME = "The event loop runs callbacks when the stack is empty and nothing else waits for it now"
TEXTS = [
    SAME,
    SAME,
    "Middleware is a function with request response and next that ends or passes on",
    "Streams read data piece by piece so that memory stays small however large the file",
    "One thread serves many clients because waiting is left to the system underneath",
]
ANSWERS = [
    Answer(f"{q}-{n}", text, q, f"s{n}", f"2025-11-0{n + 1}", meta={"prompt": f"What is {q}?"})
    for q in ("q1", "q2")
    for n, text in enumerate(TEXTS)
]


@pytest.fixture
def folder(tmp_path: Path, toy: None) -> Path:
    return make_index(tmp_path / "course", ANSWERS)


def test_it_says_what_is_there_and_what_is_open(client: TestClient, folder: Path) -> None:
    page = finished(client, "/")
    assert "<dd>10</dd>" in page and "1 Nov 2025 to 5 Nov 2025" in page and "toy" in page
    assert "Review 2 findings" in page
    assert '<a href="/review">2</a> of 2' in page
    assert 'href="/search?q=What+is+q1%3F"' in page
    for question in ("q1", "q2"):
        with writer(folder) as index:
            decide(index, f"{question}-0", f"{question}-1", "confirmed", "")
            index.update_columns({f"{question}-{n}": {"mark": "1"} for n in range(5)})
    page = finished(client, "/")
    assert "Save the report" in page and "2 of 2 findings confirmed" in page
    assert "Save the marks" in page
    assert client.get("/api/marks?as=csv").text.count("\n") > 10


def test_an_empty_index_explains_how_to_begin(tmp_path: Path, toy: None) -> None:
    with client_of(make_index(tmp_path / "i", [])) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "This index is empty" in page.text and 'href="/upload"' in page.text
        for path in ("/search", "/questions", "/review"):
            assert client.get(path).status_code == 200


@pytest.mark.parametrize(("model", "says"), [(DEFAULT_MODEL, 1), (MULTILINGUAL, 0), ("own", 0)])
def test_an_empty_index_says_which_language_it_is_for(
    tmp_path: Path, toy: None, monkeypatch: pytest.MonkeyPatch, model: str, says: int
) -> None:
    monkeypatch.setattr(ToyEncoder, "name", model)
    with client_of(make_index(tmp_path / "i", [])) as client:
        assert re.sub("<[^>]+>", "", client.get("/").text).count("--model multilingual") == says


def test_the_commands_of_an_empty_index_name_it(
    tmp_path: Path, toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToyEncoder, "name", DEFAULT_MODEL)
    monkeypatch.chdir(tmp_path)
    for name, at in (("index", ""), ("class 10", " -i 'class 10'")):
        with client_of(make_index(Path(name), [])) as client:
            page = html.unescape(re.sub("<[^>]+>", "", client.get("/").text))
        assert f"run searchkit reindex --model multilingual{at} before" in page
        assert f"added with searchkit ingest FILE{at}." in page


@pytest.mark.parametrize("query", ["q=loop", "question=q1", "mode=lexical&q=loop", "n=3&q=a+%26+b"])
def test_an_old_address_of_a_search_still_works(client: TestClient, query: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 200
    assert str(answer.url).endswith(f"/search?{query}")
    assert "<title>Search" in answer.text


def test_nothing_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = threading.Event()

    def late(*_: Any, **__: Any) -> Any:
        ready.wait(20)
        raise AssertionError("not this time")

    monkeypatch.setattr("searchkit.web.index_pool.find_with_options", late)
    with client_of(folder, page_timeout=0.15) as client:
        for path in ("/", "/questions"):
            page = client.get(path)
            assert page.elapsed.total_seconds() < 10  # of the 20 that the search takes
            assert "data-pending" in page.text and "being computed" in page.text
        assert "Copies are being looked for" in client.get("/").text
        ready.set()


def test_the_footer_has_rest_and_says_who_can_open_the_pages(folder: Path) -> None:
    with client_of(folder) as client:
        page = client.get("/upload").text
        nav, footer = page.split("</nav>")[0], page.split("<footer")[1]
        assert "/docs" not in nav and 'href="/docs"' in footer
        assert "Only this machine" in footer
    with client_of(folder, token="secret") as client:
        assert "Machines with the token" in client.get("/upload?token=secret").text


def test_examples_are_real_questions_or_words_of_answers() -> None:
    def answer(text: str, question: str, **meta: str) -> Answer:
        return Answer(text, text, question, meta=meta)

    assert survey([]) == Overview()
    asked = [answer("x", "q1", prompt="Read this. " * 20 + "What blocks the event loop?")]
    assert survey(asked).examples == ["What blocks the event loop?"]
    named = [answer("Yes.", "What is a promise in JavaScript?")]
    assert survey(named).examples == ["What is a promise in JavaScript?"]
    both = [answer("What do you mean by this?", "q1"), answer("x", "q2", prompt="Why is it so?")]
    assert survey(both).examples[0] == "Why is it so?"
    task = [
        answer("x", "q1", prompt="Say what you think of it. Why is the loop so quick?"),
        answer("y", "q1"),
        answer("x", "q2", prompt="Explain it in your own words."),
    ]
    assert survey(task).examples == ["Why is the loop so quick?", "Explain it in your own words."]
    told = [*reversed(task[2:]), *reversed(task[2:]), *task[:1]]
    assert survey(told).examples[0] == "Why is the loop so quick?"
    neither = [answer("Yes. The loop waits for callbacks.\n", "q1")]
    assert survey(neither).examples == ["The loop waits for callbacks."]
    assert survey([answer("Yes.", "q1"), answer(" ", "q2")]).examples == []


def test_days_are_left_out_where_one_time_cannot_be_read() -> None:
    assert survey([Answer("a", "x", submitted_at="8/7/2025")]).days is None
    assert survey([Answer("a", "x", submitted_at="7. August 2025, 17:53")]).days == (
        "7 Aug 2025",
        "7 Aug 2025",
    )

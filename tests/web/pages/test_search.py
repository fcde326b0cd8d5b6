"""The search page, its filters, and the page of an author."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from helpers.serving import client_of, make_index, until
from starlette.testclient import TestClient

from searchkit import Answer
from searchkit.web.pages import facets
from searchkit.web.pages.facets import count_facets

LONG = " ".join(f"Sentence {n} is a filler of the text." for n in range(60))
CODE = "Like this:\n\n    loop = run()\n    loop.stop()\n\nand no more."
ANSWERS = [
    Answer("a1", "The loop waits. Callbacks run later.", "q1", "Ann", meta={"section": "A"}),
    Answer("a2", f"{LONG} The needle stands here. {LONG}", "q2", "ann ", meta={"section": "a"}),
    Answer("b1", CODE, "q1", "Bob", meta={"section": "B", "score": "3", "prompt": "Why?"}),
    Answer("b2", "", "q2", "Bob", meta={"section": "B", "score": "7/10", "prompt": "Why?"}),
]


@pytest.fixture
def answers() -> list[Answer]:
    return ANSWERS


def ids(page: str) -> list[str]:
    return re.findall(r'href="/answer\?id=(\w+)"><strong>', page)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("question=q1", ["a1", "b1"]),
        ("question=Q2", ["a2", "b2"]),
        ("author=ANN", ["a1", "a2"]),
        ("column=section:+a", ["a1", "a2"]),
        ("column=SECTION:A", ["a1", "a2"]),
        ("column=score:+7/10", ["b2"]),
        ("column=score:3", ["b1"]),
        ("column=section:+b&question=q1", ["b1"]),
        ("q=loop&column=section:b", ["b1"]),
        ("q=loop&column=section:b&mode=lexical", ["b1"]),
    ],
)
def test_filters_hold_in_any_case_and_without_words(
    client: TestClient, filters: str, found: list[str]
) -> None:
    for path in ("/search", "/hits"):
        page = client.get(f"{path}?{filters}")
        assert page.status_code == 200
        assert ids(page.text) == found, page.text


@pytest.mark.parametrize("column", ["section: C", "nothing: 1", "section", "'; --", '":"', ":"])
def test_a_column_that_is_not_there_is_said(client: TestClient, column: str) -> None:
    page = client.get(f"/search?column={quote(column)}")
    assert page.status_code == 200
    assert "no answer has the column" in page.text
    assert ids(page.text) == []


def test_the_form_suggests_with_counts(client: TestClient) -> None:
    page = client.get("/search").text
    assert '<option value="q1">2 answers</option>' in page
    assert '<option value="Ann">2 answers</option>' in page
    assert '<option value="section: B">2 answers</option>' in page
    assert "prompt:" not in page


def test_a_hit_has_question_mark_author_and_similarity(client: TestClient) -> None:
    page = client.get("/search?q=loop&question=q1").text
    assert 'href="/question?name=q1"' in page
    assert 'href="/author?name=Bob"' in page
    assert "mark <bdi>3</bdi>" in page
    assert "similarity <span" in page
    words = client.get("/search?q=loop&mode=lexical").text
    assert "<mark" in words
    assert "similarity <span" not in words
    assert not re.search(r">\s*score\b", page + words)


def test_the_best_sentence_is_marked_and_a_long_answer_is_cut_around_it(
    client: TestClient,
) -> None:
    page = client.get("/hits?q=the+needle+stands+here").text
    hit = next(part for part in page.split("<article") if "id=a2" in part)
    shown, _, whole = hit.partition("<details")
    assert '<mark class="hit">The needle stands here.</mark>' in shown
    assert "Sentence 0 " not in shown[: shown.index("needle")]
    assert "Sentence 0 " in whole
    assert '<mark class="hit">The needle stands here.</mark>' in whole


def test_code_is_shown_as_code(client: TestClient) -> None:
    for path in ("/search?question=q1", "/answer?id=b1", "/question?name=q1"):
        page = client.get(path).text
        assert '<code dir="ltr">    loop = run()\n    loop.stop()\n</code>' in page, path


def test_hits_that_are_not_close_stand_below_a_line(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searchkit.index.hits.closeness._compute", lambda _: 2.0)
    page = client.get("/search?q=loop").text
    assert "Nothing close." in page
    assert page.index("Nothing close.") < page.index("<article")
    assert len(ids(page)) == 3
    assert '<a href="/search?q=loop&amp;mode=lexical">search by words</a>' in page
    assert "search by words" not in client.get("/search?q=loop&mode=lexical").text
    assert "Nothing close." not in client.get("/search?question=q1").text


def test_a_page_that_filters_by_a_column_waits_no_longer_than_others(
    tmp_path: Path, toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, count = threading.Event(), facets.count_facets

    def late(*arguments: Any) -> Any:
        counted.wait(20)
        return count(*arguments)

    monkeypatch.setattr(facets, "count_facets", late)
    answers = [Answer(f"a{n}", "The loop waits.", "q", meta={"level": "B"}) for n in (1, 2)]
    with client_of(make_index(tmp_path / "i", answers), page_timeout=0.15) as client:
        page = client.get("/search?column=level:+B")
        assert page.elapsed.total_seconds() < 15  # counting would take 20
        assert 'data-then="load"' in page.text
        assert client.get("/hits?column=level:+B").status_code == 503
        counted.set()
        until(lambda: ids(client.get("/search?column=level:+B").text) == ["a1", "a2"])


def test_the_page_of_an_author_has_all_answers(client: TestClient) -> None:
    page = client.get("/author?name=ANN").text
    assert ids(page) == ["a1", "a2"]
    assert "2 answers" in page
    assert client.get("/author?name=Nobody").status_code == 404
    assert client.get("/author?name=").status_code == 404
    assert client.get("/author").status_code == 422


def test_a_mark_on_a_hit_is_that_of_the_questions_settings(tmp_path: Path, toy: None) -> None:
    answers = [
        Answer(f"{q}-{n}", "The loop waits.", q, f"s{n}", meta={"score": "3", "level": "B"})
        for q in ("q1", "q2")
        for n in (1, 2)
    ]
    with client_of(make_index(tmp_path / "i", answers)) as client:
        assert client.get("/hits?question=q1").text.count("mark <bdi>3</bdi>") == 2
        action = {"kind": "settings", "settings": {"mark_column": "level"}}
        new = {"question": "q1", "action": action}
        until(lambda: client.get("/api/grading?question=q1&wait=5").status_code == 200)
        answer = client.post("/api/grading/changes", json=new)
        assert answer.status_code == 200, answer.text
        for path in ("/hits?q=loop", "/author?name=s1"):
            page = client.get(path).text
            of_q1, of_q2 = page.count("mark <bdi>B</bdi>"), page.count("mark <bdi>3</bdi>")
            assert of_q1 == of_q2 > 0, path


def test_all_answers_of_an_author_can_be_paged_through(tmp_path: Path, toy: None) -> None:
    same = "Middleware is a function with request response and next that ends or passes on"
    answers = [Answer(f"n{n:03}", f"Answer number {n}.", f"q{n:03}", "Ann") for n in range(120)]
    copied = [Answer(f"copy-{name}", same, "z", name) for name in ("Ann", "Bob")]
    with client_of(make_index(tmp_path / "i", [*answers, *copied])) as client:
        until(lambda: client.get("/api/findings").status_code == 200)
        pages = [client.get(f"/author?name=ann&page={n}").text for n in (1, 2, 3)]
        card = re.compile(r'href="/answer\?id=([\w-]+)"><strong>')
        shown = [id_ for page in pages for id_ in card.findall(page)]
        assert sorted(shown) == sorted(["copy-Ann", *(answer.id for answer in answers)])
        assert all("121 answers, 1 finding<" in page for page in pages)
        assert "page=2#answers" in pages[0] and "page=1#answers" in pages[1]
        assert "<h1><bdi>Ann" in pages[2]
        beyond = client.get("/author?name=ann&page=99")
        assert beyond.status_code == 404 and "the last one is 3" in beyond.text


def test_a_hidden_author_has_a_page(client: TestClient) -> None:
    client.cookies.set("names", "hidden")
    page = client.get("/author?name=Ann")
    assert "Ann" not in page.text + str(page.url)
    assert len(re.findall("<article", page.text)) == 2
    options = re.search(r'<datalist id="authors">.*?</datalist>', client.get("/search").text, re.S)
    assert options and "Bob" not in options[0] and "author" in options[0]


def test_no_column_of_people_and_no_text_is_a_category() -> None:
    rows = [
        Answer(str(n), "t", meta={"email": "x@y", "note": str(n), "kind": "ab"[n % 2]})
        for n in range(60)
    ]
    assert count_facets(rows).columns == [("kind: a", 30), ("kind: b", 30)]

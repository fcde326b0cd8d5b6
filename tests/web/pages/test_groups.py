"""The pages of groups of students: what they draw, list and leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.serving import client_of, make_index, until
from starlette.testclient import TestClient

from searchkit import Answer
from searchkit.web.pages.groups import layout_ahead

COPIED = ((3, 9), (14, 20))  # the first pair in both questions, the second in one


def answers() -> list[Answer]:
    """Return two questions in which two students share answers in both, and two in one."""
    all_answers = []
    for question, seed, pairs in (("q1", 1, COPIED), ("q2", 2, COPIED[:1])):
        rows = [replace(answer, id=f"{question}-s{n:02}", question=question, author=f"s{n:02}")
                for n, answer in enumerate(honest(30, question, seed))]  # fmt: skip
        for left, right in pairs:
            rows[right] = replace(rows[right], text=rows[left].text)
        all_answers += rows
    return all_answers


@pytest.fixture
def client(tmp_path: Path, toy: None) -> Iterator[TestClient]:
    with client_of(make_index(tmp_path / "i", answers())) as client:
        until(lambda: 'class="graph"' in client.get("/groups").text)
        yield client


def lines(page: str) -> int:
    return page.count('<line class="edge')


def students(page: str) -> list[str]:
    return re.findall(r'data-student="(\w+)" data-group="1"', page)


def test_the_former_address_leads_to_the_page(client: TestClient) -> None:
    answer = client.get("/rings", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "/groups")
    assert 'href="/groups" aria-current="page">Groups<' in client.get("/groups").text
    assert 'href="/groups" aria-current="true">Groups<' in client.get("/group?number=1").text


def test_all_students_with_findings_are_drawn_and_listed(client: TestClient) -> None:
    page = client.get("/groups").text
    assert lines(page) == 2 and students(page) == ["s03", "s09"]
    assert len(re.findall('role="button" tabindex="0"', page)) == 1
    assert 'aria-label="s03, group 1, 2 findings with 1 student"' in page
    assert "4 students with findings" in page and 'href="/group?number=1"' in page
    assert re.search(r"<bdi>s14</bdi> and <bdi>s20</bdi>", page)
    assert 'href="/review?show=all&amp;left=q2-s03&amp;right=q2-s09"' in page


def test_dismissed_findings_are_neither_drawn_nor_listed(client: TestClient) -> None:
    decision = {"left": "q1-s14", "right": "q1-s20", "decision": "dismissed"}
    assert client.post("/api/decisions", json=decision).status_code == 200
    page = client.get("/groups").text
    assert lines(page) == 1 and "s14" not in page
    assert "1 dismissed finding is left out" in page
    for question in ("q1", "q2"):
        decision = {"left": f"{question}-s03", "right": f"{question}-s09", "decision": "dismissed"}
        client.post("/api/decisions", json=decision)
    page = client.get("/groups").text
    assert lines(page) == 0 and "All findings were dismissed." in page


def test_the_pairs_of_a_student_and_of_two_can_be_chosen(client: TestClient) -> None:
    for path in ("/groups", "/groups/pairs"):
        page = client.get(f"{path}?author=S03&other=s09").text
        assert "<h2><bdi>s03</bdi> and <bdi>s09</bdi></h2>" in page
        chosen = page[page.index("chosen-pairs") : page.index("choose-none")]
        assert chosen.count("/review?show=all") == 2 and "/review?author=s03" in chosen
        assert "with <bdi>s20</bdi>" in client.get(f"{path}?author=s14").text
        assert "No findings of" in client.get(f"{path}?author=s14&other=s03").text
    assert client.get("/groups/pairs?author=s01").status_code == 404
    assert client.get("/groups?author=nobody").status_code == 404


def test_the_places_are_computed_ahead_of_the_first_visit(tmp_path: Path, toy: None) -> None:
    with client_of(make_index(tmp_path / "i", answers())) as client:
        pool = client.app_state.pool  # type: ignore[attr-defined]
        first = layout_ahead(pool)
        until(lambda: first.has_finished)
        second = layout_ahead(pool)
        assert second is not first and second is layout_ahead(pool)
        until(lambda: second.has_finished)
        assert len(second.get().places) == 4
        assert lines(client.get("/groups").text) == 2


def test_a_group_that_is_not_there_is_not_found(client: TestClient) -> None:
    assert client.get("/group?number=1").status_code == 200
    missing = client.get("/group?number=2")
    assert missing.status_code == 404 and "there is no group 2" in missing.text
    assert client.get("/group?number=0").status_code == 422


def test_without_findings_the_page_says_what_will_be_there(tmp_path: Path, toy: None) -> None:
    with client_of(make_index(tmp_path / "few", answers()[:2])) as client:
        page = until(lambda: found if "No two" in (found := client.get("/groups").text) else "")
        assert "Here will be a graph" in page and "<svg" not in page

"""How far jobs are, by REST and on pages, with slow jobs that a test lets go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.serving import client_of, make_index, until, writer
from starlette.testclient import TestClient

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.plagiarism.find import find_with_options
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult
from searchkit.web.index_pool import IndexPool, findings_job


class Gate:
    """Lets a search for findings go on: with each `open`, one question more."""

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.error: Exception | None = None
        self.calls = self.done = 0

    def open(self, questions: int = 1) -> None:
        for _ in range(questions):
            self.steps.release()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()

    def find(
        index: Index, options: PlagiarismOptions, *, progress: Callable[..., None], **more: Any
    ) -> PlagiarismResult:
        gate.calls, gate.done = gate.calls + 1, 0
        if gate.error:
            raise gate.error

        def slowly(done: int, total: int) -> None:
            progress(done, total)
            if done != gate.done:  # not while sentences are embedded
                gate.done = done
                gate.steps.acquire(timeout=20)
            progress(done, total)

        return find_with_options(index, options, progress=slowly, **more)

    monkeypatch.setattr("searchkit.web.index_pool.find_with_options", find)
    yield gate
    gate.open(1_000)


@pytest.fixture
def client(tmp_path: Path, copied: list[Answer], toy: None, gate: Gate) -> Iterator[TestClient]:
    with client_of(make_index(tmp_path / "index", copied), page_timeout=0.15) as client:
        yield client


@pytest.fixture
def copied() -> list[Answer]:
    """Return answers to three questions, each with a copy."""
    from dataclasses import replace

    from helpers.answers import honest

    answers = [*honest(24), *honest(24, "q2", 1), *honest(24, "q3", 2)]
    for source, copy in ((3, 8), (27, 32), (50, 53)):
        answers[copy] = replace(answers[copy], text=answers[source].text)
    return answers


def progress(client: TestClient, job: str = "findings") -> dict[str, Any]:
    response = client.get(f"/api/jobs/{job}")
    assert response.status_code == 200, response.text
    return response.json()


def at(client: TestClient, done: int) -> dict[str, Any]:
    return until(lambda: (p := progress(client))["done"] == done and p)


def test_findings_so_far_are_shown(client: TestClient, gate: Gate) -> None:
    first = at(client, 1)
    assert (first["state"], first["total"], first["findings"]) == ("running", 3, 0)
    assert first["text"].startswith("question 2 of 3, a few seconds; 0 findings so far")
    gate.open()
    second = at(client, 2)
    assert second["findings"] >= 1
    page = client.get("/question?name=q1").text
    assert "Looking for copies" in page
    assert "question 3 of 3" in page
    assert f'data-job="{second["id"]}"' in page
    assert "s0008" in page or "1 finding" in page
    start, questions = (client.get(path).text for path in ("/", "/questions"))
    assert "Review 1 finding so far" in start
    assert '<a href="/review">1</a> of 1 so far' in start and "being computed: question 3" in start
    assert '">1 of 1</a> so far' in questions and "question 3 of 3" in questions
    assert questions.count('<span class="soft">…</span>') == 2  # which may have findings still
    assert "report to share" not in start
    gate.open(2)
    done = until(lambda: (p := progress(client))["state"] == "done" and p)
    assert done["findings"] >= 3
    assert done["id"] == first["id"] == progress(client, first["id"])["id"]
    assert "Looking for copies" not in client.get("/question?name=q1").text


def test_a_page_that_waits_is_there_at_once(client: TestClient, gate: Gate) -> None:
    started = time.monotonic()
    page = client.get("/groups")
    assert time.monotonic() - started < 8
    assert page.status_code == 200
    assert "refresh" not in page.headers  # its script follows the job instead
    assert '<noscript><meta http-equiv="refresh"' in page.text
    id_ = progress(client)["id"]
    assert f'data-job="{id_}" data-then="load"' in page.text
    started = time.monotonic()
    assert client.get("/groups/pairs?author=s0001").status_code == 503
    assert time.monotonic() - started < 8
    gate.open(3)
    until(lambda: progress(client, id_)["state"] == "done")
    until(lambda: "data-job" not in client.get("/groups").text)


def test_a_failure_is_said(client: TestClient, gate: Gate) -> None:
    gate.error = BadInput("a1: a text can't be used")
    failed = until(lambda: (p := progress(client))["state"] == "failed" and p)
    assert failed["error"] == "a1: a text can't be used"
    page = client.get("/question?name=q1")
    assert page.status_code == 200
    assert "Looking for copies failed: <bdi>a1: a text can&#39;t be used</bdi>" in page.text
    assert gate.calls == 1  # asking for the progress doesn't try again


def test_an_internal_error_names_no_detail(client: TestClient, gate: Gate) -> None:
    gate.error = RuntimeError("secret")
    failed = until(lambda: (p := progress(client))["state"] == "failed" and p)
    assert failed["error"] == "internal error; please report it; the server's log says where"


def test_a_failed_search_is_tried_again_by_the_next_page(client: TestClient, gate: Gate) -> None:
    gate.error = BadInput("no")
    until(lambda: progress(client)["state"] == "failed")
    client.get("/question?name=q1")
    gate.error = None
    gate.open(3)
    client.get("/question?name=q1")
    until(lambda: progress(client)["state"] == "done")


def test_a_search_for_former_answers_ends(client: TestClient, gate: Gate, tmp_path: Path) -> None:
    former = at(client, 1)
    pool: IndexPool = client.app_state.pool  # type: ignore[attr-defined]
    job = findings_job(pool)
    with writer(tmp_path / "index") as index:
        index.add([Answer("new", "Streams and middleware")])
    assert progress(client)["id"] != former["id"]
    gone = client.get(f"/api/jobs/{former['id']}")
    assert gone.status_code == 404
    assert "load the page again" in gone.json()["error"]
    gate.open()
    assert job.wait(10)
    assert job.done == 1, "it didn't go on to the next question"
    assert job.has_failed

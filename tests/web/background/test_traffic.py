"""Computations let requests pass, but not for ever."""

from __future__ import annotations

import threading
import time

import pytest
from helpers.serving import until
from starlette.testclient import TestClient

from searchkit.core.progress import Progress
from searchkit.web.index_pool import IndexPool
from searchkit.web.jobs import MAX_UNWANTED_PAUSES, Traffic


def seconds_to_pass(traffic: Traffic, at_most: float) -> float:
    started = time.monotonic()
    traffic.let_pass(at_most)
    return time.monotonic() - started


def test_a_step_waits_for_requests_but_not_for_ever() -> None:
    traffic = Traffic()
    assert seconds_to_pass(traffic, 20) < 10
    with traffic.answering():
        assert seconds_to_pass(traffic, 0.05) >= 0.05
        with traffic.answering(), traffic.waiting():
            assert seconds_to_pass(traffic, 0.05) >= 0.05
        with traffic.waiting():  # a request that waits for the computation doesn't hold it up
            assert seconds_to_pass(traffic, 20) < 10
    assert seconds_to_pass(traffic, 20) < 10


def test_a_step_goes_on_when_the_request_is_answered() -> None:
    traffic, passed = Traffic(), threading.Event()
    with traffic.answering():
        thread = threading.Thread(target=lambda: (traffic.let_pass(10), passed.set()))
        thread.start()
        assert not passed.wait(0.05)
    assert passed.wait(5)
    thread.join()


def test_requests_are_counted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pool: IndexPool = client.app_state.pool  # type: ignore[attr-defined]
    seen: list[int] = []
    count = pool.traffic._count
    monkeypatch.setattr(pool.traffic, "_count", lambda change: (seen.append(change), count(change)))
    client.get("/upload")
    assert seen == [1, -1]
    client.get("/static/icon.svg")
    client.get("/api/jobs/nothing")
    assert seen == [1, -1]


def test_a_job_lets_requests_pass_between_its_steps(client: TestClient) -> None:
    pool: IndexPool = client.app_state.pool  # type: ignore[attr-defined]
    steps: list[int] = []

    def compute(_: object, progress: Progress) -> None:
        for n in range(2):
            progress(n + 1, 2)
            steps.append(n)

    with pool.traffic.answering():
        job = pool.job("steps", compute)
        until(lambda: job.done == 1)
        assert not steps, "the request passes first"
    assert job.wait(5)
    assert steps == [0, 1]


@pytest.mark.parametrize("is_wanted", [False, True])
def test_a_step_waits_longer_where_nobody_has_asked(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, is_wanted: bool
) -> None:
    pool: IndexPool = client.app_state.pool  # type: ignore[attr-defined]
    pauses: list[float] = []
    monkeypatch.setattr(pool.traffic, "let_pass", lambda: bool(pauses.append(1)))
    may_begin = threading.Event()

    def compute(_: object, progress: Progress) -> None:
        may_begin.wait(10)
        progress(1, 1)

    job = pool.job("step", compute)
    if is_wanted:
        assert not pool.wait(job, 0)
    may_begin.set()
    assert job.wait(10)
    assert len(pauses) == (1 if is_wanted else MAX_UNWANTED_PAUSES)

"""Work ahead: begun at the start, one task after another, and anew after every change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.serving import client_of, make_index, until, writer

from searchkit import Answer
from searchkit.core.errors import BadInput
from searchkit.web.background import ahead
from searchkit.web.background.ahead import WorkAhead
from searchkit.web.index_pool import IndexPool
from searchkit.web.jobs import Job


class Tasks:
    """Two tasks that count the answers; the first ends when it is allowed to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()
        self.found: list[int] = []

    def first(self, pool: IndexPool) -> Job[int]:
        def compute(index: object, progress: Callable[[int, int], None]) -> int:
            self.begun.append("first")
            self.may_end.wait(10)
            progress(1, 1)
            self.found.append(len(list(index.answers())))  # type: ignore[attr-defined]
            return self.found[-1]

        return pool.job("first", compute)

    def second(self, pool: IndexPool) -> Job[None]:
        return pool.job("second", lambda *_: self.begun.append("second"))


@pytest.fixture
def tasks(pool: IndexPool) -> Iterator[Tasks]:
    tasks = Tasks()
    working = WorkAhead(pool, [tasks.first, tasks.second], look_seconds=0.01, settle_seconds=0.2)
    working.start()
    yield tasks
    tasks.may_end.set()
    working.stop()


def test_tasks_begin_one_after_another(tasks: Tasks) -> None:
    until(lambda: tasks.begun == ["first"])
    tasks.may_end.set()
    until(lambda: tasks.begun == ["first", "second"])


def test_they_begin_anew_when_answers_change(
    tasks: Tasks, folder: Path, answers: list[Answer]
) -> None:
    tasks.may_end.set()
    until(lambda: tasks.begun == ["first", "second"])
    with writer(folder) as index:
        index.add([Answer("new", "Streams and middleware")])
    until(lambda: tasks.begun == ["first", "second"] * 2)
    assert tasks.found == [len(answers), len(answers) + 1]


def test_one_that_computes_of_former_answers_ends(
    tasks: Tasks, folder: Path, answers: list[Answer]
) -> None:
    until(lambda: tasks.begun == ["first"])
    with writer(folder) as index:
        index.add([Answer("new", "Streams and middleware")])
    until(lambda: tasks.begun == ["first", "first"])
    tasks.may_end.set()
    until(lambda: tasks.begun == ["first", "first", "second"])
    assert tasks.found == [len(answers) + 1]


def test_many_changes_in_a_row_begin_it_once(tasks: Tasks, folder: Path) -> None:
    tasks.may_end.set()
    until(lambda: tasks.begun == ["first", "second"])
    with writer(folder) as index:
        for n in range(5):
            index.add([Answer(f"new{n}", f"Streams and middleware {n}")])
    until(lambda: len(tasks.begun) == 4)
    assert len(tasks.found) == 2


def test_a_failure_is_not_tried_again(pool: IndexPool) -> None:
    calls: list[int] = []

    def fail(*_: object) -> None:
        calls.append(1)
        raise BadInput("no")

    working = WorkAhead(pool, [lambda pool: pool.job("fails", fail)], look_seconds=0.01)
    working.start()
    until(lambda: calls)
    working._stopping.wait(0.1)
    working.stop()
    assert calls == [1]


def test_with_very_many_answers_nothing_is_begun(
    pool: IndexPool, tasks: Tasks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: tasks.begun == ["first"])
    monkeypatch.setattr(ahead, "MAX_VECTORS", pool.vector_count())
    with writer(folder) as index:
        index.add([Answer("new", "Streams and middleware")])
    tasks.may_end.set()
    until(lambda: pool.vector_count() > ahead.MAX_VECTORS)
    time.sleep(0.4)  # longer than until it is settled
    assert tasks.begun == ["first"]


@pytest.mark.parametrize("count", [0, 1, 10])
def test_the_server_computes_unasked_what_pages_need(
    tmp_path: Path, answers: list[Answer], toy: None, count: int
) -> None:
    with client_of(make_index(tmp_path / "i", answers[:count]), works_ahead=True) as client:
        pool: IndexPool = client.app_state.pool  # type: ignore[attr-defined]

        def kinds() -> set[object]:
            return {key[0] if isinstance(key, tuple) else key for key in jobs()}

        def jobs() -> dict[object, Job[object]]:
            return {key: job for kept in pool._jobs.values() for key, job in kept.items()}

        wanted = {"facets", "names", "findings", "comparing"} | ({"grading"} if count else set())
        until(lambda: wanted <= kinds())
        until(lambda: all(job.has_finished for job in jobs().values()))
        assert not [key for key, job in jobs().items() if job.has_failed]

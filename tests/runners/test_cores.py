"""The cores that a process may use, and what is computed on all of them."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from helpers.threads import refuse_threads

from searchkit.runners import cores
from searchkit.runners.cores import map_on_cores, usable_cores


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which cores a process has")
def test_cores_that_the_process_may_not_use_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert usable_cores() == len(allowed)


def test_items_are_computed_at_the_same_time_and_come_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 3)
    all_run = threading.Barrier(3, timeout=60)

    def square(number: int) -> int:
        all_run.wait()
        return number**2

    assert map_on_cores(square, range(6)) == [0, 1, 4, 9, 16, 25]
    assert map_on_cores(square, []) == []


@pytest.mark.parametrize("started", [0, 1, 2])
def test_the_calling_thread_computes_where_no_more_threads_can_be_started(
    started: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 3)
    refuse_threads(monkeypatch, after=started)
    threads = []

    def square(number: int) -> int:
        threads.append(threading.current_thread())
        return number**2

    assert map_on_cores(square, range(6)) == [0, 1, 4, 9, 16, 25]
    if not started:
        assert threads == [threading.current_thread()] * 6


def test_an_error_of_the_function_is_raised_as_it_is() -> None:
    calls = []

    def fail(number: int) -> int:
        calls.append(number)
        raise RuntimeError("a library's own")

    with pytest.raises(RuntimeError, match="a library's own"):
        map_on_cores(fail, [5])
    assert calls == [5]

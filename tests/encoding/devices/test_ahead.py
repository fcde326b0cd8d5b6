"""An iterator that runs ahead in a thread: order, bound, errors, and that no thread is left."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice

import pytest

from searchkit.encoding.devices.ahead import run_ahead

WAIT = 10.0  # seconds after which something hangs


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "run_ahead"]


def test_all_items_in_order() -> None:
    for depth in (1, 3, 1000):
        assert list(run_ahead(iter(range(200)), depth)) == list(range(200))
    assert list(run_ahead(iter([]), 1)) == []
    assert list(run_ahead(iter([None, None]), 1)) == [None, None]
    assert list(run_ahead(run_ahead(iter("abc"), 2), 2)) == ["a", "b", "c"]


def test_an_item_that_is_an_exception_is_an_item() -> None:
    assert [str(error) for error in run_ahead(iter([ValueError("x")]), 1)] == ["x"]


def test_it_runs_ahead_but_not_further_than_it_may() -> None:
    made = threading.Semaphore(0)
    count = 0

    def items() -> Iterator[int]:
        nonlocal count
        for number in range(100):
            count += 1
            made.release()
            yield number

    with closing(run_ahead(items(), 3)) as ahead:
        assert next(ahead) == 0
        for _ in range(4):  # the one in use, and three
            assert made.acquire(timeout=WAIT)
        assert not made.acquire(timeout=0.1)
        assert count == 4
        assert next(ahead) == 1
        assert made.acquire(timeout=WAIT)


class Panic(BaseException):
    """As a panic in Rust arrives."""


@pytest.mark.parametrize("error", [ValueError("broken"), Panic("broken"), KeyboardInterrupt()])
def test_an_error_comes_after_the_items_before_it(error: BaseException) -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise error

    received = []
    with pytest.raises(type(error)) as raised:
        for item in run_ahead(run_ahead(items(), 2), 2):
            received.append(item)
    assert raised.value is error
    assert received == [1, 2]


def test_an_error_of_the_user_ends_all_threads_and_closes_the_iterator() -> None:
    is_closed = threading.Event()

    def endless() -> Generator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            is_closed.set()

    with (
        pytest.raises(ZeroDivisionError),
        closing(run_ahead(run_ahead(endless(), 2), 2)) as ahead,
    ):
        for item in islice(ahead, 10):
            1 / (5 - item)
    assert is_closed.wait(WAIT)
    is_closed.clear()
    unused = run_ahead(endless(), 2)
    unused.close()

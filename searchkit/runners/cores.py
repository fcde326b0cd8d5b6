"""The cores that this process may use, and computing on all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Return on how many cores this process may compute, which can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def map_on_cores(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return `function(item)` for each item, in their order, from a thread for each core.

    It pays where the function releases Python's lock, as libraries of compiled code do. Where the
    system starts no more threads, the calling thread computes everything.
    """
    results: Iterator[Result]
    with ThreadPoolExecutor(usable_cores()) as pool:
        try:
            results = pool.map(function, items)
        except RuntimeError:  # a thread can't be started
            pool.shutdown(cancel_futures=True)
            results = map(function, items)
        return list(results)

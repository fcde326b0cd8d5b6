"""Searches of many requests, run together: those that arrive while others run are a batch."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from searchkit.core.records import Hit
from searchkit.core.where import Where
from searchkit.index.folder import Index
from searchkit.index.query import Mode, query

GATHERING_SHARE = 0.5  # of the time of a batch, for which the next one waits to be as large
MIN_GATHERED = 4  # searches; fewer gain nothing by being run together


@dataclass(slots=True)
class _Search:
    """A query of one request, and later its hits or its error.

    Attributes:
        is_over_or_next: Set when there are hits or an error, or when this search's thread is to run
            the next batch.
    """

    text: str
    k: int
    mode: Mode
    where: Where
    hits: list[Hit] | None = None
    error: BaseException | None = None
    is_over_or_next: threading.Event = field(default_factory=threading.Event)

    def is_over(self) -> bool:
        return self.hits is not None or self.error is not None


class SearchBatches:
    """Runs one batch at a time, in the thread of one of its searches.

    A search computes on all cores, so that several at once would only wait for each other, while a
    batch reads the vectors once. A thread whose search is over goes on at once, and waits for no
    later batch. Who was answered may ask again at once, so the next batch waits a little for as
    many searches as the last one had.

    Args:
        reading: Lends an index to a thread.
    """

    def __init__(self, reading: Callable[[], AbstractContextManager[Index]]) -> None:
        self._reading = reading
        self._lock = threading.Condition()  # guards what follows
        self._waiting: list[_Search] = []
        self._is_running = False
        self._last_size = 0  # of the last batch
        self._gather_until = 0.0  # time.monotonic

    def search(self, text: str, k: int, mode: Mode, where: Where) -> list[Hit]:
        """Return the `k` nearest answers, best first.

        Raises:
            BadInput: as `query`.
        """
        search = _Search(text, k, mode, where)
        with self._lock:
            self._waiting.append(search)
            self._lock.notify()
            is_first, self._is_running = not self._is_running, True
        if not is_first:
            search.is_over_or_next.wait()
        if not search.is_over():
            self._run_waiting()
        if search.error:
            raise search.error
        return search.hits or []

    def _run_waiting(self) -> None:
        """Run all searches that wait, and wake the thread that runs the next batch."""
        with self._lock:
            if self._last_size >= MIN_GATHERED:
                seconds = self._gather_until - time.monotonic()
                self._lock.wait_for(lambda: len(self._waiting) >= self._last_size, seconds)
            searches, self._waiting = self._waiting, []
        began = time.monotonic()
        try:
            self._run(searches)
        finally:
            with self._lock:
                ended = time.monotonic()
                self._last_size = len(searches)
                self._gather_until = ended + GATHERING_SHARE * (ended - began)
                self._is_running = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].is_over_or_next.set()
            for search in searches:
                search.is_over_or_next.set()

    def _run(self, searches: Sequence[_Search]) -> None:
        alike: dict[tuple[int, Mode, Where], list[_Search]] = defaultdict(list)
        for search in searches:
            alike[search.k, search.mode, search.where].append(search)
        try:
            with self._reading() as index:
                for batch in alike.values():
                    _run_batch(index, batch)
        except BaseException as error:  # a search without hits and error would look like "no hits"
            for search in searches:
                if not search.is_over():
                    search.error = error


def _run_batch(index: Index, searches: Sequence[_Search]) -> None:
    """Run searches that differ only in their texts; if the batch fails, run each alone."""
    first = searches[0]
    try:
        texts = [search.text for search in searches]
        hits = query(index, texts, first.k, first.mode, first.where, details=True)
    except Exception as error:
        if len(searches) == 1:
            first.error = error
            return
        for search in searches:
            _run_batch(index, [search])
    else:
        for search, search_hits in zip(searches, hits, strict=True):
            search.hits = search_hits

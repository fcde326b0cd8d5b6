"""Searches of many requests, run together: those that arrive while others run are a batch."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from searchkit.core.errors import IndexBusy
from searchkit.core.records import Hit
from searchkit.core.where import Where
from searchkit.index.folder import Index
from searchkit.index.query import Mode, query

GATHERING_SHARE = 0.5  # of the time of a batch, for which the next one waits to be as large
MIN_GATHERED = 4  # searches; fewer gain nothing by being run together


@dataclass(frozen=True, slots=True)
class _Search:
    """A query of one request; `hits` has its hits or its error once it has run."""

    text: str
    k: int
    mode: Mode
    where: Where
    hits: Future[list[Hit]] = field(default_factory=Future)


class SearchBatches:
    """Runs one batch after another, all in one thread.

    A search computes on all cores, so that several at once would only wait for each other, while a
    batch reads the vectors once. One thread, as each one that computes keeps some memory. Who was
    answered may ask again at once, so the next batch waits a little for as many searches as the
    last one had.

    Args:
        reading: Lends an index to a thread.
    """

    def __init__(self, reading: Callable[[], AbstractContextManager[Index]]) -> None:
        self._reading = reading
        self._thread = ThreadPoolExecutor(1, "searches")
        self._lock = threading.Condition()  # guards what follows
        self._waiting: list[_Search] = []
        self._is_running = False
        self._last_size = 0  # of the last batch
        self._gather_until = 0.0  # time.monotonic

    def close(self) -> None:
        """End the thread, after the searches that wait."""
        self._thread.shutdown(wait=False)

    def search(self, text: str, k: int, mode: Mode, where: Where) -> list[Hit]:
        """Return the `k` nearest answers, best first.

        Raises:
            BadInput: as `query`.
            IndexBusy: if `close` was called.
        """
        search = _Search(text, k, mode, where)
        with self._lock:
            if not self._is_running:
                self._start()
                self._is_running = True
            self._waiting.append(search)
            self._lock.notify()
        return search.hits.result()

    def _start(self) -> None:
        try:
            self._thread.submit(self._run_waiting)
        except RuntimeError as error:
            raise IndexBusy("the server is being stopped") from error

    def _run_waiting(self) -> None:
        """Run batches until no search waits."""
        while searches := self._gathered():
            began = time.monotonic()
            self._run(searches)
            ended = time.monotonic()
            self._last_size = len(searches)
            self._gather_until = ended + GATHERING_SHARE * (ended - began)

    def _gathered(self) -> list[_Search]:
        """Return the searches that wait; empty if there are none, and `_run_waiting` ends."""
        with self._lock:
            if self._waiting and self._last_size >= MIN_GATHERED:
                seconds = self._gather_until - time.monotonic()
                self._lock.wait_for(lambda: len(self._waiting) >= self._last_size, seconds)
            searches, self._waiting = self._waiting, []
            self._is_running = bool(searches)
            return searches

    def _run(self, searches: Sequence[_Search]) -> None:
        alike: dict[tuple[int, Mode, Where], list[_Search]] = defaultdict(list)
        for search in searches:
            alike[search.k, search.mode, search.where].append(search)
        try:
            with self._reading() as index:
                for batch in alike.values():
                    _run_batch(index, batch)
        except BaseException as error:  # otherwise their requests would wait for ever
            for search in searches:
                if not search.hits.done():
                    search.hits.set_exception(error)


def _run_batch(index: Index, searches: Sequence[_Search]) -> None:
    """Run searches that differ only in their texts; if the batch fails, run each alone."""
    first = searches[0]
    try:
        texts = [search.text for search in searches]
        hits = query(index, texts, first.k, first.mode, first.where, details=True)
    except Exception as error:
        if len(searches) == 1:
            first.hits.set_exception(error)
            return
        for search in searches:
            _run_batch(index, [search])
    else:
        for search, search_hits in zip(searches, hits, strict=True):
            search.hits.set_result(search_hits)

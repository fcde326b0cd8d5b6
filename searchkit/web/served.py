"""A served index: one state of it at a time for many threads, and what is computed from it.

When another process, or a page, has written, the next request finds the new state: its readers are
opened anew and take the place of the old ones as a whole. What takes long is computed once for a
state, in a thread of its own, and can be watched.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from searchkit.core.errors import IndexBusy, IndexNotFound, SearchkitError, StorageFailed
from searchkit.core.progress import Progress
from searchkit.core.records import Hit
from searchkit.core.where import Where
from searchkit.index.decisions import counting, decisions
from searchkit.index.folder import DATABASE, Index
from searchkit.index.query import Mode, query
from searchkit.index.storage.connection import connect_reader
from searchkit.plagiarism.find import PlagiarismResult
from searchkit.web.jobs import Job, Result

log = logging.getLogger("searchkit")
READERS = 4  # open at the same time, each for one thread
MOST_JOBS = 64  # results that are kept
COMPUTING = 2  # jobs at the same time: each uses all cores
WAITING = 16  # threads that may wait for a job; the others are told "not yet" at once
PATIENCE = 30.0  # seconds that a request waits for a reader
WRITING = 5.0  # seconds that a request waits until this process has written something else


@dataclass(slots=True)
class _Ask:
    """A query that waits for its turn, and then for nothing."""

    text: str
    k: int
    mode: Mode
    where: Where
    hits: list[Hit] | None = None
    error: Exception | None = None


Kept = Literal["revision", "change", "telling"]


class _State:
    """Readers of one state of the index, and those of them that nobody uses just now."""

    def __init__(self, first: Index) -> None:
        self.first = first
        self.free = [first]
        self.opened = 1


class Served:
    """An index for many threads. Make it with `open`; close it."""

    def __init__(
        self, folder: Path, first: Index, watch: sqlite3.Connection, version: tuple[int, int]
    ) -> None:
        self.folder = folder
        self.patience = PATIENCE
        self._lock = threading.Condition()  # of all that is below
        self._state: _State | None = _State(first)
        self._watch, self._version = watch, version
        self._jobs: dict[Kept, dict[Hashable, Job[Any]]] = defaultdict(dict)
        self._asks: list[_Ask] = []
        self._searching = threading.Lock()
        self._writing = threading.Lock()
        self._computing = threading.Semaphore(COMPUTING)
        self._waiting = threading.Semaphore(WAITING)

    @classmethod
    def open(cls, folder: Path) -> Served:
        """Open an index, with its model and vectors loaded.

        Raises:
            SearchkitError: as `Index.open`.
        """
        with Index.open(folder) as index:
            is_old = index.store.format() < 2
        if is_old:
            with suppress(SearchkitError), Index.open(folder, write=True):
                pass  # brought up to date, so that what changes can be told
        watch = connect_reader(folder / DATABASE)
        try:
            version = _seen(folder, watch)  # before the reader: no change falls between them
            index = Index.open(folder)
            index.encoder.encode_queries(["warm"])
            len(index.vectors)
        except BaseException:
            watch.close()
            raise
        return cls(folder, index, watch, version)

    def close(self) -> None:
        """Close all readers; those in use when they are given back."""
        with self._lock:
            state, self._state = self._state, None
            self._lock.notify_all()
            if state:
                self._watch.close()
                _close(state.free)

    # -- reading and writing -----------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Index]:
        """Lend a reader of the newest state to this thread.

        Raises:
            IndexBusy: if none gets free in time.
        """
        state, index = self._borrow()
        try:
            yield index
        finally:
            with self._lock:
                is_current = state is self._state
                if is_current:
                    state.free.append(index)
                    self._lock.notify()
            if not is_current:
                index.close()

    @contextmanager
    def writing(self, *, patience: float = WRITING) -> Iterator[Index]:
        """Open the index for writing; what is written inside is on the disk afterwards.

        Args:
            patience: Seconds to wait for another thread of this process; below 0 without end.

        Raises:
            IndexBusy: if another process, or for too long another thread, is writing.
        """
        if not self._writing.acquire(timeout=patience if patience >= 0 else -1):
            raise IndexBusy(
                f"{self.folder}: a file is being put into the index; try again when it is done"
            )
        try:
            with self._lock:
                encoder = self._current().first.encoder
            with Index.open(self.folder, write=True, encoder=encoder) as index:
                yield index
                self._empty_log(index)
        finally:
            self._writing.release()

    def _empty_log(self, writer: Index) -> None:
        """Let what was written go from the log into the database: for a moment nobody reads.

        Else there would always be a reader, and the log would grow with every decision.
        """
        with self._lock:
            if self._state:
                self._state.opened -= len(self._state.free)
                _close(self._state.free)
            writer.store.flush_log(wait=False)

    def _borrow(self) -> tuple[_State, Index]:
        until = time.monotonic() + self.patience
        with self._lock:
            while True:
                state = self._current()
                if state.free:
                    return state, state.free.pop()
                if state.opened < READERS:
                    more = state.first.reopened()
                    state.opened += 1
                    return state, more
                if not self._lock.wait(until - time.monotonic()):
                    raise IndexBusy("too much is asked at the same time; try again in a moment")

    def _current(self) -> _State:
        """Return the newest state; open it if something has been written. The lock is held."""
        if self._state is None:
            raise IndexBusy("the server is being stopped")
        version = _seen(self.folder, self._watch)
        if version[0] != self._version[0]:  # another file: the folder was made anew
            watch = connect_reader(self.folder / DATABASE)
            self._watch.close()
            self._watch = watch
            version = _seen(self.folder, watch)
        if version != self._version:
            self._state = self._swapped(self._state)
            self._version = version
            self._lock.notify_all()  # who waits for a reader gets one of the new ones
        return self._state

    def _swapped(self, old: _State) -> _State:
        first = old.first.reopened()
        try:
            if first.encoder is not old.first.encoder:
                log.info("%s: has another model now", self.folder)
            len(first.vectors)
        except BaseException:
            first.close()
            raise
        if not first.has_answers_of(old.first):
            self._jobs["revision"].clear()
        self._jobs["change"].clear()
        _close(old.free)
        return _State(first)

    # -- searching ---------------------------------------------------------------------------------

    def search(self, text: str, k: int, mode: Mode, where: Where) -> list[Hit]:
        """Find the nearest answers; queries that wait for each other are answered together.

        A search uses all cores, so that two side by side gain nothing, and many in one a lot.

        Raises:
            BadInput: as `query`.
        """
        if where.sql is not None:  # it may take long, and nobody should wait for that
            with self.reading() as index:
                return query(index, [text], k, mode, where)[0]
        ask = _Ask(text, k, mode, where)
        with self._lock:
            self._asks.append(ask)
        with self._searching:
            if ask.hits is None and ask.error is None:
                with self._lock:
                    asks, self._asks = self._asks, []
                self._answer(asks)
        if ask.error:
            raise ask.error
        return ask.hits or []

    def _answer(self, asks: Sequence[_Ask]) -> None:
        alike: dict[tuple[int, Mode, Where], list[_Ask]] = defaultdict(list)
        for ask in asks:
            alike[ask.k, ask.mode, ask.where].append(ask)
        try:
            with self.reading() as index:
                for some in alike.values():
                    _search(index, some)
        except Exception as error:  # whoever isn't told now would take it for "no hits"
            for ask in asks:
                ask.error = ask.error or (error if ask.hits is None else None)

    # -- what takes long ---------------------------------------------------------------------------

    def job(
        self,
        key: Hashable,
        compute: Callable[[Index, Progress], Result],
        kept: Kept = "revision",
    ) -> Job[Result]:
        """Return what is computed from this state, once; it may not be done yet.

        What went wrong is kept until it is told: the next one to ask begins anew.

        Args:
            key: What it is.
            compute: Gets a reader of its own.
            kept: How long: until answers change; until anything does, such as columns with marks;
                or until somebody has been told.
        """

        def run(progress: Progress) -> Result:
            with self._computing:
                with self._lock:
                    index = self._current().first.reopened()
                with index:
                    return compute(index, progress)

        with self._lock:
            self._current()
            jobs = self._jobs[kept]
            before = jobs.get(key)
            if before is None or (before.was_told and (before.error or kept == "telling")):
                while len(jobs) >= MOST_JOBS:
                    del jobs[next(iter(jobs))]
                jobs[key] = Job[Result]().start(run)
            return jobs[key]

    def wait(self, job: Job[Any], seconds: float) -> bool:
        """Wait for a job; say whether it is finished.

        A thread that waits answers nobody else, so only some of them may.
        """
        if not self._waiting.acquire(blocking=False):
            return job.finished.is_set()
        try:
            return job.finished.wait(seconds)
        finally:
            self._waiting.release()

    def with_decisions(self, found: PlagiarismResult) -> PlagiarismResult:
        """Return findings with what has been decided about them by now."""
        with self.reading() as index:
            return replace(found, decisions=counting(decisions(index)))


def _search(index: Index, asks: Sequence[_Ask]) -> None:
    """Answer queries that differ in nothing but their texts; one that can't be spoils no other."""
    first = asks[0]
    try:
        found = query(index, [ask.text for ask in asks], first.k, first.mode, first.where)
    except Exception as error:
        if len(asks) == 1:
            first.error = error
            return
        for ask in asks:
            _search(index, [ask])
    else:
        for ask, hits in zip(asks, found, strict=True):
            ask.hits = hits


def _seen(folder: Path, watch: sqlite3.Connection) -> tuple[int, int]:
    """Return what is another when the database has changed.

    Args:
        folder: The index's.
        watch: A connection that holds no state, and so sees whether another one has written.
    """
    try:
        (version,) = watch.execute("PRAGMA data_version").fetchone()
        return (folder / DATABASE).stat().st_ino, int(version)
    except FileNotFoundError:
        raise IndexNotFound(f"{folder}: the index isn't there any more") from None
    except (OSError, sqlite3.Error) as error:
        raise StorageFailed(f"{folder}: can't be read ({error})") from error


def _close(readers: list[Index]) -> None:
    while readers:
        readers.pop().close()

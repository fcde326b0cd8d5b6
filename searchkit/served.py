"""A served index: one state of it at a time for many threads, and what is computed from it.

When another process, or a page, has written, the next request finds the new state: its readers are
opened anew and take the place of the old ones as a whole. What takes long is computed once for a
state, in a thread of its own, and can be watched.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, Generic, TypeVar, cast

from searchkit.decisions import counting, decisions
from searchkit.errors import BadInput, SearchkitError
from searchkit.index import DATABASE, Index
from searchkit.plagiarism import Plagiarism
from searchkit.query import Mode, query
from searchkit.store import connect_reader
from searchkit.types import Hit
from searchkit.where import Where

log = logging.getLogger("searchkit")

READERS = 4  # open at the same time, each for one thread
MOST_JOBS = 64  # results that are kept
PATIENCE = 30.0  # seconds that a request waits for one of them

Result = TypeVar("Result")
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Ask:
    """A query that waits for its turn, and then for nothing."""

    text: str
    k: int
    mode: Mode
    where: Where
    hits: list[Hit] | None = None
    error: SearchkitError | None = None


@dataclass(slots=True)
class Job(Generic[Result]):
    """Something that is computed once, in a thread of its own.

    Attributes:
        done: How much of it is done.
        total: Of how much; 0 while that isn't known.
        result: What it gave.
        error: What went wrong, in words for the user.
        finished: Set when there is a result or an error.
        was_told: Whether somebody has been told the error.
    """

    done: int = 0
    total: int = 0
    result: Result | None = None
    error: str | None = None
    finished: threading.Event = field(default_factory=threading.Event)
    was_told: bool = False

    def run(self, compute: Callable[[Progress], Result]) -> None:
        """Compute, and keep what comes of it."""
        try:
            self.result = compute(self._advance)
        except SearchkitError as error:
            self.error = str(error)
        except Exception:
            log.exception("a mistake of ours")
            self.error = "a mistake of ours; the server's log says where"
        finally:
            self.finished.set()

    def start(self, compute: Callable[[Progress], Result]) -> Job[Result]:
        """Compute in a thread that ends with the process."""
        threading.Thread(target=self.run, args=[compute], daemon=True).start()
        return self

    def get(self) -> Result:
        """Give the result of a job that is finished.

        Raises:
            BadInput: if there is none, with the reason.
        """
        if self.error is not None:
            self.was_told = True
            raise BadInput(self.error)
        return cast(Result, self.result)

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class _State:
    """Readers of one state of the index."""

    def __init__(self, first: Index) -> None:
        self.revision = first.revision
        self.first = first
        self.free: LifoQueue[Index] = LifoQueue()
        self.free.put(first)
        self.opened = 1
        self.is_current = True


class Served:
    """An index for many threads. Make it with `open`; close it."""

    def __init__(self, folder: Path, first: Index, watch: sqlite3.Connection) -> None:
        self.folder = folder
        self._state = _State(first)
        self._watch = watch
        self._version = self._seen()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._jobs: dict[Hashable, Job[Any]] = {}
        self._column_jobs: dict[Hashable, Job[Any]] = {}
        self._searching = threading.Lock()
        self._asks: list[_Ask] = []

    @classmethod
    def open(cls, folder: Path) -> Served:
        """Open an index, with its model and vectors loaded.

        Raises:
            SearchkitError: as `Index.open`.
        """
        index = Index.open(folder)
        if index.store.format() < 2:
            index.close()
            with suppress(SearchkitError), Index.open(folder, write=True):
                pass  # brought up to date, so that what changes can be told
            index = Index.open(folder)
        index.encoder.encode_queries(["warm"])
        len(index.vectors)
        return cls(folder, index, _watching(folder))

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            self._retire(self._state)
            self._watch.close()

    # -- reading and writing -----------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Index]:
        """Lend a reader of the newest state to this thread."""
        state = self._current()
        index = self._borrow(state)
        try:
            yield index
        finally:
            state.free.put(index)
            if not state.is_current:
                with self._lock:
                    self._retire(state)

    @contextmanager
    def writing(self) -> Iterator[Index]:
        """Open the index for writing; what is written inside is on the disk afterwards.

        Raises:
            IndexBusy: if another process is writing.
        """
        with self._writing:
            with self.reading() as reader:
                encoder = reader.encoder
            with Index.open(self.folder, write=True, encoder=encoder) as index:
                yield index

    @property
    def revision(self) -> int:
        """The number of the state that the next request sees."""
        return self._current().revision

    def _current(self) -> _State:
        """Give the newest state; open it if something has been written."""
        with self._lock:
            if self._seen() != self._version:
                self._swap()
            return self._state

    def _swap(self) -> None:
        version = self._seen()
        if version[0] != self._version[0]:  # another file: the folder was made anew
            self._watch.close()
            self._watch = _watching(self.folder)
            version = self._seen()
        old, fresh = self._state, self._state.first.reopened()
        len(fresh.vectors)
        self._state, self._version = _State(fresh), version
        self._column_jobs.clear()
        if self._state.revision != old.revision or not old.revision:
            self._jobs.clear()
        old.is_current = False
        self._retire(old)

    def _seen(self) -> tuple[int, int]:
        """Give what is another when the database has changed."""
        (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        return (self.folder / DATABASE).stat().st_ino, int(version)

    def _borrow(self, state: _State) -> Index:
        with suppress(Empty):
            return state.free.get_nowait()
        with self._lock:
            more = state.opened < READERS and state.is_current
            if more:
                state.opened += 1
        if more:
            index = state.first.reopened()
            if index.revision == state.revision:
                return index
            index.close()  # written to in this very moment: this state gets no more readers
        return state.free.get(timeout=PATIENCE)

    def _retire(self, state: _State) -> None:
        with suppress(Empty):
            while True:
                state.free.get_nowait().close()

    # -- searching ---------------------------------------------------------------------------------

    def search(self, text: str, k: int, mode: Mode, where: Where) -> list[Hit]:
        """Find the nearest answers; queries that wait for each other are answered together.

        A search uses all cores, so that two side by side gain nothing, and many in one a lot.

        Raises:
            BadInput: as `query`.
        """
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

    def _answer(self, asks: list[_Ask]) -> None:
        alike: dict[tuple[int, Mode, Where], list[_Ask]] = defaultdict(list)
        for ask in asks:
            alike[ask.k, ask.mode, ask.where].append(ask)
        with self.reading() as index:
            for (k, mode, where), some in alike.items():
                try:
                    texts = [ask.text for ask in some]
                    for ask, hits in zip(some, query(index, texts, k, mode, where), strict=True):
                        ask.hits = hits
                except SearchkitError as error:
                    if len(some) == 1:
                        some[0].error = error
                        continue
                    for ask in some:  # one of them spoils it for all
                        self._answer([ask])

    # -- what takes long ---------------------------------------------------------------------------

    def job(
        self, key: Hashable, compute: Callable[[Index, Progress], Result], *, columns: bool = False
    ) -> Job[Result]:
        """Give what is computed from this state, once; it may not be done yet.

        What went wrong is not kept: the next one to ask begins anew.

        Args:
            key: What it is.
            compute: Gets a reader of its own.
            columns: Whether it depends on columns that people write into, such as marks.
        """
        self._current()
        with self._lock:
            jobs = self._column_jobs if columns else self._jobs
            if key not in jobs or (jobs[key].error and jobs[key].was_told):
                while len(jobs) >= MOST_JOBS:
                    del jobs[next(iter(jobs))]
                first = self._state.first

                def run(progress: Progress) -> Result:
                    with first.reopened() as index:
                        return compute(index, progress)

                jobs[key] = Job[Result]().start(run)
            return jobs[key]

    def with_decisions(self, found: Plagiarism) -> Plagiarism:
        """Give findings with what has been decided about them by now."""
        with self.reading() as index:
            return replace(found, decisions=counting(decisions(index)))


def _watching(folder: Path) -> sqlite3.Connection:
    """Open a connection that holds no state, and so sees whether another one has written."""
    return connect_reader(folder / DATABASE)

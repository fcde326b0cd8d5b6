"""A pool of opened indexes that many request threads share, and the results computed from them.

All readers of the pool show the same state of the index. When another process or a page has
written, the next request replaces them all by readers of the new state. Long computations run once
for each state as background jobs whose progress can be read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

from starlette.requests import Request

from searchkit.clustering.clusters import ClusterResult, cluster
from searchkit.clustering.methods import ClusterMethod
from searchkit.core.errors import IndexBusy, NotFound, SearchkitError
from searchkit.core.progress import Progress
from searchkit.core.records import By, Hit
from searchkit.core.where import Where
from searchkit.index.decisions import counting, decisions
from searchkit.index.folder import Index
from searchkit.index.query import Mode, query
from searchkit.index.storage.connection import ChangeWatch
from searchkit.plagiarism.find import find_with_options
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult
from searchkit.plagiarism.so_far import FindingsSoFar
from searchkit.text.languages.identification import load_ahead
from searchkit.web.jobs import MAX_UNWANTED_PAUSES, Job, Result, SoFar, Traffic
from searchkit.web.searching.search_batches import SearchBatches

log = logging.getLogger("searchkit")
MAX_READERS = 4  # open at the same time, each used by one thread
MAX_JOBS = 64  # whose results are kept
MAX_RUNNING_JOBS = 2  # at the same time: each uses all cores
MAX_WAITING_THREADS = 16  # that may wait for a job; others get "not yet" at once
READER_TIMEOUT = 30.0  # seconds that a request waits for a free reader
PAGE_TIMEOUT = 0.15  # seconds that a page waits for a job before it shows the job's progress
WRITER_TIMEOUT = 5.0  # seconds that a request waits for another writer of this process

KeepUntil = Literal["answers change", "anything changes", "delivered"]


class _Snapshot:
    """The readers of one state of the index.

    Attributes:
        first: The reader of which all others are reopened.
        free: Readers that no thread uses at the moment.
        opened: Number of all readers, free or in use.
    """

    def __init__(self, first: Index) -> None:
        self.first = first
        self.free = [first]
        self.opened = 1


class IndexPool:
    """Readers, a writer and jobs of one index for many threads. Make it with `open`; close it."""

    def __init__(
        self, folder: Path, first: Index, watch: ChangeWatch, version: tuple[int, int]
    ) -> None:
        self.folder = folder
        self.reader_timeout = READER_TIMEOUT
        self.page_timeout = PAGE_TIMEOUT
        self._lock = threading.Condition()  # guards everything below down to the jobs
        self._snapshot: _Snapshot | None = _Snapshot(first)
        self._watch, self._version = watch, version
        self._jobs: dict[KeepUntil, dict[Hashable, Job[Any]]] = defaultdict(dict)
        self._batches = SearchBatches(self.reading)
        self._writing = threading.Lock()
        self._running = threading.Semaphore(MAX_RUNNING_JOBS)
        self._waiting = threading.Semaphore(MAX_WAITING_THREADS)
        self.traffic = Traffic()

    @classmethod
    def open(cls, folder: Path) -> IndexPool:
        """Open an index, and load its model and vectors.

        Raises:
            SearchkitError: as `Index.open`.
        """
        with Index.open(folder) as index:
            is_outdated = index.is_outdated()
        if is_outdated:  # opening for writing upgrades it, without which changes go unnoticed
            with suppress(SearchkitError), Index.open(folder, write=True):
                pass
        watch = Index.watch(folder)
        try:
            version = watch.version()  # first, so that no change is missed
            load_ahead()  # what tells the languages of questions
            index = Index.open(folder)
            index.encoder.encode_queries(["warm"])
            len(index.vectors)
        except BaseException:
            watch.close()
            raise
        return cls(folder, index, watch, version)

    def close(self) -> None:
        """Close all free readers now, and those in use when their threads return them."""
        self._batches.close()
        with self._lock:
            snapshot, self._snapshot = self._snapshot, None
            self._lock.notify_all()
            for job in chain.from_iterable(jobs.values() for jobs in self._jobs.values()):
                job.cancel()
            if snapshot:
                self._watch.close()
                _close(snapshot.free)

    # -- reading and writing -----------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Index]:
        """Lend a reader of the newest state to this thread.

        Raises:
            IndexBusy: if no reader becomes free within `reader_timeout` seconds.
        """
        snapshot, index = self._borrow()
        try:
            yield index
        finally:
            with self._lock:
                is_current = snapshot is self._snapshot
                if is_current:
                    snapshot.free.append(index)
                    self._lock.notify()
            if not is_current:
                index.close()

    @contextmanager
    def writing(self, *, timeout: float = WRITER_TIMEOUT) -> Iterator[Index]:
        """Open the index for writing; everything written is on the disk when the block ends.

        Args:
            timeout: Seconds to wait for another writing thread of this process; a negative number
                waits without limit.

        Raises:
            IndexBusy: if another process is writing, or another thread writes for too long.
        """
        if not self._writing.acquire(timeout=timeout if timeout >= 0 else -1):
            raise IndexBusy(
                f"{self.folder}: a file is being put into the index; try again when it is done"
            )
        try:
            with self._lock:
                encoder = self._current().first.encoder
            with Index.open(self.folder, write=True, encoder=encoder) as index:
                yield index
                self._flush_log(index)
        finally:
            self._writing.release()

    def _flush_log(self, writer: Index) -> None:
        """Move what was written from the write-ahead log into the database.

        SQLite can do that only while nobody reads, so the free readers are closed first. Otherwise
        there would always be a reader, and the log would grow with every decision.
        """
        with self._lock:
            if self._snapshot:
                self._snapshot.opened -= len(self._snapshot.free)
                _close(self._snapshot.free)
            writer.flush()

    def _borrow(self) -> tuple[_Snapshot, Index]:
        deadline = time.monotonic() + self.reader_timeout
        with self._lock:
            while True:
                snapshot = self._current()
                if snapshot.free:
                    return snapshot, snapshot.free.pop()
                if snapshot.opened < MAX_READERS:
                    index = snapshot.first.reopened()
                    snapshot.opened += 1
                    return snapshot, index
                if not self._lock.wait(deadline - time.monotonic()):
                    raise IndexBusy("too many requests at the same time; try again in a moment")

    def _current(self) -> _Snapshot:
        """Return the newest state, opened anew if something was written. Call it with the lock."""
        if self._snapshot is None:
            raise IndexBusy("the server is being stopped")
        version = self._watch.version()
        if version != self._version:
            self._snapshot = self._successor(self._snapshot)
            self._version = version
            self._lock.notify_all()  # threads that wait for a reader get one of the new state
        return self._snapshot

    def refresh(self) -> tuple[int, int]:
        """Open the newest state if something was written; return the number of the state."""
        with self._lock:
            self._current()
            return self._version

    def vector_count(self) -> int:
        """Return the number of vectors of the newest state."""
        with self._lock:
            return len(self._current().first.vectors)

    def _successor(self, old: _Snapshot) -> _Snapshot:
        """Open the new state, drop outdated jobs and close the free readers of the old state."""
        first = old.first.reopened(with_new_files=True)
        try:
            if first.encoder is not old.first.encoder:
                log.info("%s: has another model now", self.folder)
            len(first.vectors)
        except BaseException:
            first.close()
            raise
        if not first.has_answers_of(old.first):
            for job in self._jobs["answers change"].values():
                job.cancel()
            self._jobs["answers change"].clear()
        self._jobs["anything changes"].clear()
        _close(old.free)
        return _Snapshot(first)

    # -- searching ---------------------------------------------------------------------------------

    def search(self, text: str, k: int, mode: Mode, where: Where) -> list[Hit]:
        """Return the `k` nearest answers, best first.

        Searches that arrive while others run are run as one batch; see `SearchBatches`.

        Raises:
            BadInput: as `query`.
        """
        if where.sql is not None:  # an SQL filter may take long; nobody else should wait for it
            with self.reading() as index:
                return query(index, [text], k, mode, where, details=True)[0]
        return self._batches.search(text, k, mode, where)

    # -- jobs --------------------------------------------------------------------------------------

    def job(
        self,
        key: Hashable,
        compute: Callable[[Index, Progress], Result],
        keep_until: KeepUntil = "answers change",
        version: Hashable = None,
        so_far: SoFar | None = None,
    ) -> Job[Result]:
        """Return the job with this key, started if there is none for the current state.

        A failed job is kept until its error is delivered; the next call then starts it again.
        A job of another version takes the place of one that has finished; while that one runs, it
        is returned instead, so that there are never several for one key.

        Args:
            key: Identifies the computation and its parameters.
            compute: Called once, in a background thread, with a reader of its own.
            keep_until: When the result becomes outdated: when answers change, when anything in the
                index changes (such as a column with marks), or once somebody received it.
            version: What the result depends on beside the parameters.
            so_far: What `compute` tells about itself, if this call starts it.
        """
        new = Job[Result](version=version, so_far=so_far)

        def politely(done: int, total: int) -> None:
            new.advance(done, total)
            for _ in range(MAX_UNWANTED_PAUSES):
                if self.traffic.let_pass() or new.is_wanted:
                    return

        def run(_: Progress) -> Result:
            with self._running:
                new.begin()
                with self._lock:
                    index = self._current().first.reopened()
                with index:
                    return compute(index, politely)

        with self._lock:
            self._current()
            jobs = self._jobs[keep_until]
            job = jobs.get(key)
            is_used_up = job and (job.has_failed or keep_until == "delivered") and job.was_delivered
            is_outdated = job and job.version != version and job.has_finished
            if job is None or is_used_up or is_outdated:
                while len(jobs) >= MAX_JOBS:
                    del jobs[next(iter(jobs))]
                new.former = job.last_result() if job else None
                job = jobs[key] = new.start(run)
            return job

    def find_job(self, id: str) -> Job[Any]:
        """Return a job by its id.

        Raises:
            NotFound: if it isn't kept any more.
        """
        with self._lock:
            for job in chain.from_iterable(jobs.values() for jobs in self._jobs.values()):
                if job.id == id:
                    job.is_wanted = True
                    return job
        raise NotFound("this isn't computed any more; load the page again")

    def last_result(self, key: Hashable) -> object:
        """Return what the job with this key, or the one before it, found; None for nothing yet."""
        with self._lock:
            job = self._jobs["answers change"].get(key)
        return job.last_result() if job else None

    def wait(self, job: Job[Any], seconds: float) -> bool:
        """Wait for a job at most so many seconds; return whether it has finished.

        A waiting thread serves no other request, so only `MAX_WAITING_THREADS` of them may wait;
        for the others this returns at once.
        """
        job.is_wanted = True
        if not self._waiting.acquire(blocking=False):
            return job.has_finished
        try:
            with self.traffic.waiting():
                return job.wait(seconds)
        finally:
            self._waiting.release()

    def with_decisions(self, found: PlagiarismResult) -> PlagiarismResult:
        """Return findings together with the decisions made about them so far."""
        with self.reading() as index:
            return replace(found, decisions=counting(decisions(index)))


def pool_of(request: Request) -> IndexPool:
    """Return the pool of the application that serves a request."""
    return cast(IndexPool, request.app.state.pool)


def findings_job(pool: IndexPool, fdr: float | None = None) -> Job[PlagiarismResult]:
    """Return the job that finds plagiarism in the whole index, with a false discovery rate."""
    so_far = FindingsSoFar()
    return pool.job(
        "findings" if fdr is None else ("findings", fdr),
        lambda index, progress: find_with_options(
            index, PlagiarismOptions(fdr=fdr), progress=progress, so_far=so_far
        ),
        so_far=so_far if fdr is None else None,
    )


def clusters_job(
    pool: IndexPool, where: Where, by: By | None = None, method: ClusterMethod = "communities"
) -> Job[ClusterResult]:
    """Return the job that clusters the answers that pass a filter."""
    return pool.job(
        ("clusters", where, by, method),
        lambda index, progress: cluster(
            index, by=by, method=method, where=where, progress=progress
        ),
    )


def _close(readers: list[Index]) -> None:
    while readers:
        readers.pop().close()

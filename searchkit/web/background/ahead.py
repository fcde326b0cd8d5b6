"""Work ahead: what pages need of all answers is computed before anybody asks, after every change.

The index is looked at twice a second. Once nothing has been written for a while, as an ingest
writes many times, one task after another is begun. A computation of former answers ends by itself.

With very many answers nothing is begun: it would take all cores for hours, and gigabytes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from searchkit.core.errors import SearchkitError
from searchkit.web.index_pool import IndexPool
from searchkit.web.jobs import Job

log = logging.getLogger("searchkit")
LOOK_SECONDS = 0.5  # between two looks at the index
SETTLE_SECONDS = 2.0  # without a change, before anything is begun
MAX_VECTORS = 200_000  # of an index for which anything is begun

Task = Callable[[IndexPool], Job[Any] | None]
"""Begins a computation, and returns its job; None for nothing to wait for."""


class WorkAhead:
    """Begins tasks in a thread of its own. Start it; stop it before the pool is closed."""

    def __init__(
        self,
        pool: IndexPool,
        tasks: Sequence[Task],
        *,
        look_seconds: float = LOOK_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """Set what is begun.

        Args:
            pool: The index.
            tasks: Begun one after another, each when the job of the one before is done.
            look_seconds: See `LOOK_SECONDS`.
            settle_seconds: See `SETTLE_SECONDS`.
        """
        self._pool, self._tasks = pool, tasks
        self._look_seconds, self._settle_seconds = look_seconds, settle_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin the first task."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        state: object = None
        changed_at = -self._settle_seconds  # nothing to wait for at the start
        waiting: list[Task] = []
        job: Job[Any] | None = None
        while True:
            try:
                now = self._pool.refresh()
                if now != state:
                    changed_at = time.monotonic() if state else changed_at
                    tasks = self._tasks if self._pool.vector_count() <= MAX_VECTORS else ()
                    state, waiting, job = now, list(tasks), None
                is_settled = time.monotonic() - changed_at >= self._settle_seconds
                while is_settled and waiting and (job is None or job.has_finished):
                    job = waiting.pop(0)(self._pool)
            except SearchkitError as error:  # a page says it to somebody
                log.debug("nothing is computed ahead: %s", error)
            if self._stopping.wait(self._look_seconds):
                return

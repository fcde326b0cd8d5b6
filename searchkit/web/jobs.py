"""Long computations that run in the background while clients ask for their progress."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from searchkit.core.errors import IndexBusy, SearchkitError
from searchkit.core.progress import Progress

log = logging.getLogger("searchkit")

Result = TypeVar("Result")


@dataclass(slots=True)
class Job(Generic[Result]):
    """A computation that runs once, in its own thread.

    Attributes:
        done: Number of steps that are done.
        total: Number of all steps; 0 while it isn't known.
        future: Holds the result or the error once the computation has ended.
        version: What the result depends on beside the job's key.
        former: The last result of another version; None if there is none.
        was_delivered: Whether `get` has returned the result or raised the error to somebody.
    """

    done: int = 0
    total: int = 0
    future: Future[Result] = field(default_factory=Future)
    version: Hashable = None
    former: Result | None = None
    was_delivered: bool = False

    @property
    def has_finished(self) -> bool:
        """Whether there is a result or an error."""
        return self.future.done()

    @property
    def has_failed(self) -> bool:
        """Whether the computation ended with an error."""
        return self.has_finished and self.future.exception() is not None

    def last_result(self) -> Result | None:
        """Return the result, or until there is one that of another version; None for neither."""
        is_known = self.has_finished and not self.has_failed
        return self.future.result() if is_known else self.former

    def start(self, compute: Callable[[Progress], Result]) -> Job[Result]:
        """Run the computation in a daemon thread, which doesn't keep the process alive."""
        threading.Thread(target=self.run, args=[compute], daemon=True).start()
        return self

    def run(self, compute: Callable[[Progress], Result]) -> None:
        """Run the computation in this thread and store its result or its error."""
        try:
            self.future.set_result(compute(self._advance))
        except BaseException as error:
            if not isinstance(error, SearchkitError):
                log.error(
                    "internal error; please report it: %s", describe_error(error), exc_info=error
                )
            self.future.set_exception(error)

    def wait(self, seconds: float) -> bool:
        """Wait until the job has finished, at most so many seconds; return whether it has."""
        return bool(wait([self.future], seconds).done)

    def get(self) -> Result:
        """Return the result.

        Raises:
            IndexBusy: if the job hasn't finished.
            Exception: the error with which the computation ended.
        """
        if not self.has_finished:
            raise IndexBusy("this is still being computed; ask again in a moment")
        self.was_delivered = True
        if error := self.future.exception():
            raise error.with_traceback(None)  # otherwise it would grow with every call
        return self.future.result()

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def describe_error(error: BaseException) -> str:
    """Return an unexpected error in one line: its type, message, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"

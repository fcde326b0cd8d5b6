"""Long computations that run in the background while clients ask for their progress."""

from __future__ import annotations

import logging
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from searchkit.core.errors import IndexBusy, SearchkitError
from searchkit.core.progress import Progress

log = logging.getLogger("searchkit")

Result = TypeVar("Result")
MAX_PAUSE = 0.5  # seconds that a step of a computation waits for requests, however many there are
MAX_UNWANTED_PAUSES = 20  # such pauses of a step while nobody has asked for the result


class Traffic:
    """Counts the requests that need a core, so that computations let them pass."""

    def __init__(self) -> None:
        self._requests = 0
        self._changed = threading.Condition()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count a request while the block runs."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Leave the request out of the count while the block waits for a computation."""
        self._count(-1)
        try:
            yield
        finally:
            self._count(1)

    def let_pass(self, seconds: float = MAX_PAUSE) -> bool:
        """Wait until no request needs a core, at most so many seconds; return whether none does."""
        with self._changed:
            return self._changed.wait_for(lambda: self._requests <= 0, seconds)

    def _count(self, change: int) -> None:
        with self._changed:
            self._requests += change
            self._changed.notify_all()


class SoFar(Protocol):
    """What a computation that is running tells about itself.

    Attributes:
        findings: The number of findings so far.
    """

    findings: int

    def seconds_left(self) -> float | None:
        """Return how long the rest may take; None while that is unknown."""
        ...

    def result(self) -> Any:  # noqa: ANN401
        """Return the result of what is done; None if there is none yet."""
        ...


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
        so_far: What the computation tells meanwhile; None if it only counts steps.
        id: A random key, by which a page asks for the progress.
        is_cancelled: Whether nobody needs the result any more.
        is_wanted: Whether somebody has asked for the result.
        began_at: When the computation began, in seconds of `time.monotonic`; None while it waits.
    """

    done: int = 0
    total: int = 0
    future: Future[Result] = field(default_factory=Future)
    version: Hashable = None
    former: Result | None = None
    was_delivered: bool = False
    so_far: SoFar | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    is_cancelled: bool = False
    is_wanted: bool = False
    began_at: float | None = None

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

    def seconds_left(self) -> float | None:
        """Return how long the computation may still take; None while that is unknown."""
        if self.has_finished:
            return 0.0
        if self.so_far:
            return self.so_far.seconds_left()
        if not self.done or self.began_at is None:
            return None
        return (time.monotonic() - self.began_at) * (self.total - self.done) / self.done

    def cancel(self) -> None:
        """End the computation with `IndexBusy` at its next step."""
        self.is_cancelled = True

    def begin(self) -> None:
        """Note that the computation begins now.

        Raises:
            IndexBusy: if it was cancelled.
        """
        self.began_at = time.monotonic()
        self._check_wanted()

    def start(self, compute: Callable[[Progress], Result]) -> Job[Result]:
        """Run the computation in a daemon thread, which doesn't keep the process alive."""
        threading.Thread(target=self.run, args=[compute], daemon=True).start()
        return self

    def run(self, compute: Callable[[Progress], Result]) -> None:
        """Run the computation in this thread and store its result or its error."""
        try:
            self.future.set_result(compute(self.advance))
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

    def advance(self, done: int, total: int) -> None:
        """Note the number of steps that are done, and of all steps.

        Raises:
            IndexBusy: if the job was cancelled.
        """
        self.done, self.total = done, total
        self._check_wanted()

    def _check_wanted(self) -> None:
        if self.is_cancelled:
            raise IndexBusy("answers have come in meanwhile; try again in a moment")


def describe_error(error: BaseException) -> str:
    """Return an unexpected error in one line: its type, message, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"

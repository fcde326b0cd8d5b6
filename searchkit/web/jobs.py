"""What is computed once, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar, cast

from searchkit.core.errors import IndexBusy, SearchkitError
from searchkit.core.progress import Progress

log = logging.getLogger("searchkit")

Result = TypeVar("Result")


@dataclass(slots=True)
class Job(Generic[Result]):
    """Something that is computed once, in a thread of its own.

    Attributes:
        done: How much of it is done.
        total: Of how much; 0 while that isn't known.
        result: What it gave.
        error: What went wrong.
        finished: Set when there is a result or an error.
        was_told: Whether somebody has been told what came of it.
    """

    done: int = 0
    total: int = 0
    result: Result | None = None
    error: Exception | None = None
    finished: threading.Event = field(default_factory=threading.Event)
    was_told: bool = False

    def run(self, compute: Callable[[Progress], Result]) -> None:
        """Compute, and keep what comes of it."""
        try:
            self.result = compute(self._advance)
        except SearchkitError as error:
            self.error = error
        except Exception as error:
            log.error("a mistake of ours: %s", where_it_went_wrong(error), exc_info=error)
            self.error = error
        finally:
            self.finished.set()

    def start(self, compute: Callable[[Progress], Result]) -> Job[Result]:
        """Compute in a thread that ends with the process."""
        threading.Thread(target=self.run, args=[compute], daemon=True).start()
        return self

    def get(self) -> Result:
        """Return the result.

        Raises:
            IndexBusy: if it isn't there yet.
            Exception: what went wrong.
        """
        if not self.finished.is_set():
            raise IndexBusy("this is still being computed; ask again in a moment")
        self.was_told = True
        if self.error is not None:
            raise self.error.with_traceback(None)
        return cast(Result, self.result)

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def where_it_went_wrong(error: Exception) -> str:
    """Return in one line what a developer needs of an error that is nobody's but ours."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"

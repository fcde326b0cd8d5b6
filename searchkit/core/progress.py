"""How much of something long is done: one protocol, and one counter that feeds it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on, from the thread that does the work."""

    def __call__(self, done: int, total: int, /) -> None:
        """Take how many steps are done, and of how many; the total is 0 while it is unknown."""
        ...


class Counter:
    """Adds up steps and reports each new sum."""

    def __init__(self, progress: Progress | None, total: int, done: int = 0) -> None:
        self.total = total
        self.done = done
        self._progress = progress

    def advance(self, steps: int = 1) -> None:
        """Count more steps as done, and report the sum."""
        self.done += steps
        if self._progress:
            self._progress(self.done, self.total)

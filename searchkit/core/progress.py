"""Progress of long operations: the protocol of a callback, and a counter that calls it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A callback that is called repeatedly, from the thread that does the work."""

    def __call__(self, done: int, total: int, /) -> None:
        """Receive the number of steps done, and the total, which is 0 while it is unknown."""
        ...


class Counter:
    """Counts the steps that are done and reports each new count.

    Attributes:
        total: The number of steps in all.
        done: The number of steps done.
    """

    def __init__(self, progress: Progress | None, total: int, done: int = 0) -> None:
        self.total = total
        self.done = done
        self._progress = progress

    def advance(self, steps: int = 1) -> None:
        """Add to the number of steps done, and report it."""
        self.done += steps
        if self._progress:
            self._progress(self.done, self.total)


def after(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Return a `progress` for steps that follow on others.

    Args:
        progress: What it calls.
        before: The number of steps done before.
        total: The number of steps in all; 0 while it is unknown.
    """
    return (lambda done, _: progress(before + done, total)) if progress else None

"""Runners: apply one function to many tasks, in this process or on workers elsewhere.

Functions, tasks and results are the same for every runner. The plain loop passes them on as they
are; a runner whose workers are other processes pickles them, except for their arrays, which travel
as files (see `packing`). Results come in the order of the tasks. A task may run twice, when the
worker that had it died, so it must return the same both times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Pool(Protocol):
    """Workers that each build a state once, such as a loaded model, and keep it."""

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        """Yield `function(state, task)` for each task, in the order of the tasks.

        If the function returns an iterator, a worker elsewhere consumes it and its items arrive as
        a list; the plain loop yields the iterator itself, so that items are never all in memory.
        """
        ...


class Runner(Protocol):
    """Applies a function to tasks.

    Attributes:
        is_local: Whether tasks run in this process: they cost nothing to start, share its memory,
            and functions may be closures. Otherwise everything must be picklable, and functions
            belong to a module that every worker can import.
        folder: The folder through which files are exchanged; None for the system's temporary one.
        workers: The number of tasks that run at a time.
        gpus: The number of tasks with a GPU that run at a time; 0 where no worker has one.
    """

    is_local: bool
    folder: Path | None
    workers: int
    gpus: int

    def run(
        self, function: Callable[[Any], Result], tasks: Iterable[Any], *, gpu: bool = False
    ) -> Iterator[Result]:
        """Yield `function(task)` for each task, in the order of the tasks.

        Args:
            function: Called once for each task.
            tasks: Consumed as workers become free.
            gpu: Give each task a GPU, where there are any; other tasks see none.

        Raises:
            RunnerFailed: if workers keep dying. An error of the function is raised as it is.
        """
        ...

    def pool(self, make: Callable[[], Any], *, gpu: bool = False) -> Pool:
        """Return workers that each call `make` when their first task arrives, and keep the result.

        Args:
            make: Builds the state of a worker.
            gpu: Give each worker a GPU, where there are any; other workers see none.
        """
        ...


class PlainLoop:
    """Runs one task after another in this process, and copies nothing."""

    def __init__(self, folder: Path | None = None) -> None:
        self.is_local = True
        self.folder = folder
        self.workers = 1
        self.gpus = 0

    def run(
        self, function: Callable[[Any], Result], tasks: Iterable[Any], *, gpu: bool = False
    ) -> Iterator[Result]:
        """See `Runner.run`."""
        return map(function, tasks)

    def pool(self, make: Callable[[], Any], *, gpu: bool = False) -> Pool:
        """See `Runner.pool`."""
        return _PlainPool(make)


class _PlainPool:
    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._states: list[Any] = []  # the state, once it was needed

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        for task in tasks:
            self._states = self._states or [self._make()]
            yield function(self._states[0], task)

"""Runners: one function over many tasks, in this process or on workers elsewhere.

A task is small: it names a block, and the function reads what is in it from files (see `shards`)
in a folder that every worker reaches. Results come in the order of the tasks, wherever they were
made; a task may be run twice, and must give the same both times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")
State = TypeVar("State")


class Pool(Protocol):
    """Workers that each made something once, like a model, and keep it."""

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        """Yield `function(state, task)` for each task, in their order."""
        ...


class Runner(Protocol):
    """What runs a function over tasks.

    Attributes:
        folder: Where tasks find their blocks; empty at first, and gone with the runner.
        workers: How many tasks run at a time.
        gpus: How many tasks that want a GPU run at a time; 0 where there is none.
    """

    folder: Path
    workers: int
    gpus: int

    def run(
        self, function: Callable[[Any], Result], tasks: Iterable[Any], *, gpu: bool = False
    ) -> Iterator[Result]:
        """Yield `function(task)` for each task, in their order.

        Args:
            function: Of a module that every worker can import.
            tasks: Small; read as workers get free.
            gpu: Let each task have a GPU, where there are any. Others see none.

        Raises:
            RunnerFailed: if workers keep dying. What the function raises is raised here.
        """
        ...

    def pool(self, make: Callable[[], Any], *, gpu: bool = False) -> Pool:
        """Let every worker call `make` once, when its first task comes, and keep what it gives.

        Args:
            make: Of a module that every worker can import.
            gpu: Let each worker have a GPU, where there are any. Others see none.
        """
        ...


class PlainLoop:
    """One task after another in this process."""

    def __init__(self, folder: Path) -> None:
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
        self._made: list[Any] = []

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        for task in tasks:
            self._made = self._made or [self._make()]
            yield function(self._made[0], task)

"""Runners: one function over many tasks, in this process or on workers elsewhere.

A task is small: it names a block, and the function reads what is in it from files (see `shards`)
in a folder that every worker reaches. Results come in the order of the tasks, wherever they were
made; a task may be run twice, and must give the same both times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from searchkit.errors import BadInput, StorageFailed

Result = TypeVar("Result")
State = TypeVar("State")


class Pool(Protocol):
    """Workers that each made something once, like a model, and keep it."""

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        """Give `function(state, task)` for each task, in their order."""
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
        """Give `function(task)` for each task, in their order.

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


@contextmanager
def open_runner(name: str | None, shards: Path | None = None) -> Iterator[Runner | None]:
    """Open what `--runner` names.

    Args:
        name: None for none; `ray` for workers on this machine; `ray://HOST:PORT` for those of a
            cluster.
        shards: A folder that every worker reaches under this path, in which a new one is made;
            None for a temporary one, which only workers on this machine reach.

    Raises:
        BadInput: if there is no such runner, or a cluster and no folder.
        MissingExtra: if Ray isn't installed.
        RunnerFailed: if the cluster can't be reached, or its machines are not as they should be.
        StorageFailed: if the folder can't be written.
    """
    if name is None:
        if shards is not None:
            raise BadInput(f"--shards {shards} goes with --runner")
        yield None
        return
    if name != "ray" and name.removeprefix("ray://") in (name, ""):
        raise BadInput(f"--runner must be ray or ray://HOST:PORT, not {name!r}")
    if name != "ray" and shards is None:
        raise BadInput(f"--runner {name} needs --shards DIR, a folder that all its machines reach")
    from searchkit.rayrunner import open_ray

    with _folder(shards) as folder, open_ray(name, folder) as runner:
        yield runner


@contextmanager
def _folder(shards: Path | None) -> Iterator[Path]:
    """Make a folder of one's own, and leave nothing of it."""
    try:
        if shards is not None:
            shards.mkdir(parents=True, exist_ok=True)
            shards = shards.resolve()
        folder = tempfile.TemporaryDirectory(prefix="searchkit-", dir=shards)
    except OSError as error:
        raise StorageFailed(f"{shards}: can't be written ({error.strerror})") from error
    with folder as path:
        yield Path(path)

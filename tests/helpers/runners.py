"""A runner that hands tasks over as one with workers elsewhere does, but in this process."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from searchkit.runners.packing import pack


class PackingLoop:
    """Packs every function, state, task and result into files of a folder, and unpacks it again."""

    def __init__(self, folder: Path) -> None:
        self.is_local = False
        self.folder: Path | None = folder
        self.workers = 1
        self.gpus = 0
        self._folder = folder
        self._numbers = itertools.count()

    def run(
        self, function: Callable[[Any], Any], tasks: Iterable[Any], *, gpu: bool = False
    ) -> Iterator[Any]:
        function = self._sent(function)
        for task in tasks:
            yield self._sent(function(self._sent(task)))

    def pool(self, make: Callable[[], Any], *, gpu: bool = False) -> PackingPool:
        return PackingPool(self, self._sent(make))

    def _sent(self, value: Any) -> Any:
        """Return a value as another process would receive it; nothing is left in the folder."""
        packed = pack(value, self._folder / f"{next(self._numbers)}")
        received = packed.unpack(mapped=True)
        packed.delete()
        return received


class PackingPool:
    def __init__(self, runner: PackingLoop, make: Callable[[], Any]) -> None:
        self._runner = runner
        self._make = make
        self._states: list[Any] = []

    def run(self, function: Callable[[Any, Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        def call(task: Any) -> Any:
            self._states = self._states or [self._make()]
            return self._runner._sent(function)(self._states[0], self._runner._sent(task))

        for task in tasks:
            yield self._runner._sent(call(task))

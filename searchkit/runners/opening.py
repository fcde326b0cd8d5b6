"""Open the runner that a user named."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.core.messages import Message
from searchkit.runners.base import PlainLoop, Runner


@contextmanager
def open_runner(name: str | None, shards: Path | None = None) -> Iterator[Runner]:
    """Open the runner of a name.

    Args:
        name: None for the plain loop in this process; `ray` for workers on this machine;
            `ray://HOST:PORT` for those of a cluster.
        shards: A folder that every worker reaches under this path, in which a folder for this
            run is created; None for a temporary one, which only workers on this machine reach.

    Raises:
        BadInput: if there is no such runner, or if `name` and `shards` don't go together.
        MissingExtra: if Ray isn't installed.
        RunnerFailed: if the cluster can't be reached, or its machines aren't set up for searchkit.
        StorageFailed: if the folder can't be written.
    """
    if name is None:
        if shards is not None:
            raise BadInput(Message("`shards={folder}` goes with `runner`", folder=shards))
        yield PlainLoop()
        return
    if name != "ray" and name.removeprefix("ray://") in (name, ""):
        raise BadInput(Message("`runner` must be ray or ray://HOST:PORT, not {name!r}", name=name))
    if name != "ray" and shards is None:
        raise BadInput(
            Message(
                "`runner='{name}'` needs `shards=DIR`, a folder that all its machines reach",
                name=name,
            )
        )
    from searchkit.runners.ray import open_ray

    with _exchange_folder(shards) as folder, open_ray(name, folder) as runner:
        yield runner


@contextmanager
def _exchange_folder(shards: Path | None) -> Iterator[Path]:
    """Create a folder for this run, and delete it at the end."""
    try:
        if shards is not None:
            shards.mkdir(parents=True, exist_ok=True)
            shards = shards.resolve()
        folder = tempfile.TemporaryDirectory(prefix="searchkit-", dir=shards)
    except OSError as error:
        raise StorageFailed(f"{shards}: can't be written ({error.strerror})") from error
    with folder as path:
        yield Path(path)

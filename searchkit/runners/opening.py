"""Open the runner that a user named."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from searchkit.core.errors import BadInput, StorageFailed
from searchkit.runners.base import Runner


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
    from searchkit.runners.ray import open_ray

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

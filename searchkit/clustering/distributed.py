"""Clustering on a runner: a task for each question."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from searchkit.clustering.methods import Choice, Clustering, ClusterSettings, cluster_vectors
from searchkit.core.arrays import Float32, Int64
from searchkit.runners.base import Runner
from searchkit.runners.files import map_array, read_array, write_array


def cluster_on_runner(
    questions: Iterable[tuple[Float32, Int64]],
    settings: ClusterSettings,
    runner: Runner,
) -> Iterator[tuple[Clustering, Choice | None]]:
    """Let workers group the rows; a question is written when one is free for it."""
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=runner.folder) as folder:

        def tasks() -> Iterator[tuple[str, ClusterSettings]]:
            for number, (rows, weights) in enumerate(questions):
                path = Path(folder) / f"{number}"
                path.mkdir()
                write_array(path / "rows.npy", rows)
                write_array(path / "weights.npy", weights)
                yield str(path), settings

        for number, choice in enumerate(runner.run(cluster_shard, tasks())):
            path = Path(folder) / f"{number}"
            found = [read_array(path / f"{name}.npy") for name in ("labels", "centres", "scores")]
            shutil.rmtree(path)
            yield Clustering(*found), choice


def cluster_shard(task: tuple[str, ClusterSettings]) -> Choice | None:
    """Group the rows of one question; the task of a worker. Gives what it chose, if anything."""
    path, settings = Path(task[0]), task[1]
    if settings.torch:
        import torch  # noqa: F401
    rows, weights = map_array(path / "rows.npy"), read_array(path / "weights.npy")
    found, choice = cluster_vectors(rows, weights, settings)
    for name in ("labels", "centres", "scores"):
        write_array(path / f"{name}.npy", getattr(found, name))
    return choice

"""Mining over shards: the tiles of `mining` as tasks of a runner, with the same result.

Every tile is computed as the plain loop does it: the same products in the same shapes, judged with
the same bounds. So the pairs and their scores are the same, bit for bit, where the workers' CPUs
compute alike.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.progress import Counter, Progress
from searchkit.mining.exact import HALF_A_PLACE, Work, checked, choose_kind
from searchkit.mining.products import (
    GPU,
    Bounds,
    Kind,
    Products,
    bounds_of,
    gpu_holds,
    half_precision_here,
    products_of,
)
from searchkit.mining.row_pairs import RowPairs
from searchkit.runners.base import Runner
from searchkit.runners.files import map_array, read_array, write_array

PRODUCTS = 2e10  # multiplications of a task: a second, beside which starting it is nothing
GPU_PRODUCTS = 1e13  # the same of a GPU
# A task: the folder, its number, and the first tile and the one after the last.
Task = tuple[str, int, int, int]
PAIR = np.dtype([("left", np.int64), ("right", np.int64), ("score", np.float32)])


def mine_shards(
    runner: Runner,
    vectors: Float32,
    threshold: float,
    *,
    groups: Int64 | None = None,
    owners: Int64 | None = None,
    progress: Progress | None = None,
) -> Iterator[RowPairs]:
    """Stream the same pairs as `mining.mine_blocks`, found by a runner's workers.

    Args:
        runner: Its folder takes the vectors, and then the pairs of each task until they are read.
        vectors: See `mine_blocks`, as the others.
        threshold: Inclusive.
        groups: Pairs are sought within one.
        owners: Pairs are of these.
        progress: Called with how many rows are done, and of how many.
    """
    rows = checked(vectors, threshold)
    work = Work.of(len(rows), groups, owners)
    if len(rows) < 2:
        return
    kind = choose_kind(work, rows.shape[1], partial(_workers_hold, runner))
    with tempfile.TemporaryDirectory(prefix="mine-", dir=runner.folder) as folder:
        yield from _mined(runner, Path(folder), rows, work, kind, threshold, progress)


def _workers_hold(runner: Runner, numbers: int) -> bool:
    """Ask the workers that have a GPU whether that has room for so many numbers."""
    if not runner.gpus:
        return False
    return all(runner.run(gpu_holds, [numbers] * runner.gpus, gpu=True))


def _mined(
    runner: Runner,
    folder: Path,
    rows: Float32,
    work: Work,
    kind: Kind,
    threshold: float,
    progress: Progress | None,
) -> Iterator[RowPairs]:
    _write(folder, rows, work, kind, bounds_of(rows, kind), threshold - HALF_A_PLACE)
    on_gpu = kind == GPU
    counter = Counter(progress, len(rows))
    tasks = _tasks(folder, work, rows.shape[1], GPU_PRODUCTS if on_gpu else PRODUCTS)
    for task, count in zip(tasks, runner.run(mine_tiles, tasks, gpu=on_gpu), strict=True):
        path = _pairs_file(task)
        if count:
            yield pairs_from_file(path)
        path.unlink()
        counter.advance(work.cuts[task[3]] - work.cuts[task[2]])


def _tasks(folder: Path, work: Work, dimension: int, least: float) -> list[Task]:
    """Put tiles together until they are worth a task."""
    tasks: list[Task] = []
    first, products = 0, 0
    for tile, area in enumerate(work.areas(), 1):
        products += area * dimension
        if products >= least or tile == work.tiles:
            tasks.append((str(folder), len(tasks), first, tile))
            first, products = tile, 0
    return tasks


def mine_tiles(task: Task) -> int:
    """Write the pairs of some tiles; the task of a worker. Gives how many there are."""
    folder, _, first, last = task
    work, rows, products, reached = _opened(folder)
    tiles = range(first, last)
    found = [pairs for tile in tiles for pairs in work.pairs(tile, rows, products, reached)]
    return write_pairs(_pairs_file(task), found)


def write_pairs(path: Path, blocks: Sequence[RowPairs]) -> int:
    """Write pairs as one array, and count them."""
    parts = [np.empty(0, PAIR)]
    for pairs in blocks:
        part = np.empty(len(pairs), PAIR)
        part["left"], part["right"], part["score"] = pairs.left, pairs.right, pairs.scores
        parts.append(part)
    found = np.concatenate(parts)
    write_array(path, found)
    return len(found)


def pairs_from_file(path: Path) -> RowPairs:
    """Read what `write_pairs` wrote."""
    found = read_array(path)
    return RowPairs(found["left"], found["right"], found["score"])


def _pairs_file(task: Task) -> Path:
    return Path(task[0]) / f"pairs-{task[1]}.npy"


def _write(
    folder: Path, rows: Float32, work: Work, kind: Kind, bounds: Bounds, reached: float
) -> None:
    write_array(folder / "rows.npy", rows)
    for name in ("groups", "owners", "ends"):
        write_array(folder / f"{name}.npy", getattr(work, name))
    plan = {
        "cuts": work.cuts,
        "is_owned": work.is_owned,
        "kind": kind,
        "reached": reached,
        "longest": bounds.longest,
        "lost": bounds.lost,
    }
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")


@lru_cache(maxsize=1)
def _opened(folder: str) -> tuple[Work, Float32, Products, float]:
    """Map what `_write` wrote: once in a worker, however many tasks it gets."""
    plan = json.loads((Path(folder) / "plan.json").read_text("utf-8"))
    groups, owners, ends = (
        map_array(Path(folder) / f"{name}.npy") for name in ("groups", "owners", "ends")
    )
    work = Work(groups, owners, ends, plan["is_owned"], plan["cuts"])
    rows: Float32 = map_array(Path(folder) / "rows.npy")
    kind: Kind = tuple(plan["kind"]) if plan["kind"] else None
    bounds: Bounds | None = Bounds(plan["longest"], plan["lost"])
    if kind == GPU and not gpu_holds(rows.size):
        kind, bounds = half_precision_here(), None
    return work, rows, products_of(rows, kind, bounds, mapped=True), plan["reached"]

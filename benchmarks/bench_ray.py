"""Mining on Ray, and in partitions: `python benchmarks/bench_ray.py [PASSAGES [FILE.npy]]`.

Sentences of alpaca-answers as in bench_mining.py, or unit vectors from a file. Every worker and the
plain loop compute on one core (OMP_NUM_THREADS=1); times are from vectors in memory to sorted
pairs, best of two. Starting Ray and its workers is not in them, and stands in its own column.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from bench_mining import vectors
from machine import heading
from numpy.typing import NDArray

from searchkit.mining.exact import mine_blocks
from searchkit.mining.partitions import measure_recall, mine_partitions, split
from searchkit.mining.row_pairs import PairSorter, RowPairs
from searchkit.runners.ray import open_ray

THRESHOLD = 0.8
CELLS = (32, 128)

Floats = NDArray[np.float32]


def timed(run: Callable[[], Iterator[RowPairs]], times: int = 2) -> tuple[float, list[RowPairs]]:
    """Give the least time, and the sorted pairs."""
    seconds, found = [], []
    for _ in range(times):
        started, sorter = time.perf_counter(), PairSorter()
        for block in run():
            sorter.add(block)
        found = list(sorter.blocks())
        seconds.append(time.perf_counter() - started)
    return min(seconds), found


def same(one: list[RowPairs], other: list[RowPairs]) -> str:
    """Say whether two lists of pairs are the same, bit for bit."""
    pairs = zip(one, other, strict=True)
    names = ("left", "right", "scores")
    equal = all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for a, b in pairs for n in names)
    return "yes" if equal else "no"


def main(rows: Floats) -> None:
    """Print both tables."""
    print(heading() + f"; {len(rows):,} vectors at {THRESHOLD}; load {os.getloadavg()[0]:.1f}\n")
    print("| | seconds | pairs | the same, bit for bit | start |\n|---|---:|---:|---|---:|")
    seconds, plain = timed(lambda: mine_blocks(rows, THRESHOLD))
    print(f"| plain loop | {seconds:.1f} | {sum(map(len, plain)):,} | | |", flush=True)
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            with open_ray("ray", Path(folder), workers=workers) as runner:
                list(mine_blocks(rows[:600], THRESHOLD, runner=runner))  # that all is imported
                start = time.perf_counter() - started
                seconds, found = timed(lambda on=runner: mine_blocks(rows, THRESHOLD, runner=on))
        count = sum(map(len, found))
        print(f"| Ray, {workers} worker{'s' * (workers > 1)} | {seconds:.1f} | {count:,} "
              f"| {same(plain, found)} | {start:.0f} s |", flush=True)  # fmt: skip
    print("\n| cells | seconds | of these k-means | pairs | recall, really | recall, as measured |")
    print("|---:|---:|---:|---:|---:|---:|")
    everyone = {"groups": np.zeros(len(rows), np.int64), "owners": np.arange(len(rows))}
    for count in CELLS:
        started = time.perf_counter()
        cells = split(rows, count, everyone["owners"])
        splitting = time.perf_counter() - started
        seconds, found = timed(
            lambda of=cells: mine_partitions(rows, THRESHOLD, of, **everyone), times=1
        )
        recall = measure_recall(rows, THRESHOLD, cells, **everyone)
        really = sum(map(len, found)) / sum(map(len, plain))
        print(f"| {count} | {splitting + seconds:.1f} | {splitting:.1f} | {sum(map(len, found)):,} "
              f"| {really:.2%} | {recall.share or 0:.2%} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    size = int(sys.argv[1]) if sys.argv[1:] else 100_000
    main(np.load(sys.argv[2])[:size] if sys.argv[2:] else vectors(size))

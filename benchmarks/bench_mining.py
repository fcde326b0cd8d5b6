"""Mining against sentence-transformers: `python benchmarks/bench_mining.py [PASSAGES …]`.

Passages of alpaca-answers in the order in which they stand there; their vectors are kept in
`.bench/corpora/alpaca`, so only the first run embeds. Every time is that of a process of its own,
after imports and loading, with one untimed call before.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from machine import ROOT, SHARED, heading
from numpy.typing import NDArray

KEPT = ROOT / ".bench" / "corpora" / "alpaca"
SIZES = (20_000, 50_000, 100_000, 160_000)
COMPARED = 50_000  # up to here sentence-transformers and brute force run, too


def vectors(count: int) -> NDArray[np.float32]:
    """Give the vectors of the first `count` passages, embedding what is not there yet."""
    from searchkit import Index, Where
    from searchkit.core.arrays import unit_rows
    from searchkit.index.storage.schema import is_index
    from searchkit.sources.reader import read_answers

    with Index.open(KEPT, write=True) if is_index(KEPT) else Index.create(KEPT) as index:
        answers = read_answers([str(SHARED / "alpaca-answers.jsonl.gz")])
        while index.store.counts()["passages"] < count and (some := list(islice(answers, 2048))):
            index.add(some)
        rows = index.store.passage_vectors(index.store.matching(Where()))[:count]
        return unit_rows(index.vectors.get(np.array([vector for _, vector in rows])))


def main(sizes: list[int]) -> None:
    """Print the table."""
    rows = vectors(max(sizes))
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    file = KEPT.parent / "alpaca.npy"
    np.save(file, rows)
    print(heading() + f"; {len(rows):,} passages\n")
    print("| passages | threshold | pairs | sentence-transformers | its pairs | searchkit | gain "
          "| brute force, pairs | peak memory |")  # fmt: skip
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for size in sizes:
        for threshold in (0.9, 0.8):
            ours = child("ours", file, size, threshold)
            cells = [
                f"{size:,}",
                threshold,
                f"{ours['pairs']:,}",
                "",
                "",
                f"{ours['seconds']:.2f} s",
            ]
            if size <= COMPARED:
                theirs, brute = (child(who, file, size, threshold) for who in ("theirs", "brute"))
                cells[3:5] = [f"{theirs['seconds']:.1f} s", f"{theirs['pairs']:,}"]
                gain = theirs["seconds"] / ours["seconds"]
                cells += [f"{gain:.0f} \u00d7", f"{brute['pairs']:,}"]
            else:
                cells += ["", ""]
            cells.append(f"{ours['peak'] / 2**30:.2f} GiB")
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def child(who: str, file: Path, size: int, threshold: float) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "child", who, str(file), str(size), str(threshold)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(who: str, file: str, size: int, threshold: float) -> None:
    """Print seconds (median of three; one of the slow side) and how many pairs."""
    import torch

    rows = np.ascontiguousarray(np.load(file, mmap_mode="r")[:size])
    run: Callable[[], int]
    if who == "ours":
        from searchkit.mining.exact import mine_pairs

        mine_pairs(rows[:2000], threshold)

        def run() -> int:
            return len(mine_pairs(rows, threshold))

    elif who == "theirs":
        from sentence_transformers.util import paraphrase_mining_embeddings

        tensor = torch.from_numpy(rows)

        def run() -> int:
            found = paraphrase_mining_embeddings(tensor, max_pairs=20_000_000)
            return sum(score >= threshold for score, *_ in found)

    else:

        def run() -> int:
            return brute_force(rows, threshold)

    seconds = []
    for _ in range(3 if who == "ours" and size <= COMPARED else 1):
        started = time.perf_counter()
        pairs = run()
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": statistics.median(seconds), "pairs": pairs, "peak": peak}))


def brute_force(rows: NDArray[np.float32], threshold: float) -> int:
    """Count the pairs of all float32 products."""
    count = 0
    for start in range(0, len(rows), 1000):
        products = rows[start : start + 1000] @ rows[start:].T
        count += int((np.triu(products, 1) >= threshold - 5e-7).sum())
    return count


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        measure(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
    else:
        main([int(argument) for argument in sys.argv[1:]] or list(SIZES))

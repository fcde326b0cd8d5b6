"""Mining against sentence-transformers: `python benchmarks/bench_mining.py [SENTENCES …]`.

Distinct sentences of alpaca-answers in the order in which they stand there; their vectors are kept
in `.bench/corpora`, so only the first run embeds. Every time is that of a process of its own,
after imports and loading, with one untimed call before.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from machine import ROOT, SHARED, heading
from numpy.typing import NDArray

KEPT = ROOT / ".bench" / "corpora" / "alpaca-sentences.npy"
SIZES = (20_000, 50_000, 100_000, 160_000)
COMPARED = 50_000  # up to here sentence-transformers and brute force run, too


def vectors(count: int) -> NDArray[np.float32]:
    """Return the vectors of the first `count` sentences, embedding them if they aren't there."""
    from searchkit.core.arrays import unit_rows
    from searchkit.encoding.loading import load_encoder

    if not KEPT.exists() or len(np.load(KEPT, mmap_mode="r")) < count:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        rows = load_encoder().encode(list(islice(sentences(), count)))
        np.save(KEPT, unit_rows(rows))
    return np.load(KEPT)[:count]


def sentences() -> Iterator[str]:
    """Yield the distinct sentences of alpaca-answers."""
    from searchkit.sources.reader import read_answers
    from searchkit.text.words import split_sentences

    seen: set[str] = set()
    for answer in read_answers([str(SHARED / "alpaca-answers.jsonl.gz")]):
        for start, end in split_sentences(answer.text):
            sentence = answer.text[start:end].strip()
            if sentence and sentence not in seen:
                seen.add(sentence)
                yield sentence


def main(sizes: list[int]) -> None:
    """Print the table."""
    vectors(max(sizes))
    print(heading() + "\n")
    print("| sentences | threshold | pairs | sentence-transformers | its pairs | searchkit | gain "
          "| brute force, pairs | peak memory |")  # fmt: skip
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for size in sizes:
        for threshold in (0.9, 0.8):
            ours = child("ours", size, threshold)
            cells = [
                f"{size:,}",
                threshold,
                f"{ours['pairs']:,}",
                "",
                "",
                f"{ours['seconds']:.2f} s",
            ]
            if size <= COMPARED:
                theirs, brute = (child(who, size, threshold) for who in ("theirs", "brute"))
                cells[3:5] = [f"{theirs['seconds']:.1f} s", f"{theirs['pairs']:,}"]
                gain = theirs["seconds"] / ours["seconds"]
                cells += [f"{gain:.0f} \u00d7", f"{brute['pairs']:,}"]
            else:
                cells += ["", ""]
            cells.append(f"{ours['peak'] / 2**30:.2f} GiB")
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def child(who: str, size: int, threshold: float) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "child", who, str(size), str(threshold)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(who: str, size: int, threshold: float) -> None:
    """Print seconds (median of three; one of the slow side) and how many pairs."""
    import torch

    rows = np.ascontiguousarray(np.load(KEPT, mmap_mode="r")[:size])
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
        measure(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        main([int(argument) for argument in sys.argv[1:]] or list(SIZES))

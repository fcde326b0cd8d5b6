"""The figures of docs/figures/ingest.md: `python benchmarks/bench.py [encoder ingest query scale]`.

Both sides of every comparison run in turn in one run, and the table shows the median of each.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from bench_encoder import main as bench_encoder
from machine import bundled_model, corpus, heading, scratch

HERE = Path(__file__).parent
SEARCHKIT = [Path(sys.executable).with_name("searchkit")]
QUERY = "the current flows because the path is closed"


def wall(command: Sequence[str | Path], **environment: str) -> float:
    """Run a command to its end; give its seconds from process start to exit."""
    started = time.perf_counter()
    subprocess.run(
        [str(part) for part in command], check=True, capture_output=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
    )  # fmt: skip
    return time.perf_counter() - started


def in_turn(times: int, **sides: Callable[[], float]) -> dict[str, float]:
    """Run the sides in turn, so that noise falls on all of them; give each one's median."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(times):
        for name, run in sides.items():
            seconds[name].append(run())
    return {name: statistics.median(values) for name, values in seconds.items()}


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def bench_ingest() -> None:
    """Whole ingest of a corpus, process start to exit, against the plain script."""
    source, folder, model = corpus("semeval2013-train.csv"), scratch(), bundled_model()

    def ours() -> float:
        shutil.rmtree(folder / "index", ignore_errors=True)
        return wall([*SEARCHKIT, "ingest", source, "-i", folder / "index", "-q"])

    def plain() -> float:
        for path in folder.glob("plain*"):
            path.unlink()
        return wall([sys.executable, HERE / "plain_ingest.py", source, folder / "plain", model])

    ours()  # compiles the model, once for ever
    median = in_turn(3, plain=plain, ours=ours)
    again = wall([*SEARCHKIT, "ingest", source, "-i", folder / "index", "-q"])
    row("whole `ingest`", f"{median['ours']:.1f} s", f"plain script {median['plain']:.1f} s",
        f"{median['plain'] / median['ours']:.1f} x")  # fmt: skip
    row("the same file again", f"{again:.2f} s", "", "")
    bench_beyond_embedding(source, folder / "index-2")
    bench_query(folder)
    shutil.rmtree(folder)


def bench_beyond_embedding(source: Path, folder: Path) -> None:
    """What an ingest costs beside the model: reading, cutting, hashing, SQLite, checkpoint."""
    from searchkit import Index
    from searchkit.encoding.loading import load_encoder
    from searchkit.index.ingest import ingest
    from searchkit.sources.reader import read_answers

    encoder = load_encoder()
    encode, spent = encoder.encode, [0.0]

    def timed(*arguments: object) -> object:
        started = time.perf_counter()
        vectors = encode(*arguments)
        spent[0] += time.perf_counter() - started
        return vectors

    encoder.encode = timed
    started = time.perf_counter()
    with Index.create(folder, encoder) as index:
        ingest(index, read_answers([str(source)]))
    beyond = time.perf_counter() - started - spent[0]
    row("`ingest` beyond embedding", f"{beyond:.2f} s", f"embedding {spent[0]:.2f} s",
        f"{beyond / spent[0]:.0%}")  # fmt: skip


def bench_query(folder: Path) -> None:
    """A cold query, process start to exit, against the plain script."""
    model = bundled_model()
    median = in_turn(
        7,
        plain=lambda: wall(
            [sys.executable, HERE / "plain_query.py", folder / "plain", QUERY, model]
        ),
        ours=lambda: wall([*SEARCHKIT, "query", QUERY, "-i", folder / "index"]),
        help=lambda: wall([*SEARCHKIT, "--help"]),
    )
    row("cold `query`", f"{median['ours']:.2f} s", f"plain script {median['plain']:.2f} s",
        f"{median['plain'] / median['ours']:.1f} x")  # fmt: skip
    row("`searchkit --help`", f"{median['help']:.2f} s", "", "")


def bench_scale(sizes: Sequence[int] = (10_000, 100_000, 1_000_000)) -> None:
    """Cold and warm query, memory, and adding ten answers, at three sizes."""
    print("\n| vectors | made in | on disk | cold query | warm query p50 | + filter p50 "
          "| peak memory of a query | adding ten answers |")  # fmt: skip
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for size in sizes:
        folder = scratch() / "index"
        started = time.perf_counter()
        synthetic(folder, size)
        made = time.perf_counter() - started
        disk = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        cold = statistics.median(wall([*SEARCHKIT, "query", QUERY, "-i", folder]) for _ in range(3))
        warm, filtered, peak = in_process(folder)
        adding = wall([*SEARCHKIT, "ingest", ten_answers(folder), "-i", folder, "-q"])
        row(f"{size:,}", f"{made:.0f} s", f"{disk:,.0f} MB", f"{cold:.2f} s",
            f"{warm * 1000:.1f} ms", f"{filtered * 1000:.1f} ms", f"{peak:.2f} GiB",
            f"{adding:.2f} s")  # fmt: skip
        shutil.rmtree(folder.parent)


def synthetic(folder: Path, size: int, block: int = 50_000) -> None:
    """Make an index of random unit vectors around 1,000 centres, with short made-up texts."""
    from searchkit import Answer, Index, Passage
    from searchkit.encoding.loading import load_encoder
    from searchkit.index.records import SplitAnswer

    random = np.random.default_rng(0)
    words = [f"word{n}" for n in range(5_000)]
    with Index.create(folder, load_encoder()) as index:
        centres = random.standard_normal((1_000, index.encoder.dimension), dtype=np.float32)
        for start in range(0, size, block):
            count = min(block, size - start)
            vectors = centres[random.integers(0, 1_000, count)]
            vectors = vectors + random.standard_normal(vectors.shape, dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            chosen = random.integers(0, len(words), (count, 14))
            rows, hashes = [], [random.bytes(32) for _ in range(count)]
            for n in range(count):
                text = " ".join(words[w] for w in chosen[n])
                author = f"s{(start + n) // 100}"  # each answers each question once
                answer = Answer(f"a{start + n}", text, f"q{n % 100}", author)
                rows.append(SplitAnswer(answer, [Passage(0, len(text))], [hashes[n]]))
            index.store.put(rows, [], hashes, vectors.astype(np.float16))


def ten_answers(folder: Path) -> Path:
    """Write a file of ten answers that are new each time."""
    path = folder.parent / "ten.jsonl"
    names = [f"new{time.time_ns()}-{n}" for n in range(10)]
    lines = [json.dumps({"id": name, "text": f"answer {name}"}) for name in names]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def in_process(folder: Path) -> tuple[float, float, float]:
    """Give warm p50 without and with a filter, and the peak memory in GiB, of a fresh process."""
    run = subprocess.run(
        [sys.executable, __file__, "--warm", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    warm, filtered, peak = map(float, run.stdout.split())
    return warm, filtered, peak


def warm(folder: Path) -> None:
    """Search fifty times; print both medians and this process's peak memory."""
    from searchkit import Index, Where

    medians = []
    with Index.open(folder) as index:
        for where in (Where(), Where(question="q7")):
            index.search([QUERY], 10, where)
            seconds = []
            for n in range(50):
                started = time.perf_counter()
                index.search([f"{QUERY} {n}"], 10, where)
                seconds.append(time.perf_counter() - started)
            medians.append(statistics.median(seconds))
    print(*medians, peak_memory())


def peak_memory() -> float:
    """Give this process's peak memory in GiB; mapped pages of the FAISS file count."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss of a child begins with what its parent had
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30


def main(chosen: Sequence[str]) -> None:
    """Run the chosen benchmarks, or all."""
    print(heading())
    if not chosen or "encoder" in chosen:
        bench_encoder()
    if not chosen or {"ingest", "query"} & set(chosen):
        print("\n| what | ours | against | gain |\n|---|---:|---:|---:|")
        bench_ingest()
    if not chosen or "scale" in chosen:
        bench_scale()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--warm"]:
        warm(Path(sys.argv[2]))
    else:
        main(sys.argv[1:])

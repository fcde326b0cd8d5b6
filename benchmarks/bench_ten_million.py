"""The measured rows of docs/figures/scale.md: one folder with ten million answers.

    python benchmarks/bench_ten_million.py make FOLDER [N]
    python benchmarks/bench_ten_million.py measure FOLDER [TIMES]

For ten million `make` needs 21 GB of disk and a quarter of an hour, `measure` 5 minutes. This runs
commands in processes of their own, and then 50 queries in one process, each by codes and by FAISS
alone, whose results must be equal.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np
from bench import QUERY, SEARCHKIT, peak_memory, row, ten_answers
from machine import heading, texts
from numpy.typing import NDArray

CORPORA = ("banking77-train.csv", "saf-train.csv", "semeval2013-train.csv")
QUERIES = 100  # texts that are queries, and among the answers neither whole nor changed
BLOCK = 50_000
COLUMNS = "key, id, text, question, author, author_key, checksum"


# -- making the folder ---------------------------------------------------------------------------


def make(folder: Path, count: int) -> None:
    """Make an index of vectors near real ones; all rows are as searchkit's, but no full text."""
    from searchkit import Index
    from searchkit.encoding.loading import load_encoder
    from searchkit.index.vectors.vector_index import VectorIndex

    encoder = load_encoder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    real = _embedded(folder.parent / "real.npy", encoder)

    class Generated(VectorIndex):
        """The vectors, made while they are written."""

        def __len__(self) -> int:
            return count

        def scan(self, block: int = BLOCK) -> Iterator[tuple[Any, Any]]:
            for keys, vectors in _blocks(real, count):
                _write_rows(connection, keys, vectors)
                yield keys, vectors.astype(np.float32)

    with Index.create(folder, encoder) as index:
        connection = index.store.connection
        for table in ("answers", "passages", "vectors"):
            connection.execute(f"DROP TRIGGER checksum_{table}_INSERT")
        for pragma in ("synchronous = OFF", "cache_size = -800000", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        index.checkpoints.table.commit(index.checkpoints.write_file(Generated(encoder.dimension)))
    with Index.open(folder, write=True) as index:
        index.checkpoint(only_if_outgrown=True)  # makes the codes


def _embedded(path: Path, encoder: object) -> NDArray[np.float32]:
    """Return the vectors of real texts, embedded once."""
    if not path.exists():
        distinct = dict.fromkeys(text[:400] for name in CORPORA for text in texts(name))
        np.save(path, encoder.encode(list(distinct)))
    vectors = np.load(path).astype(np.float32)
    return vectors[np.random.default_rng(1).permutation(len(vectors))]


def _blocks(real: NDArray[np.float32], count: int) -> Iterator[tuple[Any, Any]]:
    """Yield keys and vectors: a real one and a step along the difference of two others."""
    random = np.random.default_rng(7)
    real = real[QUERIES:]
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        one, left, right = (real[random.integers(0, len(real), size)] for _ in range(3))
        step = left - right
        step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-6)
        vectors = one + step * random.uniform(0.1, 0.8, (size, 1)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield np.arange(start + 1, start + size + 1), vectors.astype(np.float16)


def _write_rows(
    connection: Connection, keys: NDArray[np.int64], vectors: NDArray[np.float16]
) -> None:
    """Write answers of one passage, as the store would, without its checks and its full text."""
    from searchkit.index.embedding import passage_hash
    from searchkit.index.storage.checksums import row_checksum

    answers, passages, rows = [], [], []
    for key, vector in zip(keys.tolist(), vectors, strict=True):
        id_, author, question, data = f"a{key}", f"s{key}", f"q{key % 100}", vector.tobytes()
        text = f"answer number {key} of a made corpus with a few more words so that it is as long"
        sha = passage_hash(text)
        checksum = row_checksum(
            *(key, id_, text, question, author, None, None, None, "{}"),
            *("{}", None, author, None, 1, 1, None),
        )
        answers.append((key, id_, text, question, author, author, checksum))
        passages.append((key, 0, len(text), key, row_checksum(key, 0, len(text), key)))
        rows.append((key, sha, data, row_checksum(key, sha, data)))
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO answers({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", answers)
    connection.executemany("INSERT INTO vectors VALUES (?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?)", passages)
    connection.execute("COMMIT")


# -- measuring -----------------------------------------------------------------------------------


def measure(folder: Path, times: int) -> None:
    """Print what a cold query, adding ten answers and a warm query take."""
    print(heading())
    print(f"load {os.getloadavg()[0]:.1f}\n\n| what | wall | computing | peak memory |")
    print("|---|---:|---:|---:|")
    command: Sequence[str | Path] = [*SEARCHKIT, "query", QUERY, "-i", folder]
    for n in range(times):
        command_row(f"cold `query`, no. {n + 1}", command)
    adding = [*SEARCHKIT, "ingest", ten_answers(folder), "-i", folder, "-q"]
    command_row("adding ten answers", adding)
    command_row("cold `query` after it", command)
    command_row("… and once more", command)
    print(flush=True)
    subprocess.run([sys.executable, __file__, "warm", str(folder)], check=True)


def command_row(name: str, command: Sequence[str | Path]) -> None:
    """Run a command; print its seconds, its computing and its peak memory."""
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"{name}: exit status {status}")
    computing = usage.ru_utime + usage.ru_stime
    row(name, f"{wall:.2f} s", f"{computing:.2f} s", f"{usage.ru_maxrss / 2**20:.2f} GiB")


def warm(folder: Path) -> None:
    """Search in one process, by codes and by FAISS alone, and compare the results."""
    from searchkit import Index
    from searchkit.index.vectors import vector_index

    real = _embedded(folder.parent / "real.npy", None)
    by_codes, pays = [], vector_index.codes_pay
    by_faiss: list[tuple[float, float]] = []
    with Index.open(folder) as index:
        for query in real[:QUERIES:2]:
            hits = _timed(lambda query=query: index.search_vectors([query], 10), by_codes)
            memory = peak_memory()
            vector_index.codes_pay = lambda *_, **__: False
            expected = _timed(lambda query=query: index.search_vectors([query], 10), by_faiss)
            vector_index.codes_pay = pays
            if hits != expected:
                raise SystemExit("the codes give other hits than FAISS")
            if not by_faiss[1:]:
                print(f"\nthe first query by codes: {by_codes[0][0]:.2f} s, then {memory:.2f} GiB")
    print("\n| warm query | p50 | p90 | least | computing p50 |\n|---|---:|---:|---:|---:|")
    for name, measured in (("by codes", by_codes[1:]), ("FAISS reads all", by_faiss[1:])):
        walls = sorted(wall * 1e3 for wall, _ in measured)
        cpu = statistics.median(cpu for _, cpu in measured) * 1e3
        p90 = walls[int(0.9 * len(walls))]
        row(name, *(f"{ms:.0f} ms" for ms in (statistics.median(walls), p90, walls[0], cpu)))
    print(f"\npeak {peak_memory():.2f} GiB, load {os.getloadavg()[0]:.1f}")


def _timed(run: Callable[[], object], measured: list[tuple[float, float]]) -> object:
    """Run something; add its seconds and its computing."""
    started, cpu = time.perf_counter(), time.process_time()
    result = run()
    measured.append((time.perf_counter() - started, time.process_time() - cpu))
    return result


if __name__ == "__main__":
    step, place = sys.argv[1], Path(sys.argv[2])
    number = int(sys.argv[3]) if len(sys.argv) > 3 else None
    if step == "make":
        make(place, number or 10_000_000)
    elif step == "measure":
        measure(place, number or 3)
    else:
        warm(place)

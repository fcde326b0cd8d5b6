"""Load on `searchkit serve`: `python benchmarks/bench_serve.py [10000] [1000000] [--seconds 60]`.

An index of so many answers, a server of its own process, and 32 connections that each send one
search after another, every query another text. The answers are those of BANKING77; of more than it
has, further ones get vectors near theirs, made by lot, as embedding a million texts takes an hour
and changes nothing here. An index is made once, in `.bench`.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
from machine import ROOT, corpus, heading, texts
from numpy.typing import NDArray

from searchkit import Answer, Index
from searchkit.encoding.loading import load_encoder
from searchkit.sources.reader import read_answers

CONNECTIONS = 32
SECONDS = 60
SIZES = (10_000, 1_000_000)
BATCH = 20_000  # answers that are added in one commit
KEPT = ROOT / ".bench" / "serve"
NOISE = 0.6  # length of what is added to a vector that is copied


class Copying:
    """The bundled model, but for texts that begin with a number in brackets: those cost nothing."""

    def __init__(self, real: Sequence[str]) -> None:
        self._model = load_encoder()
        for name in ("name", "fingerprint", "dimension", "window", "tokenizer"):
            setattr(self, name, getattr(self._model, name))
        self._rows = self._model.encode(real)
        self._rng = np.random.default_rng(0)

    def encode(self, given: Sequence[str], progress: object = None) -> NDArray[np.float32]:
        """Embed texts, or make vectors."""
        numbers = [int(text[1:].split(")", 1)[0]) for text in given]
        rows = self._rows[np.array(numbers) % len(self._rows)]
        fresh = np.array(numbers) >= len(self._rows)
        noise = self._rng.standard_normal(rows.shape).astype(np.float32)
        noise *= NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
        rows = rows + noise * fresh[:, None]
        made: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return made

    def encode_queries(self, given: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries with the model."""
        return self._model.encode_queries(given)


def made(size: int) -> Path:
    """Make an index of so many answers, each by another author or to another question."""
    folder = KEPT / str(size)
    if folder.exists():
        return folder
    real = [answer.text for answer in read_answers([corpus("banking77-train.csv")])]
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with Index.create(unfinished, Copying(real)) as index:
        for start in range(0, size, BATCH):
            index.add(
                Answer(
                    str(n), f"({n}) {real[n % len(real)]}", f"q{n % 100:02d}", f"s{n // 100:04d}"
                )
                for n in range(start, min(start + BATCH, size))
            )
        index.checkpoint()
    return unfinished.rename(folder)


def serving(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a server; give it and its port."""
    command = [sys.executable, "-m", "searchkit", "serve", "-i", str(folder), "--port", "0",
               "--no-open"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            port = int(found[1])
            while True:
                try:
                    asked(http.client.HTTPConnection("127.0.0.1", port), "/api/status")
                    return process, port
                except OSError:
                    time.sleep(0.05)
    raise SystemExit("the server didn't start")


def asked(connection: http.client.HTTPConnection, path: str) -> bytes:
    """Ask, and give the body; anything but 200 is an error."""
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status} {body[:200]!r}")
    return body


def load(port: int, queries: Sequence[str], path: str, connections: int, seconds: float) -> None:
    """Send searches over so many connections for so long; print a row of a table."""
    times: list[float] = []
    errors: list[str] = []
    lock = threading.Lock()
    turn = iter(range(10**9))
    until = time.perf_counter() + seconds

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while time.perf_counter() < until:
            with lock:
                n = next(turn)
            query = f"{queries[n % len(queries)]} {n}"
            started = time.perf_counter()
            try:
                asked(connection, path + quote(query))
                times.append(time.perf_counter() - started)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                errors.append(repr(error))
                connection.close()

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    print(f"| {path.split('=')[0]} | {connections} | {len(times):,} | {len(errors)} | "
          f"{len(times) / seconds:,.0f} | {p50:,.0f} | {p99:,.0f} |", flush=True)  # fmt: skip
    for error in sorted(set(errors))[:3]:
        print(error)


def main(arguments: Sequence[str]) -> None:
    """Print a table a size."""
    seconds = float(arguments[arguments.index("--seconds") + 1]) if "--seconds" in arguments else 60
    sizes = [int(one) for one in arguments if one.isdigit() and one != str(int(seconds))] or SIZES
    print(heading())
    queries = [text[::-1] if n % 2 else text for n, text in enumerate(texts("saf-train.csv"))]
    queries = [" ".join(query.split()[:12]) for query in queries]
    for size in sizes:
        started = time.perf_counter()
        folder = made(size)
        took = time.perf_counter() - started
        started = time.perf_counter()
        process, port = serving(folder)
        print(f"\n{size:,} answers; made in {took:.0f} s; "
              f"the server answered after {time.perf_counter() - started:.1f} s\n")  # fmt: skip
        print("| what | connections | answered | errors | a second | p50 ms | p99 ms |")
        print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
        try:
            load(port, queries, "/api/search?n=10&q=", 1, min(10, seconds))
            load(port, queries, "/api/search?n=10&q=", CONNECTIONS, seconds)
            load(port, queries, "/hits?q=", CONNECTIONS, seconds / 3)
            memory = Path(f"/proc/{process.pid}/status")
            if memory.exists():
                peak = re.search(r"VmHWM:\s+(\d+)", memory.read_text())
                print(
                    f"\npeak memory of the server: {int(peak[1]) / 2**20:.2f} GiB" if peak else ""
                )
            json.loads(asked(http.client.HTTPConnection("127.0.0.1", port), "/api/status"))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])

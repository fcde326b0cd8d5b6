"""Load on `searchkit serve`: `python benchmarks/bench_serve.py [10000] [1000000] [--seconds 60]`.

An index of so many answers, a server of its own process, and 32 connections that each send one
search after another, every query another text. The answers are those of BANKING77; of more than it
has, further ones get vectors near theirs, made by lot, as embedding a million texts takes an hour
and changes nothing here. An index is made once, in `.bench`.
"""

from __future__ import annotations

import http.client
import json
import os
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
from searchkit.web.background.ahead import MAX_VECTORS

WORK = [  # what is asked for, over how many connections, and for which share of the seconds
    ("/api/search?n=10&q=", 1, 1 / 6),
    ("/api/search?n=10&q=", 32, 1),
    ("/api/search?n=10&question=q07&q=", 32, 1 / 3),
    ("/hits?q=", 32, 1 / 3),
]
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


def wait_for_findings(port: int) -> float:
    """Give the seconds until the server has looked for copies, which it begins at its start."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while json.loads(asked(connection, "/api/jobs/findings"))["state"] == "running":
        time.sleep(0.2)
    return time.perf_counter() - started


def load(
    process: subprocess.Popen[str], port: int, queries: Sequence[str], what: str, connections: int,
    seconds: float,
) -> None:  # fmt: skip
    """Send searches over so many connections for so long; print a row of a table."""
    times: list[float] = []
    errors: list[str] = []
    lock = threading.Lock()
    turn = iter(range(10**9))
    used, began = cpu_seconds(process), time.perf_counter()

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while time.perf_counter() < began + seconds:
            with lock:
                n = next(turn)
            query = f"{queries[n % len(queries)]} {n}"
            started = time.perf_counter()
            try:
                asked(connection, what + quote(query))
                times.append(time.perf_counter() - started)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                errors.append(repr(error))
                connection.close()

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - began, cpu_seconds(process) - used
    p50, p99 = np.percentile(times or [np.nan], [50, 99]) * 1000
    print(f"| `{what}…` | {connections} | {took:.0f} s | {len(times):,} | {len(errors)} | "
          f"{len(times) / took:,.0f} | {p50:,.0f} ms | {p99:,.0f} ms | "
          f"{1000 * used / max(1, len(times)):.0f} ms |", flush=True)  # fmt: skip
    for error in sorted(set(errors))[:3]:
        print(error)


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Give how long a process has computed; NaN where the system doesn't say."""
    path = Path(f"/proc/{process.pid}/stat")
    if not path.exists():
        return np.nan
    user, system = path.read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory(process: subprocess.Popen[str]) -> str:
    """Give how much memory a process has."""
    path = Path(f"/proc/{process.pid}/status")
    if not path.exists():
        return ""
    sizes = {name: int(kib) for name, kib in re.findall(r"(\w+):\s+(\d+) kB", path.read_text())}
    return (f"memory of the server: at most {sizes['VmHWM'] / 2**20:.2f} GiB; now "
            f"{sizes['RssAnon'] / 2**20:.2f} GiB, and {sizes['RssFile'] / 2**20:.2f} GiB of mapped "
            "files, which the system can drop")  # fmt: skip


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
        answered = time.perf_counter() - started
        if size <= MAX_VECTORS:
            wait_for_findings(port)
        print(f"\n{size:,} answers; made in {took:.0f} s; "
              f"the server answered after {answered:.1f} s; "
              f"load before it {os.getloadavg()[0]:.1f}\n")  # fmt: skip
        print("| endpoint | connections | duration | answered | errors | a second | p50 | p99 | "
              "CPU a search |")  # fmt: skip
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
        try:
            for what, connections, share in WORK:
                load(process, port, queries, what, connections, seconds * share)
            print(f"\n{memory(process)}")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])

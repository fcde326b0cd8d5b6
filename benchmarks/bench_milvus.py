"""One corpus in a folder, in Milvus Lite and on a Milvus server: `make bench-milvus`.

100,000 answers (those of BANKING77, and further ones with vectors near theirs; see `bench_serve`)
are copied from a folder, and searched by a fresh process each; in Milvus Lite a tenth of them, as
it loads some 300 a second. A hit that scores as the true ones do is one. The server is started
where SEARCHKIT_MILVUS_PYTHON names an interpreter that has the package `milvus`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bench_serve import made
from machine import ROOT, heading, scratch, texts

SIZE = 100_000
QUERIES, K = 50, 10
SAME_SCORE = 1e-5
INDEXING_SECONDS = 180  # that Milvus may take for its index after the load


def queries() -> list[str]:
    """Give beginnings of answers of another corpus."""
    return [" ".join(text.split()[:12]) for text in texts("saf-train.csv")[:QUERIES]]


def searched(place: str) -> dict[str, Any]:
    """Open an index, search it, and give what that took; in a process of its own."""
    from searchkit.index.locations import open_index, place_of

    started = time.perf_counter()
    with open_index(place_of(place)) as index:
        index.search(["warm"], K)
        opened = time.perf_counter() - started
        times, hits = [], []
        for query in queries():
            started = time.perf_counter()
            found = index.search([query], K)[0]
            times.append(time.perf_counter() - started)
            hits.append([hit.score for hit in found])
    return {"opened": opened, "p50": float(np.median(times)), "rss": peak("self"), "scores": hits}


def peak(process: str) -> float:
    """Give the peak memory of a process in GiB; 0 where that can't be said."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM")), 0.0)


def measured(place: str) -> dict[str, Any]:
    """Search in a fresh process."""
    command = [sys.executable, __file__, "--searched", place]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def recall(found: dict[str, Any], true: dict[str, Any]) -> float:
    """Give the share of the hits that score at least as the last true hit does."""
    pairs = zip(found["scores"], true["scores"], strict=True)
    return float(np.mean([sum(s >= b[-1] - SAME_SCORE for s in a) / len(b) for a, b in pairs]))


def row(name: str, place: str, load: str, true: dict[str, Any], server: float = 0.0) -> None:
    """Print one row of the table."""
    found = measured(place)
    beside = f" + {server:.2f}" if server else ""
    print(f"| {name} | {load} | {found['opened']:.1f} s | {found['p50'] * 1000:,.0f} ms | "
          f"{recall(found, true):.3f} | {found['rss']:.2f}{beside} GiB |", flush=True)  # fmt: skip


def indexed(place: str) -> float:
    """Wait until Milvus has indexed all rows; give the seconds."""
    from searchkit.index.locations import open_index, place_of

    started = time.perf_counter()
    with open_index(place_of(place)) as index:
        while "index" in index.storage()["storage"]:
            if time.perf_counter() - started > INDEXING_SECONDS:
                break
            time.sleep(1)
    return time.perf_counter() - started


def copied(source: Path, place: str) -> float:
    """Copy an index; give the seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "searchkit", "copy", str(source), place, "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    if arguments[:1] == ["--searched"]:
        print(json.dumps(searched(arguments[1])))
        return
    size = int(arguments[0]) if arguments else SIZE
    print(f"{heading()}; {size:,} answers\n")
    print("| where | load, then indexed | open and first search | p50 | recall@10 | memory |")
    print("|---|---:|---:|---:|---:|---:|")
    started = time.perf_counter()
    folder = made(size)
    load = time.perf_counter() - started
    true = measured(str(folder))
    row("folder (ingest, with what it embeds)", str(folder), f"{load:.0f} s", true)
    if "SEARCHKIT_MILVUS_PYTHON" in os.environ:
        on_server(folder, true)
    few = made(size // 10)
    lite = str(scratch() / "lite.db")
    took = copied(few, lite)
    row(f"Milvus Lite, `flat`, {size // 10:,} answers", lite, f"{took:.0f} s", measured(str(few)))


def on_server(folder: Path, true: dict[str, Any]) -> None:
    """Print the rows of a server of its own."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.milvus_server import Server

    server = Server(scratch())
    try:
        for kind in ("hnsw", "flat"):
            place = f"milvus+{server.address}/bench_{kind}?index={kind}"
            took = copied(folder, place)
            if kind == "hnsw":
                memory = peak(str(server.pid))
                row(
                    "Milvus 2.3.5, `hnsw`, before its index is complete",
                    place,
                    f"{took:.0f} s",
                    true,
                    memory,
                )
            load = f"{took:.0f} s + {indexed(place):.0f} s"
            row(f"Milvus 2.3.5, `{kind}`", place, load, true, peak(str(server.pid)))
    finally:
        server.kill()


if __name__ == "__main__":
    main(sys.argv[1:])

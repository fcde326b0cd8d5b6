"""Time of `plagiarism` and `compare`, as whole processes: the first time, and with what is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import DEMO, ROOT, SHARED

from searchkit import Index, compare, find_plagiarism


def print_times() -> None:
    """Print seconds and memory of whole commands, on SemEval-2013, the demo, and an indexed alpaca.

    `first` embeds sentences, `again` reads what was found, and `after a change` has the vectors.
    """
    print("\n| index | command | CPU | wall | peak memory |")
    print("|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, source in (
            ("demo corpus", DEMO),
            ("SemEval-2013", SHARED / "semeval2013-train.csv"),
        ):
            folder = Path(scratch) / name
            timed("ingest", "-q", "-i", str(folder), str(source))
            print_rows(name, folder)
        alpaca = ROOT / ".bench" / "corpora" / "alpaca"
        if alpaca.exists():
            shutil.copytree(alpaca, Path(scratch) / "alpaca")
            print_rows("alpaca", Path(scratch) / "alpaca")


def print_rows(name: str, folder: Path) -> None:
    """Print a row for each command on an index."""
    index = ("-i", str(folder))
    with Index.open(folder) as opened:
        findings = find_plagiarism(opened).findings
    pair = (findings[0].left, findings[0].right)
    (folder / "cache.db").unlink(missing_ok=True)
    rows = [("plagiarism, first", timed("plagiarism", *index)),
            ("plagiarism, again", timed("plagiarism", *index))]  # fmt: skip
    with Index.open(folder, write=True) as opened:
        answer = next(opened.answers())
        opened.update_columns({answer.id: {"bench": "1"}})
    rows += [("plagiarism, after a change", timed("plagiarism", *index)),
             ("compare, first", timed("compare", *pair, *index)),
             ("compare, again", timed("compare", *pair, *index))]  # fmt: skip
    for command, (cpu, wall, peak) in rows:
        print(f"| {name} | {command} | {cpu:.1f} s | {wall:.1f} s | {peak:.2f} GiB |", flush=True)
    with Index.open(folder) as opened:
        compare(opened, *pair)
        started = time.process_time()
        compare(opened, *pair)
        cpu = time.process_time() - started
    print(f"| {name} | compare, index open (as in `serve`) | {cpu:.2f} s | | |", flush=True)


def timed(*arguments: str) -> tuple[float, float, float]:
    """Run a command; return its CPU seconds, wall seconds and peak memory in GiB."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "searchkit", *arguments],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise SystemExit(f"{arguments}: failed")
    wall = time.perf_counter() - started
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 2**20

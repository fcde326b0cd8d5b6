"""Run cases in a process of their own that is watched: a crash, a hang or much memory is a failure.

A case is a number: the same seed and number make the same case again, with `run_one`.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from breaking.shared.common import Report, numbered

MAX_SECONDS = 10.0  # of CPU time that a case may take
MAX_BYTES = 1_000_000_000  # that a case may take beside what the process had before
PATIENCE = 90.0  # seconds of wall time after which a case is killed, however busy the machine is
ADDRESS_SPACE = 12 << 30  # of the process, so that a case can't take the whole machine

Case = Callable[[Random, Path], str]
"""Runs one case in an empty folder and returns its outcome; raises if a promise was broken."""


@dataclass
class IsolatedReport(Report):
    """A report of CPU seconds and memory.

    Attributes:
        largest: Bytes of memory that the largest case took.
    """

    largest: int = 0

    def __str__(self) -> str:
        return f"{super().__str__()}\nthe largest took {self.largest / 1e6:,.0f} MB"


def run_isolated(case: Case, seed: int, count: int | None, seconds: float) -> IsolatedReport:
    """Run `count` cases, or as many as there are in `seconds`; `case` must be importable."""
    report = IsolatedReport(seed)
    with tempfile.TemporaryDirectory() as folder:
        worker = _Worker(case, seed, Path(folder))
        for number in numbered(count, seconds):
            outcome, failure, took, size = worker.run(number)
            report.cases += 1
            report.outcomes[outcome] += 1
            report.longest, report.largest = max(report.longest, took), max(report.largest, size)
            if failure:
                report.failures.append(f"case {number}: {failure}")
        worker.end()
    return report


def run_one(case: Case, seed: int, number: int, room: Path) -> tuple[str, str]:
    """Run one case here, to look at it; return its outcome and what went wrong, or ""."""
    try:
        return case(Random(f"{seed} {number}"), room), ""
    except BaseException as error:  # also the panic of a library in Rust
        frames = traceback.extract_tb(error.__traceback__)
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-3:]))
        return "failed", f"{type(error).__name__}: {str(error)[:300]} at {places}"


class _Worker:
    """A process that runs cases, and is started again when one of them ends it."""

    def __init__(self, case: Case, seed: int, folder: Path) -> None:
        self._arguments = case, seed, folder
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, *self._arguments), daemon=True)
        self._process.start()
        there.close()

    def run(self, number: int) -> tuple[str, str, float, int]:
        """Return a case's outcome, what went wrong, and the CPU time and memory that it took."""
        what = "the process died"
        try:
            self._pipe.send(number)
            if self._pipe.poll(PATIENCE):
                return self._pipe.recv()
            what = "no end"
        except (EOFError, OSError):
            pass
        code = self.end()
        self._start()
        return "failed", f"{what} (exit code {code})", 0.0, 0

    def end(self) -> int | None:
        """End the process; return the exit code that it had before."""
        self._process.join(1)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self._pipe.close()
        return code


def _work(pipe: Connection, case: Case, seed: int, folder: Path) -> None:
    """Run the cases whose numbers come through a pipe; send back what happened."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            number = pipe.recv()
        except EOFError:
            return
        room = folder / str(number)
        room.mkdir()
        before, started = _forget_peak(), time.process_time()
        outcome, failure = run_one(case, seed, number, room)
        took, size = time.process_time() - started, _peak() - before
        if not failure and (took > MAX_SECONDS or size > MAX_BYTES):
            failure = f"took {took:.1f} s and {size / 1e6:,.0f} MB"
        shutil.rmtree(room)
        pipe.send((outcome, failure, took, size))


def _forget_peak() -> int:
    """Let the kernel count this process's peak from here on; return the memory it has now."""
    if sys.platform != "linux":
        return 0
    Path("/proc/self/clear_refs").write_text("5")
    return _kilobytes("VmRSS") * 1024


def _peak() -> int:
    return _kilobytes("VmHWM") * 1024 if sys.platform == "linux" else 0


def _kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])

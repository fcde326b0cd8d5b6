"""Readers beside a writer that adds, removes and rebuilds without a pause: each sees a whole state.

The writer counts its changes in shared memory, so that a reader knows which states it may see.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # a process that forks must have no threads

import logging
import mmap
import struct
from pathlib import Path
from random import Random

from breaking.kills import STARTED, Child, Notices, look, make_start, opened
from breaking.shared.isolation import IsolatedReport, run_isolated

from searchkit import Answer, Index

LOOKS = 10  # of one case
PAIR = 2  # answers that are added and removed together
STARTED_IDS = {answer.id for answer in STARTED}


class Counter:
    """The number of changes that were begun or are complete, shared by processes."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)

    def get(self) -> int:
        return struct.unpack("q", self._memory[:])[0]

    def increment(self) -> None:
        self._memory[:] = struct.pack("q", self.get() + 1)


def keep_writing(folder: Path, begun: Counter, done: Counter, seed: str) -> None:
    """Change an index until killed: change 2n adds a pair of answers, 2n + 1 removes it."""
    random = Random(seed)
    while True:
        with opened(folder) as index:
            for _ in range(random.randint(1, 4)):
                number = done.get()
                ids = [f"{number // 2}-{n}" for n in range(PAIR)]
                begun.increment()
                if number % 2:
                    index.remove(ids)
                else:
                    index.add([Answer(id_, f"added {id_} as {id_}") for id_ in ids])
                done.increment()
                tidy(index, random)


def tidy(index: Index, random: Random) -> None:
    """Replace the FAISS file, in one of the ways in which this happens, or don't."""
    kind = random.randrange(3)
    if kind == 0:
        index.rebuild()
    elif kind == 1:
        index.checkpoint()


def look_beside_a_writer(random: Random, room: Path) -> str:
    """Look at an index some times while it is written."""
    folder, begun, done = room / "index", Counter(), Counter()
    make_start(folder)
    logger = logging.getLogger("searchkit")
    if not any(isinstance(handler, Notices) for handler in logger.handlers):
        logger.addHandler(Notices(logging.WARNING))
    seed = str(random.random())
    writer = Child(lambda _: keep_writing(folder, begun, done, seed))
    reader = Child(lambda _: look_often(folder, begun, done))  # a second one
    try:
        look_often(folder, begun, done)
        reader.wait()
    finally:
        writer.kill()
    return "seen whole"


def look_often(folder: Path, begun: Counter, done: Counter) -> None:
    """Look some times, each time when the writer has gone on."""
    for _ in range(LOOKS):
        earliest = done.get()
        seen = set(look(folder)["answers"]) - STARTED_IDS
        latest = begun.get()
        assert len(seen) in (0, PAIR), ("half a batch", seen)
        pairs = {int(id_.split("-")[0]) for id_ in seen}
        assert len(pairs) <= 1, pairs
        allowed = {n // 2 if n % 2 else None for n in range(earliest, latest + 1)}
        assert next(iter(pairs), None) in allowed, (earliest, latest, seen)


def run(seed: int, count: int | None = None, seconds: float = 20.0) -> IsolatedReport:
    """Run `count` cases of 20 looks, or as many as there are in `seconds`."""
    return run_isolated(look_beside_a_writer, seed, count, seconds)

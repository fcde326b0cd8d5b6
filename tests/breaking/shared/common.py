"""What the programs that break searchkit share: a report of what was tried and what failed."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from searchkit.index.cache.database import FILE_NAME


@dataclass
class Report:
    """What one run has tried.

    Attributes:
        seed: Repeats the run.
        cases: Number of cases tried.
        longest: Seconds that the longest case took.
        outcomes: How many cases had which outcome.
        failures: A line for each case in which a promise was broken.
    """

    seed: int
    cases: int = 0
    longest: float = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common())
        head = (
            f"seed {self.seed}: {self.cases:,} cases, the longest {self.longest:.1f} s ({counts})"
        )
        return "\n".join([head, f"{len(self.failures)} failures", *self.failures])


def numbered(count: int | None, seconds: float) -> Iterator[int]:
    """Yield 0, 1, … until `count` cases are done, or the time is up."""
    end = time.monotonic() + seconds
    number = 0
    while (count is None or number < count) and time.monotonic() < end:
        yield number
        number += 1


def contents(path: Path) -> dict[str, str]:
    """Return the hashes of the files that hold an index's data, which what readers keep isn't."""
    files = (
        file
        for file in path.rglob("*")
        if file.is_file() and file.suffix != ".db-shm" and not file.name.startswith(FILE_NAME)
    )
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.stat().st_size}

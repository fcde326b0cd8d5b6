"""What the peers' programs share: PROGRAM index|query|warm TEXTS MODEL STORE [QUERY|QUERIES]."""

from __future__ import annotations

import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

SHOWN, K = 5, 10  # hits of a cold query, and of a warm one
Row = dict[str, str]
Search = Callable[[str, int], Sequence[str]]  # a query and k to ids, best first


def run(
    index: Callable[[list[Row], str, str], None] | None, opened: Callable[[str, str], Search]
) -> None:
    """Do the job that the arguments name.

    Args:
        index: Takes rows of a CSV, the model's folder and the store to write.
        opened: Takes the model's folder and the store; returns what searches.
    """
    job, texts, model, store, *rest = sys.argv[1:]
    if job == "index" and index:
        with Path(texts).open(encoding="utf-8", newline="") as file:
            index(list(csv.DictReader(file)), model, store)
    elif job == "query":
        print(opened(model, store)(rest[0], SHOWN))
    else:
        print(json.dumps(warm(opened(model, store), json.loads(Path(rest[0]).read_text()))))


def warm(search: Search, queries: Sequence[str]) -> dict[str, object]:
    """Return the median of the seconds that a query takes, and the ids that each has found."""
    search(queries[0], K)
    times, found = [], []
    for query in queries:
        started = time.perf_counter()
        ids = search(query, K)
        times.append(time.perf_counter() - started)
        found.append(list(ids))
    return {"p50": statistics.median(times), "found": found}

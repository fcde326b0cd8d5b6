"""Time to grade in the browser: `python benchmarks/bench_grading_page.py`.

A server of its own process over 300 answers to one question (those of SAF, in their order) among
1,200; what the page loads, a mark saved, and suggestions, in turn.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from bench_serve import serving
from machine import heading, scratch, texts

from searchkit import Answer, Index
from searchkit.index.ingest import ingest

ASKED, OTHERS = 300, 900  # answers to the question, and to others
ROUNDS = 30
QUESTION = "/api/grading?question=q0"


class Client:
    """One connection to the server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._origin = {
            "Origin": f"http://127.0.0.1:{port}",
            "Content-Type": "application/json",
        }

    def get(self, path: str) -> bytes:
        """Return the body of a page or a record; wait until it is computed."""
        while True:
            self._connection.request("GET", path)
            response = self._connection.getresponse()
            body = response.read()
            if response.status == 200:
                return body
            if response.status != 202:
                raise RuntimeError(f"{response.status} {body[:200]!r}")

    def save(self, path: str, body: dict[str, Any]) -> bytes:
        """Send a change, and return what it changed."""
        self._connection.request("POST", path, json.dumps(body), self._origin)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status} {answer[:200]!r}")
        return answer


def timed(run: Callable[[], object], rounds: int = 1) -> str:
    """Return the median and the 95th percentile of some runs as cells of a table."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - started))
    p50, p95 = np.percentile(times, [50, 95])
    return f"{p50:,.0f} ms | {p95:,.0f} ms" if rounds > 1 else f"{p50:,.0f} ms | "


def made() -> list[Answer]:
    """Make the answers: those to q0, then those to three other questions."""
    given = texts("saf-train.csv")
    names = ["q0"] * ASKED + [f"q{1 + n % 3}" for n in range(OTHERS)]
    return [Answer(f"{n:04}", given[n % len(given)], name, f"s{n}") for n, name in enumerate(names)]


def main() -> None:
    """Print a table."""
    answers = made()
    folder = scratch() / "index"
    with Index.create(folder) as index:
        ingest(index, answers)
    process, port = serving(folder)
    client, turn = Client(port), iter(answers)

    def read(path: str) -> Callable[[], object]:
        return lambda: client.get(path)

    def save() -> None:
        action = {"kind": "mark", "ids": [next(turn).id], "mark": str(next(marks))}
        client.save("/api/grading/changes", {"question": "q0", "action": action})

    marks = (n % 10 for n in range(ASKED))
    page, suggestions = "/grade?question=q0", "/api/grading/suggestions?question=q0"
    try:
        print(f"{heading()}\n\n| what | p50 | p95 |\n|---|---:|---:|", flush=True)
        for what, run, rounds in (
            ("the page `/grade`, first", read(page), 1),
            ("its question, first: groups are computed", read(QUESTION), 1),
            ("the page, later", read(page), ROUNDS),
            ("its question, later", read(QUESTION), ROUNDS),
            ("a mark saved", save, ROUNDS),
            ("suggestions and plan after a mark", read(suggestions), 1),
            ("suggestions again", read(suggestions), ROUNDS),
        ):
            print(f"| {what} | {timed(run, rounds)} |", flush=True)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()

"""Filters of every kind against a small index, compared with SQLite's own answer on a copy."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from pathlib import Path
from random import Random

from breaking.shared import expressions
from breaking.shared.common import Report, contents, numbered
from breaking.shared.expressions import META
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.core.errors import SearchkitError
from searchkit.index.filters.matching import matching_keys

LIMIT = 0.5  # seconds that a filter may take here, so that many slow ones can be tried
SLACK = 4.0  # seconds for a machine that does other things meanwhile
KINDS = {"valid": 5, "broken": 4, "escaping": 3, "mutated": 4, "slow": 2}


def answers(random: Random) -> list[Answer]:
    """Return a corpus: answers to three questions by three authors, and one long text."""
    values = ["1", "2.5", "007", "-3", "alpha", "It's (", "", "absent", "é", "9" * 20]
    rows = [
        Answer(
            f"a{n}",
            random.choice(["alpha beta", "Gamma (delta", "it's", "%_%", "é ü"]) + f" {n}",
            random.choice(["q1", "q2", "it's )", None]),
            random.choice(["s1", "s2", None]),
            submitted_at=random.choice([None, "2026-01-01"]),
            line=random.choice([None, n]),
            meta={name: random.choice(values) for name in META if random.random() < 0.6},
        )
        for n in range(60)
    ]
    meta = dict.fromkeys(META, "x")
    return [*rows, Answer("long", "a" * 3_000_000, "q1", "s1", meta=meta)]


class Oracle:
    """The same answers in a plain SQLite table, where an expression is evaluated as it is."""

    def __init__(self, rows: list[Answer]) -> None:
        self._rows = rows
        self._connection = sqlite3.connect(":memory:")
        columns = [_quoted(f"meta:{name}") for name in META]
        self._connection.execute(
            "CREATE TABLE answers (key INTEGER PRIMARY KEY, id TEXT, text TEXT, question TEXT, "
            f"author TEXT, submitted_at TEXT, line INTEGER, {' NUMERIC, '.join(columns)} NUMERIC)"
        )
        plain = [n for n in META if n.lower() not in ("id", "text")]
        aliases = [f"{_quoted(f'meta:{name}')} AS {_quoted(name)}" for name in plain]
        self._visible = f"(SELECT *, {', '.join(aliases)} FROM answers)"
        marks = ",".join("?" * (7 + len(META)))
        for key, row in enumerate(rows):
            fields = [key, row.id, row.text, row.question, row.author, row.submitted_at, row.line]
            values = [*fields, *(row.meta.get(name) for name in META)]
            self._connection.execute(f"INSERT INTO answers VALUES ({marks})", values)

    def others(self, where: Where) -> set[str]:
        """Return the ids that the question and the author allow."""
        return {
            row.id
            for row in self._rows
            if where.question is None or (row.question or "") == where.question
            if where.author is None or (row.author or "") == where.author
        }

    def ids(self, where: Where) -> set[str] | None:
        """Return the ids that match; None if SQLite can't evaluate the expression in 20 s."""
        end = time.monotonic() + 20
        self._connection.set_progress_handler(lambda: int(time.monotonic() > end), 1000)
        sql = (
            f"SELECT id, CASE WHEN ({where.sql}\n) THEN 1 ELSE 0 END FROM {self._visible} "
            "WHERE id IN (SELECT value FROM json_each(?))"
        )
        allowed = json.dumps(sorted(self.others(where)))
        try:
            return {id_ for id_, hit in self._connection.execute(sql, [allowed]) if hit}
        except (sqlite3.Error, sqlite3.Warning, UnicodeError):
            return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def run(seed: int, count: int | None = None, seconds: float = 60) -> Report:
    """Apply random filters, until there were `count` or the time is up."""
    random, report = Random(seed), Report(seed)
    with tempfile.TemporaryDirectory() as folder:
        rows = answers(random)
        path = Path(folder) / "index"
        with Index.create(path, ToyEncoder()) as index:
            index.add(rows)
        oracle = Oracle(rows)
        before = contents(path)
        with Index.open(path) as index:
            for _ in numbered(count, seconds):
                (kind,) = random.choices(list(KINDS), list(KINDS.values()))
                where = Where(
                    random.choice([None, "q1", "q2", "it's )", "", "nobody's"]),
                    random.choice([None, "s1", ""]),
                    getattr(expressions, kind)(random),
                )
                problem = _check(index, oracle, where, kind, report)
                if problem:
                    report.failures.append(f"{kind} {where!r:.500}: {problem}")
        if contents(path) != before:
            report.failures.append("the database has changed")
    return report


def _check(index: Index, oracle: Oracle, where: Where, kind: str, report: Report) -> str:
    """Apply one filter; return which promise was broken, or nothing."""
    report.cases += 1
    found: set[str] | None = None
    start = time.monotonic()
    try:
        store = index.store
        keys = matching_keys(where, store.connection, store.path, store.is_newest, time_limit=LIMIT)
        found = {row[1] for row in store.identities(keys)}
        message = ""
    except SearchkitError as error:
        message = str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    taken = time.monotonic() - start
    report.longest = max(report.longest, taken)
    outcome = next(
        (n for n in ("not one SQL", "may only", "took", "memory", "no column") if n in message),
        "other" if message else "ids",
    )
    report.outcomes[f"{kind}: {outcome}"] += 1
    if taken > LIMIT + SLACK:
        return f"took {taken:.1f} s"
    if "\n" in message or (message and "`where`" not in message):
        return f"the message {message!r}"
    if found is not None and not found <= oracle.others(where):
        return f"found {sorted(found - oracle.others(where))}, which other filters exclude"
    if kind == "slow" or outcome in ("took", "may only", "memory"):
        return ""
    expected = oracle.ids(where)
    if found is not None and found != expected:
        return f"found {sorted(found)}, not {expected and sorted(expected)}"
    if kind == "valid" and found is None and expected is not None:
        return f"refused: {message}"
    return ""

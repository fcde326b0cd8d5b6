"""Which answers match a filter."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Int64
from searchkit.core.errors import BadInput, IndexDamaged, StorageFailed
from searchkit.core.identity import author_key
from searchkit.core.messages import Message, listed
from searchkit.core.where import Where
from searchkit.index.filters import expression
from searchkit.index.filters.columns import FIELDS, meta_columns, visible_rows

if TYPE_CHECKING:
    from searchkit.index.filters.expression import Outcome

TIME_LIMIT = 10.0  # seconds that an expression may take
_ATTEMPTS = {None: "1", "all": "1", "first": "attempt = 1", "latest": "attempt = attempts"}
MIN_LENGTH_LIMIT = 100_000  # bytes of a text that an expression may make in this process, at least


def matching_keys(
    where: Where,
    connection: sqlite3.Connection,
    path: Path,
    is_shared: Callable[[], bool],
    *,
    time_limit: float = TIME_LIMIT,
) -> Int64:
    """Return the keys of the answers that match a filter, ascending.

    `where.sql` is evaluated by another process, which is ended when it takes too long. If that saw
    other answers than this connection does, it is evaluated here again, and may not make long
    texts: a function of SQLite can't be interrupted.

    Args:
        where: The filter.
        connection: A connection to the index's database.
        path: The database's file; there is none for a database in memory.
        is_shared: Whether a process that opened the file just now saw what the connection sees.
        time_limit: Seconds that `where.sql` may take.

    Raises:
        BadInput: if `where.sql` isn't an expression, names an unknown column, reads anything but
            answers, writes, takes too long or needs too much memory.
        IndexDamaged: if the columns of an answer can't be read.
        StorageFailed: if the other process can't be started.
    """
    is_old = connection.execute("PRAGMA user_version").fetchone()[0] < 4
    condition, values = _old_condition(where) if is_old else _condition(where)
    if where.sql is None:
        rows = connection.execute(f"SELECT key FROM answers WHERE {condition} ORDER BY key", values)
        return np.fromiter((key for (key,) in rows), np.int64)
    task = {
        "sql": where.sql,
        "rows": visible_rows(connection, where.sql),
        # The expression doesn't see every column that the condition needs.
        "condition": f"key IN (SELECT key FROM answers WHERE {condition})",
        "values": values,
        "time_limit": time_limit,
    }
    outcome = _evaluate_apart(path, task)
    if outcome is None or (outcome[0] == "true of" and not is_shared()):
        outcome = _evaluate_here(connection, task)
    status, reason, keys = outcome
    if status == "true of":
        return np.frombuffer(keys, np.int64)
    if "malformed JSON" in reason and _has_damaged_columns(connection):
        raise IndexDamaged(f"{path}: an answer's columns are damaged; run: searchkit verify")
    raise BadInput(_message(status, reason, where.sql, time_limit, meta_columns(connection)))


def _has_damaged_columns(connection: sqlite3.Connection) -> bool:
    names = [row[1] for row in connection.execute("PRAGMA table_info(answers)")]
    columns = [name for name in ("meta", "written", "filter_values") if name in names]
    damaged = " OR ".join(f"NOT ifnull(json_valid({name}), 1)" for name in columns)
    sql = f"SELECT EXISTS (SELECT 1 FROM answers WHERE {damaged})"
    return bool(connection.execute(sql).fetchone()[0])


def _condition(where: Where) -> tuple[str, dict[str, str | None]]:
    """Return the SQL condition for all but the expression of a filter, and its parameters."""
    author = None if where.author is None else author_key(where.author) or ""
    condition, values = _equal({"question": where.question, "author_key": author})
    return f"{condition} AND {_ATTEMPTS[where.attempts]}", values


def _old_condition(where: Where) -> tuple[str, dict[str, str | None]]:
    """Return the same for formats 1 to 3: names as they are written, and no attempts."""
    return _equal({"question": where.question, "author": where.author})


def _equal(given: dict[str, str | None]) -> tuple[str, dict[str, str | None]]:
    """Return the SQL condition that columns have these values, "" for none; None allows any."""
    values = {name: value or None for name, value in given.items() if value is not None}
    return " AND ".join(f"{name} IS :{name}" for name in values) or "1", values


def _evaluate_apart(path: Path, task: dict[str, Any]) -> Outcome | None:
    """Evaluate an expression in a process of its own; return None if that can't read the database.

    Raises:
        StorageFailed: if the process can't be started.
    """
    place = {"uri": path.absolute().as_uri(), "has_log": has_log(path)}
    try:
        run = subprocess.run(
            [sys.executable, "-I", "-S", expression.__file__],
            input=json.dumps(task | place).encode(),
            capture_output=True,
            timeout=task["time_limit"],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "too slow", "", b""
    except OSError as error:
        raise _unstarted(str(error)) from error
    if run.returncode < 0:  # a signal: mostly the system's, which needs the memory
        return "too large", "", b""
    header, _, keys = run.stdout.partition(b"\n")
    try:
        status, reason = json.loads(header)
    except ValueError as error:
        lines = run.stderr.decode(errors="replace").splitlines()
        raise _unstarted(lines[-1] if lines else f"exit code {run.returncode}") from error
    return None if status == "unreadable" else (status, reason, keys)


def _unstarted(reason: str) -> StorageFailed:
    template = "`where` needs a process of its own, and {program} can't be started ({reason})"
    return StorageFailed(Message(template, program=sys.executable, reason=reason))


def has_log(path: Path) -> bool:
    """Whether a database has a write-ahead log that isn't empty."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _evaluate_here(connection: sqlite3.Connection, task: dict[str, Any]) -> Outcome:
    """Evaluate an expression in this process; texts it makes are hardly longer than the stored."""
    ((longest,),) = connection.execute(
        "SELECT max(length(CAST(text AS BLOB)) + length(CAST(meta AS BLOB))) FROM answers"
    )
    limit = max(MIN_LENGTH_LIMIT, 2 * (longest or 0))
    previous = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limit)
    try:
        return expression.evaluate(connection, **task)
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, previous)


def _message(status: str, reason: str, sql: str, time_limit: float, names: list[str]) -> Message:
    """Return the message for an expression that was not evaluated."""
    if status == "too slow":
        template = "`where`: {sql!r} took more than {seconds:.0f} s; use a simpler one"
        return Message(template, sql=sql, seconds=time_limit)
    if status == "too large":
        return Message("`where`: {sql!r} needs too much memory; use a simpler one", sql=sql)
    if status == "denied":
        template = "`where`: {sql!r} may only read the answers, not use {name}"
        return Message(template, sql=sql, name=reason)
    # SQLite has one code for all errors of an expression; only its message names the column.
    if missing := re.search(r"no such column: (.*)", reason):
        return Message(
            "`where`: no column {name!r}; there are {columns}; write texts in single quotes: "
            "author = 's07'",
            name=missing[1],
            columns=listed([*FIELDS, *names]),
        )
    return Message("`where`: {sql!r} is not one SQL expression ({reason})", sql=sql, reason=reason)

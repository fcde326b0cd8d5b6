"""The keys of the answers that a filter allows; its SQL expression is checked and limited."""

from __future__ import annotations

import re
import sqlite3
import time
from typing import Any

import numpy as np

from searchkit.core.arrays import Int64
from searchkit.core.errors import BadInput
from searchkit.core.where import Where

SECONDS = 10.0  # an expression may take so long
_FIELDS = ("id", "text", "question", "author", "submitted_at", "line")
_FORBIDDEN = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "randomblob"}


def matching_keys(where: Where, connection: sqlite3.Connection) -> Int64:
    """Return the keys of the answers that a filter allows, ascending.

    Raises:
        BadInput: if the expression isn't one, names no such column, writes, or takes too long.
    """
    if where.sql is None:
        return _fetch(connection, f"SELECT key FROM answers WHERE {_plain(where)}", where)
    with _guard(connection):
        view = _view(connection)
        _check_one_expression(connection, view, where.sql)
        expression = f"({where.sql}\n)"
        return _fetch(
            connection, f"SELECT key FROM {view} WHERE {_plain(where)} AND {expression}", where
        )


def _plain(where: Where) -> str:
    names = ("question", "author")
    parts = [f"{name} = :{name}" for name in names if getattr(where, name)]
    parts += [f"{name} IS NULL" for name in names if getattr(where, name) == ""]
    return " AND ".join(parts) or "1"


def _fetch(connection: sqlite3.Connection, sql: str, where: Where) -> Int64:
    values = {"question": where.question, "author": where.author}
    try:
        rows = connection.execute(sql + " ORDER BY key", values).fetchall()
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        if where.sql is None:
            raise
        raise _explained(error, where.sql, connection) from error
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def _view(connection: sqlite3.Connection) -> str:
    """Return a sub-select with every column under the name that its file gave it.

    Columns are passed on as they are: an expression would lose their numeric affinity.
    """
    meta = _meta_columns(connection)
    names = [*_FIELDS, *(column for column in meta)]
    fields = {name.lower() for name in _FIELDS} | {"key"}
    for column in meta:
        name = column.removeprefix("meta:")
        if name.lower() not in fields:
            fields.add(name.lower())
            names.append(f"{column}\0{name}")
    return f"(SELECT key, {', '.join(map(_selected, names))} FROM answers)"


def _selected(name: str) -> str:
    column, _, alias = name.partition("\0")
    quoted = '"' + column.replace('"', '""') + '"'
    return f'{quoted} AS "{alias.replace(chr(34), chr(34) * 2)}"' if alias else quoted


def _meta_columns(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("PRAGMA table_xinfo(answers)").fetchall()
    return [row[1] for row in rows if row[1].startswith("meta:")]


def _check_one_expression(connection: sqlite3.Connection, view: str, sql: str) -> None:
    """An expression stands as an argument of a function; a second clause or statement doesn't."""
    try:
        connection.execute(f"EXPLAIN SELECT coalesce(({sql}\n), 0) FROM {view}")
    except (sqlite3.DatabaseError, sqlite3.Warning, sqlite3.ProgrammingError) as error:
        raise _explained(error, sql, connection) from error


def _explained(error: Exception, sql: str, connection: sqlite3.Connection) -> BadInput:
    said = str(error)
    if "interrupted" in said:
        return BadInput(f"--where: {sql!r} took more than {SECONDS:.0f} s; use a simpler one")
    if missing := re.search(r"no such column: (.*)", said):
        connection.set_authorizer(None)
        found = [*_FIELDS, *(name.removeprefix("meta:") for name in _meta_columns(connection))]
        return BadInput(
            f"--where: no column {missing[1]!r}; there are {', '.join(found)}; "
            "write texts in single quotes: author = 's07'"
        )
    if "not authorized" in said or "prohibited" in said:
        return BadInput(f"--where: {sql!r} may only read the answers")
    return BadInput(f"--where: {sql!r} is not one SQL expression ({said})")


class _guard:
    """While it is open, the connection reads and nothing else, and for a limited time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        until = time.monotonic() + SECONDS
        self.connection.set_authorizer(_authorize)
        self.connection.set_progress_handler(lambda: int(time.monotonic() > until), 10_000)

    def __exit__(self, *_: object) -> None:
        self.connection.set_authorizer(None)
        self.connection.set_progress_handler(None, 0)


def _authorize(action: int, first: str | None, second: str | None, *_: Any) -> int:  # noqa: ANN401
    if action == sqlite3.SQLITE_READ:
        allowed = first in ("answers", "", None) or str(first).startswith("json_")
    elif action == sqlite3.SQLITE_FUNCTION:
        allowed = str(second).lower() not in _FORBIDDEN
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = first == "table_xinfo"
    else:
        allowed = action == sqlite3.SQLITE_SELECT
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

"""Which answers a command looks at: a question, an author, and any SQL expression."""

from __future__ import annotations

import re
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.errors import BadInput

SECONDS = 10.0  # an expression may take so long

_FIELDS = ("id", "text", "question", "author", "submitted_at", "line")
_FORBIDDEN = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "randomblob"}


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over answers; what is None allows all.

    Attributes:
        question: Only answers to this question.
        author: Only answers by this author.
        sql: One SQL expression over `id`, `text`, `question`, `author`, `submitted_at`, `line`
            and every column in `meta` by its own name (as `"meta:name"` always); a value that
            reads as a number compares as one.
    """

    question: str | None = None
    author: str | None = None
    sql: str | None = None

    def is_empty(self) -> bool:
        """Say whether everything is allowed."""
        return self.question is None and self.author is None and self.sql is None

    def keys(self, connection: sqlite3.Connection) -> NDArray[np.int64]:
        """Give the keys of the answers that are allowed, ascending.

        Raises:
            BadInput: if the expression isn't one, names no such column, writes, or takes too long.
        """
        if self.sql is None:
            return _fetch(connection, f"SELECT key FROM answers WHERE {self._plain()}", self)
        with _guard(connection):
            view = _view(connection)
            _check_one_expression(connection, view, self.sql)
            expression = f"({self.sql}\n)"
            return _fetch(
                connection, f"SELECT key FROM {view} WHERE {self._plain()} AND {expression}", self
            )

    def _plain(self) -> str:
        parts = [f"{name} = :{name}" for name in ("question", "author") if getattr(self, name)]
        parts += [f"{name} IS NULL" for name in ("question", "author") if getattr(self, name) == ""]
        return " AND ".join(parts) or "1"


def _fetch(connection: sqlite3.Connection, sql: str, where: Where) -> NDArray[np.int64]:
    values = {"question": where.question, "author": where.author}
    try:
        rows = connection.execute(sql + " ORDER BY key", values).fetchall()
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        if where.sql is None:
            raise
        raise _explained(error, where.sql, connection) from error
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def _view(connection: sqlite3.Connection) -> str:
    """Give a sub-select with every column under the name that its file gave it.

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

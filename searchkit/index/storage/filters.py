"""Filters over answers, and the virtual columns that let SQL see `meta`.

An SQL expression of a user is checked, may only read answers, and is limited in time.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import time
from collections.abc import Iterable

from searchkit.core.arrays import Int64
from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.core.wording import Message
from searchkit.index.storage.connection import error_code, int_array

log = logging.getLogger("searchkit")
MAX_COLUMNS = 900  # SQLite takes 2,000 in a result, and a filter sees each by two names
TIME_LIMIT = 10.0  # seconds that an expression may take
_FIELDS = ("id", "text", "question", "author", "submitted_at", "line")
_FORBIDDEN_FUNCTIONS = {
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
    "randomblob",
}

_NOT_THE_EXPRESSION = (  # result codes that have nothing to do with what the expression says
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR,
)


# -- virtual columns -------------------------------------------------------------------------------


def meta_columns(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the columns in `meta`, in the order in which they were added."""
    names = [row[1] for row in connection.execute("PRAGMA table_xinfo(answers)")]
    return [name.removeprefix("meta:") for name in names if name.startswith("meta:")]


def add_meta_columns(connection: sqlite3.Connection, answers: Iterable[Answer]) -> None:
    """Add a virtual column for each new name in `meta`; numbers in it compare as numbers."""
    known = {name.lower() for name in meta_columns(connection)}  # SQLite ignores case
    names = (name for answer in answers for name in answer.meta if name.lower() not in known)
    new = list({name.lower(): name for name in names}.values())
    room = max(MAX_COLUMNS - len(known), 0)
    if len(new) > room:
        template = "`where` sees the first {count:,} columns only; all are kept"
        log.warning(Message(template, count=MAX_COLUMNS))
    for name in new[:room]:
        connection.execute(
            f"ALTER TABLE answers ADD COLUMN {_quoted('meta:' + name)} NUMERIC "
            f"GENERATED ALWAYS AS (json_extract(meta, {_json_path(name)})) VIRTUAL"
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _json_path(name: str) -> str:
    """Return the SQL literal of the JSON path to a member, whatever its name."""
    path = '$."' + json.dumps(name, ensure_ascii=False)[1:-1] + '"'
    return "'" + path.replace("'", "''") + "'"


# -- filters ---------------------------------------------------------------------------------------


def matching_keys(
    where: Where, connection: sqlite3.Connection, *, time_limit: float = TIME_LIMIT
) -> Int64:
    """Return the keys of the answers that match a filter, ascending.

    Args:
        where: The filter.
        connection: A connection to the index's database.
        time_limit: Seconds that `where.sql` may take.

    Raises:
        BadInput: if `where.sql` isn't an expression, names an unknown column, reads anything but
            answers, writes, or takes too long.
    """
    values = {"question": where.question, "author": where.author}
    if where.sql is None:
        sql = f"SELECT key FROM answers WHERE {_equalities(where)} ORDER BY key"
        return int_array(connection.execute(sql, values).fetchall())
    names = [*_FIELDS, *meta_columns(connection)]
    view = _view(connection)
    guard = _Guard(connection, time_limit)
    try:
        with guard:
            # An expression can be an argument of a function; a second clause or statement can't.
            connection.execute(f"EXPLAIN SELECT coalesce(({where.sql}\n), 0) FROM {view}")
            sql = f"SELECT key FROM {view} WHERE {_equalities(where)} AND ({where.sql}\n)"
            return int_array(connection.execute(f"{sql} ORDER BY key", values).fetchall())
    except (sqlite3.Error, sqlite3.Warning) as error:
        if error_code(error) in _NOT_THE_EXPRESSION:
            raise
        raise _explained(error, where.sql, guard, names) from error


def _equalities(where: Where) -> str:
    """Return the SQL condition for the question and the author."""
    names = ("question", "author")
    parts = [f"{name} = :{name}" for name in names if getattr(where, name)]
    parts += [f"{name} IS NULL" for name in names if getattr(where, name) == ""]
    return " AND ".join(parts) or "1"


def _view(connection: sqlite3.Connection) -> str:
    """Return a sub-select with every column under the name that its file gave it.

    Columns are passed on as they are: an expression would lose their numeric affinity.
    """
    names = meta_columns(connection)
    taken = {name.lower() for name in _FIELDS} | {"key"}
    columns = [_quoted(name) for name in (*_FIELDS, *(f"meta:{name}" for name in names))]
    for name in names:
        if name.lower() not in taken:
            taken.add(name.lower())
            columns.append(f"{_quoted(f'meta:{name}')} AS {_quoted(name)}")
    return f"(SELECT key, {', '.join(columns)} FROM answers)"


def _explained(error: Exception, sql: str, guard: _Guard, names: Iterable[str]) -> BadInput:
    """Return the error to raise for what SQLite says about an expression."""
    message = str(error)
    if error_code(error) == sqlite3.SQLITE_INTERRUPT:
        return BadInput(
            Message(
                "`where`: {sql!r} took more than {seconds:.0f} s; use a simpler one",
                sql=sql,
                seconds=guard.time_limit,
            )
        )
    # SQLite has one code for all errors of an expression; only its message names the column.
    if missing := re.search(r"no such column: (.*)", message):
        return BadInput(
            Message(
                "`where`: no column {name!r}; there are {columns}; write texts in single quotes: "
                "author = 's07'",
                name=missing[1],
                columns=", ".join(names),
            )
        )
    if guard.has_denied:
        return BadInput(Message("`where`: {sql!r} may only read the answers", sql=sql))
    return BadInput(
        Message("`where`: {sql!r} is not one SQL expression ({reason})", sql=sql, reason=message)
    )


class _Guard:
    """While it is entered, the connection may only read answers, and for a limited time.

    Attributes:
        time_limit: In seconds.
        has_denied: Whether a statement wanted more.
    """

    def __init__(self, connection: sqlite3.Connection, time_limit: float) -> None:
        self.connection = connection
        self.time_limit = time_limit
        self.has_denied = False

    def __enter__(self) -> None:
        deadline = time.monotonic() + self.time_limit
        self.connection.set_authorizer(self._authorize)
        self.connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)

    def __exit__(self, *_: object) -> None:
        self.connection.set_authorizer(None)
        self.connection.set_progress_handler(None, 0)

    def _authorize(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        match action:
            case sqlite3.SQLITE_SELECT:
                is_allowed = True
            case sqlite3.SQLITE_READ:
                is_allowed = first in ("answers", "", None) or str(first).startswith("json_")
            case sqlite3.SQLITE_FUNCTION:
                is_allowed = str(second).lower() not in _FORBIDDEN_FUNCTIONS
            case _:
                is_allowed = False
        self.has_denied |= not is_allowed
        return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY

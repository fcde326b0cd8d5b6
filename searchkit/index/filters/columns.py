"""The virtual columns that let SQL see `meta`, and the rows that a filter sees."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterable

from searchkit.core.messages import Message
from searchkit.core.records import Answer

log = logging.getLogger("searchkit")
MAX_COLUMNS = 900  # SQLite takes 2,000 in a result, and a filter sees each by two names
FIELDS = ("id", "text", "question", "author", "submitted_at", "line")


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


def respell_quotes(connection: sqlite3.Connection) -> None:
    r"""Write `\u0022` for `"` in `meta`, and make the columns with `"` in their names again.

    Before format 3 it was `\"`, and filters found nothing in such columns.
    """
    names = [name for name in meta_columns(connection) if '"' in name]
    for name in names:
        connection.execute(f"ALTER TABLE answers DROP COLUMN {_quoted('meta:' + name)}")
    rows = connection.execute("SELECT key, meta FROM answers WHERE instr(meta, ?)", ['\\"'])
    connection.executemany(
        "UPDATE answers SET meta = ? WHERE key = ?",
        [(_without_quotes(meta), key) for key, meta in rows],
    )
    add_meta_columns(connection, [Answer("", "", meta=dict.fromkeys(names, ""))])


def visible_rows(connection: sqlite3.Connection) -> str:
    """Return a sub-select with every column under the name that its file gave it.

    Columns are passed on as they are: an expression would lose their numeric affinity.
    """
    names = meta_columns(connection)
    taken = {name.lower() for name in FIELDS} | {"key"}
    columns = [_quoted(name) for name in (*FIELDS, *(f"meta:{name}" for name in names))]
    for name in names:
        if name.lower() not in taken:
            taken.add(name.lower())
            columns.append(f"{_quoted(f'meta:{name}')} AS {_quoted(name)}")
    return f"(SELECT key, {', '.join(columns)} FROM answers)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def meta_json(answer: Answer) -> str:
    """Return the columns of an answer as they are stored."""
    return _without_quotes(json.dumps(dict(answer.meta), ensure_ascii=False, separators=(",", ":")))


def _json_path(name: str) -> str:
    """Return the SQL literal of the JSON path to a member, whatever its name."""
    path = '$."' + _without_quotes(json.dumps(name, ensure_ascii=False))[1:-1] + '"'
    return "'" + path.replace("'", "''") + "'"


def _without_quotes(text: str) -> str:
    r"""Return JSON in which `"` in a string is `\u0022`: in a path, SQLite doesn't know `\"`."""
    return re.sub(r"\\(.)", lambda m: "\\u0022" if m[1] == '"' else m[0], text)

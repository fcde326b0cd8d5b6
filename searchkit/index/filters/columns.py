"""The virtual columns that let SQL see the columns of answers, and the rows that a filter sees."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.text.numbers import parse_number

log = logging.getLogger("searchkit")
MAX_COLUMNS = 900  # SQLite takes 2,000 in a table, and a filter may see each by two names
_MAX_WRITTEN = 100  # of them written here
FIELDS = ("id", "text", "question", "author", "submitted_at", "line")
KEPT_FIELDS = ("attempt", "attempts", "language")  # unless a file has columns of these names
# Where the value of a virtual column stands, by the prefix of its name
_JSON = {"meta:": "ifnull(filter_values, meta)", "file:": "meta", "here:": "written"}
_PREFIX = re.compile("|".join(_JSON))
_SQL_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*")
_MAYBE_NUMBER = re.compile(r"[0-9¼½¾]")
_MAX_NUMBER = 40  # characters


def meta_columns(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the columns of answers, in the order in which they were added."""
    return [name[5:] for name in virtual_columns(connection) if name.startswith("meta:")]


def virtual_columns(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the virtual columns, in order.

    Each name of a column has one with `meta:` before it, which filters see by the name alone.
    Where the file's own value may differ from what filters see, because another was written here or
    because the number is spelt in another way than SQL's, `file:` and `here:` have both as written.
    """
    names = [row[1] for row in connection.execute("PRAGMA table_xinfo(answers)")]
    return [name for name in names if _PREFIX.match(name)]


def add_meta_columns(connection: sqlite3.Connection, answers: Iterable[Answer]) -> None:
    """Add virtual columns for new names; numbers in them compare as numbers."""
    known = virtual_columns(connection)
    lowered = {name.lower() for name in known}  # SQLite ignores case
    names = (name for answer in answers for name in _needed(answer) if name.lower() not in lowered)
    new = list({name.lower(): name for name in names}.values())
    for prefix in _JSON if new else ():
        count = sum(name.startswith(prefix) for name in known)
        room = (_MAX_WRITTEN if prefix == "here:" else MAX_COLUMNS) - count
        added = [name for name in new if name.startswith(prefix)]
        if prefix == "meta:" and len(added) > room:
            template = "`where` sees the first {count:,} columns only; all are kept"
            log.warning(Message(template, count=MAX_COLUMNS))
        add_virtual_columns(connection, added[: max(room, 0)])


def _needed(answer: Answer) -> Iterator[str]:
    """Yield the names of the virtual columns that show all columns of an answer."""
    for name, value in answer.meta.items():
        yield f"meta:{name}"
        if _number(value) is not None:
            yield f"file:{name}"
    for name in answer.written:
        yield from (f"meta:{name}", f"file:{name}", f"here:{name}")


def add_virtual_columns(
    connection: sqlite3.Connection, names: Iterable[str], sources: Mapping[str, str] = _JSON
) -> None:
    """Add the virtual columns with these names, each of which begins with a prefix.

    Args:
        connection: A writer's.
        names: New ones.
        sources: SQL of the JSON in which the values stand, by prefix.
    """
    for name in names:
        source, path = sources[name[:5]], _json_path(name[5:])
        connection.execute(
            f"ALTER TABLE answers ADD COLUMN {_quoted(name)} NUMERIC "
            f"GENERATED ALWAYS AS (json_extract({source}, {path})) VIRTUAL"
        )


def drop_virtual_columns(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Drop the virtual columns with these names."""
    for name in names:
        connection.execute(f"ALTER TABLE answers DROP COLUMN {_quoted(name)}")


def respell_quotes(connection: sqlite3.Connection) -> None:
    r"""Write `\u0022` for `"` in `meta`, and make the columns with `"` in their names again.

    Before format 3 it was `\"`, and filters found nothing in such columns.
    """
    names = [f"meta:{name}" for name in meta_columns(connection) if '"' in name]
    drop_virtual_columns(connection, names)
    rows = connection.execute("SELECT key, meta FROM answers WHERE instr(meta, ?)", ['\\"'])
    connection.executemany(
        "UPDATE answers SET meta = ? WHERE key = ?",
        [(_without_quotes(meta), key) for key, meta in rows],
    )
    add_virtual_columns(connection, names, {"meta:": "meta"})


def visible_rows(connection: sqlite3.Connection, sql: str) -> str:
    """Return a sub-select with every column under the name that its file gave it.

    Columns are passed on as they are: an expression would lose their numeric affinity.

    Args:
        connection: A connection to the index's database.
        sql: The expression; names with `meta:`, `file:` or `here:` are there if it has them.
    """
    present = [row[1] for row in connection.execute("PRAGMA table_xinfo(answers)")]
    virtual = {name.lower(): name for name in virtual_columns(connection)}
    names = meta_columns(connection)
    shown = {name.lower(): _quoted(name) for name in FIELDS}
    for name in names:
        shown.setdefault(name.lower(), _quoted(f"meta:{name}"))
    for name in KEPT_FIELDS:
        if name in present:  # since format 4, language since 6
            shown.setdefault(name, name)
    text = sql.lower()
    for prefix in _JSON if _PREFIX.search(text) else ():
        for name in names:
            alias = f"{prefix}{name}".lower()
            if _quoted(alias)[1:-1] in text:
                same = "NULL" if prefix == "here:" else _quoted(f"meta:{name}")
                shown[alias] = _quoted(virtual[alias]) if alias in virtual else same
    columns = [f"{column} AS {_quoted(name)}" for name, column in shown.items()]
    return f"(SELECT key, {', '.join(columns)} FROM answers)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def columns_json(columns: Mapping[str, str | float]) -> str:
    """Return columns as they are stored."""
    text = json.dumps(dict(columns), ensure_ascii=False, separators=(",", ":"))
    return _without_quotes(text)


def filter_json(answer: Answer) -> str | None:
    """Return what filters see of an answer's columns; None where that is what its file says.

    Columns written here win, and numbers are spelt as SQL spells them.
    """
    values = {name: (_number(value), value) for name, value in answer.columns.items()}
    if not answer.written and all(number is None for number, _ in values.values()):
        return None
    return columns_json(
        {name: value if number is None else number for name, (number, value) in values.items()}
    )


def _number(value: str) -> float | None:
    """Return the number that a text is, if SQL doesn't read it as a number by itself."""
    if len(value) > _MAX_NUMBER or not _MAYBE_NUMBER.search(value) or _SQL_NUMBER.fullmatch(value):
        return None
    return parse_number(value)


def _json_path(name: str) -> str:
    """Return the SQL literal of the JSON path to a member, whatever its name."""
    path = '$."' + _without_quotes(json.dumps(name, ensure_ascii=False))[1:-1] + '"'
    return "'" + path.replace("'", "''") + "'"


def _without_quotes(text: str) -> str:
    r"""Return JSON in which `"` in a string is `\u0022`: in a path, SQLite doesn't know `\"`."""
    return re.sub(r"\\(.)", lambda m: "\\u0022" if m[1] == '"' else m[0], text)

"""A checksum in every row over all its other columns, so that a changed byte is noticed.

Triggers of the writer's own connection keep the checksums: no statement can forget them, and a row
that another program changed is noticed, too.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterable, Sequence
from typing import Any

# The columns of each table that can be written, without the checksum; the first is the key.
COLUMNS = {
    "sources": ("key", "path"),
    "answers": (
        *("key", "id", "text", "question", "author", "submitted_at", "source", "line"),
        "meta",
    ),
    "vectors": ("key", "sha", "vector"),
    "passages": ("answer", "start", "end", "vector"),
    "removals": ("vector",),
    "checkpoints": ("n", "file", "sha256", "bytes", "count", "last_vector"),
    "model": ("fingerprint", "name", "dimension", "window"),
    "state": ("name",),
    "decisions": (
        *("n", "left", "right", "decision", "reason", "decided_at", "left_sha", "right_sha"),
    ),
    "revision": ("n", "commits"),
    "next_model": ("fingerprint", "name", "dimension", "window"),
    "next_vectors": ("key", "sha", "vector"),
    "next_passages": ("answer", "start", "end", "vector"),
}
NEXT_TABLES = ("next_model", "next_vectors", "next_passages")  # of an unfinished reindex
_KEY_COLUMNS = {"passages": ("answer", "start"), "next_passages": ("answer", "start")}


class _Text(bytes):
    """A text as it stands in the database, which may not be UTF-8."""


def row_checksum(*values: object) -> bytes:
    """Return 3 bytes of BLAKE2b over the values of a row, each with its type and its length.

    One change in 16 million stays unnoticed. A longer checksum would let four vectors of 384
    numbers stand on a page where five do, and the database would grow by a fifth.

    Args:
        values: None, integers, floats, texts and bytes.
    """
    parts = []
    for value in values:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, int):
            parts.append(b"i%d;" % value)
        elif isinstance(value, float):
            parts.append(b"f" + struct.pack(">d", value))
        else:
            kind = b"t" if isinstance(value, str | _Text) else b"b"
            data = value.encode() if isinstance(value, str) else bytes(value)  # type: ignore[call-overload]
            parts.append(kind + b"%d;" % len(data) + data)
    return hashlib.blake2b(b"".join(parts), digest_size=3).digest()


def keep_checksums(connection: sqlite3.Connection, tables: Iterable[str] | None = None) -> None:
    """Let every row that this connection writes carry its checksum.

    Args:
        connection: A writer's.
        tables: Tables that have a column `checksum`; None for all that exist.
    """
    register(connection)
    for table in existing_tables(connection) if tables is None else tables:
        of_new_row = ", ".join(f'new."{name}"' for name in COLUMNS[table])
        is_new_row = " AND ".join(f'"{name}" = new."{name}"' for name in key_columns(table))
        columns = ", ".join(f'"{name}"' for name in COLUMNS[table])
        for event in ("INSERT", f"UPDATE OF {columns}"):
            connection.execute(
                f"CREATE TEMP TRIGGER checksum_{table}_{event[:6]} AFTER {event} ON main.{table} "
                f"BEGIN UPDATE {table} SET checksum = row_checksum({of_new_row}) "
                f"WHERE {is_new_row}; END"
            )


def register(connection: sqlite3.Connection) -> None:
    """Make the SQL function `row_checksum` known to a connection."""
    connection.create_function("row_checksum", -1, row_checksum, deterministic=True)


def existing_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the tables whose rows have a checksum; none in formats 1 and 2."""
    sql = (
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name = 'checksum'"
    )
    return [name for (name,) in connection.execute(sql) if name in COLUMNS]


def key_columns(table: str) -> Sequence[str]:
    """Return the columns that identify a row."""
    return _KEY_COLUMNS.get(table, COLUMNS[table][:1])


def add_checksums(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Add the column to tables, and the checksum to their rows as they are now."""
    register(connection)
    for table in tables:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN checksum BLOB")
        seal(connection, table)


def seal(connection: sqlite3.Connection, table: str) -> None:
    """Accept the rows of a table as they are: write the checksum of each."""
    columns = ", ".join(f'"{name}"' for name in COLUMNS[table])
    connection.execute(f"UPDATE {table} SET checksum = row_checksum({columns})")


def damaged_rows(
    connection: sqlite3.Connection, table: str, condition: str = "1", values: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """Return the keys of the rows whose checksum is not that of their columns.

    Args:
        connection: Any connection; nothing is written.
        table: One of `existing_tables`.
        condition: SQL that chooses rows to check.
        values: The parameters of the condition.
    """
    names = COLUMNS[table]
    columns = ", ".join(f'"{name}"' for name in names)
    positions = [names.index(name) for name in key_columns(table)]
    factory, connection.text_factory = connection.text_factory, _Text
    try:
        rows = connection.execute(
            f"SELECT checksum, {columns} FROM {table} WHERE {condition}", values
        )
        return [
            tuple(row[1 + position] for position in positions)
            for row in rows
            if row_checksum(*row[1:]) != row[0]
        ]
    finally:
        connection.text_factory = factory

"""A checksum in every row over all its other columns, so that a changed byte is noticed.

Triggers of the writer's own connection keep the checksums: no statement can forget them, and a row
that another program changed is noticed, too.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# The columns of each table that can be written, without the checksum; the first is the key.
COLUMNS = {
    table: tuple(columns.split())
    for table, columns in {
        "sources": "key path",
        "answers": "key id text question author submitted_at source line meta "
        "written original author_key filter_values attempt attempts language",
        "vectors": "key sha vector",
        "passages": "answer start end vector",
        "removals": "vector",
        "checkpoints": "n file sha256 bytes count last_vector",
        "model": "fingerprint name dimension window",
        "state": "name",
        "decisions": "n left right decision reason decided_at left_sha right_sha",
        "revision": "n commits",
        "grading_settings": "n question settings",
        "grading_changes": "n question changed_by changed_at what old_settings new_settings "
        "reverts state",
        "grading_cells": "change answer name old_value new_value",
    }.items()
}
ANSWERS_3 = COLUMNS["answers"][:9]  # in format 3
ANSWERS_4 = COLUMNS["answers"][:15]  # in formats 4 and 5
COLUMNS |= {f"next_{table}": COLUMNS[table] for table in ("model", "vectors", "passages")}
NEXT_TABLES = [table for table in COLUMNS if table.startswith("next_")]  # of an unfinished reindex
_KEY_COLUMNS = {
    "passages": ("answer", "start"),
    "next_passages": ("answer", "start"),
    "grading_cells": ("change", "answer", "name"),
}

_HASHED_ROWS = 10_000  # that are read together


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
        elif isinstance(value, _Text):
            parts.append(b"t%d;%b" % (len(value), value))
        elif isinstance(value, str):
            data = value.encode()
            parts.append(b"t%d;%b" % (len(data), data))
        elif isinstance(value, bytes):
            parts.append(b"b%d;%b" % (len(value), value))
        elif isinstance(value, int):
            parts.append(b"i%d;" % value)
        else:
            parts.append(b"f%b" % struct.pack(">d", value))
    return hashlib.blake2b(b"".join(parts), digest_size=3).digest()


def keep_checksums(connection: sqlite3.Connection, tables: Iterable[str] | None = None) -> None:
    """Let every row that this connection writes carry its checksum.

    Args:
        connection: A writer's.
        tables: Tables that have a column `checksum`; None for all that exist.
    """
    connection.create_function("row_checksum", -1, row_checksum, deterministic=True)
    for table in existing_tables(connection) if tables is None else tables:
        of_new_row = ", ".join(f'new."{name}"' for name in COLUMNS[table])
        is_new_row = " AND ".join(f'"{name}" = new."{name}"' for name in key_columns(table))
        for event in ("INSERT", f"UPDATE OF {_list(COLUMNS[table])}"):
            connection.execute(
                f"CREATE TEMP TRIGGER checksum_{table}_{event[:6]} AFTER {event} ON main.{table} "
                f"BEGIN UPDATE {table} SET checksum = row_checksum({of_new_row}) "
                f"WHERE {is_new_row}; END"
            )


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
    """Add the column to tables of format 2, and the checksum to their rows as they are now."""
    for table in tables:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN checksum BLOB")
        seal(connection, table, ANSWERS_3 if table == "answers" else COLUMNS[table])


def seal(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> None:
    """Accept the rows of a table as they are: write the checksum of each over these columns.

    A row with a text that isn't UTF-8 gets none, and so counts as damaged.
    """
    row_id = key_columns(table) if table in _KEY_COLUMNS else ("rowid",)
    with _raw_texts(connection):
        rows = connection.execute(f"SELECT {_list(row_id)}, {_list(names)} FROM {table}")
        n = len(row_id)
        sealed = [(row_checksum(*row[n:]), *row[:n]) for row in rows if _is_utf8(row[n:])]
    condition = " AND ".join(f'"{name}" = ?' for name in row_id)
    connection.executemany(f"UPDATE {table} SET checksum = ? WHERE {condition}", sealed)


def _is_utf8(values: Iterable[object]) -> bool:
    try:
        for value in values:
            if isinstance(value, _Text):
                value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@contextmanager
def _raw_texts(connection: sqlite3.Connection) -> Iterator[None]:
    """Let a connection return texts as they stand there, whether they are UTF-8 or not."""
    factory, connection.text_factory = connection.text_factory, _Text
    try:
        yield
    finally:
        connection.text_factory = factory


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
    names = _columns_of(connection, table)
    positions = [names.index(name) for name in key_columns(table)]
    with _raw_texts(connection):
        sql = f"SELECT checksum, {_list(names)} FROM {table} WHERE {condition}"
        return [
            tuple(_shown(row[1 + position]) for position in positions)
            for row in connection.execute(sql, values)
            if row_checksum(*row[1:]) != row[0]
        ]


def _columns_of(connection: sqlite3.Connection, table: str) -> Sequence[str]:
    """Return the columns under a table's checksums, which are fewer in format 3."""
    if table != "answers":
        return COLUMNS[table]
    present = {row[1] for row in connection.execute("PRAGMA table_info(answers)")}
    return [name for name in COLUMNS[table] if name in present]


def _shown(value: object) -> object:
    """Return a key as it is shown and compared: a text, or bytes, as far as it is UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def hash_checksums(connection: sqlite3.Connection) -> bytes | None:
    """Return a hash of the checksums of all answers, the revision and the model.

    None in formats 1 and 2, which have no checksums.
    """
    keys = {"answers": "key", "sources": "key", "revision": "n", "model": "fingerprint"}
    if not set(keys) <= set(existing_tables(connection)):
        return None
    digest = hashlib.sha256()
    for table, key in keys.items():
        checksum = "n" if table == "revision" else "checksum"
        _add_rows(digest, connection.execute(f"SELECT {key}, {checksum} FROM {table} ORDER BY 1"))
    return digest.digest()


def hash_texts(connection: sqlite3.Connection, after: int) -> bytes:
    """Return a hash of the texts whose vectors have keys above `after`, and of the model."""
    digest = hashlib.sha256()
    _add_rows(digest, connection.execute("SELECT fingerprint FROM model"))
    sql = "SELECT sha FROM vectors WHERE key > ? ORDER BY key"
    _add_rows(digest, connection.execute(sql, [after]))
    return digest.digest()


def _add_rows(digest: hashlib._Hash, cursor: sqlite3.Cursor) -> None:
    """Add all rows, never many of them in memory."""
    while rows := cursor.fetchmany(_HASHED_ROWS):
        digest.update(repr(rows).encode())

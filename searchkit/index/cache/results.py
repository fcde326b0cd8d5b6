"""The table of results: what was computed, by a key of everything it depends on.

A result of all answers belongs to one revision of them, and is deleted with it. One of the vectors'
file, which holds nothing of a text, stays when answers change, until newer results need its place.
"""

from __future__ import annotations

import hashlib
from sqlite3 import Connection

CREATE = """CREATE TABLE results (
    n INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    revision INTEGER, -- NULL: of the vectors' file
    value BLOB NOT NULL,
    checksum BLOB NOT NULL
)"""
MAX_RESULTS = 50  # the latest ones are kept
_CHECKSUM_BYTES = 16


def read_result(connection: Connection, key: bytes) -> bytes | None:
    """Return the result with a key; None if there is none, or it is damaged."""
    sql = "SELECT key, value, checksum FROM results WHERE key = ?"
    row = connection.execute(sql, [key]).fetchone()
    return row[1] if row and _is_sound(*row) else None


def write_result(connection: Connection, key: bytes, value: bytes, revision: int | None) -> None:
    """Add or replace a result, and delete the oldest; part of a transaction.

    Args:
        connection: To the file.
        key: A hash of everything that it depends on.
        value: The result.
        revision: Of the answers; None for a result of the vectors' file.
    """
    connection.execute(
        "INSERT OR REPLACE INTO results(key, revision, value, checksum) VALUES (?, ?, ?, ?)",
        [key, revision, value, _checksum(key, value)],
    )
    oldest = "SELECT n FROM results ORDER BY n DESC LIMIT -1 OFFSET ?"
    connection.execute(f"DELETE FROM results WHERE n IN ({oldest})", [MAX_RESULTS])


def delete_results(connection: Connection) -> None:
    """Delete all results; part of a transaction."""
    connection.execute("DELETE FROM results")


def delete_results_of_answers(connection: Connection) -> None:
    """Delete all results that belong to a revision of the answers; part of a transaction."""
    connection.execute("DELETE FROM results WHERE revision IS NOT NULL")


def bad_results(connection: Connection, revision: int) -> tuple[int, int]:
    """Return how many results are damaged, and how many are of another revision."""
    damaged = others = 0
    for key, value, checksum, its in connection.execute(
        "SELECT key, value, checksum, revision FROM results"
    ):
        damaged += not _is_sound(key, value, checksum)
        others += its not in (None, revision)
    return damaged, others


def _checksum(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(key + value, digest_size=_CHECKSUM_BYTES).digest()


def _is_sound(key: object, value: object, checksum: object) -> bool:
    """Whether a row is what was written."""
    are_bytes = isinstance(key, bytes) and isinstance(value, bytes)
    return are_bytes and checksum == _checksum(key, value)  # type: ignore[arg-type]

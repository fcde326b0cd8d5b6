"""Connections to the SQLite database of an index, and its errors in words."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from searchkit.core.errors import BadInput, IndexBusy, IndexDamaged, StorageFailed

# sqlite-utils imports pandas where it is installed, which costs 0.3 s of every query and is not
# needed here. While it is imported, pandas cannot be found. Import both names from this file only.
_hidden = "pandas" not in sys.modules
if _hidden:
    sys.modules["pandas"] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
finally:
    if _hidden:
        del sys.modules["pandas"]


__all__ = [
    "BUSY",
    "Database",
    "Migrations",
    "connect",
    "connect_reader",
    "translated_error",
]

BUSY = 1_000  # milliseconds that a connection waits for another


def connect(uri: str) -> sqlite3.Connection:
    """Open a connection in autocommit mode."""
    try:
        # check_same_thread: a served index is used by one thread after another, never by two.
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY / 1000, isolation_level=None, check_same_thread=False
        )
    except sqlite3.OperationalError as error:
        raise StorageFailed(f"{uri}: {error}") from error


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open read-only; in a folder that can't be written, WAL needs SQLite's `immutable`."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = connect(uri)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            return connection  # the log holds commits: leave SQLite's own error to the caller
        connection.close()
        return connect(uri + "&immutable=1")
    except sqlite3.DatabaseError:
        pass  # damaged: named when it is used
    return connection


def translated_error(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """Return the error of ours that an error of SQLite means, with what mends it."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return IndexBusy(f"{path}: in use ({said}); try again in a moment")
    if "interrupted" in said:
        return BadInput("--where took too long; use a simpler expression")
    if "full" in said:
        return StorageFailed(f"{path}: the disk is full; nothing of this step was kept")
    if "readonly" in said or "unable to open" in said or "disk I/O" in said:
        return StorageFailed(f"{path}: {said}; check the folder's permissions and the disk")
    return IndexDamaged(
        f"{path}: damaged ({said}); nothing was changed; restore a copy, or ingest into a new index"
    )

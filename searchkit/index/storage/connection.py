"""Connections to an index's SQLite database, its transactions and its errors."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searchkit.core.arrays import Int64
from searchkit.core.errors import (
    BadInput,
    IndexBusy,
    IndexDamaged,
    IndexNotFound,
    StorageFailed,
    first_line,
)
from searchkit.core.messages import Message
from searchkit.index.filters.expression import connect_unlocked
from searchkit.index.filters.matching import has_log
from searchkit.index.storage.lock import missing_locks

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_TIMEOUT = 1_000  # milliseconds that a connection waits for another one
# check_same_thread: a served index is used by one thread after another, never by two.
_OPTIONS: dict[str, Any] = {
    "timeout": BUSY_TIMEOUT / 1000,
    "isolation_level": None,
    "check_same_thread": False,
}
# Results of SQLite where the file system has no locks, which SQLite takes for locks of others.
_LOCK_ERRORS = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
)
# Python raises the second where SQLite's message quotes a damaged statement of the schema.
SQLITE_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
_MAX_PARAMETERS = 30_000  # of one statement; SQLite takes 32,766


class SqliteDatabase:
    """A SQLite database whose errors are raised as searchkit's."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self.connection = connection
        self._watch: ChangeWatch | None = None

    @cached_property
    def db(self) -> Database:
        """The connection for sqlite-utils, which takes 40 ms to import: for writers only."""
        with _hidden_pandas():
            from sqlite_utils import Database
        return Database(self.connection, execute_plugins=False)

    def close(self) -> None:
        """Close the connection; closing it twice is harmless."""
        self.connection.close()
        if self._watch is not None:
            self._watch.close()

    def watch(self) -> None:
        """Notice from now on what others commit; for a reader, before its snapshot begins."""
        self._watch = ChangeWatch(self.path)

    def is_newest(self) -> bool:
        """Whether a process that opens the database now sees what this connection sees."""
        if self._watch is not None:
            return not self._watch.has_changed()
        is_file = bool(self.rows("PRAGMA database_list")[0][2])
        return is_file and not self.connection.in_transaction

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn SQLite's errors into searchkit's."""
        try:
            yield
        except SQLITE_ERRORS as error:
            raise translated_error(error, self.path) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything that the block writes, or nothing; an inner block joins the outer."""
        with self.translated():
            if self.connection.in_transaction:  # a savepoint would copy each page that changes
                yield
                return
            # Without IMMEDIATE, SQLite doesn't wait for a reader that recovers the log of a writer
            # that was killed.
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                self.connection.rollback()  # nothing, if the error has ended the transaction
                raise

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """Run a statement and return all its rows."""
        with self.translated():
            return self.connection.execute(sql, parameters).fetchall()

    def rows_in(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement with `IN ({})` for any number of values, and return all rows."""
        rows = []
        for start in range(0, len(values), _MAX_PARAMETERS):
            chunk = values[start : start + _MAX_PARAMETERS]
            rows += self.rows(sql.format(",".join("?" * len(chunk))), chunk)
        return rows

    def pragma(self, name: str) -> int:
        """Return the number that a PRAGMA has."""
        return int(self.rows(f"PRAGMA {name}")[0][0])

    def flush_log(self, *, wait: bool = True) -> bool:
        """Move the write-ahead log into the database; return False if a reader prevents it.

        Args:
            wait: Whether to give readers a second to finish.
        """
        with self.translated():
            self.connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT if wait else 0}")
            busy, _, _ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self.connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        return not busy


@contextmanager
def _hidden_pandas() -> Iterator[None]:
    """Let sqlite-utils be imported without pandas.

    It imports pandas wherever that is installed, which takes 0.3 s, and nothing here needs it. A
    None in `sys.modules` makes `import pandas` fail for the moment, and sqlite-utils then does
    without.
    """
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["pandas"]


class ChangeWatch:
    """Tells whether a database has changed, without holding a state of it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect_reader(path)
        self._inode = path.stat().st_ino
        self._first = self.version()

    def has_changed(self) -> bool:
        """Whether the database has changed since the watch began."""
        return self.version() != self._first

    def version(self) -> tuple[int, int]:
        """Return two numbers that differ from earlier ones whenever the database has changed.

        Raises:
            IndexNotFound: if the database does not exist any more.
            StorageFailed: if it can't be read.
        """
        folder = self._path.parent
        try:
            inode = self._path.stat().st_ino
            if inode != self._inode:  # the folder was made anew
                connection = connect_reader(self._path)
                self.close()
                self._connection, self._inode = connection, inode
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            return inode, int(version)
        except FileNotFoundError:
            raise IndexNotFound(f"{folder}: the index isn't there any more") from None
        except (OSError, sqlite3.Error) as error:
            raise StorageFailed(f"{folder}: can't be read ({error})") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def connect(uri: str) -> sqlite3.Connection:
    """Open a connection in autocommit mode."""
    try:
        connection: sqlite3.Connection = sqlite3.connect(uri, uri=True, **_OPTIONS)
    except sqlite3.OperationalError as error:
        raise StorageFailed(f"{uri}: {error}") from error
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open read-only; also where SQLite can't create its `-shm` file: in a read-only folder."""
    uri = path.absolute().as_uri()
    connection = connect(uri + "?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except SQLITE_ERRORS as error:
        # Everything else, such as damage, is met by the first statement that needs the data.
        if error_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            connection.close()
            return connect_unlocked(uri, has_log(path), **_OPTIONS)
    return connection


def error_code(error: Exception) -> int:
    """Return SQLite's primary result code; 0 if the error came from Python's module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits hold the details


def translated_error(error: Exception, path: Path) -> Exception:
    """Return the searchkit error for an error of SQLite, with what mends it.

    That of a calling program, such as one that uses an index after closing it, is a ValueError.
    """
    message = first_line(error)
    if isinstance(error, sqlite3.ProgrammingError):  # such as of a closed database
        return ValueError(f"{path.parent}: {message}")
    code = error_code(error)
    if code in _LOCK_ERRORS and (without_locks := missing_locks(path.parent)):
        return without_locks
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return IndexBusy(f"{path}: in use ({message}); try again in a moment")
        case sqlite3.SQLITE_INTERRUPT:
            return BadInput(Message("`where` took too long; use a simpler expression"))
        case sqlite3.SQLITE_FULL:
            return StorageFailed(f"{path}: the disk is full; nothing of this step was kept")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return StorageFailed(f"{path}: {message}; check the folder's permissions and the disk")
    return IndexDamaged(
        f"{path}: damaged ({message}); nothing was changed; "
        "restore a copy, or ingest into a new index"
    )


def int_array(rows: Sequence[tuple[int]]) -> Int64:
    """Return the numbers of rows that have one column."""
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))

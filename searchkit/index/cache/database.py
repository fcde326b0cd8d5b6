"""The file `cache.db` of an index: a small SQLite database that nothing depends on.

Readers write to it, too. Several processes take turns by SQLite's own locks, and each transaction
is short. Where the file is in use, damaged or not writable, its caller goes on without it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from searchkit.index.cache import results, sentences
from searchkit.index.storage.connection import SQLITE_ERRORS, error_code
from searchkit.index.storage.store import AnswerStore

log = logging.getLogger("searchkit")
FILE_NAME = "cache.db"
VERSION = 3  # PRAGMA user_version; a file of another version is made anew
APPLICATION_ID = 0x5352_4B43  # PRAGMA application_id: "SRKC"
_TABLES = (
    # Of which model the vectors are, and the revision of the answers that all rows belong to
    "CREATE TABLE state (fingerprint TEXT NOT NULL, revision INTEGER NOT NULL)",
    sentences.CREATE,
    results.CREATE,
)
# check_same_thread: a served index is used by one thread after another, never by two.
_OPTIONS: dict[str, Any] = {
    "timeout": 1,  # seconds that a connection waits for another one
    "isolation_level": None,
    "check_same_thread": False,
}
_NO_DAMAGE = (  # results of SQLite that say nothing about what is in the file
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_PERM,
)


class Unusable(Exception):
    """The file can't be used now; the message says why."""


class Absent(Unusable):
    """There is no file, or its creation was killed."""


class CacheDatabase:
    """The database beside an index's own; opened when it is first needed.

    Attributes:
        path: The file.
    """

    def __init__(self, folder: Path, store: AnswerStore) -> None:
        self.path = folder / FILE_NAME
        self._store = store
        self._connection: sqlite3.Connection | None = None
        self._opened: int | None = None  # the inode of the connection's file

    def exists(self) -> bool:
        """Whether there is a file; it may be damaged, or of another model."""
        return self.path.exists()

    def close(self) -> None:
        """Close the connection; closing it twice is harmless."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def remove(self) -> None:
        """Delete the file, and what SQLite keeps beside it."""
        self.close()
        for suffix in ("", "-journal"):
            with suppress(OSError):
                self.path.with_name(FILE_NAME + suffix).unlink()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to a file of the index's model.

        Raises:
            Absent: if there is none.
            Unusable: if it can't be read.
        """
        with self._handling():
            connection = self._connected()
            if _is_blank(connection):
                raise Absent
            if reason := self._mismatch(connection):
                raise Unusable(f"{self.path}: {reason}")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction, to a file that is made if there is none.

        Raises:
            Unusable: if it can't be written now; nothing was changed.
        """
        with self._handling():
            connection = self._connected(create=True)
            connection.execute("BEGIN IMMEDIATE")
            try:
                if _is_blank(connection) or self._mismatch(connection):
                    self._make_anew(connection)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def vacuum(self) -> None:
        """Write the file anew, so that none of its pages holds what was deleted.

        Raises:
            Unusable: if another process uses it.
        """
        with self._handling():
            self._connected().execute("VACUUM")

    def _connected(self, *, create: bool = False) -> sqlite3.Connection:
        """Return the connection to the file that has the name now.

        Raises:
            Absent: if there is none, and none is to be created.
        """
        if self._connection is not None and self._inode() != self._opened:
            self.close()
        if self._connection is None:
            if not create and not self.exists():
                raise Absent
            uri = f"{self.path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
            self._connection = sqlite3.connect(uri, uri=True, **_OPTIONS)
            self._opened = self._inode()
            # No write-ahead log, so that a reader needs no second file, and none has deleted data.
            self._connection.execute("PRAGMA secure_delete = ON")
        return self._connection

    def _inode(self) -> int | None:
        try:
            return self.path.stat().st_ino
        except OSError:
            return None

    def _mismatch(self, connection: sqlite3.Connection) -> str | None:
        """Return why the rows can't be used: another version or another model; else None.

        Raises:
            Unusable: if it is another program's database, which is left alone.
        """
        if _pragma(connection, "application_id") != APPLICATION_ID:
            raise Unusable(f"{self.path}: not a cache of searchkit")
        if _pragma(connection, "user_version") != VERSION:
            return "of another version of searchkit"
        rows = connection.execute("SELECT fingerprint FROM state").fetchall()
        is_ours = rows == [(self._store.model().fingerprint,)]
        return None if is_ours else "of another model"

    def _make_anew(self, connection: sqlite3.Connection) -> None:
        """Replace all tables by empty ones; part of a transaction."""
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        for (name,) in connection.execute(tables).fetchall():
            connection.execute(f'DROP TABLE "{name}"')
        for statement in _TABLES:
            connection.execute(statement)
        state = [self._store.model().fingerprint, self._store.revision()]
        connection.execute("INSERT INTO state VALUES (?, ?)", state)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _handling(self) -> Iterator[None]:
        """Turn SQLite's errors into `Unusable`; a damaged file is deleted."""
        try:
            yield
        except SQLITE_ERRORS as error:
            if error_code(error) in _NO_DAMAGE:
                raise Unusable(f"{self.path}: {error}") from error
            log.warning("%s: damaged (%s); what it held is computed again", self.path, error)
            self.remove()
            raise Unusable(f"{self.path}: damaged ({error})") from error


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nothing was written yet."""
    return _pragma(connection, "schema_version") == 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

"""The database of an index: opened, in transactions, with its model and its counters."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from sqlite3 import Connection
from typing import Self

from searchkit.core.errors import IndexDamaged
from searchkit.index.records import Model
from searchkit.index.storage.checksums import keep_checksums
from searchkit.index.storage.commits import CommitRecord
from searchkit.index.storage.connection import SqliteDatabase, connect, connect_reader
from searchkit.index.storage.fulltext import FullText
from searchkit.index.storage.schema import FORMAT, check_format, migrate

log = logging.getLogger("searchkit")


class IndexDatabase(SqliteDatabase):
    """The database of an index. Open it with `create`, `read` or `write`, and close it.

    Attributes:
        path: The database's file.
        fulltext: The full-text index of the answers.
        lost_commits: How many acknowledged commits the database didn't have when it was opened.
    """

    def __init__(
        self, connection: Connection, path: Path, record: CommitRecord | None = None
    ) -> None:
        super().__init__(connection, path)
        self.fulltext = FullText(self)
        self.lost_commits = 0
        self._record = record  # None for a database in memory

    # -- opening ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, model: Model) -> Self:
        """Create a database, in one transaction."""
        record = CommitRecord(path.parent)
        record.remove()  # that of an earlier index
        store = cls(connect(f"{path.absolute().as_uri()}?mode=rwc"), path, record)
        with store.translated():
            store._prepare_writing()
            record.write(0)  # first, so that no index is without it
            with SqliteDatabase.transaction(store):  # it counts no commit yet
                migrate(store)
                keep_checksums(store.connection)
                store.db.table("model").insert(asdict(model), pk="fingerprint")
        return store

    @classmethod
    def write(cls, path: Path) -> Self:
        """Open for writing, and migrate an older format; the caller holds the lock."""
        record = CommitRecord(path.parent)
        acknowledged = record.read()
        store = cls(connect(f"{path.absolute().as_uri()}?mode=rw"), path, record)
        with store.translated():
            check_format(store)
            store._prepare_writing()
            if store.format() < FORMAT:
                record.write(0)
                with SqliteDatabase.transaction(store):
                    migrate(store)
            keep_checksums(store.connection)
        store._check_commits(acknowledged, write=True)
        return store

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open for reading; the store shows the present state for as long as it is open."""
        acknowledged = CommitRecord(path.parent).read()  # before the snapshot, which may be newer
        store = cls(connect_reader(path), path)
        with store.translated():
            check_format(store)
            store.watch()
            store.connection.execute("BEGIN")
            # Here the snapshot begins.
            store.connection.execute("SELECT count(*) FROM model").fetchone()
        store._check_commits(acknowledged, write=False)
        return store

    def _prepare_writing(self) -> None:
        self.connection.execute("PRAGMA journal_mode = WAL")
        # FULL: an acknowledged commit survives a loss of power.
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("PRAGMA secure_delete = ON")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA cache_size = -65536")

    # -- model and counters -----------------------------------------------------------------------

    def model(self) -> Model:
        """Return the model that the vectors were made with."""
        rows = self.rows(
            "SELECT CAST(fingerprint AS TEXT), CAST(name AS TEXT), CAST(dimension AS INTEGER), "
            "CAST(window AS INTEGER) FROM model"  # a damaged value has any type
        )
        if len(rows) != 1:
            raise IndexDamaged(
                f"{self.path}: {len(rows)} models where 1 is needed; "
                "restore a copy, or ingest into a new index"
            )
        return Model(*rows[0])

    def format(self) -> int:
        """Return the number of the database's format."""
        return self.pragma("user_version")

    def revision(self) -> int:
        """Return the number that grows whenever answers, passages or vectors change.

        It is 0 in format 1, which has none, and does not grow when `update_columns` is called.
        """
        return self._counter("n") if self.format() > 1 else 0

    def commits(self) -> int:
        """Return the number of transactions that changed anything; 0 in formats 1 and 2."""
        return self._counter("commits") if self.format() > 2 else 0

    def _counter(self, name: str) -> int:
        """Return a number of the table `revision`, whose row may be damaged or missing."""
        sql = f"SELECT coalesce(max(CAST({name} AS INTEGER)), 0) FROM revision"
        return int(self.rows(sql)[0][0])

    def bump_revision(self) -> None:
        """Record that answers, passages or vectors change; part of a transaction."""
        self.connection.execute("UPDATE revision SET n = n + 1")

    # -- transactions ----------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything that the block writes, or nothing, and record that it is committed."""
        is_outer = not self.connection.in_transaction
        with super().transaction():
            yield
            if is_outer:
                self.connection.execute("UPDATE revision SET commits = commits + 1")
        if is_outer and self._record:
            self._record.write(self.commits())

    def _check_commits(self, acknowledged: int | None, *, write: bool) -> None:
        """Say so if the database is older than its last acknowledged commit.

        A writer also records it, because its own commits would hide it; see `accept_loss`.
        """
        self.lost_commits = max((acknowledged or 0) - self.commits(), 0)
        if not self.lost_commits:
            return
        log.warning(
            "%s: the last %s changes are lost (its write-ahead log was damaged, or an older copy "
            "was put here); ingest the latest files again, then run: searchkit rebuild",
            self.path,
            self.lost_commits,
        )
        if write:
            with self.transaction():
                self.connection.execute("INSERT OR IGNORE INTO state(name) VALUES ('lost')")
                self.connection.execute("UPDATE revision SET commits = ?", [acknowledged])

    def has_lost_commits(self) -> bool:
        """Whether acknowledged commits were lost, and nobody has accepted it yet."""
        return self.lost_commits > 0 or bool(self.rows("SELECT 1 FROM state WHERE name = 'lost'"))

    def record_is_damaged(self) -> bool:
        """Whether the number of the last acknowledged commit can't be read."""
        return self.format() > 2 and CommitRecord(self.path.parent).read() is None

    def accept_loss(self) -> None:
        """Go on without the commits that were lost."""
        with self.transaction():
            self.connection.execute("DELETE FROM state WHERE name = 'lost'")
        self.lost_commits = 0

    # -- erasing what was deleted ----------------------------------------------------------------

    def require_erasure(self) -> None:
        """Record that deleted data is still in the files; part of a transaction."""
        self.connection.execute("INSERT OR IGNORE INTO state(name) VALUES ('forget')")

    def needs_erasure(self) -> bool:
        """Whether deleted data is still in the files, because a writer was killed."""
        return bool(self.rows("SELECT 1 FROM state WHERE name = 'forget'"))

    def erase_deleted(self) -> None:
        """Write the database anew, so that none of its pages holds deleted data."""
        self.fulltext.merge()
        with self.translated():
            self.connection.execute("VACUUM")

    def finish_erasure(self) -> None:
        """Record that no file holds deleted data."""
        with self.transaction():
            self.connection.execute("DELETE FROM state WHERE name = 'forget'")

"""Which FAISS file holds the vectors up to a key, and what was deleted since."""

from __future__ import annotations

import hashlib
import re
from dataclasses import astuple, dataclass

from searchkit.core.arrays import Int64
from searchkit.index.storage.checksums import damaged_rows, existing_tables, hash_texts
from searchkit.index.storage.connection import SqliteDatabase, int_array

FILE_NAME = re.compile(r"vectors-\d+\.faiss(\.tmp)?")
_MIN_TAIL = 10_000  # rows outside a checkpoint below which a new one never pays


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A FAISS file with the vectors up to a key.

    Attributes:
        file: The file's name.
        sha256: Of the file, as hexadecimal digits.
        bytes: The file's size.
        count: Number of vectors in it.
        last_vector: The greatest key in it.
    """

    file: str
    sha256: str
    bytes: int
    count: int
    last_vector: int


class CheckpointTable:
    """The tables `checkpoints`, whose last row names the current file, and `removals`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def current(self) -> Checkpoint | None:
        """Return the current checkpoint; None if there is none, or if its row is damaged."""
        if self._is_damaged("checkpoints"):
            return None
        columns = "file, sha256, bytes, count, last_vector"
        rows = self._database.rows(f"SELECT {columns} FROM checkpoints ORDER BY n DESC LIMIT 1")
        # Format 2 has no checksums, and a file of another name is none of ours.
        return Checkpoint(*rows[0]) if rows and FILE_NAME.fullmatch(rows[0][0]) else None

    def removals(self) -> Int64:
        """Return the keys of vectors that are in the checkpoint but deleted from the table."""
        return int_array(self._database.rows("SELECT vector FROM removals ORDER BY vector"))

    def removals_are_damaged(self) -> bool:
        """Whether some of them aren't what was written."""
        return self._is_damaged("removals")

    def _is_damaged(self, table: str) -> bool:
        connection = self._database.connection
        with self._database.translated():
            return table in existing_tables(connection) and bool(damaged_rows(connection, table))

    def vectors_key(self) -> bytes:
        """Return what differs whenever a vector or the model does.

        The file's vectors are in it by the file's SHA-256, the others by the hashes of their texts.
        """
        current = self.current()
        with self._database.translated():
            texts = hash_texts(self._database.connection, current.last_vector if current else 0)
        parts = (current and current.sha256, self.removals().tolist(), texts)
        return hashlib.sha256(repr(parts).encode()).digest()

    def tail_length(self) -> int:
        """Return the number of vectors that were added after the checkpoint."""
        current = self.current()
        last = current.last_vector if current else 0
        (row,) = self._database.rows("SELECT count(*) FROM vectors WHERE key > ?", [last])
        return int(row[0])

    def is_outgrown(self) -> bool:
        """Whether so many rows changed since the checkpoint that a new one pays.

        That is more than a tenth of it, and at least 10,000; or that there is none yet.
        """
        current, tail = self.current(), self.tail_length()
        if current is None:
            return tail > 0
        return tail + len(self.removals()) > max(_MIN_TAIL, current.count // 10)

    def next_file(self) -> str:
        """Return a file name that no checkpoint has had yet."""
        rows = self._database.rows("SELECT seq FROM sqlite_sequence WHERE name = 'checkpoints'")
        return f"vectors-{(rows[0][0] if rows else 0) + 1}.faiss"

    def commit(self, checkpoint: Checkpoint) -> None:
        """Make a written file the current checkpoint, in one transaction."""
        with self._database.transaction():
            connection = self._database.connection
            connection.execute("DELETE FROM checkpoints")
            connection.execute(
                "INSERT INTO checkpoints(file, sha256, bytes, count, last_vector) "
                "VALUES (?, ?, ?, ?, ?)",
                astuple(checkpoint),
            )
            connection.execute("DELETE FROM removals")

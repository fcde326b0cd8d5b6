"""The successor: passages and vectors of another model, made beside the ones in use.

They are in tables of their own, which readers ignore, and are committed in batches, so that a
reindex that was killed can be resumed. `begin` creates the tables, and the switch drops them.
Triggers keep them consistent whoever writes meanwhile: when an answer is deleted or its text
changes, its passages are deleted, and the vectors that no other answer has.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import astuple

from searchkit.core.arrays import Float16, Int64
from searchkit.core.errors import IndexDamaged
from searchkit.core.records import Answer
from searchkit.index.records import Model, SplitAnswer
from searchkit.index.storage.checksums import NEXT_TABLES, damaged_rows, keep_checksums
from searchkit.index.storage.connection import int_array
from searchkit.index.storage.store import AnswerStore

# Bytes of a row beside the vector's numbers: hash, key and their place in an index of the database
_VECTOR_ROW_BYTES, _PASSAGE_ROW_BYTES, _FAISS_KEY_BYTES = 100, 40, 8
_MODEL = "fingerprint, name, dimension, window"
_TABLES = (
    """CREATE TABLE next_model (
        fingerprint TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        dimension INTEGER NOT NULL,
        window INTEGER NOT NULL,
        checksum BLOB
    )""",
    """CREATE TABLE next_vectors (
        key INTEGER PRIMARY KEY,
        sha BLOB NOT NULL UNIQUE,
        vector BLOB NOT NULL,
        checksum BLOB
    )""",
    """CREATE TABLE next_passages (
        answer INTEGER NOT NULL REFERENCES answers(key) DEFERRABLE INITIALLY DEFERRED,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        vector INTEGER NOT NULL REFERENCES next_vectors(key) DEFERRABLE INITIALLY DEFERRED,
        checksum BLOB,
        PRIMARY KEY (answer, start)
    ) WITHOUT ROWID""",
    "CREATE INDEX next_passages_vector ON next_passages(vector)",
    """CREATE TRIGGER next_deleted AFTER DELETE ON answers BEGIN
        DELETE FROM next_passages WHERE answer = old.key;
    END""",
    """CREATE TRIGGER next_changed AFTER UPDATE OF text ON answers
    WHEN old.text IS NOT new.text BEGIN
        DELETE FROM next_passages WHERE answer = old.key;
    END""",
    """CREATE TRIGGER next_unused AFTER DELETE ON next_passages
    WHEN NOT EXISTS (SELECT 1 FROM next_passages WHERE vector = old.vector) BEGIN
        DELETE FROM next_vectors WHERE key = old.vector;
    END""",
)
_DROP = (
    "DROP TRIGGER IF EXISTS next_deleted",
    "DROP TRIGGER IF EXISTS next_changed",
    "DROP TABLE IF EXISTS next_passages",  # and its trigger
    "DROP TABLE IF EXISTS next_vectors",
    "DROP TABLE IF EXISTS next_model",
)
# New keys are above every key that a vector ever had, so that no old FAISS file holds one of them.
_TAKE_OVER = (
    "DELETE FROM passages",
    "DELETE FROM vectors",
    "INSERT INTO vectors(key, sha, vector) "
    "SELECT key + :above, sha, vector FROM next_vectors ORDER BY key",
    'INSERT INTO passages(answer, start, "end", vector) '
    'SELECT answer, start, "end", vector + :above FROM next_passages ORDER BY answer, start',
    "DELETE FROM checkpoints",
    "DELETE FROM removals",
    "DELETE FROM model",
    f"INSERT INTO model({_MODEL}) SELECT {_MODEL} FROM next_model",
)


class Successor:
    """What will replace a store's passages, vectors and model."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store

    def model(self) -> Model | None:
        """Return the model of an unfinished reindex; None if there is none."""
        if not self._store.rows("SELECT 1 FROM sqlite_master WHERE name = 'next_model'"):
            return None
        (row,) = self._store.rows(f"SELECT {_MODEL} FROM next_model")
        return Model(*row)

    def counts(self) -> dict[str, int]:
        """Return the number of answers that are done, without blank ones, passages and vectors."""
        names = ("answers", "passages", "vectors")
        if self.model() is None:
            return dict.fromkeys(names, 0)
        sql = (
            "SELECT (SELECT count(DISTINCT answer) FROM next_passages), "
            "(SELECT count(*) FROM next_passages), (SELECT count(*) FROM next_vectors)"
        )
        return dict(zip(names, self._store.rows(sql)[0], strict=True))

    def unused_vectors(self) -> int:
        """Return the number of vectors that no passage has."""
        if self.model() is None:
            return 0
        sql = (
            "SELECT count(*) FROM next_vectors v "
            "WHERE NOT EXISTS (SELECT 1 FROM next_passages p WHERE p.vector = v.key)"
        )
        return int(self._store.rows(sql)[0][0])

    def begin(self, model: Model) -> None:
        """Resume a reindex with this model, or drop that of another one and create the tables."""
        previous = self.model()
        with self._store.transaction():
            if previous and previous.fingerprint != model.fingerprint:
                self.drop()
                previous = None
            if previous is None:
                for statement in _TABLES:
                    self._store.connection.execute(statement)
                keep_checksums(self._store.connection, NEXT_TABLES)
            row = astuple(model)  # the same model may be in another folder now
            self._store.connection.execute(
                f"INSERT OR REPLACE INTO next_model({_MODEL}) VALUES (?, ?, ?, ?)", row
            )

    def pending(self) -> Int64:
        """Return the keys of answers that have no passages here, ascending.

        Among them are blank answers, and those that were added, or whose text changed, since
        their batch was written.
        """
        return int_array(
            self._store.rows(
                "SELECT key FROM answers a "
                "WHERE NOT EXISTS (SELECT 1 FROM next_passages p WHERE p.answer = a.key) "
                "ORDER BY key"
            )
        )

    def answers(self, keys: Sequence[int]) -> list[Answer]:
        """Return the answers with these keys, in this order."""
        answers = self._store.get_keys(keys)
        return [answers[key] for key in keys]

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return the key of the vector of each of these hashes that has one here."""
        sql = "SELECT sha, key FROM next_vectors WHERE sha IN ({})"
        return dict(self._store.rows_in(sql, list(hashes)))

    def put(
        self,
        keys: Sequence[int],
        answers: Sequence[SplitAnswer],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        """Add the passages of answers, and new vectors, in one transaction.

        Args:
            keys: The keys of the `n` answers.
            answers: The `n` answers.
            hashes: SHA-256 of `m` passage texts that have no vector here yet.
            vectors: `(m, d)` float16, unit rows.
        """
        with self._store.transaction():
            connection = self._store.connection
            connection.executemany(
                "INSERT INTO next_vectors(sha, vector) VALUES (?, ?)",
                ((sha, row.tobytes()) for sha, row in zip(hashes, vectors, strict=True)),
            )
            known = self.known({sha for split in answers for sha in split.hashes})
            connection.executemany(
                'INSERT INTO next_passages(answer, start, "end", vector) VALUES (?, ?, ?, ?)',
                (
                    (key, passage.start, passage.end, known[sha])
                    for key, split in zip(keys, answers, strict=True)
                    for passage, sha in zip(split.passages, split.hashes, strict=True)
                ),
            )

    def has_damaged_model(self) -> bool:
        """Whether the record of the store's own model isn't what was written."""
        return bool(damaged_rows(self._store.connection, "model"))

    def record_model(self, model: Model) -> None:
        """Record where the store's own model is now, and what it is like."""
        with self._store.transaction():
            self._store.connection.execute("DELETE FROM model")
            self._store.connection.execute(
                f"INSERT INTO model({_MODEL}) VALUES (?, ?, ?, ?)", astuple(model)
            )

    def take_over(self) -> None:
        """Replace passages, vectors and model of the store; part of the caller's transaction.

        Raises:
            IndexDamaged: if a row here is not what was written.
        """
        with self._store.transaction():
            ((above,),) = self._store.rows(
                "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'vectors'"
            )
            if any(damaged_rows(self._store.connection, table) for table in NEXT_TABLES):
                name = self._store.model().name
                raise IndexDamaged(
                    f"{self._store.path}: what the reindex embedded is damaged; the index is as it "
                    f"was; drop it and begin again: searchkit reindex --model {name}"
                )
            self._store.bump_revision()
            for statement in _TAKE_OVER:
                self._store.connection.execute(
                    statement, {"above": above} if ":above" in statement else {}
                )
            self.drop()

    def drop(self) -> None:
        """Drop the tables; their bytes are erased as those of deleted answers."""
        with self._store.transaction():
            for statement in _DROP:
                self._store.connection.execute(statement)
            self._store.require_erasure()

    # -- disk space ------------------------------------------------------------------------------

    def free_bytes(self) -> int:
        """Return the bytes that are free on the disk of the index."""
        return shutil.disk_usage(self._store.path.parent).free

    def needed_bytes(self, dimension: int, vectors: int, passages: int) -> int:
        """Return the bytes needed at once: while switching, or while the database is vacuumed."""
        counts = self._store.counts()
        database = self._store.path.stat().st_size
        old = _table_bytes(self._store.model().dimension, counts["vectors"], counts["passages"])
        new = _table_bytes(dimension, vectors, passages)
        faiss = vectors * (2 * dimension + _FAISS_KEY_BYTES)
        log_of_switch = old + 2 * new  # what is freed is overwritten with zeros
        copy_and_log_of_vacuum = 2 * max(database - old + new, 0)
        return new + faiss + max(log_of_switch, copy_and_log_of_vacuum)


def _table_bytes(dimension: int, vectors: int, passages: int) -> int:
    return vectors * (2 * dimension + _VECTOR_ROW_BYTES) + passages * _PASSAGE_ROW_BYTES

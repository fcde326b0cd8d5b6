"""The successor: passages and vectors of another model, made beside the ones in use.

They stand in tables of their own, which no reader looks at, a committed batch at a time, so that a
reindex that was killed goes on where it was. The tables are made on demand and dropped by the swap.
Triggers keep them true whoever writes meanwhile: when an answer is deleted or its text changes, its
passages go, and the vectors that no other answer has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple

from searchkit.core.arrays import Float16, Int64
from searchkit.index.storage.store import AnswerStore, Embedded, Model, int_array

_TABLES = (
    """CREATE TABLE next_model (
        fingerprint TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        dimension INTEGER NOT NULL,
        window INTEGER NOT NULL
    )""",
    """CREATE TABLE next_vectors (
        key INTEGER PRIMARY KEY,
        sha BLOB NOT NULL UNIQUE,
        vector BLOB NOT NULL
    )""",
    """CREATE TABLE next_passages (
        answer INTEGER NOT NULL REFERENCES answers(key) DEFERRABLE INITIALLY DEFERRED,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        vector INTEGER NOT NULL REFERENCES next_vectors(key) DEFERRABLE INITIALLY DEFERRED,
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
# Keys go on above every key that a vector ever had: an old FAISS file shows nothing of the new.
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
    "INSERT INTO model SELECT * FROM next_model",
)


class Successor:
    """What will take the place of a store's passages, vectors and model."""

    def __init__(self, store: AnswerStore) -> None:
        self.store = store

    def model(self) -> Model | None:
        """Return the model of an unfinished reindex; None if there is none."""
        if not self.store.rows("SELECT 1 FROM sqlite_master WHERE name = 'next_model'"):
            return None
        (row,) = self.store.rows("SELECT fingerprint, name, dimension, window FROM next_model")
        return Model(*row)

    def counts(self) -> dict[str, int]:
        """Count the answers that are done (blank ones never are), their passages and vectors."""
        names = ("answers", "passages", "vectors")
        if self.model() is None:
            return dict.fromkeys(names, 0)
        sql = (
            "SELECT (SELECT count(DISTINCT answer) FROM next_passages), "
            "(SELECT count(*) FROM next_passages), (SELECT count(*) FROM next_vectors)"
        )
        return dict(zip(names, self.store.rows(sql)[0], strict=True))

    def unused_vectors(self) -> int:
        """Count the vectors that no passage has."""
        if self.model() is None:
            return 0
        sql = (
            "SELECT count(*) FROM next_vectors v "
            "WHERE NOT EXISTS (SELECT 1 FROM next_passages p WHERE p.vector = v.key)"
        )
        return int(self.store.rows(sql)[0][0])

    def begin(self, model: Model) -> None:
        """Go on with what this model has made; drop what another has, and make the tables."""
        before = self.model()
        with self.store.transaction():
            if before and before.fingerprint != model.fingerprint:
                self.drop()
                before = None
            if before is None:
                for statement in _TABLES:
                    self.store.db.execute(statement)
            row = astuple(model)  # the same model may stand in another folder now
            self.store.db.execute("INSERT OR REPLACE INTO next_model VALUES (?, ?, ?, ?)", row)

    def pending(self) -> Int64:
        """Return the keys of answers that have no passages here, ascending; blank ones never do.

        So an answer that was added, or whose text changed, after its batch is among them.
        """
        return int_array(
            self.store.rows(
                "SELECT key FROM answers a "
                "WHERE NOT EXISTS (SELECT 1 FROM next_passages p WHERE p.answer = a.key) "
                "ORDER BY key"
            )
        )

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return the vector's key of each hash that has one."""
        return dict(
            self.store.rows_in("SELECT sha, key FROM next_vectors WHERE sha IN ({})", list(hashes))
        )

    def put(
        self,
        keys: Sequence[int],
        rows: Sequence[Embedded],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        """Add the passages of answers and new vectors, in one transaction.

        Args:
            keys: The answers', `n` of them.
            rows: `n` of them.
            hashes: SHA-256 of each new passage text, `m` of them, none known yet.
            vectors: `(m, d)` float16, unit rows.
        """
        with self.store.transaction():
            connection = self.store.db.conn
            connection.executemany(
                "INSERT INTO next_vectors(sha, vector) VALUES (?, ?)",
                ((sha, row.tobytes()) for sha, row in zip(hashes, vectors, strict=True)),
            )
            known = self.known({sha for row in rows for sha in row.hashes})
            connection.executemany(
                "INSERT INTO next_passages VALUES (?, ?, ?, ?)",
                (
                    (key, passage.start, passage.end, known[sha])
                    for key, row in zip(keys, rows, strict=True)
                    for passage, sha in zip(row.passages, row.hashes, strict=True)
                ),
            )

    def take_over(self) -> None:
        """Put all of it in the place of what is in use; part of the caller's transaction."""
        with self.store.transaction():
            (above,) = self.store.rows(
                "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'vectors'"
            )[0]
            self.store.revise()
            for statement in _TAKE_OVER:
                self.store.db.execute(statement, {"above": above} if ":above" in statement else {})
            self.drop()

    def drop(self) -> None:
        """Drop the tables; the next `forget` gives their room back."""
        with self.store.transaction():
            for statement in _DROP:
                self.store.db.execute(statement)
            self.store.to_be_forgotten()

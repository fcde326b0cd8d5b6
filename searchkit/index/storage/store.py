"""The answers, passages, vectors and decisions of an index, in one SQLite database.

SQL is written here, in the other files of this folder, and nowhere else. A store opened for reading
sees one state for as long as it is open; one opened for writing belongs to the process that holds
the index's lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np

from searchkit.core.arrays import Float16, Int64
from searchkit.core.errors import IndexDamaged
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.index.filters.columns import add_meta_columns, meta_columns, meta_json
from searchkit.index.filters.matching import matching_keys
from searchkit.index.records import Decision, Model, SplitAnswer
from searchkit.index.storage.connection import (
    SqliteDatabase,
    connect,
    connect_reader,
    int_array,
)
from searchkit.index.storage.fulltext import FullText
from searchkit.index.storage.schema import FORMAT, check_format, migrate

_COLUMNS = "a.id, a.text, a.question, a.author, a.submitted_at, s.path, a.line, a.meta"
_ANSWERS = f"SELECT a.key, {_COLUMNS} FROM answers a LEFT JOIN sources s ON s.key = a.source"
_DECISION = "n, left, right, decision, reason, decided_at, left_sha, right_sha"


class AnswerStore(SqliteDatabase):
    """The database of an index. Open it with `create`, `read` or `write`, and close it.

    Attributes:
        path: The database's file.
        fulltext: The full-text index of the answers.
    """

    def __init__(self, connection: Connection, path: Path) -> None:
        super().__init__(connection, path)
        self.fulltext = FullText(self)

    # -- opening ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, model: Model) -> AnswerStore:
        """Create a database, in one transaction."""
        store = cls(connect(f"{path.absolute().as_uri()}?mode=rwc"), path)
        with store.translated():
            store._prepare_writing()
            with store.db.atomic():
                migrate(store)
                store.db.table("model").insert(asdict(model), pk="fingerprint")
        return store

    @classmethod
    def write(cls, path: Path) -> AnswerStore:
        """Open for writing, and migrate an older format; the caller holds the lock."""
        store = cls(connect(f"{path.absolute().as_uri()}?mode=rw"), path)
        with store.translated():
            check_format(store)
            store._prepare_writing()
            if store.format() < FORMAT:
                migrate(store)
        return store

    @classmethod
    def read(cls, path: Path) -> AnswerStore:
        """Open for reading; the store shows the present state for as long as it is open."""
        store = cls(connect_reader(path), path)
        with store.translated():
            check_format(store)
            store.watch()
            store.connection.execute("BEGIN")
            store.connection.execute(
                "SELECT count(*) FROM model"
            ).fetchone()  # the snapshot begins here
        return store

    def _prepare_writing(self) -> None:
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(
            "PRAGMA synchronous = FULL"
        )  # an acknowledged commit survives power loss
        self.connection.execute("PRAGMA secure_delete = ON")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA cache_size = -65536")

    # -- reading answers and passages ------------------------------------------------------------

    def model(self) -> Model:
        """Return the model that the vectors were made with."""
        rows = self.rows("SELECT fingerprint, name, dimension, window FROM model")
        if len(rows) != 1:
            raise IndexDamaged(f"{self.path}: {len(rows)} models where 1 is needed")
        return Model(*rows[0])

    def keys(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the key of each of these ids that is in the database."""
        return dict(self.rows_in("SELECT id, key FROM answers WHERE id IN ({})", ids))

    def get(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids that are in the database, by id."""
        rows = self.rows_in(f"{_ANSWERS} WHERE a.id IN ({{}})", ids)
        return {row[1]: _answer(row[1:]) for row in rows}

    def get_keys(self, keys: Sequence[int]) -> dict[int, Answer]:
        """Return the answers with these keys, by key."""
        rows = self.rows_in(f"{_ANSWERS} WHERE a.key IN ({{}})", keys)
        return {row[0]: _answer(row[1:]) for row in rows}

    def answers(self, where: Where | None = None) -> Iterator[Answer]:
        """Stream the answers, in the order in which they were added."""
        with self.translated():
            if where is None or where.is_empty():
                rows: Iterable[Any] = self.connection.execute(f"{_ANSWERS} ORDER BY a.key")
            else:
                keys = self.matching(where)
                sql = f"{_ANSWERS} WHERE a.key IN (SELECT value FROM json_each(?)) ORDER BY a.key"
                rows = self.connection.execute(sql, [json.dumps(keys.tolist())])
            for row in rows:
                yield _answer(row[1:])

    def matching(self, where: Where) -> Int64:
        """Return the keys of the answers that match a filter, ascending."""
        with self.translated():
            return matching_keys(where, self.connection, self.path, self.is_newest)

    def identities(self, answers: Int64) -> list[tuple[int, str, str | None, str | None]]:
        """Return (key, id, question, author) of these answers, in order of key."""
        return self.rows(
            "SELECT key, id, question, author FROM answers "
            "WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key",
            [json.dumps(answers.tolist())],
        )

    def vectors_of(self, answers: Int64) -> Int64:
        """Return the keys of the vectors of these answers' passages, ascending."""
        sql = (
            "SELECT DISTINCT vector FROM passages "
            "WHERE answer IN (SELECT value FROM json_each(?)) ORDER BY vector"
        )
        return int_array(self.rows(sql, [json.dumps(answers.tolist())]))

    def passages_with(self, vectors: Sequence[int]) -> list[tuple[int, int, str, int, int]]:
        """Return (vector, answer key, answer id, start, end) of each passage with these vectors."""
        return self.rows_in(
            "SELECT p.vector, p.answer, a.id, p.start, p.end FROM passages p "
            "JOIN answers a ON a.key = p.answer WHERE p.vector IN ({})",
            vectors,
        )

    def passages_of(self, answers: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """Return (answer key, start, end, vector) of every passage of these answers, in order."""
        return self.rows_in(
            "SELECT answer, start, end, vector FROM passages WHERE answer IN ({}) "
            "ORDER BY answer, start",
            answers,
        )

    def passage_vectors(self, answers: Int64) -> list[tuple[int, int]]:
        """Return (answer key, vector key) of each passage of these answers, in order."""
        return self.rows(
            "SELECT answer, vector FROM passages "
            "WHERE answer IN (SELECT value FROM json_each(?)) ORDER BY answer, start",
            [json.dumps(answers.tolist())],
        )

    def vectors(self, after: int = 0, block: int = 65536) -> Iterator[tuple[Int64, Float16]]:
        """Stream the vectors with keys above `after`, ascending.

        Args:
            after: A key.
            block: Vectors a block.

        Yields:
            Keys `(b,)` and rows `(b, d)` float16.
        """
        with self.translated():
            cursor = self.connection.execute(
                "SELECT key, vector FROM vectors WHERE key > ? ORDER BY key", [after]
            )
            while rows := cursor.fetchmany(block):
                halves = np.frombuffer(b"".join(r[1] for r in rows), np.float16)
                yield np.array([r[0] for r in rows], np.int64), halves.reshape(len(rows), -1)

    def last_vector(self) -> int:
        """Return the greatest key in the vectors table, 0 when it is empty."""
        return int(self.rows("SELECT coalesce(max(key), 0) FROM vectors")[0][0])

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return the key of the vector of each of these hashes that has one."""
        return dict(self.rows_in("SELECT sha, key FROM vectors WHERE sha IN ({})", list(hashes)))

    # -- reading about the whole -----------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return the number of answers, blank ones, questions, authors, passages and vectors."""
        sql = (
            "SELECT (SELECT count(*) FROM answers), "
            "(SELECT count(*) FROM answers a "
            " WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.answer = a.key)), "
            "(SELECT count(DISTINCT question) FROM answers), "
            "(SELECT count(DISTINCT author) FROM answers), "
            "(SELECT count(*) FROM passages), (SELECT count(*) FROM vectors)"
        )
        names = ("answers", "blank", "questions", "authors", "passages", "vectors")
        return dict(zip(names, self.rows(sql)[0], strict=True))

    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question, in order of the questions."""
        sql = (
            "SELECT question, count(*), count(DISTINCT author) FROM answers "
            "GROUP BY question ORDER BY question"
        )
        names = ("question", "answers", "authors")
        return [dict(zip(names, row, strict=True)) for row in self.rows(sql)]

    def format(self) -> int:
        """Return the number of the database's format."""
        return self.pragma("user_version")

    def meta_columns(self) -> list[str]:
        """Return the names of the columns in `meta`, in the order in which they were added."""
        with self.translated():
            return meta_columns(self.connection)

    def revision(self) -> int:
        """Return the number that grows whenever answers, passages or vectors change.

        It is 0 in format 1, which has none, and does not grow when `update_columns` is called.
        """
        return int(self.rows("SELECT n FROM revision")[0][0]) if self.format() > 1 else 0

    def decisions(self) -> list[Decision]:
        """Return the latest decision about each pair, in the order of their numbers."""
        if self.format() < 2:
            return []
        rows = self.rows(
            f"SELECT {_DECISION} FROM decisions WHERE n IN "
            "(SELECT max(n) FROM decisions GROUP BY left, right) ORDER BY n"
        )
        return [_decision(row) for row in rows]

    # -- writing answers -------------------------------------------------------------------------

    def put(
        self,
        answers: Sequence[SplitAnswer],
        same_text: Sequence[Answer],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> list[int]:
        """Add or replace answers and add vectors, in one transaction.

        Args:
            answers: New answers, and answers that replace the ones with their ids.
            same_text: Answers whose text is in the database; everything else is replaced.
            hashes: SHA-256 of `n` passage texts that have no vector in the table yet.
            vectors: `(n, d)` float16, unit rows.

        Returns:
            The keys of the vectors that no passage has any more; they were deleted.
        """
        with self.transaction():
            if answers or same_text:
                self.bump_revision()
            new = [split.answer for split in answers]
            add_meta_columns(self.connection, [*new, *same_text])
            self.connection.executemany(
                "INSERT INTO vectors(sha, vector) VALUES (?, ?)",
                ((sha, row.tobytes()) for sha, row in zip(hashes, vectors, strict=True)),
            )
            self._upsert(same_text)
            self.fulltext.remove(list(self.keys([answer.id for answer in new]).values()))
            keys = self._upsert(new)
            self.fulltext.add(keys)
            return self._replace_passages(keys, answers)

    def update_columns(self, answers: Sequence[Answer]) -> None:
        """Replace the `meta` of stored answers, in one transaction, without a new revision."""
        with self.transaction():
            add_meta_columns(self.connection, answers)
            self.connection.executemany(
                "UPDATE answers SET meta = ? WHERE id = ?", ((meta_json(a), a.id) for a in answers)
            )

    def _upsert(self, answers: Sequence[Answer]) -> list[int]:
        """Insert or replace answers; return their keys."""
        sources = self._source_keys({a.source for a in answers if a.source is not None})
        self.connection.executemany(
            "INSERT INTO answers(id, text, question, author, submitted_at, source, line, meta) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET text = excluded.text, "
            "question = excluded.question, author = excluded.author, "
            "submitted_at = excluded.submitted_at, source = excluded.source, "
            "line = excluded.line, meta = excluded.meta",
            (
                (
                    *(a.id, a.text, a.question, a.author, a.submitted_at),
                    *(sources.get(a.source or ""), a.line, meta_json(a)),
                )
                for a in answers
            ),
        )
        keys = self.keys([answer.id for answer in answers])
        return [keys[answer.id] for answer in answers]

    def _source_keys(self, paths: set[str]) -> dict[str, int]:
        self.connection.executemany(
            "INSERT INTO sources(path) VALUES (?) ON CONFLICT DO NOTHING", [(p,) for p in paths]
        )
        return dict(self.rows_in("SELECT path, key FROM sources WHERE path IN ({})", list(paths)))

    def _replace_passages(self, keys: Sequence[int], answers: Sequence[SplitAnswer]) -> list[int]:
        """Replace the passages of answers; return the vectors deleted as unused."""
        vectors = self.known({sha for split in answers for sha in split.hashes})
        old = self._delete_passages(keys)
        self.connection.executemany(
            "INSERT INTO passages(answer, start, end, vector) VALUES (?, ?, ?, ?)",
            (
                (key, passage.start, passage.end, vectors[sha])
                for key, split in zip(keys, answers, strict=True)
                for passage, sha in zip(split.passages, split.hashes, strict=True)
            ),
        )
        return self._delete_unused(old)

    def _delete_passages(self, keys: Sequence[int]) -> list[int]:
        """Delete the passages of these answers; return the keys of their vectors."""
        rows = self.rows_in("SELECT DISTINCT vector FROM passages WHERE answer IN ({})", keys)
        vectors = [vector for (vector,) in rows]
        if vectors:
            self._delete_rows("passages", "answer", keys)
        return vectors

    def _delete_unused(self, vectors: Sequence[int]) -> list[int]:
        """Delete those of these vectors that no passage has; record what the FAISS file has."""
        rows = self.rows_in("SELECT DISTINCT vector FROM passages WHERE vector IN ({})", vectors)
        used = {vector for (vector,) in rows}
        unused = [key for key in vectors if key not in used]
        ((last,),) = self.rows("SELECT coalesce(max(last_vector), 0) FROM checkpoints")
        self._delete_rows("vectors", "key", unused)
        self.connection.executemany(
            "INSERT INTO removals(vector) VALUES (?)", [(key,) for key in unused if key <= last]
        )
        return unused

    def _delete_rows(self, table: str, column: str, keys: Sequence[int]) -> None:
        self.connection.executemany(
            f"DELETE FROM {table} WHERE {column} = ?", [(key,) for key in keys]
        )

    def delete(self, keys: Sequence[int]) -> list[int]:
        """Delete answers, and record that their bytes have to be erased (see `erase_deleted`).

        Returns:
            The keys of the vectors that no passage has any more; they were deleted.
        """
        with self.transaction():
            self.bump_revision()
            self.require_erasure()
            self._delete_decisions(keys)
            vectors = self._delete_passages(keys)
            self.fulltext.remove(keys)
            self._delete_rows("answers", "key", keys)
            return self._delete_unused(vectors)

    def bump_revision(self) -> None:
        """Record that answers, passages or vectors change; part of a transaction."""
        self.connection.execute("UPDATE revision SET n = n + 1")

    # -- writing decisions -----------------------------------------------------------------------

    def add_decision(self, decision: Decision) -> Decision:
        """Add a decision, in one transaction; return it with its number."""
        with self.transaction():
            cursor = self.connection.execute(
                f"INSERT INTO decisions({_DECISION}) VALUES (NULL, :left, :right, :decision, "
                ":reason, :decided_at, :left_sha, :right_sha)",
                asdict(decision),
            )
        return replace(decision, number=int(cursor.lastrowid or 0))

    def remove_decision(self, number: int | None) -> Decision | None:
        """Delete and return a decision, or the latest of all; None if there is none."""
        with self.transaction():
            rows = self.rows(
                "DELETE FROM decisions WHERE n = coalesce(?, (SELECT max(n) FROM decisions)) "
                f"RETURNING {_DECISION}",
                [number],
            )
        return _decision(rows[0]) if rows else None

    def _delete_decisions(self, keys: Sequence[int]) -> None:
        ids = "SELECT id FROM answers WHERE key IN (SELECT value FROM json_each(:keys))"
        self.connection.execute(
            f"DELETE FROM decisions WHERE left IN ({ids}) OR right IN ({ids})",
            {"keys": json.dumps(list(keys))},
        )

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


def _answer(row: Sequence[Any]) -> Answer:
    id_, text, question, author, submitted_at, source, line, meta = row
    return Answer(id_, text, question, author, submitted_at, source, line, json.loads(meta))


def _decision(row: Sequence[Any]) -> Decision:
    number, left, right, decision, reason, decided_at, left_sha, right_sha = row
    return Decision(
        *(number, left, right, decision, reason, decided_at),
        left_sha=left_sha,
        right_sha=right_sha,
    )

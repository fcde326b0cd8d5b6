"""The truth: answers, passages, vectors and full text in one SQLite database.

Only the store knows SQL, and `successor` beside it. A store opened for reading sees one state for
as long as it is open; one opened for writing belongs to the process that holds the index's lock.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.core.arrays import Float16, Int64
from searchkit.core.errors import IndexDamaged, IndexMismatch
from searchkit.core.records import Answer, Passage
from searchkit.core.where import Where
from searchkit.index.storage.connection import (
    BUSY,
    Database,
    connect,
    connect_reader,
    translated_error,
)
from searchkit.index.storage.filters import matching_keys
from searchkit.index.storage.schema import APPLICATION_ID, FORMAT, MIGRATIONS

log = logging.getLogger("searchkit")
_COLUMNS = "a.id, a.text, a.question, a.author, a.submitted_at, s.path, a.line, a.meta"
_ANSWERS = f"SELECT a.key, {_COLUMNS} FROM answers a LEFT JOIN sources s ON s.key = a.source"
MOST_COLUMNS = 900  # SQLite takes 2,000 in a result, and a filter sees each by two names
_CHUNK = 30_000  # SQLite takes 32,766 parameters in one statement


@dataclass(frozen=True, slots=True)
class Model:
    """The model that an index was made with."""

    fingerprint: str
    name: str
    dimension: int
    window: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A FAISS file: its name, its hash, and how far into the vectors table it reaches."""

    file: str
    sha256: str
    bytes: int
    count: int
    last_vector: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as it stands in the database, with its key there."""

    key: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Embedded:
    """An answer to be written, with its passages and the hash of each one's text."""

    answer: Answer
    passages: Sequence[Passage]
    hashes: Sequence[bytes]


class AnswerStore:
    """One SQLite database. Make it with `create`, `read` or `write`; close it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self.db = Database(connection, execute_plugins=False)
        self._connection = connection

    # -- opening ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, model: Model) -> AnswerStore:
        """Make a new database, whole or not at all."""
        store = cls(connect(f"{path.absolute().as_uri()}?mode=rwc"), path)
        with store.translated():
            store._prepare_writing()
            with store.db.atomic():
                MIGRATIONS.apply(store.db)
                store.db.table("model").insert(asdict(model), pk="fingerprint")
                store.db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                store.db.execute(f"PRAGMA user_version = {FORMAT}")
        return store

    @classmethod
    def write(cls, path: Path) -> AnswerStore:
        """Open for writing; bring an older format up to date. The caller holds the lock."""
        store = cls(connect(f"{path.absolute().as_uri()}?mode=rw"), path)
        with store.translated():
            store.check_format()
            store._prepare_writing()
            if store._pragma("user_version") < FORMAT:
                with store.db.atomic():
                    MIGRATIONS.apply(store.db)
                    store.db.execute(f"PRAGMA user_version = {FORMAT}")
        return store

    @classmethod
    def read(cls, path: Path) -> AnswerStore:
        """Open for reading and hold on to the state as it is now."""
        store = cls(connect_reader(path), path)
        with store.translated():
            store.check_format()
            store.db.execute("BEGIN")
            store.db.execute("SELECT count(*) FROM model").fetchone()  # the snapshot begins here
        return store

    @staticmethod
    def is_blank(path: Path) -> bool:
        """Return whether a database holds nothing at all: a kill came before it was made."""
        store = AnswerStore(connect_reader(path), path)
        try:
            return not store._pragma("schema_version") and not store._pragma("application_id")
        except sqlite3.DatabaseError:
            return False  # damaged, so something was there
        finally:
            store.close()

    def close(self) -> None:
        """Close the connection; a second time is harmless."""
        self._connection.close()

    def check_format(self) -> None:
        """Refuse what is not an index, or one that a newer searchkit made."""
        if self._pragma("application_id") != APPLICATION_ID:
            raise IndexDamaged(
                f"{self.path}: not a searchkit database; nothing was changed; "
                "move the file away or choose another --index"
            )
        version = self._pragma("user_version")
        if version > FORMAT:
            raise IndexMismatch(
                f"{self.path}: format {version}, made by a newer searchkit; this one reads up to "
                f"{FORMAT}; run: pip install --upgrade searchkit"
            )

    def _prepare_writing(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")  # an acknowledged commit survives power loss
        self.db.execute("PRAGMA secure_delete = ON")
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.execute("PRAGMA cache_size = -65536")

    def _pragma(self, name: str) -> int:
        return int(self.db.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise translated_error(error, self.path) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written inside as a whole or not at all; one in another is part of it."""
        with self.translated():
            if self._connection.in_transaction:  # no savepoint: it copies each page that changes
                yield
            else:
                with self.db.atomic():
                    yield

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """Run a statement and give all its rows."""
        with self.translated():
            return self._connection.execute(sql, parameters).fetchall()

    # -- reading ---------------------------------------------------------------------------------

    def model(self) -> Model:
        """Return the model that the vectors were made with."""
        rows = self.rows("SELECT fingerprint, name, dimension, window FROM model")
        if len(rows) != 1:
            raise IndexDamaged(f"{self.path}: {len(rows)} models where 1 is needed")
        return Model(*rows[0])

    def get(self, ids: Sequence[str]) -> dict[str, Stored]:
        """Return the answers with these ids; an id that isn't there is left out."""
        found = self.rows_in(f"{_ANSWERS} WHERE a.id IN ({{}})", ids)
        return {row[1]: Stored(row[0], _answer(row[1:])) for row in found}

    def get_keys(self, keys: Sequence[int]) -> dict[int, Answer]:
        """Return the answers with these keys."""
        found = self.rows_in(f"{_ANSWERS} WHERE a.key IN ({{}})", keys)
        return {row[0]: _answer(row[1:]) for row in found}

    def answers(self, where: Where | None = None) -> Iterator[Answer]:
        """Stream the answers, in the order in which they came."""
        with self.translated():
            if where is None or where.is_empty():
                rows: Iterable[Any] = self._connection.execute(f"{_ANSWERS} ORDER BY a.key")
            else:
                keys = self.matching(where)
                sql = f"{_ANSWERS} WHERE a.key IN (SELECT value FROM json_each(?)) ORDER BY a.key"
                rows = self._connection.execute(sql, [json.dumps(keys.tolist())])
            for row in rows:
                yield _answer(row[1:])

    def matching(self, where: Where) -> Int64:
        """Return the keys of the answers that a filter allows, ascending."""
        with self.translated():
            return matching_keys(where, self._connection)

    def vectors_of(self, answers: Int64) -> Int64:
        """Return the keys of the vectors that these answers' passages have, ascending."""
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

    def identities(self, answers: Int64) -> list[tuple[int, str, str | None, str | None]]:
        """Return (key, id, question, author) of these answers, in order of key."""
        return self.rows(
            "SELECT key, id, question, author FROM answers "
            "WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key",
            [json.dumps(answers.tolist())],
        )

    def passage_vectors(self, answers: Int64) -> list[tuple[int, int]]:
        """Return (answer key, vector key) of each passage of these answers, in order."""
        return self.rows(
            "SELECT answer, vector FROM passages "
            "WHERE answer IN (SELECT value FROM json_each(?)) ORDER BY answer, start",
            [json.dumps(answers.tolist())],
        )

    def lexical(self, match: str, k: int, allowed: Int64 | None) -> list[tuple[int, float, str]]:
        r"""Search the full text.

        Args:
            match: An FTS5 expression, already made of quoted words.
            k: How many at most.
            allowed: Keys of the answers to search among; None for all.

        Returns:
            (answer key, BM25 with higher better, the text with each match between \x02 and \x03),
            best first, ties at 1e-6 by id.
        """
        # "+": by itself SQLite would run the full-text search once for every allowed row
        among = "" if allowed is None else "AND +f.rowid IN (SELECT value FROM json_each(:among)) "
        sql = (
            "SELECT f.rowid, -bm25(answers_fts) FROM answers_fts f "
            "JOIN answers a ON a.key = f.rowid "
            f"WHERE answers_fts MATCH :match {among}"
            "ORDER BY round(bm25(answers_fts), 6), a.id LIMIT :k"
        )
        parameters: dict[str, Any] = {"match": match, "k": min(k, 2**62)}
        if allowed is not None:
            parameters["among"] = json.dumps(allowed.tolist())
        found = self.rows(sql, parameters)
        marked = dict(self._marked(match, [key for key, _ in found]))
        return [(key, score, marked[key]) for key, score in found]

    def _marked(self, match: str, keys: Sequence[int]) -> list[tuple[int, str]]:
        """Return the texts of the hits alone with their matches marked: that is the slow part."""
        return self.rows(
            "SELECT rowid, highlight(answers_fts, 0, char(2), char(3)) FROM answers_fts "
            "WHERE answers_fts MATCH ? AND +rowid IN (SELECT value FROM json_each(?))",
            [match, json.dumps(list(keys))],
        )

    def checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, if there is one."""
        columns = "file, sha256, bytes, count, last_vector"
        rows = self.rows(f"SELECT {columns} FROM checkpoints ORDER BY n DESC LIMIT 1")
        return Checkpoint(*rows[0]) if rows else None

    def removals(self) -> Int64:
        """Return the vectors that stand in the checkpoint but not in the table any more."""
        return int_array(self.rows("SELECT vector FROM removals ORDER BY vector"))

    def tail_length(self, after: int) -> int:
        """Count the vectors that came after a key."""
        return int(self.rows("SELECT count(*) FROM vectors WHERE key > ?", [after])[0][0])

    def vectors(self, after: int = 0, block: int = 65536) -> Iterator[tuple[Int64, Float16]]:
        """Stream the vectors after a key: keys `(b,)` ascending, rows `(b, d)` float16."""
        with self.translated():
            cursor = self._connection.execute(
                "SELECT key, vector FROM vectors WHERE key > ? ORDER BY key", [after]
            )
            while rows := cursor.fetchmany(block):
                halves = np.frombuffer(b"".join(r[1] for r in rows), np.float16)
                yield np.array([r[0] for r in rows], np.int64), halves.reshape(len(rows), -1)

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return the vector's key of each hash that has one."""
        found = self.rows_in("SELECT sha, key FROM vectors WHERE sha IN ({})", list(hashes))
        return dict(found)

    def counts(self) -> dict[str, int]:
        """Count answers, blank ones, questions, authors, passages and vectors."""
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
        """Count the answers and authors of each question, in the questions' order."""
        sql = (
            "SELECT question, count(*), count(DISTINCT author) FROM answers "
            "GROUP BY question ORDER BY question"
        )
        names = ("question", "answers", "authors")
        return [dict(zip(names, row, strict=True)) for row in self.rows(sql)]

    def format(self) -> int:
        """Return the number of the format that the database has."""
        return self._pragma("user_version")

    def meta_columns(self) -> list[str]:
        """Return the names of the columns kept in `meta`, in the order in which they came."""
        names = [row[1] for row in self.rows("PRAGMA table_xinfo(answers)")]
        return [name.removeprefix("meta:") for name in names if name.startswith("meta:")]

    def revision(self) -> int:
        """Return the number that changes whenever answers, passages or vectors do.

        It is 0 in an index that has none, and doesn't change when columns are only annotated.
        """
        return int(self.rows("SELECT n FROM revision")[0][0]) if self.format() > 1 else 0

    def decisions(self) -> list[tuple[int, str, str, str, str, str, bytes | None, bytes | None]]:
        """Return each pair's last row of `decisions`, in the order of their numbers."""
        if self.format() < 2:
            return []
        return self.rows(
            "SELECT * FROM decisions WHERE n IN "
            "(SELECT max(n) FROM decisions GROUP BY left, right) ORDER BY n"
        )

    def pending(self) -> bool:
        """Return whether something deleted still has to be forgotten (a kill came between)."""
        return bool(self.rows("SELECT 1 FROM state WHERE name = 'forget'"))

    def rows_in(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement whose `{}` takes any number of values."""
        rows = []
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            rows += self.rows(sql.format(",".join("?" * len(chunk))), chunk)
        return rows

    # -- writing ---------------------------------------------------------------------------------

    def put(
        self,
        rows: Sequence[Embedded],
        touched: Sequence[Answer],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> list[int]:
        """Add or replace answers and add vectors, in one transaction.

        Args:
            rows: The answers; one whose id is there already replaces it.
            touched: Answers that are there with the same text: everything else is replaced.
            hashes: SHA-256 of each new passage text, `n` of them, none in the table yet.
            vectors: `(n, d)` float16, unit rows.

        Returns:
            The keys of the vectors that no passage has any more; they are gone from the table.
        """
        with self.transaction():
            if rows or touched:
                self.revise()
            answers = [row.answer for row in rows]
            self._add_meta_columns(name for a in [*answers, *touched] for name in a.meta)
            self._connection.executemany(
                "INSERT INTO vectors(sha, vector) VALUES (?, ?)",
                ((sha, row.tobytes()) for sha, row in zip(hashes, vectors, strict=True)),
            )
            self._upsert(touched)
            ids = [answer.id for answer in answers]
            before = self.rows_in("SELECT key FROM answers WHERE id IN ({})", ids)
            self._drop_words([key for (key,) in before])
            keys = self._upsert(answers)
            self._add_words(keys)
            return self._replace_passages(keys, rows)

    def update_columns(self, answers: Sequence[Answer]) -> None:
        """Replace the `meta` of answers that are there, in one transaction; no new revision."""
        with self.transaction():
            self._add_meta_columns(name for answer in answers for name in answer.meta)
            self._connection.executemany(
                "UPDATE answers SET meta = ? WHERE id = ?", ((_meta_json(a), a.id) for a in answers)
            )

    def _upsert(self, answers: Sequence[Answer]) -> list[int]:
        sources = self._source_keys({a.source for a in answers if a.source is not None})
        self._connection.executemany(
            "INSERT INTO answers(id, text, question, author, submitted_at, source, line, meta) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET text = excluded.text, "
            "question = excluded.question, author = excluded.author, "
            "submitted_at = excluded.submitted_at, source = excluded.source, "
            "line = excluded.line, meta = excluded.meta",
            (
                (
                    a.id,
                    a.text,
                    a.question,
                    a.author,
                    a.submitted_at,
                    sources.get(a.source or ""),
                    a.line,
                    _meta_json(a),
                )
                for a in answers
            ),
        )
        keys = dict(
            self.rows_in("SELECT id, key FROM answers WHERE id IN ({})", [a.id for a in answers])
        )
        return [keys[a.id] for a in answers]

    def _source_keys(self, paths: set[str]) -> dict[str, int]:
        self._connection.executemany(
            "INSERT INTO sources(path) VALUES (?) ON CONFLICT DO NOTHING", [(p,) for p in paths]
        )
        return dict(self.rows_in("SELECT path, key FROM sources WHERE path IN ({})", list(paths)))

    def _add_meta_columns(self, names: Iterable[str]) -> None:
        """Return each name in `meta` a virtual column that compares numbers as numbers."""
        known = {name.lower() for name in self.meta_columns()}  # SQLite sees no case
        new = list({name.lower(): name for name in names if name.lower() not in known}.values())
        room = max(MOST_COLUMNS - len(known), 0)
        if len(new) > room:
            log.warning("--where sees the first %s columns only; all are kept", f"{MOST_COLUMNS:,}")
        for name in new[:room]:
            column, path = ("meta:" + name).replace('"', '""'), _json_path(name)
            self._connection.execute(
                f'ALTER TABLE answers ADD COLUMN "{column}" NUMERIC '
                f"GENERATED ALWAYS AS (json_extract(meta, {path})) VIRTUAL"
            )

    def _add_words(self, keys: Sequence[int]) -> None:
        self._connection.execute(
            "INSERT INTO answers_fts(rowid, text) SELECT key, text FROM answers "
            "WHERE key IN (SELECT value FROM json_each(?))",
            [json.dumps(list(keys))],
        )

    def _drop_words(self, keys: Sequence[int]) -> None:
        """Take answers out of the full text, which needs their texts: before these change."""
        self._connection.execute(
            "INSERT INTO answers_fts(answers_fts, rowid, text) SELECT 'delete', key, text "
            "FROM answers WHERE key IN (SELECT value FROM json_each(?))",
            [json.dumps(list(keys))],
        )

    def _replace_passages(self, keys: Sequence[int], rows: Sequence[Embedded]) -> list[int]:
        vectors = self.known({sha for row in rows for sha in row.hashes})
        old = self._drop_passages(keys)
        self._connection.executemany(
            "INSERT INTO passages(answer, start, end, vector) VALUES (?, ?, ?, ?)",
            (
                (key, passage.start, passage.end, vectors[sha])
                for key, row in zip(keys, rows, strict=True)
                for passage, sha in zip(row.passages, row.hashes, strict=True)
            ),
        )
        return self._drop_orphans(old)

    def _drop_passages(self, keys: Sequence[int]) -> list[int]:
        """Delete the passages of these answers; return the vectors that they had."""
        rows = self.rows_in("SELECT DISTINCT vector FROM passages WHERE answer IN ({})", keys)
        old = [vector for (vector,) in rows]
        if old:
            self._connection.executemany(
                "DELETE FROM passages WHERE answer = ?", [(key,) for key in keys]
            )
        return old

    def _drop_orphans(self, vectors: Sequence[int]) -> list[int]:
        """Delete those of these vectors that no passage has any more; note them as removed."""
        rows = self.rows_in("SELECT DISTINCT vector FROM passages WHERE vector IN ({})", vectors)
        used = {vector for (vector,) in rows}
        orphans = [key for key in vectors if key not in used]
        checkpoint = self.checkpoint()
        last = checkpoint.last_vector if checkpoint else 0
        self._connection.executemany("DELETE FROM vectors WHERE key = ?", [(k,) for k in orphans])
        self._connection.executemany(
            "INSERT INTO removals(vector) VALUES (?)", [(k,) for k in orphans if k <= last]
        )
        return orphans

    def delete(self, keys: Sequence[int]) -> list[int]:
        """Delete answers, and note that they are still to be forgotten (see `forget`).

        Returns:
            The keys of the vectors that no passage has any more; they are gone from the table.
        """
        with self.transaction():
            self.revise()
            self.to_be_forgotten()
            self._drop_decisions(keys)
            old = self._drop_passages(keys)
            self._drop_words(keys)
            self._connection.executemany(
                "DELETE FROM answers WHERE key = ?", [(key,) for key in keys]
            )
            return self._drop_orphans(old)

    def revise(self) -> None:
        """Note that answers, passages or vectors change; part of a transaction."""
        self._connection.execute("UPDATE revision SET n = n + 1")

    def add_decision(
        self,
        left: str,
        right: str,
        decision: str,
        reason: str,
        decided_at: str,
        left_sha: bytes | None,
        right_sha: bytes | None,
    ) -> int:
        """Add a decision about two answers, in one transaction; return its number."""
        with self.transaction():
            cursor = self._connection.execute(
                "INSERT INTO decisions(left, right, decision, reason, decided_at, left_sha, "
                "right_sha) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [left, right, decision, reason, decided_at, left_sha, right_sha],
            )
        return int(cursor.lastrowid or 0)

    def take_back_decision(self, number: int | None) -> tuple[str, str] | None:
        """Delete a decision, or the last of all; return the ids of its answers, if there is one."""
        with self.transaction():
            rows = self.rows(
                "DELETE FROM decisions WHERE n = coalesce(?, (SELECT max(n) FROM decisions)) "
                "RETURNING left, right",
                [number],
            )
        return rows[0] if rows else None

    def _drop_decisions(self, keys: Sequence[int]) -> None:
        ids = "SELECT id FROM answers WHERE key IN (SELECT value FROM json_each(:keys))"
        self._connection.execute(
            f"DELETE FROM decisions WHERE left IN ({ids}) OR right IN ({ids})",
            {"keys": json.dumps(list(keys))},
        )

    def forget(self) -> None:
        """Leave no trace of what was deleted in any page of the database."""
        with self.translated():
            self.db.execute("INSERT INTO answers_fts(answers_fts) VALUES ('optimize')")
            self.db.execute("VACUUM")

    def forgotten(self) -> None:
        """Note that nothing deleted is left in any file."""
        with self.transaction():
            self._connection.execute("DELETE FROM state WHERE name = 'forget'")

    def next_checkpoint_file(self) -> str:
        """Name a file that no checkpoint has had yet."""
        rows = self.rows("SELECT seq FROM sqlite_sequence WHERE name = 'checkpoints'")
        return f"vectors-{(rows[0][0] if rows else 0) + 1}.faiss"

    def commit_checkpoint(self, new: Checkpoint) -> None:
        """Make a file the one that readers open; the removals it left out are done with."""
        with self.transaction():
            self._connection.execute("DELETE FROM checkpoints")
            self._connection.execute(
                "INSERT INTO checkpoints(file, sha256, bytes, count, last_vector) "
                "VALUES (?, ?, ?, ?, ?)",
                [new.file, new.sha256, new.bytes, new.count, new.last_vector],
            )
            self._connection.execute("DELETE FROM removals")

    def last_vector(self) -> int:
        """Return the greatest key in the vectors table, 0 when it is empty."""
        return int(self.rows("SELECT coalesce(max(key), 0) FROM vectors")[0][0])

    def to_be_forgotten(self) -> None:
        """Note that something deleted is still to be wiped out; part of a transaction."""
        self._connection.execute("INSERT OR IGNORE INTO state(name) VALUES ('forget')")

    def rebuild_fulltext(self) -> None:
        """Make the full-text index anew from the texts."""
        with self.translated():
            self.db.execute("INSERT INTO answers_fts(answers_fts) VALUES ('rebuild')")

    def flush_log(self, *, wait: bool = True) -> bool:
        """Empty the write-ahead log into the database; False if a reader prevents it.

        Args:
            wait: Whether to give readers a second to finish.
        """
        with self.translated():
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY if wait else 0}")
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY}")
        return not busy

    # -- verifying -------------------------------------------------------------------------------

    def integrity_problems(self) -> list[str]:
        """Let SQLite check its pages, its foreign keys and the full text; give what it says."""
        try:
            said = [row[0] for row in self._connection.execute("PRAGMA integrity_check(10)")]
            keys = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]
        problems = [line for line in said if line != "ok"]
        return problems + [f"{table}: row {row} points to nothing" for table, row, *_ in keys]

    def fulltext_is_sound(self) -> bool:
        """Compare the full text with the answers' texts; needs a connection that may write."""
        try:
            self.db.execute(
                "INSERT INTO answers_fts(answers_fts, rank) VALUES ('integrity-check', 1)"
            )
        except sqlite3.DatabaseError:
            return False
        return True

    def unused_vectors(self) -> int:
        """Count the vectors that no passage has."""
        sql = (
            "SELECT count(*) FROM vectors v "
            "WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.vector = v.key)"
        )
        return int(self.rows(sql)[0][0])

    def cut_texts(self) -> Iterator[tuple[str, str, list[tuple[int, int, bytes | None]]]]:
        """Stream (answer id, text, its passages as (start, end, hash of the vector's text))."""
        # Two streams side by side: joined, a long text would come once for each of its passages.
        passages = (
            "SELECT p.answer, p.start, p.end, v.sha FROM passages p "
            "LEFT JOIN vectors v ON v.key = p.vector ORDER BY p.answer, p.start"
        )
        with self.translated():
            cut = groupby(self._connection.execute(passages), key=lambda row: row[0])
            key, rows = next(cut, (None, iter(())))
            for answer, id_, text in self._connection.execute(
                "SELECT key, id, text FROM answers ORDER BY key"
            ):
                spans = [row[1:] for row in rows] if key == answer else []
                yield id_, text, spans
                if key == answer:
                    key, rows = next(cut, (None, iter(())))


def _answer(row: Sequence[Any]) -> Answer:
    id_, text, question, author, submitted_at, source, line, meta = row
    return Answer(id_, text, question, author, submitted_at, source, line, json.loads(meta))


def _meta_json(answer: Answer) -> str:
    return json.dumps(dict(answer.meta), ensure_ascii=False, separators=(",", ":"))


def _json_path(name: str) -> str:
    """Return the SQL literal of the JSON path to one member, whatever its name."""
    path = '$."' + json.dumps(name, ensure_ascii=False)[1:-1] + '"'
    return "'" + path.replace("'", "''") + "'"


def int_array(rows: Sequence[tuple[int]]) -> Int64:
    """Return the numbers of rows that have one column."""
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))

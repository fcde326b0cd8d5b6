"""The answers, passages, vectors and decisions of an index, in one SQLite database.

SQL is written here, in the other files of this folder, and nowhere else. A store opened for reading
sees one state for as long as it is open; one opened for writing belongs to the process that holds
the index's lock.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np

from searchkit.core.arrays import Float16, Int64
from searchkit.core.errors import IndexDamaged
from searchkit.core.identity import author_key
from searchkit.core.messages import path_text
from searchkit.core.records import Answer, Slot
from searchkit.core.where import Where
from searchkit.index.filters.columns import (
    add_meta_columns,
    columns_json,
    filter_json,
    meta_columns,
)
from searchkit.index.filters.matching import matching_keys
from searchkit.index.filters.names import NamedField, resolve_names
from searchkit.index.records import SplitAnswer
from searchkit.index.storage.checksums import damaged_rows
from searchkit.index.storage.commits import CommitRecord
from searchkit.index.storage.connection import int_array
from searchkit.index.storage.database import IndexDatabase
from searchkit.index.storage.tables.attempts import keys_in_slots, renumber, slots_of
from searchkit.index.storage.tables.decisions import DecisionTable
from searchkit.index.storage.tables.grading import GradingTable
from searchkit.index.storage.tables.rows import (
    UPSERT,
    answer_of,
    row_of,
    select_answers,
    source_keys,
)
from searchkit.index.storage.tables.traces import delete_traces


class AnswerStore(IndexDatabase):
    """The answers, passages, vectors and decisions.

    Attributes:
        decisions: What people decided about pairs of answers.
        grading: The settings of grading, and what was changed.
    """

    def __init__(
        self, connection: Connection, path: Path, record: CommitRecord | None = None
    ) -> None:
        super().__init__(connection, path, record)
        self.decisions = DecisionTable(self)
        self.grading = GradingTable(self)

    # -- reading answers and passages ------------------------------------------------------------

    def keys(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the key of each of these ids that is in the database."""
        return dict(self.rows_in("SELECT id, key FROM answers WHERE id IN ({})", ids))

    def get(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids that are in the database, by id."""
        rows = self.rows_in(f"{self._select()} WHERE a.id IN ({{}})", ids)
        return {row[1]: answer_of(row) for row in rows}

    def get_keys(self, keys: Sequence[int]) -> dict[int, Answer]:
        """Return the answers with these keys, by key."""
        rows = self.rows_in(f"{self._select()} WHERE a.key IN ({{}})", keys)
        return {row[0]: answer_of(row) for row in rows}

    def get_slots(self, slots: Collection[Slot]) -> dict[Slot, list[Answer]]:
        """Return the sound answers of each author to each question, in order of attempt."""
        keys = keys_in_slots(self, slots)
        damaged = set(self.damaged_keys(keys))
        keys = [key for key in keys if key not in damaged]
        answers = self.get_keys(keys)
        found: dict[Slot, list[Answer]] = {}
        for key in keys:
            found.setdefault(answers[key].slot, []).append(answers[key])
        return found

    def answers(self, where: Where | None = None) -> Iterator[Answer]:
        """Stream the answers, in the order in which they were added."""
        with self.translated():
            if where is None or self.allows_all(where):
                rows: Iterable[Any] = self.connection.execute(f"{self._select()} ORDER BY a.key")
            else:
                keys = self.matching(where)
                among = "WHERE a.key IN (SELECT value FROM json_each(?)) ORDER BY a.key"
                rows = self.connection.execute(
                    f"{self._select()} {among}", [json.dumps(keys.tolist())]
                )
            for row in rows:
                yield answer_of(row)

    def texts(self, keys: Sequence[int] | None = None) -> Iterator[str]:
        """Stream the texts of all answers, or of those with these keys; also of damaged rows."""
        sql = "SELECT CAST(text AS BLOB) FROM answers"
        with self.translated():
            rows: Iterable[Any]
            if keys is None:
                rows = self.connection.execute(sql)
            else:
                rows = self.rows_in(f"{sql} WHERE key IN ({{}})", keys)
            for (text,) in rows:
                yield (text or b"").decode("utf-8", "replace")

    def _select(self) -> str:
        return select_answers(self.format())

    def allows_all(self, where: Where) -> bool:
        """Whether all answers match a filter: also if it is about attempts, and there are none."""
        return where.is_empty() or (
            replace(where, attempts=None).is_empty() and not self.has_attempts()
        )

    def has_attempts(self) -> bool:
        """Whether an author has several answers to a question."""
        sql = "SELECT EXISTS (SELECT 1 FROM answers WHERE attempts > 1)"
        return self.format() > 3 and bool(self.rows(sql)[0][0])

    def matching(self, where: Where) -> Int64:
        """Return the keys of the answers that match a filter, ascending.

        Raises:
            NotFound: if no answer has the question or the author.
        """
        where = resolve_names(where, self, path_text(self.path.parent))
        with self.translated():
            return matching_keys(where, self.connection, self.path, self.is_newest)

    def has_name(self, field: NamedField, name: str) -> bool:
        """Whether an answer has this question, or this author in any spelling."""
        column: str = field
        if field == "author" and self.format() > 3:
            column, name = "author_key", author_key(name) or ""
        sql = f"SELECT EXISTS (SELECT 1 FROM answers WHERE {column} = ?)"
        return bool(self.rows(sql, [name])[0][0])

    def names(self, field: NamedField) -> list[str]:
        """Return the different questions or authors, in order."""
        sql = f"SELECT DISTINCT {field} FROM answers WHERE {field} IS NOT NULL ORDER BY 1"
        return [str(name) for (name,) in self.rows(sql)]

    def ids(self) -> Iterator[str]:
        """Stream all ids."""
        with self.translated():
            for (id_,) in self.connection.execute("SELECT id FROM answers"):
                yield str(id_)

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
            "SELECT DISTINCT CAST(vector AS INTEGER) FROM passages "
            "WHERE answer IN (SELECT value FROM json_each(?)) ORDER BY 1"
        )
        return int_array(self.rows(sql, [json.dumps(answers.tolist())]))

    def passages_with(self, vectors: Sequence[int]) -> list[tuple[int, int, str, int, int]]:
        """Return (vector, answer key, answer id, start, end) of each passage with these vectors."""
        return self.rows_in(
            "SELECT p.vector, p.answer, a.id, CAST(p.start AS INTEGER), CAST(p.end AS INTEGER) "
            "FROM passages p "
            "JOIN answers a ON a.key = p.answer WHERE p.vector IN ({})",
            vectors,
        )

    def passages_of(self, answers: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """Return (answer key, start, end, vector) of every passage of these answers, in order."""
        return self.rows_in(
            "SELECT answer, CAST(start AS INTEGER), CAST(end AS INTEGER), "
            "CAST(vector AS INTEGER) FROM passages WHERE answer IN ({}) "
            "ORDER BY answer, start",
            answers,
        )

    def passage_vectors(self, answers: Int64) -> list[tuple[int, int]]:
        """Return (answer key, vector key) of each passage of these answers, in order."""
        return self.rows(
            "SELECT answer, CAST(vector AS INTEGER) FROM passages "
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
            size = 2 * self.model().dimension
            while rows := cursor.fetchmany(block):
                if bad := next((key for key, row in rows if not _has_size(row, size)), None):
                    raise self._damaged_vector(bad)
                keys = np.array([key for key, _ in rows], np.int64)
                halves = np.frombuffer(b"".join(row for _, row in rows), np.float16)
                halves = halves.reshape(len(rows), -1)
                is_finite = np.isfinite(halves).all(axis=1)
                if not is_finite.all():
                    raise self._damaged_vector(int(keys[~is_finite][0]))
                yield keys, halves

    def _damaged_vector(self, key: int) -> IndexDamaged:
        return IndexDamaged(
            f"{self.path}: vector {key} is damaged; run: searchkit reindex --damaged"
        )

    def last_vector(self) -> int:
        """Return the greatest key in the vectors table, 0 when it is empty."""
        return int(self.rows("SELECT coalesce(max(key), 0) FROM vectors")[0][0])

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return the key of the vector of each of these hashes that has one."""
        return dict(self.rows_in("SELECT sha, key FROM vectors WHERE sha IN ({})", list(hashes)))

    def sound_ids(self, ids: Sequence[str]) -> list[str]:
        """Return those of these ids whose answers are what was written; for a writer."""
        keys = self.keys(ids)
        damaged = set(self.damaged_keys(list(keys.values())))
        return [id_ for id_, key in keys.items() if key not in damaged]

    def damaged_keys(self, keys: Sequence[int]) -> list[int]:
        """Return those of these keys whose answers have another checksum; for a writer."""
        if not keys:
            return []
        condition = "key IN (SELECT value FROM json_each(?))"
        values = [json.dumps(list(keys))]
        return [key for (key,) in damaged_rows(self.connection, "answers", condition, values)]

    # -- reading about the whole -----------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return the number of answers, blank ones, questions, authors, passages and vectors.

        Among them are the answers that are earlier attempts.
        """
        is_new = self.format() > 3
        earlier = "FROM answers WHERE attempts > 1 AND attempt < attempts"
        sql = (
            "SELECT (SELECT count(*) FROM answers), "
            "(SELECT count(*) FROM answers a "
            " WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.answer = a.key)), "
            "(SELECT count(DISTINCT question) FROM answers), "
            f"(SELECT count(DISTINCT {'author_key' if is_new else 'author'}) FROM answers), "
            "(SELECT count(*) FROM passages), (SELECT count(*) FROM vectors), "
            f"{f'(SELECT count(*) {earlier})' if is_new else 0}"
        )
        names = "answers blank questions authors passages vectors earlier_attempts".split()
        return dict(zip(names, self.rows(sql)[0], strict=True))

    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question, in order of the questions."""
        author = "author_key" if self.format() > 3 else "author"
        sql = (
            f"SELECT question, count(*), count(DISTINCT {author}) FROM answers "
            "GROUP BY question ORDER BY question"
        )
        names = ("question", "answers", "authors")
        return [dict(zip(names, row, strict=True)) for row in self.rows(sql)]

    def meta_columns(self) -> list[str]:
        """Return the names of the columns of answers, in the order in which they were added."""
        with self.translated():
            return meta_columns(self.connection)

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
            answers: New answers, and answers that replace the ones with their ids; where these are
                others (`SplitAnswer.is_other`), what was decided about them is forgotten.
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
            existing = self.keys([answer.id for answer in (*new, *same_text)])
            others = {split.answer.id for split in answers if split.is_other}
            if delete_traces(self, [key for id_, key in existing.items() if id_ in others]):
                self.require_erasure()
            slots = slots_of(self, list(existing.values()))
            is_sound = self._remove_words(list(existing.values()))
            same_keys = self._upsert(same_text)
            keys = self._upsert(new)
            slots |= {answer.slot for answer in (*new, *same_text)}
            renumber(self, slots, self.damaged_keys)
            if is_sound:
                self.fulltext.add([*keys, *same_keys])  # the language may be another one
            else:
                self.fulltext.rebuild()
            return self._replace_passages(keys, answers)

    def update_columns(self, answers: Sequence[Answer]) -> None:
        """Replace the columns written here of stored answers, without a new revision.

        Raises:
            IndexDamaged: if one of them isn't what was written; nothing was changed.
        """
        ids = [answer.id for answer in answers]
        if damaged := set(ids) - set(self.sound_ids(ids)):
            raise IndexDamaged(f"answer {min(damaged)!r}: damaged; run: searchkit verify")
        with self.transaction():
            add_meta_columns(self.connection, answers)
            self.connection.executemany(
                "UPDATE answers SET written = ?, filter_values = ? WHERE id = ?",
                ((columns_json(a.written), filter_json(a), a.id) for a in answers),
            )

    def _upsert(self, answers: Sequence[Answer]) -> list[int]:
        """Insert or replace answers; return their keys."""
        sources = source_keys(self, {a.source for a in answers if a.source is not None})
        self.connection.executemany(
            UPSERT, (row_of(answer, sources.get(answer.source or "")) for answer in answers)
        )
        keys = self.keys([answer.id for answer in answers])
        return [keys[answer.id] for answer in answers]

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
        sql = "SELECT DISTINCT CAST(vector AS INTEGER) FROM passages WHERE answer IN ({})"
        rows = self.rows_in(sql, keys)
        vectors = [vector for (vector,) in rows]
        if vectors:
            self._delete_rows("passages", "answer", keys)
        return vectors

    def _delete_unused(self, vectors: Sequence[int]) -> list[int]:
        """Delete those of these vectors that no passage has; record what the FAISS file has."""
        rows = self.rows_in("SELECT DISTINCT vector FROM passages WHERE vector IN ({})", vectors)
        used = {vector for (vector,) in rows}
        unused = [key for key in vectors if key not in used]
        ((last,),) = self.rows(
            "SELECT coalesce(max(CAST(last_vector AS INTEGER)), 0) FROM checkpoints"
        )
        self._delete_rows("vectors", "key", unused)
        self.connection.executemany(
            "INSERT OR IGNORE INTO removals(vector) VALUES (?)",
            [(key,) for key in unused if key <= last],
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
            delete_traces(self, keys)
            slots = slots_of(self, keys)
            vectors = self._delete_passages(keys)
            is_sound = self._remove_words(keys)
            self._delete_rows("answers", "key", keys)
            renumber(self, slots, self.damaged_keys)
            if not is_sound:
                self.fulltext.rebuild()
            return self._delete_unused(vectors)

    def _remove_words(self, keys: Sequence[int]) -> bool:
        """Remove answers from the full text; False if it must be rebuilt, as a row is damaged.

        SQLite's indexes are made again then, since they may have the row's former columns.
        """
        is_sound = not self.damaged_keys(keys)
        if is_sound:
            self.fulltext.remove(keys)
        else:
            self.connection.execute("REINDEX")
        return is_sound

    def delete_passages(self, keys: Sequence[int]) -> list[int]:
        """Delete the passages of answers, and their vectors; part of a transaction.

        Returns:
            The keys of the vectors that no passage has any more; they were deleted.
        """
        return self._delete_unused(self._delete_passages(keys))


def _has_size(vector: object, size: int) -> bool:
    return isinstance(vector, bytes) and len(vector) == size

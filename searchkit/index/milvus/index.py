"""An index in Milvus: a collection of a server, or a file of Milvus Lite.

It does what the folder does, with the same results, but for this: a search on a server is
approximate unless its vector index is FLAT; words are searched, and SQL expressions evaluated, in a
copy of the answers in memory; a reader sees what others write meanwhile; decisions about findings
and a reindex need a folder.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from searchkit.core.arrays import Float16, Float32, unit_rows
from searchkit.core.errors import BadInput, IndexNotFound, as_list
from searchkit.core.messages import Message
from searchkit.core.records import Answer, Hit, Slot
from searchkit.core.where import EVERYTHING, Where
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.index.base import BaseIndex, check_all_exist, check_k
from searchkit.index.embedding import model_of
from searchkit.index.filters.names import NamedField, resolve_names
from searchkit.index.milvus.address import Address
from searchkit.index.milvus.attempts import answers_in_slots, with_new_numbers
from searchkit.index.milvus.checks import find_problems, left_over_rows
from searchkit.index.milvus.client import Collection
from searchkit.index.milvus.counts import count_all, count_by_question
from searchkit.index.milvus.rows import (
    FIELD_NAMES,
    FIELDS_AND_VECTOR,
    STATE_PART,
    MilvusAnswer,
    Row,
    assemble_answers,
    hash_key,
    make_rows,
    make_state_rows,
    read_columns,
)
from searchkit.index.milvus.search import MilvusSearch, filter_of, search_words
from searchkit.index.records import Decision, Model, PassageVectors, SplitAnswer, StoredAnswer
from searchkit.index.storage.checksums import keep_checksums
from searchkit.index.storage.schema import migrate
from searchkit.index.storage.store import AnswerStore

log = logging.getLogger("searchkit")
_BLOCK = 1_000  # answers that are fetched together


class MilvusIndex(BaseIndex):
    """A corpus of answers in a Milvus collection; see `BaseIndex`."""

    def __init__(
        self, collection: Collection, model: Model, *, write: bool, encoder: Encoder | None = None
    ) -> None:
        self._collection, self._model = collection, model
        self._is_writable = write
        self._encoder = encoder
        self._copy: AnswerStore | None = None

    # -- opening and closing ---------------------------------------------------------------------

    @classmethod
    def create(cls, place: str, encoder: Encoder | None = None) -> Self:
        """Create an empty index, open for writing.

        Args:
            place: An address as `Address.read` takes it.
            encoder: The model to embed answers with; None for the model that comes with searchkit.

        Raises:
            BadInput: if there is an index already.
            StorageFailed: if Milvus doesn't answer.
        """
        collection = Collection.connect(Address.read(place))
        try:
            if collection.exists():
                raise BadInput(f"{place}: there is an index already; open it or delete it first")
            encoder = encoder or load_encoder(notify=log.info)
            model = model_of(encoder)
            collection.create(model)
        except BaseException:
            collection.close()
            raise
        return cls(collection, model, write=True, encoder=encoder)

    @classmethod
    def open(cls, place: str, *, write: bool = False, encoder: Encoder | None = None) -> Self:
        """Open an index.

        Args:
            place: An address as `Address.read` takes it.
            write: Whether answers will be added or removed. Milvus does not keep other writers out.
            encoder: The model that the index was made with, if it is loaded.

        Raises:
            IndexNotFound: if there is no index.
            IndexMismatch: if it was made with another model.
            StorageFailed: if Milvus doesn't answer.
        """
        address = Address.read(place)
        if address.is_missing_file():
            raise IndexNotFound(f"{address}: no index here; make one with: searchkit ingest FILE")
        collection = Collection.connect(address)
        try:
            index = cls(collection, collection.open(write=write), write=write, encoder=encoder)
            index._check_model()
        except BaseException:
            collection.close()
            raise
        return index

    @staticmethod
    def exists(place: str) -> bool:
        """Whether there is an index at a place."""
        address = Address.read(place)
        if address.is_missing_file():
            return False
        collection = Collection.connect(address)
        try:
            return collection.exists()
        finally:
            collection.close()

    def close(self) -> None:
        """Close the connection; a writer of many rows lets Milvus index them."""
        try:
            self._collection.seal()
        finally:
            self._release()

    def _release(self) -> None:
        self._drop_copy()
        self._collection.close()

    # -- identity --------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """The collection's address."""
        return str(self._collection.address)

    @property
    def name(self) -> str:
        """The collection's name, or that of the Milvus Lite file."""
        address = self._collection.address
        return Path(address.uri).stem if address.is_lite else address.collection

    @property
    def model(self) -> Model:
        """The model that the index was made with; it is not loaded for this."""
        return self._model

    @property
    def is_writable(self) -> bool:
        """Whether the index was opened for writing."""
        return self._is_writable

    # -- reading about the whole -----------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of answers."""
        return self._collection.count("part == 0")

    def counts(self) -> dict[str, int]:
        """Return the number of answers, blank ones, questions, authors, passages and vectors."""
        return count_all(self._scan())

    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question, in order of the questions."""
        return count_by_question(self._scan())

    def columns(self) -> list[str]:
        """Return the names of the columns of answers, in the order in which they were added."""
        return read_columns(self._collection.rows(f"part == {STATE_PART}", ["place", "record"]))

    def resolve(self, where: Where) -> Where:
        """Return a filter with its question and author as the index writes them."""
        return resolve_names(where, self, self.place)

    def has_name(self, field: NamedField, name: str) -> bool:
        """Whether an answer has this question, or this author in any spelling."""
        wanted = Where(question=name) if field == "question" else Where(author=name)
        return self._collection.count(filter_of(wanted, self._collection.version, "part == 0")) > 0

    def names(self, field: NamedField) -> set[str]:
        """Return the different questions or authors."""
        return {name for stored in self._scan() if (name := getattr(stored.answer, field))}

    def storage(self) -> dict[str, Any]:
        """Return the server's version, how vectors are searched, and the number of rows."""
        rows = f"{self._collection.count():,}"
        return {"storage": self._collection.describe() | {"rows": rows}}

    def problems(self) -> Iterator[str]:
        """Yield everything that is wrong with the rows, in one line with what mends it."""
        return find_problems(self._collection, keep_recall=self._is_writable)

    # -- reading answers -------------------------------------------------------------------------

    def get_existing(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids that are in the index, by id."""
        answers = self._fetch([hash_key(id_) for id_ in ids])
        return {stored.answer.id: stored.answer for stored in answers.values()}

    def find_slots(self, slots: Some[Slot]) -> dict[Slot, list[Answer]]:
        """Return the answers of each author to each question, in order of attempt."""
        if self._collection.version == "1":
            return super().find_slots(slots)
        found = answers_in_slots(self._collection, slots)
        return {slot: sorted(rows, key=lambda a: a.attempt) for slot, rows in found.items()}

    def get_stored(self, id_: str) -> StoredAnswer:
        """Return an answer with its passages and vectors."""
        answers = {a.answer.id: a for a in self._fetch([hash_key(id_)], FIELDS_AND_VECTOR).values()}
        check_all_exist(self.place, [id_], answers, self.ids)
        return answers[id_].to_stored()

    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Return the ids of the answers that match a filter, blank ones too, sorted."""
        return sorted(stored.answer.id for stored in self._scan(where))

    def answers(self, where: Where = EVERYTHING) -> Iterator[Answer]:
        """Stream the answers that match a filter, in the order in which they were added."""
        for stored in self._ordered(where, FIELD_NAMES):
            yield stored.answer

    def iter_stored(self, where: Where = EVERYTHING) -> Iterator[StoredAnswer]:
        """Stream the answers that match a filter, blank ones too, with passages and vectors."""
        return (answer.to_stored() for answer in self._ordered(where, FIELDS_AND_VECTOR))

    def passage_vectors(self, where: Where = EVERYTHING) -> PassageVectors:
        """Return the vectors of all passages of the answers that match a filter."""
        pages = self._pages(where, FIELDS_AND_VECTOR)
        answers = sorted((a for page in pages for a in page), key=lambda a: a.answer.id)
        row_of: dict[bytes, int] = {}
        vectors: list[Float32] = []
        for stored in answers:
            for sha, vector in zip(stored.hashes, stored.vectors, strict=True):
                if row_of.setdefault(sha, len(row_of)) == len(vectors):
                    vectors.append(vector)
        rows = np.array(vectors, np.float32).reshape(-1, self.model.dimension)
        return PassageVectors(
            ids=[stored.answer.id for stored in answers],
            questions=[stored.answer.question for stored in answers],
            rows=[tuple(row_of[sha] for sha in stored.hashes) for stored in answers],
            vectors=unit_rows(rows),
        )

    def _fetch(
        self, keys: Sequence[str], fields: Sequence[str] = FIELD_NAMES
    ) -> dict[str, MilvusAnswer]:
        return assemble_answers(self._collection.of_keys(keys, fields))

    def _pages(self, where: Where, fields: Sequence[str]) -> Iterator[list[MilvusAnswer]]:
        """Stream the answers that match a filter, some at a time, in no defined order."""
        where = self.resolve(where)
        ids = None
        if where.sql is not None:
            store = self._answers_in_memory(Message("`where` is evaluated over"))
            ids = {row[1] for row in store.identities(store.matching(where))}
        for rows in self._collection.pages(filter_of(where, self._collection.version), fields):
            yield [
                stored
                for stored in assemble_answers(rows).values()
                if (ids is None or stored.answer.id in ids) and stored.is_wanted(where.attempts)
            ]

    def _scan(self, where: Where = EVERYTHING) -> Iterator[MilvusAnswer]:
        for page in self._pages(where, FIELD_NAMES):
            yield from page

    def _ordered(self, where: Where, fields: Sequence[str]) -> Iterator[MilvusAnswer]:
        """Stream answers in the order in which they were added; only a block is in memory."""
        order = sorted((a.position, a.answer.id, a.key) for a in self._scan(where))
        for start in range(0, len(order), _BLOCK):
            keys = [key for *_, key in order[start : start + _BLOCK]]
            answers = self._fetch(keys, fields)
            yield from (answers[key] for key in keys if key in answers)

    # -- searching -------------------------------------------------------------------------------

    def search_vectors(
        self, queries: Sequence[Float32], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given by the vectors of its passages.

        Milvus applies the question and the author of a filter. A filter with an SQL expression,
        and a search for more passages than Milvus returns at once, read every vector.
        """
        k = check_k(k)
        where = self.resolve(where)
        search = MilvusSearch(
            self._collection, lambda: self._pages(where, FIELDS_AND_VECTOR), k, where
        )
        return search.run(queries)

    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that best match each query's words, by BM25.

        This runs SQLite's full text over a copy of the answers in memory.
        """
        k = check_k(k)
        where = self.resolve(where)
        store = self._answers_in_memory("words are searched in")
        allowed = None if where.is_empty() else store.matching(where)
        return [search_words(store, self._collection, query, k, allowed) for query in queries]

    def _answers_in_memory(self, purpose: str) -> AnswerStore:
        """Return a copy of the answers in SQLite, without passages and vectors."""
        if self._copy is None:
            log.info("%s: %s a copy of %s answers", self.place, purpose, f"{len(self):,}")
            connection = sqlite3.connect(":memory:", isolation_level=None)
            self._copy = AnswerStore(connection, Path(self.name))
            migrate(self._copy)
            keep_checksums(connection)
            answers = [SplitAnswer(answer, [], []) for answer in self.answers()]
            self._copy.put(answers, [], [], np.empty((0, self.model.dimension), np.float16))
        return self._copy

    def _drop_copy(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    # -- writing ---------------------------------------------------------------------------------

    def remove(self, ids: Sequence[str]) -> int:
        """Delete answers; Milvus erases their bytes when it compacts.

        Returns:
            How many answers were deleted.

        Raises:
            NotFound: if there is no answer with one of the ids; nothing was deleted.
        """
        self.require_writer()
        answers = self._get_all(as_list("ids", ids, str))
        self._delete(self._collection.of_keys([hash_key(id_) for id_ in answers], ["pk", "part"]))
        self._update_columns(with_new_numbers(self._collection, [], answers.values()))
        return len(answers)

    def rebuild(self) -> None:
        """Delete the rows that a killed writer has left, and that belong to no answer."""
        self.require_writer()
        for rows in self._collection.pages("part >= 0", FIELD_NAMES):
            self._delete(left_over_rows(rows, assemble_answers(rows)))

    def decisions(self) -> list[Decision]:
        """Return nothing: only a folder keeps decisions."""
        return []

    def add_decisions(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Raise BadInput: only a folder keeps decisions."""
        raise BadInput(f"{self.place}: decisions are kept in a folder; searchkit copy makes one")

    def remove_decisions(self, first: int | None, last: int | None = None) -> list[Decision]:
        """Return nothing: only a folder keeps decisions."""
        return []

    def _known(self, hashes: set[bytes]) -> Mapping[bytes, str]:
        pks = self._collection.rows_with_vectors([sha.hex() for sha in sorted(hashes)])
        return {bytes.fromhex(sha): pk for sha, pk in pks.items()}

    def _put(
        self,
        answers: Sequence[SplitAnswer],
        same_text: Sequence[Answer],
        known: Mapping[bytes, Any],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        stored = {
            row["pk"]: row["vector"]
            for row in self._collection.among("pk", list(known.values()), ["pk", "vector"])
        }
        vector_of = dict(zip(hashes, vectors.astype(np.float32), strict=True))
        vector_of |= {sha: np.array(stored[pk], np.float32) for sha, pk in known.items()}
        written = [*(split.answer for split in answers), *same_text]
        before = self.get_existing([answer.id for answer in written])
        self._add_columns(written)
        rows = []
        for split in answers:
            own = np.array([vector_of[sha] for sha in split.hashes], np.float32)
            rows.append((split, own.reshape(-1, self.model.dimension)))
        self._write(rows)
        self._update_columns(same_text)
        slots = [answer.slot for answer in written]
        self._update_columns(with_new_numbers(self._collection, slots, before.values()))

    def _update_columns(self, answers: Sequence[Answer]) -> None:
        """Write answers whose text has not changed again, with the vectors that they have."""
        for start in range(0, len(answers), _BLOCK):
            block = answers[start : start + _BLOCK]
            stored = self._fetch([hash_key(answer.id) for answer in block], FIELDS_AND_VECTOR)
            self._add_columns(block)
            rows = []
            for answer in block:
                old = stored[hash_key(answer.id)]
                rows.append((SplitAnswer(answer, old.passages, old.hashes), old.vectors))
            self._write(rows)

    def _write(self, answers: Sequence[tuple[SplitAnswer, Float32]]) -> None:
        """Write answers with the `(p, d)` vectors of their passages.

        First come the rows that nobody sees yet, then the first rows, with which the new answers
        exist, and then old rows are deleted; so a kill leaves each answer as before or as after.
        """
        self._drop_copy()
        keys = [hash_key(split.answer.id) for split, _ in answers]
        old = self._collection.of_keys(keys, ["pk", "key", "part", "place"])
        positions = {row["key"]: row["place"] for row in old if row["part"] == 0}
        now = time.time_ns()
        rows: list[Row] = []
        for number, (key, (split, vectors)) in enumerate(zip(keys, answers, strict=True)):
            rows += make_rows(
                *(split.answer, split.passages, split.hashes, vectors),
                position=positions.get(key, now + number),
                written=now + number,
                version=self._collection.version,
            )
        self._collection.upsert([row for row in rows if row["part"]])
        self._collection.upsert([row for row in rows if not row["part"]])
        new = {row["pk"] for row in rows}
        self._delete([row for row in old if row["pk"] not in new])

    def _delete(self, rows: Sequence[Row]) -> None:
        self._drop_copy()
        self._collection.delete([row["pk"] for row in rows if row["part"] == 0])
        self._collection.delete([row["pk"] for row in rows if row["part"]])

    def _add_columns(self, answers: Iterable[Answer]) -> None:
        """Add the names of columns that are new to the state rows."""
        known = self.columns()
        names = list(
            dict.fromkeys([*known, *(name for a in answers for name in {**a.meta, **a.written})])
        )
        if names != known:
            self._collection.upsert(make_state_rows(names, self.model.dimension))

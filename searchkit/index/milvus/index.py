"""An index in Milvus: a server's collection, or a file of Milvus Lite.

It does what the folder does, with the same results. What differs is said where it does: a search
on a server is approximate unless its index is FLAT; words are searched, and SQL expressions
evaluated, in a copy of the answers in memory; a reader sees what others write meanwhile; decisions
about findings are kept in folders alone.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from searchkit.core.arrays import Float16, Float32, Int64, unit_rows
from searchkit.core.errors import BadInput, IndexNotFound
from searchkit.core.records import Answer, Hit, Passage
from searchkit.core.where import EVERYTHING, Where
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.index.base import SCORE_TOLERANCE, BaseIndex, check_all_exist, check_k
from searchkit.index.embedding import model_of
from searchkit.index.milvus.checks import problems
from searchkit.index.milvus.client import MOST, Address, Collection
from searchkit.index.milvus.rows import FIELDS, Held, Row, answers_of, key_of, rows_of
from searchkit.index.records import Decision, Model, PassageVectors, SplitAnswer, StoredAnswer
from searchkit.index.storage.fulltext import best_passage
from searchkit.index.storage.schema import MIGRATIONS
from searchkit.index.storage.store import AnswerStore

log = logging.getLogger("searchkit")
ALL = [name for name, _ in FIELDS]
CHUNK = 1_000  # answers that are fetched together
STATE = "state"  # the key of the one row that is about the collection
Best = dict[str, tuple[float, Held, Passage]]  # an answer's best passage, by its key


class MilvusIndex(BaseIndex):
    """A corpus of answers in a Milvus collection; see `BaseIndex`."""

    def __init__(
        self, collection: Collection, model: Model, *, write: bool, encoder: Encoder | None = None
    ) -> None:
        self._collection = collection
        self._model = model
        self._write = write
        self._encoder = encoder
        self._copy: AnswerStore | None = None

    # -- opening and closing ---------------------------------------------------------------------

    @classmethod
    def create(cls, place: str, encoder: Encoder | None = None) -> Self:
        """Make an empty index, open for writing.

        Args:
            place: As `Address.read` takes it.
            encoder: What embeds the answers; None for the model that comes with searchkit.

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
            place: As `Address.read` takes it.
            write: Whether answers will be added or removed. Milvus keeps other writers not out.
            encoder: The model that it was made with, if it is loaded already.

        Raises:
            IndexNotFound: if there is none.
            IndexMismatch: if it was made with another model.
            StorageFailed: if Milvus doesn't answer.
        """
        address = Address.read(place)
        if address.is_missing_file():
            raise IndexNotFound(f"{address}: no index here; make one with: searchkit ingest FILE")
        collection = Collection.connect(address)
        try:
            index = cls(collection, collection.open(), write=write, encoder=encoder)
            index._check_model()
        except BaseException:
            collection.close()
            raise
        return index

    @staticmethod
    def is_there(place: str) -> bool:
        """Return whether there is an index at a place."""
        address = Address.read(place)
        if address.is_missing_file():
            return False
        collection = Collection.connect(address)
        try:
            return collection.exists()
        finally:
            collection.close()

    def close(self) -> None:
        """Close the connection; what was acknowledged is kept by Milvus."""
        self._forget_copy()
        self._collection.close()

    def _release(self) -> None:
        self.close()

    # -- parts -----------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """The collection's address."""
        return str(self._collection.address)

    @property
    def name(self) -> str:
        """The collection's name; of a Lite file the file's."""
        address = self._collection.address
        return Path(address.uri).stem if address.is_lite else address.collection

    @property
    def model(self) -> Model:
        """What is known of its model without loading it."""
        return self._model

    @property
    def is_writable(self) -> bool:
        """Return whether it was opened for writing."""
        return self._write

    def __len__(self) -> int:
        """Count the answers."""
        return self._collection.count("part == 0")

    def counts(self) -> dict[str, int]:
        """Count answers, blank ones, questions, authors, passages and vectors."""
        blank, passages = 0, 0
        questions, authors, vectors = set(), set(), set()
        total = 0
        for held in self._scan():
            total += 1
            blank += not held.passages
            passages += len(held.passages)
            questions.add(held.answer.question)
            authors.add(held.answer.author)
            vectors.update(held.shas)
        return {
            "answers": total,
            "blank": blank,
            "questions": len(questions - {None}),
            "authors": len(authors - {None}),
            "passages": passages,
            "vectors": len(vectors),
        }

    def by_question(self) -> list[dict[str, Any]]:
        """Count the answers and authors of each question, in the questions' order."""
        answers: Counter[str | None] = Counter()
        authors: dict[str | None, set[str | None]] = defaultdict(set)
        for held in self._scan():
            answers[held.answer.question] += 1
            authors[held.answer.question].add(held.answer.author)
        ordered = sorted(answers, key=lambda name: (name is not None, name or ""))
        return [
            {"question": name, "answers": answers[name], "authors": len(authors[name] - {None})}
            for name in ordered
        ]

    def columns(self) -> list[str]:
        """Return the names of the columns kept in `meta`, in the order in which they came."""
        rows = self._collection.rows(f'pk == "{STATE}"', ["record"])
        return list(json.loads(rows[0]["record"])) if rows else []

    def storage(self) -> dict[str, Any]:
        """Say what server it is, and how the vectors are kept."""
        rows = f"{self._collection.count():,}"
        return {"storage": self._collection.describe() | {"rows": rows}}

    def problems(self) -> Iterator[str]:
        """Yield what is not as it should be; see `milvuschecks`."""
        return problems(self._collection)

    # -- reading ---------------------------------------------------------------------------------

    def get_existing(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids, by their ids; one that isn't there is left out."""
        found = self._held([key_of(name) for name in ids])
        return {held.answer.id: held.answer for held in found.values()}

    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Return the ids of the answers that a filter allows, blank ones too, in order."""
        return sorted(held.answer.id for held in self._scan(where))

    def answers(self, where: Where = EVERYTHING) -> Iterator[Answer]:
        """Stream the answers that a filter allows, in the order in which they came."""
        for held in self._ordered(where, ALL):
            yield held.answer

    def iter_stored(self, where: Where = EVERYTHING) -> Iterator[StoredAnswer]:
        """Stream the answers that a filter allows, with all that is kept of them; see `Index`."""
        for held in self._ordered(where, [*ALL, "vector"]):
            yield StoredAnswer(held.answer, held.passages, held.vectors)

    def passage_vectors(self, where: Where = EVERYTHING) -> PassageVectors:
        """Return the answers that a filter allows by their passages, in order of their ids."""
        found = sorted(self._scan(where, vectors=True), key=lambda held: held.answer.id)
        number: dict[bytes, int] = {}
        vectors: list[Float32] = []
        for held in found:
            for sha, vector in zip(held.shas, held.vectors, strict=True):
                if number.setdefault(sha, len(number)) == len(vectors):
                    vectors.append(vector)
        rows = np.array(vectors, np.float32).reshape(-1, self.model.dimension)
        return PassageVectors(
            ids=[held.answer.id for held in found],
            questions=[held.answer.question for held in found],
            rows=[tuple(number[sha] for sha in held.shas) for held in found],
            vectors=unit_rows(rows),
        )

    def search_vectors(
        self, queries: Sequence[Float32], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given as its passages' vectors.

        The question and the author of a filter are applied by Milvus. An SQL expression, and more
        passages than Milvus gives at once, take a look at every vector.
        """
        check_k(k)
        if not queries:
            return []
        rows = [unit_rows(np.atleast_2d(q)) for q in queries]
        if where.sql is not None:
            return self._looked_through(rows, k, where)
        wanted = min(k + 1, MOST)
        found = self._collection.search(np.concatenate(rows), wanted, _filter(where, "end > 0"))
        ends = np.cumsum([len(q) for q in rows]).tolist()
        known: dict[str, Held | None] = {}
        self._learn([hit for hits in found for hit in hits], known)
        return [
            self._nearest(query, k, where, wanted, found[end - len(query) : end], known)
            for query, end in zip(rows, ends, strict=True)
        ]

    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that hold most of each query's words, by BM25.

        As in a folder, and by the same code: Milvus has no such full text, so the answers are read
        into memory once.
        """
        check_k(k)
        store = self._answers_in_memory("words are searched in")
        allowed = None if where.is_empty() else store.matching(where)
        return [self._with_words(store, query, k, allowed) for query in queries]

    def _with_words(
        self, store: AnswerStore, words: str, k: int, allowed: Int64 | None
    ) -> list[Hit]:
        found = store.fulltext.search(words, k, allowed)
        answers = store.get_keys([key for key, *_ in found])
        held = self._held([key_of(answer.id) for answer in answers.values()])
        hits = []
        for rank, (key, score, marked) in enumerate(found, 1):
            there = held.get(key_of(answers[key].id))
            passage = best_passage(marked, there.passages if there else [])
            hits.append(Hit(rank, round(score, 6), answers[key], passage))
        return hits

    def _nearest(
        self,
        query: Float32,
        k: int,
        where: Where,
        wanted: int,
        found: Sequence[Sequence[Row]],
        known: dict[str, Held | None],
    ) -> list[Hit]:
        """Widen the search until `k` answers, and all that tie with the last, are surely in it."""
        while True:
            ranked = _ranked(_best_passages(found, known), k)
            cut = [hits[-1]["score"] for hits in found if len(hits) == wanted]
            reached = max(cut, default=-np.inf)
            if not cut or (len(ranked) == k and ranked[-1][0] > reached + SCORE_TOLERANCE):
                return _hits(ranked)
            if wanted == MOST:
                return self._looked_through([query], k, where)[0]
            wanted = min(wanted * 4, MOST)
            found = self._collection.search(query, wanted, _filter(where, "end > 0"))
            self._learn([hit for hits in found for hit in hits], known)

    def _learn(self, rows: Iterable[Row], known: dict[str, Held | None]) -> None:
        """Fetch the answers that rows are of; None for one that isn't whole."""
        new = [key for key in dict.fromkeys(row["key"] for row in rows) if key not in known]
        known.update(dict.fromkeys(new))
        known.update(self._held(new))

    def _looked_through(self, queries: Sequence[Float32], k: int, where: Where) -> list[list[Hit]]:
        """Search by looking at every vector that is allowed."""
        best: list[list[tuple[float, Held, Passage]]] = [[] for _ in queries]
        for page in self._pages(where, [*ALL, "vector"]):
            inside = [held for held in page if held.passages]
            if not inside:
                continue
            vectors = np.concatenate([held.vectors for held in inside])
            starts = np.cumsum([0, *(len(held.passages) for held in inside)])
            for number, query in enumerate(queries):
                scores = (vectors @ query.T).max(axis=1).round(6)  # (p,)
                found = {}
                for held, start in zip(inside, starts.tolist(), strict=False):
                    at = int(scores[start : start + len(held.passages)].argmax())
                    score = round(float(scores[start + at]), 6)
                    found[held.key] = (score, held, held.passages[at])
                together = {one[1].key: one for one in best[number]} | found
                best[number] = _ranked(together, k)
        return [_hits(ranked) for ranked in best]

    # -- fetching --------------------------------------------------------------------------------

    def _held(self, keys: Sequence[str], fields: Sequence[str] = ALL) -> dict[str, Held]:
        return answers_of(self._collection.of_keys(keys, fields))

    def _pages(self, where: Where, fields: Sequence[str]) -> Iterator[list[Held]]:
        allowed = None
        if where.sql is not None:
            store = self._answers_in_memory("--where is evaluated over")
            allowed = {row[1] for row in store.identities(store.matching(where))}
        for rows in self._collection.pages(_filter(where), fields):
            found = answers_of(rows).values()
            yield [held for held in found if allowed is None or held.answer.id in allowed]

    def _scan(self, where: Where = EVERYTHING, *, vectors: bool = False) -> Iterator[Held]:
        for page in self._pages(where, [*ALL, "vector"] if vectors else ALL):
            yield from page

    def _ordered(self, where: Where, fields: Sequence[str]) -> Iterator[Held]:
        """Stream answers in the order in which they came, some at a time."""
        order = sorted((held.place, held.answer.id, held.key) for held in self._scan(where))
        for start in range(0, len(order), CHUNK):
            keys = [key for *_, key in order[start : start + CHUNK]]
            found = self._held(keys, fields)
            yield from (found[key] for key in keys if key in found)

    def get_stored(self, id_: str) -> StoredAnswer:
        """Return an answer with its passages and vectors."""
        found = self._held([key_of(id_)], [*ALL, "vector"])
        check_all_exist(self.place, [id_], {held.answer.id: held for held in found.values()})
        held = next(iter(found.values()))
        return StoredAnswer(held.answer, held.passages, held.vectors)

    def _answers_in_memory(self, what: str) -> AnswerStore:
        """Return a copy of the answers in SQLite, without passages and vectors."""
        if self._copy is None:
            log.info("%s: %s a copy of %s answers", self.place, what, f"{len(self):,}")
            connection = sqlite3.connect(":memory:", isolation_level=None)
            self._copy = AnswerStore(connection, Path(self.name))
            MIGRATIONS.apply(self._copy.db)
            rows = [SplitAnswer(answer, [], []) for answer in self.answers()]
            self._copy.put(rows, [], [], np.empty((0, self.model.dimension), np.float16))
        return self._copy

    def _forget_copy(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    # -- writing ---------------------------------------------------------------------------------

    def remove(self, ids: Sequence[str]) -> int:
        """Delete answers; Milvus wipes their bytes out when it compacts.

        Returns:
            How many answers were deleted.

        Raises:
            BadInput: if there is no answer with one of the ids; nothing was deleted.
        """
        self._require_writer()
        found = self._get_all(ids)
        rows = self._collection.of_keys([key_of(name) for name in found], ["pk", "part"])
        self._delete(rows)
        return len(found)

    def rebuild(self) -> None:
        """Delete the rows that a killed writer has left, and that no answer needs."""
        self._require_writer()
        for rows in self._collection.pages("part >= 0", ALL):
            current = answers_of(rows)
            self._delete([row for row in rows if not _is_of(row, current)])

    def decisions(self) -> list[Decision]:
        """Return nothing: decisions are kept in folders."""
        return []

    def add_decision(self, decision: Decision) -> Decision:
        """Refuse: decisions are kept in folders."""
        raise BadInput(f"{self.place}: decisions are kept in a folder; searchkit copy makes one")

    def remove_decision(self, number: int | None) -> Decision | None:
        """Find none: decisions are kept in folders."""
        return None

    def _known(self, hashes: set[bytes]) -> Mapping[bytes, str]:
        found = self._collection.places_of([sha.hex() for sha in sorted(hashes)])
        return {bytes.fromhex(sha): pk for sha, pk in found.items()}

    def _put(
        self,
        rows: Sequence[SplitAnswer],
        touched: Sequence[Answer],
        known: Mapping[bytes, Any],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        of_row = {
            row["pk"]: row["vector"]
            for row in self._collection.among("pk", list(known.values()), ["pk", "vector"])
        }
        vector_of = dict(zip(hashes, vectors.astype(np.float32), strict=True))
        vector_of |= {sha: np.array(of_row[pk], np.float32) for sha, pk in known.items()}
        nothing = np.empty((0, self.model.dimension), np.float32)
        self._keep_columns([*(row.answer for row in rows), *touched])
        self._write_rows(
            [
                (
                    row.answer,
                    row.passages,
                    row.hashes,
                    np.stack([vector_of[sha] for sha in row.hashes]) if row.hashes else nothing,
                )
                for row in rows
            ]
        )
        self._update_columns(touched)

    def _update_columns(self, answers: Sequence[Answer]) -> None:
        """Write answers anew whose text has not changed, with the vectors that they have."""
        for start in range(0, len(answers), CHUNK):
            some = answers[start : start + CHUNK]
            held = self._held([key_of(answer.id) for answer in some], [*ALL, "vector"])
            self._keep_columns(some)
            self._write_rows(
                [
                    (answer, old.passages, old.shas, old.vectors)
                    for answer in some
                    for old in [held[key_of(answer.id)]]
                ]
            )

    def _write_rows(
        self, answers: Sequence[tuple[Answer, Sequence[Passage], Sequence[bytes], Float32]]
    ) -> None:
        """Write answers so that a kill leaves each as it was or as it is to be.

        First what nobody sees yet, then the rows by which an answer is there, then old ones go.
        """
        self._forget_copy()
        old = self._collection.of_keys(
            [key_of(answer.id) for answer, *_ in answers], ["pk", "key", "part", "place"]
        )
        places = {row["key"]: row["place"] for row in old if row["part"] == 0}
        now = time.time_ns()
        rows: list[Row] = []
        for number, (answer, passages, shas, vectors) in enumerate(answers):
            place = places.get(key_of(answer.id), now + number)
            rows += rows_of(answer, passages, shas, vectors, place=place, written=now + number)
        self._collection.upsert([row for row in rows if row["part"]])
        self._collection.upsert([row for row in rows if not row["part"]])
        new = {row["pk"] for row in rows}
        self._delete([row for row in old if row["pk"] not in new])

    def _delete(self, rows: Sequence[Row]) -> None:
        self._forget_copy()
        self._collection.delete([row["pk"] for row in rows if row["part"] == 0])
        self._collection.delete([row["pk"] for row in rows if row["part"]])

    def _keep_columns(self, answers: Iterable[Answer]) -> None:
        """Note the names in `meta` that are new."""
        known = self.columns()
        names = list(dict.fromkeys([*known, *(name for a in answers for name in a.meta)]))
        if names != known:
            nothing = np.zeros((0, self.model.dimension), np.float32)
            (row, *_) = rows_of(Answer(STATE, ""), [], [], nothing, place=0, written=0)
            record = json.dumps(names, ensure_ascii=False)
            state = {"pk": STATE, "key": "", "version": "", "part": -1, "record": record}
            self._collection.upsert([row | state])


def _filter(where: Where, also: str = "part >= 0") -> str:
    """Return what Milvus can tell of a filter, as an expression over keys."""
    parts = [also]
    for name in ("question", "author"):
        value = getattr(where, name)
        if value is not None:
            parts.append(f'{name} == "{key_of(value)}"')
    return " and ".join(parts)


def _is_of(row: Row, current: Mapping[str, Held]) -> bool:
    held = current.get(row["key"])
    return held is not None and held.version == row["version"]


def _best_passages(found: Sequence[Sequence[Row]], known: Mapping[str, Held | None]) -> Best:
    """Return each answer's best passage; scores to six places, the first of equals."""
    best: Best = {}
    for row in (row for hits in found for row in hits):
        held = known[row["key"]]
        if held is None or held.version != row["version"]:
            continue
        score, start = round(float(row["score"]), 6), row["start"]
        before = best.get(held.key)
        if before is None or (score, -start) > (before[0], -before[2].start):
            best[held.key] = (score, held, Passage(start, row["end"]))
    return best


def _ranked(best: Best, k: int) -> list[tuple[float, Held, Passage]]:
    return sorted(best.values(), key=lambda one: (-one[0], one[1].answer.id))[:k]


def _hits(ranked: Sequence[tuple[float, Held, Passage]]) -> list[Hit]:
    return [
        Hit(rank, score, held.answer, passage)
        for rank, (score, held, passage) in enumerate(ranked, 1)
    ]

"""An index: an encoder, a store and vectors in one folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float16, Float32, Int64, unit_rows
from searchkit.core.errors import BadInput, IndexNotFound, StorageFailed
from searchkit.core.records import Answer, Hit, Passage
from searchkit.core.where import Where
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.index.base import (
    EVERYTHING,
    TIE,
    BaseIndex,
    check_found,
    check_k,
    densest,
    quoted_words,
)
from searchkit.index.embedding import model_row
from searchkit.index.rows import Decided, Kept, Passages
from searchkit.index.storage import checkpoint
from searchkit.index.storage.lock import WriterLock
from searchkit.index.storage.store import AnswerStore, Embedded, Model, Stored
from searchkit.index.storage.successor import Successor
from searchkit.index.storage.vectors import VectorIndex

log = logging.getLogger("searchkit")
DATABASE = "answers.db"


class Index(BaseIndex):
    """A corpus of answers in a folder, searchable by meaning and by words.

    `Index.create` makes one, `Index.open` opens one; use it in a `with` block or call `close`. One
    that was opened for reading shows the state of that moment for as long as it is open, however
    much is written meanwhile; one that was opened with `write=True` keeps other writers out.
    """

    def __init__(
        self,
        path: Path,
        store: AnswerStore,
        *,
        lock: WriterLock | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.path = path
        self.store = store
        self._lock = lock
        self._encoder = encoder
        self._vectors: VectorIndex | None = None
        self._identity = ("", 0, 0)  # fingerprint, file and revision, when it was opened

    # -- opening and closing ---------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | Path, encoder: Encoder | None = None) -> Self:
        """Make an empty index, open for writing.

        Args:
            path: The folder; made if it isn't there.
            encoder: What embeds the answers; None for the model that comes with searchkit.

        Raises:
            BadInput: if there is an index already.
            StorageFailed: if the folder can't be written.
        """
        folder = Path(path)
        lock = _locked(folder, make=True)
        try:
            if is_index(folder):
                raise BadInput(f"{folder}: there is an index already; open it or delete it first")
            encoder = encoder or load_encoder(notify=log.info)
            store = AnswerStore.create(folder / DATABASE, model_row(encoder))
        except BaseException:
            lock.release()
            raise
        return cls(folder, store, lock=lock, encoder=encoder)

    @classmethod
    def open(cls, path: str | Path, *, write: bool = False, encoder: Encoder | None = None) -> Self:
        """Open an index.

        Args:
            path: The folder.
            write: Whether answers will be added or removed: one writer at a time.
            encoder: The model that it was made with, if it is loaded already; None loads it when
                it is first needed.

        Raises:
            IndexNotFound: if there is none.
            IndexMismatch: if it was made with another model, or by a newer searchkit.
            IndexBusy: if `write` and another process is writing.
            IndexDamaged: if the database is not what was written.
        """
        folder = Path(path)
        if not is_index(folder):
            raise IndexNotFound(f"{folder}: no index here; make one with: searchkit ingest FILE")
        lock = _locked(folder) if write else None
        try:
            database = folder / DATABASE
            store = AnswerStore.write(database) if write else AnswerStore.read(database)
            index = cls(folder, store, lock=lock, encoder=encoder)
            index._check_model()
            file = database.stat().st_ino
            index._identity = (store.model().fingerprint, file, store.revision())
        except BaseException:
            if lock:
                lock.release()
            raise
        if write:
            index._finish_forgetting()
        return index

    def close(self) -> None:
        """Close; a writer first makes a checkpoint, if it pays, and empties the log."""
        try:
            if self._lock:
                self.checkpoint(only_if_outgrown=True)
                self.store.flush_log(wait=False)
        finally:
            self._release()

    def _release(self) -> None:
        self.store.close()
        if self._lock:
            self._vectors = None
            self._lock.release()
            self._lock = None

    def reopened(self) -> Index:
        """Open the newest state for reading, with the model and the vectors that are loaded here.

        They are loaded anew only where they have changed. Both indexes can be used, each by one
        thread at a time, and are closed on their own; this one may be closed already.
        """
        fresh = Index.open(self.path)
        if fresh._identity[0] == self._identity[0]:
            fresh._encoder = self._encoder
            if self._lock is None and fresh.has_answers_of(self):
                fresh._vectors = self._vectors
        return fresh

    def has_answers_of(self, other: Index) -> bool:
        """Return whether another reader shows surely the same answers, passages and vectors.

        The number of the revision isn't enough: a folder that was made anew counts again.
        """
        return bool(self.revision) and self._identity == other._identity

    @property
    def place(self) -> str:
        """The folder, as it was named."""
        return str(self.path)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.resolve().name

    def is_same(self, other: BaseIndex) -> bool:
        """Return whether this is the other index, however each folder was named."""
        return isinstance(other, Index) and self.path.resolve() == other.path.resolve()

    # -- parts -----------------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """What is known of that model without loading it."""
        return self.store.model()

    @property
    def vectors(self) -> VectorIndex:
        """Every vector of the index."""
        if self._vectors is None:
            self._vectors = checkpoint.load_vectors(self.path, self.store)
        return self._vectors

    @property
    def revision(self) -> int:
        """What `AnswerStore.revision` said when it was opened; while one reads, it stays so."""
        return self._identity[2]

    @property
    def is_writable(self) -> bool:
        """Return whether it was opened for writing."""
        return self._lock is not None

    def counts(self) -> dict[str, int]:
        """Count answers, blank ones, questions, authors, passages and vectors."""
        return self.store.counts()

    def by_question(self) -> list[dict[str, Any]]:
        """Count the answers and authors of each question, in the questions' order."""
        return self.store.by_question()

    def columns(self) -> list[str]:
        """Return the names of the columns kept in `meta`, in the order in which they came."""
        return self.store.meta_columns()

    def decisions(self) -> list[Decided]:
        """Return what was decided last about each pair, in the order of deciding."""
        return self.store.decisions()

    # -- reading ---------------------------------------------------------------------------------

    def get_existing(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids, by their ids; one that isn't there is left out."""
        return {name: stored.answer for name, stored in self.store.get(ids).items()}

    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Return the ids of the answers that a filter allows, blank ones too, in order."""
        rows = self.store.identities(self.store.matching(where))
        return sorted(row[1] for row in rows)

    def passages(self, where: Where = EVERYTHING) -> Passages:
        """Return the answers that a filter allows by their passages, in order of their ids."""
        allowed = self.store.matching(where)
        keys: dict[int, list[int]] = {}
        for answer, vector in self.store.passage_vectors(allowed):
            keys.setdefault(answer, []).append(vector)
        wanted = {vector: 0 for some in keys.values() for vector in some}
        wanted = {vector: row for row, vector in enumerate(wanted)}
        identities = sorted(self.store.identities(allowed), key=lambda row: row[1])
        return Passages(
            ids=[row[1] for row in identities],
            questions=[row[2] for row in identities],
            rows=[tuple(wanted[key] for key in keys.get(row[0], ())) for row in identities],
            vectors=unit_rows(self.vectors.get(np.array(list(wanted), np.int64))),
        )

    def answers(self, where: Where = EVERYTHING) -> Iterator[Answer]:
        """Stream the answers that a filter allows, in the order in which they came."""
        return self.store.answers(where)

    def iter_stored(self, where: Where = EVERYTHING) -> Iterator[Kept]:
        """Stream the answers that a filter allows, blank ones too, with all that is kept of them.

        In the order in which they came: each with its passages and their `(p, d)` vectors, float32
        that were rounded to float16.
        """
        keys = self.store.matching(where).tolist()
        for start in range(0, len(keys), 4096):
            some = keys[start : start + 4096]
            rows = self.store.passages_of(some)
            passages: dict[int, list[Passage]] = {key: [] for key in some}
            for key, begin, end, _ in rows:
                passages[key].append(Passage(begin, end))
            answers = self.store.get_keys(some)
            vectors = self.vectors.get(np.array([v for *_, v in rows], np.int64))
            at = 0
            for key, spans in passages.items():
                yield answers[key], spans, vectors[at : at + len(spans)]
                at += len(spans)

    def search_vectors(
        self, queries: Sequence[Float32], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given as its passages' vectors.

        Args:
            queries: For each query `(p, d)` float32, unit rows; `(d,)` for one passage.
            k: How many hits for each.
            where: Which answers to search among.
        """
        check_k(k)
        allowed = None if where.is_empty() else self.store.matching(where)
        among = None if allowed is None else self.store.vectors_of(allowed)
        total = len(self.vectors) if among is None else len(among)
        if not total or not queries:
            return [[] for _ in queries]
        rows = [unit_rows(np.atleast_2d(q)) for q in queries]
        ends = np.cumsum([len(q) for q in rows])[:-1]
        first = self.vectors.search(np.concatenate(rows), min(k, total) + 1, among)
        cut = zip(np.split(first[0], ends), np.split(first[1], ends), strict=True)
        return [
            self._nearest(query, k, allowed, among, total, found)
            for query, found in zip(rows, cut, strict=True)
        ]

    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that hold most of each query's words, by BM25.

        Every word of a query is a plain word, whatever it would mean to SQLite; words are compared
        by their English stem, without case and accents.
        """
        check_k(k)
        allowed = None if where.is_empty() else self.store.matching(where)
        return [self._with_words(quoted_words(query), k, allowed) for query in queries]

    def _nearest(
        self,
        query: Float32,
        k: int,
        allowed: Int64 | None,
        vectors: Int64 | None,
        total: int,
        first: tuple[Float32, Int64],
    ) -> list[Hit]:
        """Widen the search until `k` answers, and all that tie with the last, are surely in it.

        `first` is what the narrowest search found, of the `total` vectors that are allowed.
        """
        wanted = min(k, total) + 1
        scores, keys = first  # (p, wanted)
        while True:
            best = self._best_passages(scores, keys, allowed)
            ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[1][1]))[:k]
            reached = float(scores[:, -1].max()) if wanted <= total else -np.inf
            if wanted > total or (len(ranked) == k and ranked[-1][1][0] > reached + TIE):
                return self._hits([(key, *value) for key, value in ranked])
            wanted = min(wanted * 4, total + 1)
            scores, keys = self.vectors.search(query, wanted, vectors)

    def _best_passages(
        self, scores: Float32, keys: Int64, allowed: Int64 | None
    ) -> dict[int, tuple[float, str, Passage]]:
        """Return each answer's best (score, id, passage) by its key; scores to six places."""
        score_of: dict[int, float] = {}
        for key, score in zip(keys.ravel().tolist(), scores.ravel().tolist(), strict=True):
            if np.isfinite(score):
                score_of[key] = max(score, score_of.get(key, -2.0))
        rows = self.store.passages_with(list(score_of))
        if allowed is not None:
            inside = _contained(np.array([row[1] for row in rows], np.int64), allowed)
            rows = [row for row, kept in zip(rows, inside, strict=True) if kept]
        best: dict[int, tuple[float, str, Passage]] = {}
        for vector, answer, answer_id, start, end in rows:
            score = round(score_of[vector], 6)
            if answer not in best or (score, -start) > (best[answer][0], -best[answer][2].start):
                best[answer] = (score, answer_id, Passage(start, end))
        return best

    def _with_words(self, words: str, k: int, allowed: Int64 | None) -> list[Hit]:
        if not words:
            return []
        found = self.store.lexical(words, k, allowed)
        spans: dict[int, list[Passage]] = {}
        for answer, start, end, _ in self.store.passages_of([key for key, *_ in found]):
            spans.setdefault(answer, []).append(Passage(start, end))
        return self._hits(
            [
                (key, round(score, 6), "", densest(marked, spans.get(key, [])))
                for key, score, marked in found
            ]
        )

    def _hits(self, found: Sequence[tuple[int, float, str, Passage]]) -> list[Hit]:
        answers = self.store.get_keys([key for key, *_ in found])
        return [
            Hit(rank, score, answers[key], passage)
            for rank, (key, score, _, passage) in enumerate(found, 1)
        ]

    # -- writing ---------------------------------------------------------------------------------

    def remove(self, ids: Sequence[str]) -> int:
        """Delete answers and forget them: no byte of their text or vectors stays in the folder.

        Returns:
            How many answers were deleted.

        Raises:
            BadInput: if there is no answer with one of the ids; nothing was deleted.
        """
        self._require_writer()
        found = self._stored(ids)
        if found:
            self._follow(self.store.delete([stored.key for stored in found.values()]))
            self._finish_forgetting()
        return len(found)

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
        """Keep a decision about two answers; return its number."""
        return self.store.add_decision(
            left, right, decision, reason, decided_at, left_sha, right_sha
        )

    def take_back_decision(self, number: int | None) -> tuple[str, str] | None:
        """Delete a decision, or the last of all; return the ids of its answers, if there is one."""
        return self.store.take_back_decision(number)

    def checkpoint(self, *, only_if_outgrown: bool = False) -> None:
        """Write the vectors as a FAISS file, so that opening doesn't read them row by row."""
        self._require_writer()
        if not only_if_outgrown or checkpoint.outgrown(self.store):
            checkpoint.write_checkpoint(self.path, self.store, self.vectors)
            self._vectors = None  # the next search maps the new file

    def rebuild(self) -> None:
        """Make everything anew that can be made from the rows: full text, pages, FAISS file.

        No model is needed. A damaged FAISS file is set aside, not deleted.
        """
        self._require_writer()
        checkpoint.set_aside(self.path, self.store)
        self._vectors = None
        self.store.rebuild_fulltext()
        self.checkpoint()
        self._forget()

    def switch_model(self, encoder: Encoder) -> None:
        """Serve what another model has made of the answers (see `successor`), in one commit.

        The FAISS file is part of it. Then the old vectors are forgotten, as if deleted.

        Raises:
            StorageFailed: if the disk is full; before the commit the index is as it was.
        """
        self._require_writer()
        checkpoint.set_aside(self.path, self.store)
        try:
            with self.store.transaction():
                Successor(self.store).take_over()
                vectors = checkpoint.read_rows(self.store)
                if len(vectors):
                    new = checkpoint.write_file(self.path, self.store, vectors)
                    self.store.commit_checkpoint(new)
        except BaseException:
            checkpoint.remove_leftovers(self.path, self.store)
            raise
        self._encoder, self._vectors = encoder, None
        self._finish_forgetting()

    def drop_reindex(self) -> None:
        """Drop what an unfinished reindex has left, and give its room back."""
        self._require_writer()
        Successor(self.store).drop()
        self._finish_forgetting()

    def _stored(self, ids: Sequence[str]) -> dict[str, Stored]:
        found = self.store.get(ids)
        check_found(self.place, ids, found)
        return found

    def _passage_rows(self, id_: str) -> Float32:
        key = self._stored([id_])[id_].key
        rows = [vector for *_, vector in self.store.passages_of([key])]
        return self.vectors.get(np.array(rows, np.int64)) if rows else np.empty((0, 0), np.float32)

    def _known(self, hashes: set[bytes]) -> Mapping[bytes, Any]:
        return self.store.known(hashes)

    def _put(
        self,
        rows: Sequence[Embedded],
        touched: Sequence[Answer],
        known: Mapping[bytes, Any],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        self._follow(self.store.put(rows, touched, hashes, vectors))

    def _update_columns(self, answers: Sequence[Answer]) -> None:
        self.store.update_columns(answers)

    def _follow(self, gone: Sequence[int]) -> None:
        """Bring vectors that are loaded up to the table."""
        if self._vectors is not None:
            self._vectors.remove(np.array(gone, np.int64))
            for keys, rows in self.store.vectors(after=self._vectors.last_key()):
                self._vectors.add(keys, rows)

    def _finish_forgetting(self) -> None:
        if self.store.pending():
            if len(self.store.removals()):
                self.checkpoint()
            self._forget()

    def _forget(self) -> None:
        checkpoint.remove_leftovers(self.path, self.store)
        self.store.forget()
        if self.store.flush_log():
            self.store.forgotten()
            self.store.flush_log()
        else:
            log.warning(
                "%s: a reader still has the older state open; what was deleted is wiped out when "
                "the next command writes",
                self.path,
            )


def is_index(folder: Path) -> bool:
    """Return whether a folder holds a database; an empty file is left by a killed creation."""
    database = folder / DATABASE
    try:
        return database.stat().st_size > 0 and not AnswerStore.is_blank(database)
    except OSError:
        return False


def _locked(folder: Path, *, make: bool = False) -> WriterLock:
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"{folder}: can't make this folder ({error.strerror})") from error
    lock = WriterLock(folder / "LOCK")
    lock.acquire()
    return lock


def _contained(values: Int64, among: Int64) -> NDArray[np.bool_]:
    """Say which values are in a sorted array, without a look at the rest of it."""
    at = np.minimum(np.searchsorted(among, values), max(len(among) - 1, 0))
    return among[at] == values if len(among) else np.zeros(len(values), bool)

"""An index: an encoder, a store and vectors in one folder."""

from __future__ import annotations

import hashlib
import logging
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from searchkit import checkpoint
from searchkit.encoder import Encoder, load_encoder
from searchkit.errors import (
    BadInput,
    IndexMismatch,
    IndexNotFound,
    NoSuchThing,
    StorageFailed,
)
from searchkit.lock import WriterLock
from searchkit.passages import split_passages
from searchkit.store import AnswerStore, Embedded, Halves, Model, Stored
from searchkit.successor import Successor
from searchkit.types import Answer, Hit, Passage
from searchkit.vectors import Floats, VectorIndex, mean_row, unit_rows
from searchkit.where import Where

log = logging.getLogger("searchkit")

DATABASE = "answers.db"
EVERYTHING = Where()
TIE = 1e-6  # scores nearer than this are equal, and ids decide

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the answers of one `add`."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    passages: int = 0
    embedded: int = 0


@dataclass(frozen=True, slots=True)
class Passages:
    """Answers by what they were cut into, in order of their ids.

    Attributes:
        ids: `n` of them.
        questions: Of each.
        rows: Of each the rows of `vectors` that its passages have, in order; none if it is blank.
            Equal texts have the same row.
        vectors: `(v, d)` float32, unit rows.
    """

    ids: list[str]
    questions: list[str | None]
    rows: list[tuple[int, ...]]
    vectors: Floats


class Index:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._release()

    def _check_model(self) -> None:
        if self._encoder is None:
            return
        made_with, given = self.store.model(), self._encoder
        if made_with.fingerprint != given.fingerprint:
            raise IndexMismatch(
                f"{self.path}: made with {made_with.name} ({made_with.fingerprint[:12]}), not with "
                f"{given.name} ({given.fingerprint[:12]}); leave --model out, or change the "
                f"index's model: searchkit reindex --model {given.name}"
            )

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
        """Say whether another reader shows surely the same answers, passages and vectors.

        The number of the revision isn't enough: a folder that was made anew counts again.
        """
        return bool(self.revision) and self._identity == other._identity

    # -- parts -----------------------------------------------------------------------------------

    @property
    def encoder(self) -> Encoder:
        """The model that the index was made with."""
        if self._encoder is None:
            model = self.store.model()
            known = model.fingerprint
            self._encoder = load_encoder(model.name, fingerprint=known, notify=log.info)
        return self._encoder

    def embed_with(self, encoder: Encoder) -> None:
        """Embed from now on with another encoder of the same model.

        Raises:
            IndexMismatch: if it is of another one.
        """
        before, self._encoder = self._encoder, encoder
        try:
            self._check_model()
        except IndexMismatch:
            self._encoder = before
            raise

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
        """Say whether it was opened for writing."""
        return self._lock is not None

    def __len__(self) -> int:
        """Count the answers."""
        return self.store.counts()["answers"]

    # -- reading ---------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Answer]:
        """Give the answers with these ids, in this order.

        Raises:
            BadInput: if there is no answer with one of the ids.
        """
        found = self._stored(ids)
        return [found[i].answer for i in ids]

    def find(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Give the answers with these ids, by their ids; one that isn't there is left out."""
        return {name: stored.answer for name, stored in self.store.get(ids).items()}

    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Give the ids of the answers that a filter allows, blank ones too, in order."""
        rows = self.store.identities(self.store.matching(where))
        return sorted(row[1] for row in rows)

    def passages(self, where: Where = EVERYTHING) -> Passages:
        """Give the answers that a filter allows by their passages, in order of their ids."""
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

    def embedded(
        self, where: Where = EVERYTHING
    ) -> Iterator[tuple[Answer, list[Passage], NDArray[np.float32]]]:
        """Stream the answers that are not blank, each with its passages and `(p, d)` unit rows."""
        keys = self.store.matching(where).tolist()
        for start in range(0, len(keys), 4096):
            rows = self.store.passages_of(keys[start : start + 4096])
            passages: dict[int, list[Passage]] = {}
            for key, begin, end, _ in rows:
                passages.setdefault(key, []).append(Passage(begin, end))
            answers = self.store.get_keys(list(passages))
            vectors = unit_rows(self.vectors.get(np.array([v for *_, v in rows], np.int64)))
            at = 0
            for key, spans in passages.items():
                yield answers[key], spans, vectors[at : at + len(spans)]
                at += len(spans)

    def whole(self, where: Where = EVERYTHING) -> Iterator[tuple[Answer, Floats]]:
        """Stream the answers that are not blank, each with the `(d,)` unit vector of the whole.

        That is the mean of its passages, each weighing as much as it is long.
        """
        for answer, passages, vectors in self.embedded(where):
            lengths = np.array([p.end - p.start for p in passages], np.float32)
            yield answer, mean_row(vectors, lengths)

    def search(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest in meaning to each query.

        A query longer than the model's window is searched by each of its passages. An answer's
        score is that of its best passage. The filter is applied before the search, so `k` hits
        come back whenever `k` answers that are not blank are allowed.

        Returns:
            For each query its hits, best first; scores that differ by less than 1e-6 by id.

        Raises:
            BadInput: if `k` is below 1, a query is blank, or the filter can't be read.
        """
        _check_k(k)
        passages = [self._query_passages(query) for query in queries]
        rows = iter(self.encoder.encode_queries([text for texts in passages for text in texts]))
        vectors = [np.stack([next(rows) for _ in texts]) for texts in passages]
        return self.search_vectors(vectors, k, where)

    def search_vectors(
        self, queries: Sequence[Floats], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given as its passages' vectors.

        Args:
            queries: For each query `(p, d)` float32, unit rows; `(d,)` for one passage.
            k: How many hits for each.
            where: Which answers to search among.
        """
        _check_k(k)
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

    def search_like(self, id_: str, k: int = 10, where: Where = EVERYTHING) -> list[Hit]:
        """Find the answers nearest to one that is in the index, without itself.

        Raises:
            BadInput: if there is no such answer, `k` is below 1, or the filter can't be read.
        """
        _check_k(k)
        key = self._stored([id_])[id_].key
        rows = [vector for *_, vector in self.store.passages_of([key])]
        if not rows:
            return []
        (hits,) = self.search_vectors([self.vectors.get(np.array(rows, np.int64))], k + 1, where)
        others = [hit for hit in hits if hit.answer.id != id_][:k]
        return [replace(hit, rank=rank) for rank, hit in enumerate(others, 1)]

    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that hold most of each query's words, by BM25.

        Every word of a query is a plain word, whatever it would mean to SQLite; words are compared
        by their English stem, without case and accents.
        """
        _check_k(k)
        allowed = None if where.is_empty() else self.store.matching(where)
        return [self._with_words(_quoted_words(query), k, allowed) for query in queries]

    def _query_passages(self, query: str) -> list[str]:
        (passages,) = split_passages([query], self.encoder.tokenizer, self.encoder.window)
        if not passages:
            raise BadInput("the query is blank; write some words to look for")
        return [_canonical(query[p.start : p.end]) for p in passages]

    def _nearest(
        self, query: Floats, k: int, allowed: NDArray[np.int64] | None,
        vectors: NDArray[np.int64] | None, total: int, first: tuple[Floats, NDArray[np.int64]],
    ) -> list[Hit]:  # fmt: skip
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
        self, scores: Floats, keys: NDArray[np.int64], allowed: NDArray[np.int64] | None
    ) -> dict[int, tuple[float, str, Passage]]:
        """Give each answer's best (score, id, passage) by its key; scores to six places."""
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

    def _with_words(self, words: str, k: int, allowed: NDArray[np.int64] | None) -> list[Hit]:
        if not words:
            return []
        found = self.store.lexical(words, k, allowed)
        spans: dict[int, list[Passage]] = {}
        for answer, start, end, _ in self.store.passages_of([key for key, *_ in found]):
            spans.setdefault(answer, []).append(Passage(start, end))
        return self._hits([
            (key, round(score, 6), "", _densest(marked, spans.get(key, [])))
            for key, score, marked in found
        ])  # fmt: skip

    def _hits(self, found: Sequence[tuple[int, float, str, Passage]]) -> list[Hit]:
        answers = self.store.get_keys([key for key, *_ in found])
        return [
            Hit(rank, score, answers[key], passage)
            for rank, (key, score, _, passage) in enumerate(found, 1)
        ]

    # -- writing ---------------------------------------------------------------------------------

    def add(self, answers: Iterable[Answer], progress: Progress | None = None) -> Added:
        """Add answers, or replace those whose id is there; all of them or none.

        A passage text that is embedded already is not embedded again. Blank answers are kept and
        have no passages.

        Args:
            answers: Each id once.
            progress: Called with how many more of the answers are done.

        Raises:
            BadInput: if an id is blank or comes twice, a text can't be stored, or the model gives
                a vector that is not one; nothing was added.
        """
        self._require_writer()
        answers = _spelled_alike(list(answers), self.store.meta_columns())
        _check_answers(answers)
        before = self.store.get([answer.id for answer in answers])
        changed = [a for a in answers if a.id not in before or before[a.id].answer.text != a.text]
        same = {a.id for a in answers} - {a.id for a in changed}
        touched = [a for a in answers if a.id in same and not _equal(before[a.id].answer, a)]
        rows = cut(self.encoder, changed)
        known = self.store.known({sha for row in rows for sha in row.hashes})
        new = new_texts(rows, known)
        report = Share(progress, len(answers), len(answers) - len(changed), len(new))
        vectors = embed(self.encoder, list(new.values()), report)
        gone = self.store.put(rows, touched, list(new), vectors)
        self._follow(gone)
        report.finish()
        updated = sum(a.id in before for a in changed) + len(touched)
        return Added(
            added=sum(a.id not in before for a in changed),
            updated=updated,
            unchanged=len(answers) - len(changed) - len(touched),
            passages=sum(len(row.passages) for row in rows),
            embedded=len(new),
        )

    def annotate(self, values: Mapping[str, Mapping[str, str | None]]) -> int:
        """Write into columns of `meta`, whose other columns stay; nothing is embedded.

        Args:
            values: For the id of each answer, what to write by the column's name; None empties it.

        Returns:
            How many answers are not as before.

        Raises:
            BadInput: if there is no answer with one of the ids, or a name or a value can't be
                stored; nothing was changed.
        """
        self._require_writer()
        stored = self._stored(list(values))
        known = {name.lower(): name for name in self.store.meta_columns()}  # SQL sees no case
        changed = []
        for name, new in values.items():
            answer = stored[name].answer
            spelled = {known.setdefault(n.lower(), n): value for n, value in new.items()}
            meta = {**answer.meta, **spelled}
            kept = {column: value for column, value in meta.items() if value is not None}
            if kept != dict(answer.meta):
                changed.append(replace(answer, meta=kept))
        _check_answers(changed)
        self.store.annotate(changed)
        return len(changed)

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

    def succeed(self, encoder: Encoder) -> None:
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

    def abandon(self) -> None:
        """Drop what an unfinished reindex has left, and give its room back."""
        self._require_writer()
        Successor(self.store).drop()
        self._finish_forgetting()

    def _stored(self, ids: Sequence[str]) -> dict[str, Stored]:
        found = self.store.get(ids)
        missing = [i for i in ids if i not in found]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise NoSuchThing(f"{self.path}: no answer {missing[0]!r}{more}; nothing was changed")
        return found

    def _require_writer(self) -> None:
        if self._lock is None:
            raise ValueError("opened for reading; use Index.open(path, write=True)")

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


class Share:
    """Turns texts embedded into answers done, so that a bar over answers moves meanwhile."""

    def __init__(self, progress: Progress | None, answers: int, done: int, texts: int) -> None:
        self.progress = progress or (lambda _: None)
        self.left = answers - done
        self.rate = self.left / texts if texts else 0.0
        self.reported = 0
        self.texts = 0
        self.progress(done)

    def __call__(self, texts: int) -> None:
        """Take how many more texts are embedded."""
        self.texts += texts
        now = min(int(self.texts * self.rate), self.left)
        self.progress(now - self.reported)
        self.reported = now

    def finish(self) -> None:
        """Report the answers that are left."""
        self.progress(self.left - self.reported)


def is_index(folder: Path) -> bool:
    """Say whether a folder holds a database; an empty file is what a kill leaves of a creation."""
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


def _check_k(k: int) -> None:
    if k < 1:
        raise BadInput(f"the number of hits must be at least 1, not {k}")


def _check_answers(answers: Sequence[Answer]) -> None:
    seen: set[str] = set()
    for answer in answers:
        if not answer.id.strip():
            raise BadInput(f"an answer has a blank id: {answer.text[:40]!r}; give each one its own")
        if answer.id in seen:
            raise BadInput(f"answer {answer.id!r} comes twice; give each one its own id")
        seen.add(answer.id)
        fields = (answer.id, answer.text, answer.question, answer.author, answer.submitted_at)
        for value in (*fields, *answer.meta, *answer.meta.values()):
            _check_text(answer, value or "")


def _check_text(answer: Answer, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        raise BadInput(
            f"answer {answer.id!r}: a lone surrogate U+{code:04X} can't be stored; replace it"
        ) from error


def _spelled_alike(answers: Sequence[Answer], names: Sequence[str]) -> list[Answer]:
    """Spell `meta` names that differ by case alone as the first: SQL sees no difference."""
    known = {name.lower(): name for name in names}
    alike = []
    for answer in answers:
        spelled = {known.setdefault(name.lower(), name): name for name in answer.meta}
        if len(spelled) == len(answer.meta) and any(new != old for new, old in spelled.items()):
            answer = replace(answer, meta={new: answer.meta[old] for new, old in spelled.items()})
        alike.append(answer)
    return alike


def _equal(stored: Answer, new: Answer) -> bool:
    names = ("text", "question", "author", "submitted_at", "meta")
    return all(getattr(stored, name) == getattr(new, name) for name in names)


def _canonical(passage: str) -> str:
    """Give what is hashed and embedded: NFC, so that é is é however it is encoded."""
    return unicodedata.normalize("NFC", passage).strip()


def passage_hash(passage: str) -> bytes:
    """Give the SHA-256 under which a passage's vector is kept."""
    return hashlib.sha256(_canonical(passage).encode()).digest()


def cut(encoder: Encoder, answers: Sequence[Answer]) -> list[Embedded]:
    """Cut answers into passages that fit the model's window, and hash each one's text."""
    passages = split_passages([a.text for a in answers], encoder.tokenizer, encoder.window)
    return [
        Embedded(a, spans, [passage_hash(a.text[p.start : p.end]) for p in spans])
        for a, spans in zip(answers, passages, strict=True)
    ]


def embed(encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> Halves:
    """Embed, refuse what is no vector, and round once: `(n, d)` float16."""
    if not texts:
        return np.empty((0, encoder.dimension), np.float16)
    return unit_rows(encoder.encode(texts, progress), texts).astype(np.float16)


def model_row(encoder: Encoder) -> Model:
    """Give what an index keeps of its model."""
    return Model(encoder.fingerprint, encoder.name, encoder.dimension, encoder.window)


def _contained(values: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which values are in a sorted array, without a look at the rest of it."""
    at = np.minimum(np.searchsorted(among, values), max(len(among) - 1, 0))
    return among[at] == values if len(among) else np.zeros(len(values), bool)


def new_texts(rows: Sequence[Embedded], known: dict[bytes, int]) -> dict[bytes, str]:
    """Give the distinct passage texts that have no vector yet, by their hash."""
    return {
        sha: _canonical(row.answer.text[passage.start : passage.end])
        for row in rows
        for passage, sha in zip(row.passages, row.hashes, strict=True)
        if sha not in known
    }


def _quoted_words(query: str) -> str:
    """Make an FTS5 expression in which every word is just a word; any of them may match."""
    words = dict.fromkeys(query.replace("\0", " ").split())
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def _densest(marked: str, passages: Sequence[Passage]) -> Passage:
    """Give the passage with the most marked words; the first of equals."""
    starts, offset = [], 0
    for piece in marked.split("\x02")[:-1]:
        offset += len(piece.replace("\x03", ""))
        starts.append(offset)
    inside = [sum(p.start <= s < p.end for s in starts) for p in passages]
    return passages[inside.index(max(inside))] if passages else Passage(0, 0)

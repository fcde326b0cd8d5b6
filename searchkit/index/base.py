"""What every index can do, wherever it keeps its answers, and what is the same in all of them.

The flows take an `BaseIndex`. The folder (`index.Index`) is the one that everybody begins with;
another is a class of its own that fills in the abstract methods.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from searchkit.core.arrays import Float16, Float32, mean_row, unit_rows
from searchkit.core.errors import BadInput, IndexMismatch, NoSuchThing
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, Hit, Passage
from searchkit.core.results import Results
from searchkit.core.where import Where
from searchkit.encoding.encoder import Encoder
from searchkit.encoding.loading import load_encoder
from searchkit.index.embedding import (
    AnswerProgress,
    canonical,
    check_answers,
    cut,
    embed,
    equal,
    new_texts,
    passage_hash,
    spelled_alike,
)
from searchkit.index.rows import Added, Decided, Kept, Passages
from searchkit.index.storage.store import Embedded, Model
from searchkit.text.passages import split_passages

log = logging.getLogger("searchkit")
EVERYTHING = Where()
TIE = 1e-6  # scores nearer than this are equal, and ids decide


class BaseIndex(ABC):
    """A corpus of answers with the vectors that one model made of them.

    Use it in a `with` block or call `close`.
    """

    _encoder: Encoder | None = None

    # -- what each kind of index says for itself -------------------------------------------------

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is, as a user would write it; the same for the same index."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called, in short."""

    @property
    @abstractmethod
    def model(self) -> Model:
        """What is known of the model that it was made with, without loading it."""

    @property
    @abstractmethod
    def is_writable(self) -> bool:
        """Return whether it was opened for writing."""

    def is_same(self, other: BaseIndex) -> bool:
        """Return whether this is the other index."""
        return self.place == other.place

    @abstractmethod
    def close(self) -> None:
        """Finish what is written, and let go of everything."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of everything, after an error."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Count answers, blank ones, questions, authors, passages and vectors."""

    @abstractmethod
    def by_question(self) -> list[dict[str, Any]]:
        """Count the answers and authors of each question, in the questions' order."""

    def storage(self) -> dict[str, str]:
        """Return what else is to be said of how the vectors are kept, by name."""
        return {}

    def problems(self) -> Iterator[str]:
        """Yield what is not as it should be, each in one line with what mends it."""
        return iter(())

    @abstractmethod
    def columns(self) -> list[str]:
        """Return the names of the columns kept in `meta`."""

    @abstractmethod
    def get_existing(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids, by their ids; one that isn't there is left out."""

    @abstractmethod
    def ids(self, where: Where = EVERYTHING) -> list[str]:
        """Return the ids of the answers that a filter allows, blank ones too, in order."""

    @abstractmethod
    def answers(self, where: Where = EVERYTHING) -> Iterator[Answer]:
        """Stream the answers that a filter allows, in the order in which they came."""

    @abstractmethod
    def passages(self, where: Where = EVERYTHING) -> Passages:
        """Return the answers that a filter allows by their passages, in order of their ids."""

    @abstractmethod
    def iter_stored(self, where: Where = EVERYTHING) -> Iterator[Kept]:
        """Stream the answers that a filter allows, blank ones too, with all that is kept of them.

        In the order in which they came: each with its passages and their `(p, d)` vectors, float32
        that were rounded to float16.
        """

    @abstractmethod
    def search_vectors(
        self, queries: Sequence[Float32], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers nearest to each query, given as its passages' vectors.

        Args:
            queries: For each query `(p, d)` float32, unit rows; `(d,)` for one passage.
            k: How many hits for each.
            where: Which answers to search among.
        """

    @abstractmethod
    def search_words(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[list[Hit]]:
        """Find the answers that hold most of each query's words, by BM25.

        Every word of a query is a plain word, whatever it would mean to SQLite; words are compared
        by their English stem, without case and accents.
        """

    @abstractmethod
    def remove(self, ids: Sequence[str]) -> int:
        """Delete answers.

        Returns:
            How many answers were deleted.

        Raises:
            BadInput: if there is no answer with one of the ids; nothing was deleted.
        """

    @abstractmethod
    def rebuild(self) -> None:
        """Make anew, or tidy up, what can be without the model."""

    @abstractmethod
    def decisions(self) -> list[Decided]:
        """Return what was decided last about each pair, in the order of deciding."""

    @abstractmethod
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

    @abstractmethod
    def take_back_decision(self, number: int | None) -> tuple[str, str] | None:
        """Delete a decision, or the last of all; return the ids of its answers, if there is one."""

    @abstractmethod
    def _passage_rows(self, id_: str) -> Float32:
        """Return the `(p, d)` vectors of an answer's passages; NoSuchThing if it isn't there."""

    @abstractmethod
    def _known(self, hashes: set[bytes]) -> Mapping[bytes, Any]:
        """Return where the vector of each hash is, for those that have one."""

    @abstractmethod
    def _put(
        self,
        rows: Sequence[Embedded],
        touched: Sequence[Answer],
        known: Mapping[bytes, Any],
        hashes: Sequence[bytes],
        vectors: Float16,
    ) -> None:
        """Write answers; see `AnswerStore.put`. `known` is what `_known` said of their hashes."""

    @abstractmethod
    def _update_columns(self, answers: Sequence[Answer]) -> None:
        """Replace the `meta` of answers that are there."""

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
        made_with, given = self.model, self._encoder
        if made_with.fingerprint != given.fingerprint:
            raise IndexMismatch(
                f"{self.place}: made with {made_with.name} ({made_with.fingerprint[:12]}), "
                f"not with {given.name} ({given.fingerprint[:12]}); leave --model out, or change "
                f"the index's model: searchkit reindex --model {given.name}"
            )

    # -- reading ---------------------------------------------------------------------------------

    @property
    def encoder(self) -> Encoder:
        """The model that the index was made with."""
        if self._encoder is None:
            model = self.model
            known = model.fingerprint
            self._encoder = load_encoder(model.name, fingerprint=known, notify=log.info)
        return self._encoder

    def use_encoder(self, encoder: Encoder) -> None:
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

    def __len__(self) -> int:
        """Count the answers."""
        return self.counts()["answers"]

    def get(self, ids: Sequence[str]) -> list[Answer]:
        """Return the answers with these ids, in this order.

        Raises:
            BadInput: if there is no answer with one of the ids.
        """
        found = self._found(ids)
        return [found[i] for i in ids]

    def iter_passages(
        self, where: Where = EVERYTHING
    ) -> Iterator[tuple[Answer, list[Passage], Float32]]:
        """Stream the answers that are not blank, each with its passages and `(p, d)` unit rows."""
        for answer, passages, vectors in self.iter_stored(where):
            if passages:
                yield answer, passages, unit_rows(vectors)

    def iter_vectors(self, where: Where = EVERYTHING) -> Iterator[tuple[Answer, Float32]]:
        """Stream the answers that are not blank, each with the `(d,)` unit vector of the whole.

        That is the mean of its passages, each weighing as much as it is long.
        """
        for answer, passages, vectors in self.iter_passages(where):
            lengths = np.array([p.end - p.start for p in passages], np.float32)
            yield answer, mean_row(vectors, lengths)

    def search(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[Results[Hit]]:
        """Find the answers nearest in meaning to each query.

        A query longer than the model's window is searched by each of its passages. An answer's
        score is that of its best passage. The filter is applied before the search, so `k` hits
        come back whenever `k` answers that are not blank are allowed.

        Returns:
            For each query its hits, best first; scores that differ by less than 1e-6 by id.

        Raises:
            BadInput: if `k` is below 1, a query is blank, or the filter can't be read.
        """
        check_k(k)
        passages = [self._query_passages(query) for query in queries]
        rows = iter(self.encoder.encode_queries([text for texts in passages for text in texts]))
        vectors = [np.stack([next(rows) for _ in texts]) for texts in passages]
        return [Results(hits) for hits in self.search_vectors(vectors, k, where)]

    def search_like(self, id_: str, k: int = 10, where: Where = EVERYTHING) -> Results[Hit]:
        """Find the answers nearest to one that is in the index, without itself.

        Raises:
            BadInput: if there is no such answer, `k` is below 1, or the filter can't be read.
        """
        check_k(k)
        rows = self._passage_rows(id_)
        if not len(rows):
            return Results()
        (hits,) = self.search_vectors([rows], k + 1, where)
        others = [hit for hit in hits if hit.answer.id != id_][:k]
        return Results(replace(hit, rank=rank) for rank, hit in enumerate(others, 1))

    def _query_passages(self, query: str) -> list[str]:
        (passages,) = split_passages([query], self.encoder.tokenizer, self.encoder.window)
        if not passages:
            raise BadInput("the query is blank; write some words to look for")
        return [canonical(query[p.start : p.end]) for p in passages]

    def _found(self, ids: Sequence[str]) -> dict[str, Answer]:
        found = self.get_existing(ids)
        check_found(self.place, ids, found)
        return found

    # -- writing ---------------------------------------------------------------------------------

    def add(self, answers: Iterable[Answer], progress: Progress | None = None) -> Added:
        """Add answers, or replace those whose id is there; all of them or none.

        A passage text that is embedded already is not embedded again. Blank answers are kept and
        have no passages.

        Args:
            answers: Each id once.
            progress: Called with how many of the answers are done, and of how many.

        Raises:
            BadInput: if an id is blank or comes twice, a text can't be stored, or the model gives
                a vector that is not one; nothing was added.
        """
        self._require_writer()
        answers = spelled_alike(list(answers), self.columns())
        check_answers(answers)
        before = self.get_existing([answer.id for answer in answers])
        changed = [a for a in answers if a.id not in before or before[a.id].text != a.text]
        same = {a.id for a in answers} - {a.id for a in changed}
        touched = [a for a in answers if a.id in same and not equal(before[a.id], a)]
        rows = cut(self.encoder, changed)
        known = self._known({sha for row in rows for sha in row.hashes})
        new = new_texts(rows, known)
        report = AnswerProgress(progress, len(answers), len(answers) - len(changed))
        vectors = embed(self.encoder, list(new.values()), report)
        self._put(rows, touched, known, list(new), vectors)
        report.finish()
        updated = sum(a.id in before for a in changed) + len(touched)
        return Added(
            added=sum(a.id not in before for a in changed),
            updated=updated,
            unchanged=len(answers) - len(changed) - len(touched),
            passages=sum(len(row.passages) for row in rows),
            embedded=len(new),
        )

    def add_with_vectors(self, answers: Sequence[Kept]) -> Added:
        """Add answers, or replace them, with the vectors that another index has; embed nothing.

        Args:
            answers: As `kept` gives them in an index of the same model; each id once.
        """
        self._require_writer()
        before = self.get_existing([answer.id for answer, *_ in answers])
        changed = [kept for kept in answers if not _is_in(before, kept[0])]
        rows: list[Embedded] = []
        vector_of: dict[bytes, Float32] = {}
        for answer, passages, vectors in changed:
            hashes = [passage_hash(answer.text[p.start : p.end]) for p in passages]
            rows.append(Embedded(answer, passages, hashes))
            vector_of.update(zip(hashes, vectors, strict=True))
        known = self._known(set(vector_of))
        new = [sha for sha in vector_of if sha not in known]
        nothing = np.empty((0, self.model.dimension), np.float16)
        halves = np.array([vector_of[sha] for sha in new], np.float16) if new else nothing
        self._put(rows, [], known, new, halves)
        return Added(
            added=sum(row.answer.id not in before for row in rows),
            updated=sum(row.answer.id in before for row in rows),
            unchanged=len(answers) - len(changed),
            passages=sum(len(row.passages) for row in rows),
        )

    def update_columns(self, values: Mapping[str, Mapping[str, str | None]]) -> int:
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
        stored = self._found(list(values))
        known = {name.lower(): name for name in self.columns()}  # SQL sees no case
        changed = []
        for name, new in values.items():
            answer = stored[name]
            spelled = {known.setdefault(n.lower(), n): value for n, value in new.items()}
            meta = {**answer.meta, **spelled}
            kept = {column: value for column, value in meta.items() if value is not None}
            if kept != dict(answer.meta):
                changed.append(replace(answer, meta=kept))
        check_answers(changed)
        self._update_columns(changed)
        return len(changed)

    def _require_writer(self) -> None:
        if not self.is_writable:
            raise ValueError("opened for reading; open it with write=True")


def _is_in(before: Mapping[str, Answer], answer: Answer) -> bool:
    return answer.id in before and equal(before[answer.id], answer)


def check_k(k: int) -> None:
    """Refuse to look for no hit at all."""
    if k < 1:
        raise BadInput(f"the number of hits must be at least 1, not {k}")


def check_found(place: str, ids: Sequence[str], found: Mapping[str, Any]) -> None:
    """Refuse ids that were not found.

    Raises:
        NoSuchThing: for the first of them.
    """
    missing = [i for i in ids if i not in found]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NoSuchThing(f"{place}: no answer {missing[0]!r}{more}; nothing was changed")


def quoted_words(query: str) -> str:
    """Make an FTS5 expression in which every word is just a word; any of them may match."""
    words = dict.fromkeys(query.replace("\0", " ").split())
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def densest(marked: str, passages: Sequence[Passage]) -> Passage:
    """Return the passage with the most marked words; the first of equals."""
    starts, offset = [], 0
    for piece in marked.split("\x02")[:-1]:
        offset += len(piece.replace("\x03", ""))
        starts.append(offset)
    inside = [sum(p.start <= s < p.end for s in starts) for p in passages]
    return passages[inside.index(max(inside))] if passages else Passage(0, 0)

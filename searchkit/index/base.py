"""What every index can do, wherever it keeps its answers.

Flows take a `BaseIndex` and use nothing but its methods and those of `backend.IndexBackend`.
"""

from __future__ import annotations

import logging
import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from searchkit.core.arrays import Float32, mean_row, unit_rows
from searchkit.core.errors import BadInput, IndexDamaged, IndexMismatch, as_list
from searchkit.core.identity import canonical
from searchkit.core.messages import Message
from searchkit.core.names import not_found
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, Hit, Passage
from searchkit.core.results import Results
from searchkit.core.where import EVERYTHING, Where
from searchkit.encoding.devices.finding import Device, check_device
from searchkit.encoding.encoder import Encoder, model_options
from searchkit.encoding.loading import load_encoder
from searchkit.index.backend import IndexBackend
from searchkit.index.embedding import (
    AnswerProgress,
    as_answers,
    changes,
    check_answers,
    embed,
    is_unchanged,
    new_texts,
    passage_hash,
    split_answers,
    taken_over,
    unify_columns,
    with_written,
)
from searchkit.index.records import Added, SplitAnswer, StoredAnswer
from searchkit.text.passages import split_passages

log = logging.getLogger("searchkit")


class BaseIndex(IndexBackend):
    """A corpus of answers with the vectors that one model made of them.

    Use it in a `with` block, or call `close`.
    """

    _encoder: Encoder | None = None
    _device: Device = "auto"

    # -- identity and lifetime -------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._release()

    # -- the model -------------------------------------------------------------------------------

    @property
    def encoder(self) -> Encoder:
        """The model that the index was made with, loaded when it is first needed."""
        if self._encoder is None:
            model = self.model
            self._encoder = load_encoder(
                model.name, fingerprint=model.fingerprint, device=self._device, notify=log.info
            )
        return self._encoder

    def use_encoder(self, encoder: Encoder) -> None:
        """Embed with another encoder of the same model from now on.

        Raises:
            IndexMismatch: if it is another model.
        """
        previous, self._encoder = self._encoder, encoder
        try:
            self._check_model()
        except IndexMismatch:
            self._encoder = previous
            raise

    def use_device(self, device: Device) -> None:
        """Embed on a device from now on, with the index's model loaded anew; see `load_encoder`.

        Raises:
            BadInput: if there is no such device.
        """
        check_device(device)
        self._device, self._encoder = device, None

    def _check_model(self) -> None:
        """Check that the encoder, if there is one, is of the index's model."""
        if self._encoder is None:
            return
        expected, given = self.model, self._encoder
        if expected.fingerprint != given.fingerprint:
            raise IndexMismatch(
                Message(
                    "{place}: made with {expected} ({made_with}), not with {name} ({fingerprint}); "
                    "leave `model` and `precision` out, or change the index's model: searchkit "
                    "reindex {options}",
                    place=self.place,
                    expected=expected.name,
                    made_with=expected.fingerprint[:12],
                    name=given.name,
                    fingerprint=given.fingerprint[:12],
                    options=model_options(given.name, given.fingerprint),
                )
            )

    # -- reading about the whole -----------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of answers."""
        return self.counts()["answers"]

    def languages(self) -> dict[str, int]:
        """Return the number of answers in each language, the most first; see `Answer.language`."""
        counts = Counter(answer.language for answer in self.answers())
        return {language: count for language, count in counts.most_common() if language}

    # -- reading answers -------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Answer]:
        """Return the answers with these ids, in this order.

        Raises:
            NotFound: if there is no answer with one of the ids.
        """
        ids = as_list("ids", ids, str)
        answers = self._get_all(ids)
        return [answers[id_] for id_ in ids]

    def iter_passages(
        self, where: Where = EVERYTHING
    ) -> Iterator[tuple[Answer, list[Passage], Float32]]:
        """Stream the answers that are not blank, each with its passages and `(p, d)` unit rows."""
        for stored in self.iter_stored(where):
            if stored.passages:
                yield stored.answer, stored.passages, unit_rows(stored.vectors)

    def iter_vectors(self, where: Where = EVERYTHING) -> Iterator[tuple[Answer, Float32]]:
        """Stream the answers that are not blank, each with the `(d,)` unit vector of the whole.

        That is the mean of its passages' vectors, weighted by their lengths.
        """
        for answer, passages, vectors in self.iter_passages(where):
            lengths = np.array([p.end - p.start for p in passages], np.float32)
            yield answer, mean_row(vectors, lengths)

    def sentence_vectors(self, texts: Sequence[str]) -> Float32:
        """Return the unit vectors `(n, d)` of sentences, `sentence_spans` of the index's answers.

        They are as passages are stored, rounded to float16, and kept until their answers are
        deleted or replaced, so that each is embedded once.
        """
        texts = as_list("texts", texts, str)
        hashes = [passage_hash(text) for text in texts]
        text_of = dict(zip(hashes, texts, strict=True))
        vectors = self._cached_vectors(text_of.keys())
        new = {sha: canonical(text) for sha, text in text_of.items() if sha not in vectors}
        if new:
            rows = embed(self.encoder, list(new.values()))
            embedded = dict(zip(new, rows, strict=True))
            self._cache_vectors(embedded)
            vectors |= embedded
        dimension = self.model.dimension
        if not texts:
            return np.empty((0, max(0, dimension)), np.float32)
        rows = np.array([vectors[sha] for sha in text_of], np.float16)
        if rows.shape[1] != dimension:
            raise IndexDamaged(
                f"{self.place}: {dimension} dimensions by its model and {rows.shape[1]} by its "
                "vectors; restore a copy, or ingest into a new index"
            )
        row_of = {sha: row for row, sha in enumerate(text_of)}
        return unit_rows(rows.astype(np.float32))[[row_of[sha] for sha in hashes]]

    def _get_all(self, ids: Sequence[str]) -> dict[str, Answer]:
        answers = self.get_existing(ids)
        check_all_exist(self.place, ids, answers, self.ids)
        return answers

    # -- searching -------------------------------------------------------------------------------

    def search(
        self, queries: Sequence[str], k: int = 10, where: Where = EVERYTHING
    ) -> list[Results[Hit]]:
        """Find the answers nearest in meaning to each query.

        A query longer than the model's window is searched by each of its passages. An answer's
        score is that of its best passage. The filter is applied before the search, so that there
        are `k` hits whenever `k` answers that are not blank match it.

        Returns:
            For each query its hits, best first; scores that differ by less than 1e-6 by id.

        Raises:
            BadInput: if `k` is below 1, a query is blank, or the filter can't be read.
        """
        k = check_k(k)
        vectors = self.query_vectors(queries)
        return [Results(hits) for hits in self.search_vectors(vectors, k, where)]

    def prefetch(self, where: Where = EVERYTHING) -> None:
        """Begin to read what a search needs, while other things are done."""

    def query_vectors(self, queries: Sequence[str]) -> list[Float32]:
        """Return the vectors `(p, d)` of each query's passages, for `search_vectors`.

        Raises:
            BadInput: if a query is blank.
        """
        passages = [self._query_passages(query) for query in as_list("queries", queries, str)]
        rows = iter(self.encoder.encode_queries([text for texts in passages for text in texts]))
        return [np.stack([next(rows) for _ in texts]) for texts in passages]

    def search_like(self, id_: str, k: int = 10, where: Where = EVERYTHING) -> Results[Hit]:
        """Find the answers nearest to an answer of the index, which is left out.

        Raises:
            BadInput: if there is no such answer, `k` is below 1, or the filter can't be read.
        """
        k = check_k(k)
        stored = self.get_stored(id_)
        if not stored.passages:
            return Results()
        (hits,) = self.search_vectors([stored.vectors], k + 1, where)
        others = [hit for hit in hits if hit.answer.id != id_][:k]
        return Results(replace(hit, rank=rank) for rank, hit in enumerate(others, 1))

    def _query_passages(self, query: str) -> list[str]:
        (passages,) = split_passages([query], self.encoder.tokenizer, self.encoder.window)
        if not passages:
            raise BadInput("the query is blank; write some words to look for")
        return [canonical(query[p.start : p.end]) for p in passages]

    # -- writing ---------------------------------------------------------------------------------

    def add(self, answers: Iterable[Answer], progress: Progress | None = None) -> Added:
        """Add answers, or replace those whose id is in the index; all of them or none.

        A passage text that has a vector is not embedded again. Blank answers are kept, and have no
        passages. What was written in the index and decided stays with an answer that is replaced,
        unless the new one is by another person, or is another text to another question: then its
        marks and their history, and the decisions about it, go with the old one.

        Args:
            answers: Each id once.
            progress: Called with how many of the answers are done, and of how many.

        Raises:
            BadInput: if an id is blank or occurs twice, a text can't be stored, or the model gives
                an invalid vector; nothing was added.
        """
        self.require_writer()
        answers = self._storable(as_answers(answers))
        stored = self.get_replaceable([answer.id for answer in answers])
        return self._add(stored, answers, taken_over(stored, answers), progress)

    def add_over(
        self,
        read: Mapping[str, Answer],
        answers: Sequence[Answer],
        progress: Progress | None = None,
        *,
        others: Collection[str] = (),
    ) -> Added:
        """Add answers as `add`, of which some were looked up already.

        The model isn't loaded unless an answer is new or changed.

        Args:
            read: By id, stored answers from `get_replaceable`, as they still are.
            answers: As for `add`, and checked by `as_answers`.
            progress: As for `add`.
            others: The ids of those that take the place of another person's answer.

        Raises:
            BadInput: as `add`.
        """
        self.require_writer()
        answers = self._storable(answers)
        unread = [answer.id for answer in answers if answer.id not in read]
        return self._add({**read, **self.get_replaceable(unread)}, answers, others, progress)

    def _storable(self, answers: Sequence[Answer]) -> list[Answer]:
        """Return answers that can be stored, with the index's spelling of columns."""
        unified = unify_columns(answers, self.columns())
        check_answers(unified)
        return unified

    def _add(
        self,
        stored: Mapping[str, Answer],
        answers: Sequence[Answer],
        others: Collection[str],
        progress: Progress | None,
    ) -> Added:
        """Add checked answers; `stored` are those of the index with their ids."""
        same = {id_: answer for id_, answer in stored.items() if id_ not in others}
        answers = [with_written(same.get(answer.id), answer) for answer in answers]
        changed, same_text = changes(same, answers)
        split = split_answers(self.encoder, changed) if changed else []
        split = [replace(new, is_other=new.answer.id in others) for new in split]
        known = self._known({sha for answer in split for sha in answer.hashes})
        new = new_texts(split, known)
        report = AnswerProgress(progress, len(answers), len(answers) - len(changed))
        vectors = np.empty((0, self.model.dimension), np.float16)
        if new:
            vectors = embed(self.encoder, list(new.values()), report)
        self._put(split, same_text, known, list(new), vectors)
        report.finish()
        return Added.of(stored, len(answers), split, len(same_text), embedded=len(new))

    def add_with_vectors(self, answers: Sequence[StoredAnswer]) -> Added:
        """Add or replace answers with the vectors that another index has; embed nothing.

        Args:
            answers: From `iter_stored` of an index of the same model; each id once.
        """
        self.require_writer()
        stored = self.get_replaceable([new.answer.id for new in answers])
        others = taken_over(stored, [new.answer for new in answers])
        split: list[SplitAnswer] = []
        vector_of: dict[bytes, Float32] = {}
        for new in answers:
            is_other = new.answer.id in others
            old = None if is_other else stored.get(new.answer.id)
            answer = with_written(old, new.answer)
            if old is None or not is_unchanged(old, answer):
                hashes = [passage_hash(answer.text[p.start : p.end]) for p in new.passages]
                split.append(SplitAnswer(answer, new.passages, hashes, is_other))
                vector_of.update(zip(hashes, new.vectors, strict=True))
        known = self._known(set(vector_of))
        hashes = [sha for sha in vector_of if sha not in known]
        vectors = np.empty((len(hashes), self.model.dimension), np.float16)
        for row, sha in enumerate(hashes):
            vectors[row] = vector_of[sha]
        self._put(split, [], known, hashes, vectors)
        return Added.of(stored, len(answers), split)

    def update_columns(self, values: Mapping[str, Mapping[str, str | None]]) -> int:
        """Write columns; other columns keep their values, and nothing is embedded.

        They are kept apart from those of the answer's file, which they hide; see `Answer.columns`.

        Args:
            values: For the id of each answer the new values by column; None deletes the value.

        Returns:
            How many answers changed.

        Raises:
            BadInput: if there is no answer with one of the ids, or a name or a value can't be
                stored; nothing was changed.
        """
        self.require_writer()
        stored = self._get_all(as_list("values", values, str))
        spelling = {name.lower(): name for name in self.columns()}  # SQL ignores case
        changed = []
        for id_, columns in values.items():
            answer = stored[id_]
            cells = {name: "" if value is None else value for name, value in columns.items()}
            as_list("values", cells.values(), str)
            new = {spelling.setdefault(name.lower(), name): v for name, v in cells.items()}
            merged = {**answer.written, **new}
            # A blank value has something to hide, or is none.
            written = {name: v for name, v in merged.items() if v or answer.meta.get(name)}
            if written != dict(answer.written):
                changed.append(replace(answer, written=written))
        check_answers(changed)
        self._update_columns(changed)
        return len(changed)

    def forget_columns(self, names: Mapping[str, Collection[str]]) -> None:
        """Delete what was written into columns, so that their values in the file are seen again.

        Args:
            names: For the id of each answer the names of the columns, as in `Answer.written`.

        Raises:
            NotFound: if there is no answer with one of the ids; nothing was changed.
        """
        self.require_writer()
        answers = self.get(list(names))
        rest = [{n: v for n, v in a.written.items() if n not in names[a.id]} for a in answers]
        pairs = zip(answers, rest, strict=True)
        self._update_columns([replace(answer, written=written) for answer, written in pairs])

    def require_writer(self) -> None:
        """Check that the index was opened for writing.

        Raises:
            ValueError: if it wasn't.
        """
        if not self.is_writable:
            raise ValueError("opened for reading; open it with write=True")


def check_k(k: int) -> int:
    """Return a number of hits as Python's own integer: SQLite and FAISS take none of NumPy.

    Raises:
        BadInput: if it is below 1.
    """
    k = operator.index(k)
    if k < 1:
        raise BadInput(f"the number of hits must be at least 1, not {k}")
    return k


def check_all_exist(
    place: str,
    ids: Sequence[str],
    existing: Mapping[str, object],
    all_ids: Callable[[], Iterable[str]],
) -> None:
    """Check that every id is among the existing ones.

    Args:
        place: The index.
        ids: The ids.
        existing: Those of them that the index has.
        all_ids: Returns all ids of the index, to suggest some.

    Raises:
        NotFound: if not; names the first.
    """
    if missing := [id_ for id_ in ids if id_ not in existing]:
        raise not_found("answer", missing, place, all_ids())

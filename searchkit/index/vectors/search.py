"""Searching an index in a folder, by vectors and by words, and its answers with their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64, distinct, unit_rows
from searchkit.core.errors import IndexDamaged
from searchkit.core.records import Hit, Passage
from searchkit.core.where import Where
from searchkit.index.records import PassageVectors, StoredAnswer
from searchkit.index.storage.fulltext import best_passage
from searchkit.index.storage.store import AnswerStore
from searchkit.index.vectors.scores import TOLERANCE, rounded_scores
from searchkit.index.vectors.vector_index import VectorIndex

MAX_FOUND = 1 << 22  # vectors that are found at the same time, of all queries: 50 MB
_BLOCK = 4096  # vectors that are read together

_Passages = dict[int, list[tuple[int, str, int, int]]]
"""Answer key, answer id, start and end of each passage with a vector, by the vector's key."""
_Nearest = tuple[int, float, Passage]
"""The key of an answer, its score and its best passage."""


class VectorSearch:
    """A search for the answers nearest to queries, among those that match a filter.

    Args:
        store: The database.
        vectors: All vectors of the index.
        k: Number of hits for each query, at most.
        where: Which answers to search among.
    """

    def __init__(self, store: AnswerStore, vectors: VectorIndex, k: int, where: Where) -> None:
        self._store = store
        self._vectors = vectors
        self._k = k
        self._answers = (
            None if store.allows_all(where) else store.matching(where)
        )  # keys, None for all
        self._allowed = None if self._answers is None else store.vectors_of(self._answers)
        self._total = len(vectors) if self._allowed is None else len(self._allowed)

    def run(self, queries: Sequence[Float32]) -> list[list[Hit]]:
        """Return the hits of each query, given as the `(p, d)` or `(d,)` rows of its passages."""
        if not self._total or not queries:
            return [[] for _ in queries]
        rows = [unit_rows(np.atleast_2d(query)) for query in queries]
        nearest: dict[int, list[_Nearest]] = {}
        depth = min(self._k, self._total) + 1
        while unfinished := [number for number in range(len(rows)) if number not in nearest]:
            sizes = [len(rows[number]) for number in unfinished]
            for numbers in _blocks(unfinished, sizes, MAX_FOUND // depth):
                results = self._search([rows[number] for number in numbers], depth)
                found = zip(numbers, results, strict=True)
                nearest |= {number: best for number, best in found if best is not None}
            depth = min(depth * 4, self._total + 1)
        return make_hits(self._store, [nearest[number] for number in range(len(rows))])

    def _search(self, queries: Sequence[Float32], depth: int) -> list[list[_Nearest] | None]:
        """Search so deep for each query; None where that isn't deep enough.

        Args:
            queries: `(p, d)` each.
            depth: Number of vectors that are found for each passage.

        Returns:
            The best `k` answers of each query, if they and all ties with the last were found.
        """
        scores, keys = self._vectors.search(np.concatenate(queries), depth, self._allowed)
        passages = self._passages(distinct(keys[np.isfinite(scores)]))
        ends = np.cumsum([len(query) for query in queries])[:-1]
        parts = zip(queries, np.split(scores, ends), np.split(keys, ends), strict=True)
        return [self._nearest(*part, passages, is_all=depth > self._total) for part in parts]

    def _nearest(
        self, query: Float32, scores: Float32, keys: Int64, passages: _Passages, *, is_all: bool
    ) -> list[_Nearest] | None:
        """Return the best `k` answers; None if others may be among them.

        Args:
            query: `(p, d)`.
            scores: `(p, depth)`.
            keys: `(p, depth)`, of the vectors.
            passages: Those with one of the vectors; there may be others.
            is_all: Whether there are no other vectors.
        """
        best = self._best_passages(query, distinct(keys[np.isfinite(scores)]), passages)
        ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[1][1]))[: self._k]
        reached = -np.inf if is_all else float(scores[:, -1].max())
        if is_all or (len(ranked) == self._k and ranked[-1][1][0] > reached + TOLERANCE):
            return [(key, score, passage) for key, (score, _, passage) in ranked]
        return None

    def _passages(self, keys: Int64) -> _Passages:
        """Return the passages of allowed answers with one of the vectors."""
        rows = self._store.passages_with(keys.tolist())
        if self._answers is not None:
            is_allowed = _contained(np.array([row[1] for row in rows], np.int64), self._answers)
            rows = [row for row, allowed in zip(rows, is_allowed, strict=True) if allowed]
        passages: _Passages = {}
        for vector, answer, id_, start, end in rows:
            passages.setdefault(vector, []).append((answer, id_, start, end))
        return passages

    def _best_passages(
        self, query: Float32, keys: Int64, passages: _Passages
    ) -> dict[int, tuple[float, str, Passage]]:
        """Return the (score, id, best passage) of each answer that has one of the vectors, by key.

        Args:
            query: `(p, d)`.
            keys: Of the vectors.
            passages: As `_nearest` takes them.
        """
        best: dict[int, tuple[float, str, Passage]] = {}
        for first in range(0, len(keys), _BLOCK):
            block = keys[first : first + _BLOCK]
            scores = rounded_scores(query, self._vectors.get(block))
            for vector, score in zip(block.tolist(), scores.tolist(), strict=True):
                for answer, id_, start, end in passages.get(vector, ()):
                    former = best.get(answer)
                    if former is None or (score, -start) > (former[0], -former[2].start):
                        best[answer] = (score, id_, Passage(start, end))
        return best


def nearest_scores(vectors: VectorIndex, queries: Float32) -> Float64:
    """Return the score of the vector nearest to each query, as a hit has it.

    Args:
        vectors: At least one.
        queries: `(q, d)`, unit rows.

    Returns:
        `(q,)`.
    """
    best = np.empty(len(queries))
    unfinished, depth = np.arange(len(queries)), 2
    while len(unfinished):
        found, keys = vectors.search(queries[unfinished], depth)
        for n, near in zip(unfinished, keys, strict=True):
            best[n] = rounded_scores(queries[n : n + 1], vectors.get(near)).max()
        if depth >= len(vectors):
            break
        unfinished = unfinished[best[unfinished] <= found[:, -1] + TOLERANCE]
        depth *= 4
    return best


def search_words(store: AnswerStore, query: str, k: int, allowed: Int64 | None) -> list[Hit]:
    """Return the answers that best match a query's words; `allowed` holds keys, None for all."""
    rows = store.fulltext.search(query, k, allowed)
    passages: dict[int, list[Passage]] = {key: [] for key, *_ in rows}
    for answer, start, end, _ in store.passages_of(list(passages)):
        passages[answer].append(Passage(start, end))
    (hits,) = make_hits(
        store,
        [
            [
                (key, round(score, 6), best_passage(words, passages[key]))
                for key, score, words in rows
            ]
        ],
    )
    return [replace(hit, words=tuple(words)) for hit, (*_, words) in zip(hits, rows, strict=True)]


def make_hits(store: AnswerStore, results: Sequence[Sequence[_Nearest]]) -> list[list[Hit]]:
    """Return the hits of each query, best first, from what is nearest to it."""
    answers = store.get_keys(list({key: None for rows in results for key, *_ in rows}))
    return [
        [
            Hit(rank, score, answers[key], passage)
            for rank, (key, score, passage) in enumerate(rows, 1)
        ]
        for rows in results
    ]


def _blocks(numbers: Sequence[int], sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Yield the numbers in blocks whose sizes add up to `most` or less, or of one number."""
    block, total = list[int](), 0
    for number, size in zip(numbers, sizes, strict=True):
        if block and total + size > most:
            yield block
            block, total = [], 0
        block.append(number)
        total += size
    if block:
        yield block


def _contained(values: Int64, among: Int64) -> NDArray[np.bool_]:
    """Return which values are in a sorted array, without reading the rest of it."""
    if not len(among):
        return np.zeros(len(values), bool)
    positions = np.minimum(np.searchsorted(among, values), len(among) - 1)
    is_contained: NDArray[np.bool_] = among[positions] == values
    return is_contained


def stored_answers(
    store: AnswerStore, vectors: VectorIndex, keys: Sequence[int]
) -> Iterator[StoredAnswer]:
    """Yield the answers with these keys, with their passages and vectors, in this order."""
    rows = store.passages_of(keys)
    passages: dict[int, list[Passage]] = {key: [] for key in keys}
    for key, start, end, _ in rows:
        passages[key].append(Passage(start, end))
    answers = store.get_keys(keys)
    if missing := passages.keys() - answers.keys():
        raise IndexDamaged(f"{store.path}: answer {min(missing)} is damaged; run: searchkit verify")
    vectors_of_rows = _get_vectors(store, vectors, [vector for *_, vector in rows])
    first = 0
    for key, spans in passages.items():
        yield StoredAnswer(answers[key], spans, vectors_of_rows[first : first + len(spans)])
        first += len(spans)


def passage_vectors(store: AnswerStore, vectors: VectorIndex, where: Where) -> PassageVectors:
    """Return the vectors of all passages of the answers that match a filter."""
    matching = store.matching(where)
    keys: dict[int, list[int]] = {}
    for answer, vector in store.passage_vectors(matching):
        keys.setdefault(answer, []).append(vector)
    wanted = dict.fromkeys(vector for vectors_ in keys.values() for vector in vectors_)
    row_of = {vector: row for row, vector in enumerate(wanted)}
    identities = sorted(store.identities(matching), key=lambda row: row[1])
    return PassageVectors(
        ids=[row[1] for row in identities],
        questions=[row[2] for row in identities],
        rows=[tuple(row_of[key] for key in keys.get(row[0], ())) for row in identities],
        vectors=unit_rows(_get_vectors(store, vectors, list(row_of))),
    )


def _get_vectors(store: AnswerStore, vectors: VectorIndex, keys: Sequence[int]) -> Float32:
    """Return the vectors that passages name, `(n, d)`.

    Raises:
        IndexDamaged: if one isn't there.
    """
    try:
        return vectors.get(np.array(keys, np.int64))
    except (ValueError, TypeError, OverflowError) as error:  # a key that isn't there, or no number
        raise IndexDamaged(
            f"{store.path}: a passage's vector is missing; run: searchkit reindex --damaged"
        ) from error

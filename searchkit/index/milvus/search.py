"""Searching a collection: by vectors, and by the words of a copy of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from searchkit.core.arrays import Float32, Int64, unit_rows
from searchkit.core.records import Hit, Passage
from searchkit.core.where import Where
from searchkit.index.milvus.client import MAX_ROWS, Collection
from searchkit.index.milvus.rows import (
    FIELD_NAMES,
    FIELDS_AND_VECTOR,
    MilvusAnswer,
    Row,
    assemble_answers,
    author_hash,
    hash_key,
)
from searchkit.index.storage.fulltext import best_passage
from searchkit.index.storage.store import AnswerStore
from searchkit.index.vectors.scores import TOLERANCE, rounded_scores

Best = dict[str, tuple[float, MilvusAnswer, Passage]]  # score and best passage, by answer key


def filter_of(where: Where, version: str, rows: str = "part >= 0") -> str:
    """Return the Milvus expression for `rows` of the question and the author of a filter.

    Args:
        where: The filter.
        version: The format of the collection.
        rows: An expression that they meet, too.
    """
    parts = [rows]
    if where.question is not None:
        parts.append(f'question == "{hash_key(where.question)}"')
    if where.author is not None:
        parts.append(f'author == "{author_hash(where.author, version)}"')
    return " and ".join(parts)


def chooses_attempts(where: Where) -> bool:
    """Whether a filter leaves out attempts."""
    return where.attempts not in (None, "all")


class MilvusSearch:
    """A search for the answers nearest to queries, among those that match a filter.

    Args:
        collection: The collection.
        pages: Returns all matching answers with their vectors, some at a time; for filters that
            Milvus can't apply, and for more passages than Milvus returns at once.
        k: Number of hits for each query, at most.
        where: Which answers to search among.
    """

    def __init__(
        self,
        collection: Collection,
        pages: Callable[[], Iterator[list[MilvusAnswer]]],
        k: int,
        where: Where,
    ) -> None:
        self._collection = collection
        self._pages = pages
        self._k = k
        self._where = where
        self._answers: dict[str, MilvusAnswer | None] = {}  # by key; None while incomplete

    def run(self, queries: Sequence[Float32]) -> list[list[Hit]]:
        """Return the hits of each query, given as the `(p, d)` or `(d,)` rows of its passages."""
        if not queries:
            return []
        rows = [unit_rows(np.atleast_2d(query)) for query in queries]
        if self._where.sql is not None or chooses_attempts(self._where):
            return self._search_all(rows)
        depth = min(self._k + 1, MAX_ROWS)
        results = self._search(np.concatenate(rows), depth)
        ends = np.cumsum([len(query) for query in rows]).tolist()
        return [
            self._nearest(query, depth, results[end - len(query) : end])
            for query, end in zip(rows, ends, strict=True)
        ]

    def _nearest(self, query: Float32, depth: int, results: Sequence[Sequence[Row]]) -> list[Hit]:
        """Deepen the search until the best `k` answers, and all ties with the last, are in it.

        Args:
            query: `(p, d)`.
            depth: Rows that were asked for.
            results: The rows for each of the query's passages, best first.
        """
        while True:
            ranked = _ranked(_best_passages(self._found(results), query), self._k)
            last_scores = [rows[-1]["score"] for rows in results if len(rows) == depth]
            reached = max(last_scores, default=-np.inf)
            is_all = not last_scores
            if is_all or (len(ranked) == self._k and ranked[-1][0] > reached + TOLERANCE):
                return _hits(ranked)
            if depth == MAX_ROWS:
                return self._search_all([query])[0]
            depth = min(depth * 4, MAX_ROWS)
            results = self._search(query, depth)

    def _search(self, vectors: Float32, depth: int) -> list[list[Row]]:
        """Return the nearest rows of each vector; fetch the answers that they belong to."""
        results = self._collection.search(
            vectors, depth, filter_of(self._where, self._collection.version, "end > 0")
        )
        self._fetch(row["key"] for rows in results for row in rows)
        return results

    def _fetch(self, keys: Iterable[str]) -> None:
        new = [key for key in dict.fromkeys(keys) if key not in self._answers]
        self._answers.update(dict.fromkeys(new))
        self._answers.update(assemble_answers(self._collection.of_keys(new, FIELDS_AND_VECTOR)))

    def _found(self, results: Sequence[Sequence[Row]]) -> list[MilvusAnswer]:
        """Return the answers to which these rows belong, but for rows of older versions."""
        found = {}
        for row in (row for rows in results for row in rows):
            answer = self._answers[row["key"]]
            if answer is not None and answer.has_row(row):
                found[answer.key] = answer
        return list(found.values())

    def _search_all(self, queries: Sequence[Float32]) -> list[list[Hit]]:
        """Return the hits of each query by comparing it with every matching vector."""
        best: list[Best] = [{} for _ in queries]
        for page in self._pages():
            for number, query in enumerate(queries):
                together = best[number] | _best_passages(page, query)
                ranked = _ranked(together, self._k)
                best[number] = {hit[1].key: hit for hit in ranked}
        return [_hits(_ranked(answers, self._k)) for answers in best]


def search_words(
    store: AnswerStore, collection: Collection, query: str, k: int, allowed: Int64 | None
) -> list[Hit]:
    """Return the answers that best match a query's words, by BM25.

    Args:
        store: A copy of the answers; their passages are read from the collection.
        collection: The collection.
        query: Words.
        k: Number of hits, at most.
        allowed: Keys in `store` of the answers to search among; None for all.
    """
    rows = store.fulltext.search(query, k, allowed)
    answers = store.get_keys([key for key, *_ in rows])
    keys = [hash_key(answer.id) for answer in answers.values()]
    fetched = assemble_answers(collection.of_keys(keys, FIELD_NAMES))
    hits = []
    for rank, (key, score, words) in enumerate(rows, 1):
        stored = fetched.get(hash_key(answers[key].id))
        passage = best_passage(words, stored.passages if stored else [])
        hits.append(Hit(rank, round(score, 6), answers[key], passage, words=tuple(words)))
    return hits


def _best_passages(answers: Iterable[MilvusAnswer], query: Float32) -> Best:
    """Return each answer's best passage, the first of equals; blank answers have none.

    Args:
        answers: With their vectors.
        query: `(p, d)`.
    """
    best: Best = {}
    answers = [answer for answer in answers if answer.passages]
    if not answers:
        return best
    scores = rounded_scores(query, np.concatenate([answer.vectors for answer in answers]))
    start = 0
    for answer in answers:
        stop = start + len(answer.passages)
        number = int(scores[start:stop].argmax())
        best[answer.key] = (float(scores[start + number]), answer, answer.passages[number])
        start = stop
    return best


def _ranked(best: Best, k: int) -> list[tuple[float, MilvusAnswer, Passage]]:
    return sorted(best.values(), key=lambda hit: (-hit[0], hit[1].answer.id))[:k]


def _hits(ranked: Sequence[tuple[float, MilvusAnswer, Passage]]) -> list[Hit]:
    return [
        Hit(rank, score, answer.answer, passage)
        for rank, (score, answer, passage) in enumerate(ranked, 1)
    ]

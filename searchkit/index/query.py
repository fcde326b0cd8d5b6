"""Query: the nearest answers by meaning, by words, or by both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from searchkit.core.errors import as_list, check_choice
from searchkit.core.records import Hit, Span
from searchkit.core.results import Results
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.base import BaseIndex, check_k
from searchkit.index.hits.closeness import with_closeness
from searchkit.index.hits.sentences import with_best_sentences

Mode = Literal["semantic", "lexical", "hybrid"]
RRF_CONSTANT = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion …, SIGIR 2009, section 2
MIN_DEPTH = 100  # hits of each ranking that a fusion looks at, at least


def query(
    index: BaseIndex,
    texts: Sequence[str],
    k: int = 10,
    mode: Mode = "semantic",
    where: Where = EVERYTHING,
    *,
    details: bool = False,
) -> list[Results[Hit]]:
    """Find the `k` best answers for each text, best first.

    Args:
        index: Open for reading or writing.
        texts: Queries; none of them blank.
        k: Number of hits for each text, at most.
        mode: `semantic` by cosine of the vectors, `lexical` by BM25 of the words, `hybrid` by both
            rankings fused.
        where: Which answers to search among; applied before the search.
        details: Whether to find each hit's best sentence, and whether it is close to the query at
            all. Sentences that have no vector yet are embedded, and their vectors kept.

    Raises:
        BadInput: if `k` is below 1, there is no such mode, a query is blank or the filter can't be
            read.
    """
    check_choice("mode", mode, get_args(Mode))
    k, texts = check_k(k), as_list("texts", texts, str)
    if mode == "lexical":
        return [Results(hits) for hits in index.search_words(texts, k, where)]
    depth = k if mode == "semantic" else max(MIN_DEPTH, 4 * k)
    index.prefetch(where)  # loading the model takes as long
    vectors = index.query_vectors(texts)
    results = index.search_vectors(vectors, depth, where)
    if details:
        results = with_closeness(index, results)
    if mode == "hybrid":
        by_words = index.search_words(texts, depth, where)
        results = [fuse([m, w], k) for m, w in zip(results, by_words, strict=True)]
    if details:
        results = with_best_sentences(index, vectors, results)
    return [Results(hits) for hits in results]


def fuse(rankings: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """Fuse rankings by reciprocal rank: an answer's score is the sum of 1 / (60 + its rank).

    Equal scores are ordered by id. A hit's passage is that of the first ranking with the answer;
    its words are those that any ranking found, and with words it is close.
    """
    scores: dict[str, float] = defaultdict(float)
    hits: dict[str, Hit] = {}
    words: dict[str, tuple[Span, ...]] = {}
    for ranking in rankings:
        for hit in ranking:
            scores[hit.answer.id] += 1 / (RRF_CONSTANT + hit.rank)
            hits.setdefault(hit.answer.id, hit)
            if hit.words:
                words[hit.answer.id] = hit.words
    best = sorted(scores, key=lambda id_: (-round(scores[id_], 6), id_))[:k]
    return [
        replace(
            hits[id_],
            rank=rank,
            score=round(scores[id_], 6),
            words=words.get(id_, ()),
            is_close=hits[id_].is_close or id_ in words,
        )
        for rank, id_ in enumerate(best, 1)
    ]

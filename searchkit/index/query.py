"""Query: the nearest answers by meaning, by words, or by both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from searchkit.core.records import Hit
from searchkit.core.results import Results
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.base import BaseIndex

Mode = Literal["semantic", "lexical", "hybrid"]
RRF_CONSTANT = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion …, SIGIR 2009, section 2
DEPTH = 100  # hits of each kind that a fusion looks at, at least


def query(
    index: BaseIndex,
    texts: Sequence[str],
    k: int = 10,
    mode: Mode = "semantic",
    where: Where = EVERYTHING,
) -> list[Results[Hit]]:
    """Find the `k` best answers for each text, best first.

    Args:
        index: Open for reading or writing.
        texts: Queries; none of them blank.
        k: How many hits for each, at most.
        mode: `semantic` by cosine of the vectors, `lexical` by BM25 of the words, `hybrid` by both
            rankings fused.
        where: Which answers to search among; applied before the search.

    Raises:
        BadInput: if `k` is below 1, a query is blank or the filter can't be read.
    """
    if mode == "lexical":
        return [Results(hits) for hits in index.search_words(texts, k, where)]
    if mode == "semantic":
        return index.search(texts, k, where)
    depth = max(DEPTH, 4 * k)
    by_meaning = index.search(texts, depth, where)
    by_words = index.search_words(texts, depth, where)
    return [Results(fuse([m, w], k)) for m, w in zip(by_meaning, by_words, strict=True)]


def fuse(rankings: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """Fuse rankings by reciprocal rank: an answer's score is the sum of 1 / (60 + its rank).

    The passage is that of the first ranking that holds the answer; equal scores by id.
    """
    scores: dict[str, float] = defaultdict(float)
    first: dict[str, Hit] = {}
    for ranking in rankings:
        for hit in ranking:
            scores[hit.answer.id] += 1 / (RRF_CONSTANT + hit.rank)
            first.setdefault(hit.answer.id, hit)
    best = sorted(scores, key=lambda i: (-round(scores[i], 6), i))[:k]
    return [replace(first[i], rank=n, score=round(scores[i], 6)) for n, i in enumerate(best, 1)]

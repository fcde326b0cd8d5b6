"""Retrieval: the ranks at which queries find what is relevant to them, and figures of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.metrics import average_precision_of, ndcg, recall_at, reciprocal_rank
from searchkit.evaluation.texts import PassageVectors

SCORES = 20_000_000  # of queries and passages, that are held for one step
FIGURES = ("recall@1", "recall@10", "recall@100", "MRR@10", "nDCG@10", "MAP")


def read_gains(
    documents: Mapping[str, int],
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, float]],
) -> dict[str, dict[str, float]]:
    """Return what is relevant to each query, after looking whether it can be measured."""
    for query, judged in qrels.items():
        if query not in queries:
            raise BadInput(f"qrels name the query {query!r}, which is not among the queries")
        for document in judged:
            if document not in documents:
                raise BadInput(f"qrels name the document {document!r}, which is not in the corpus")
    above = {
        query: {document: gain for document, gain in judged.items() if gain > 0}
        for query, judged in qrels.items()
    }
    found = {query: gains for query, gains in above.items() if gains}
    if not found:
        raise BadInput("no document is relevant to any query")
    for query in found:
        if not queries[query].strip():
            raise BadInput(f"the query {query!r} is blank")
    return found


def figures_of(ranks: Int64, gains: Float64) -> list[float]:
    """Return `FIGURES` of a query: `(r,)` ranks and gains of what is relevant to it."""
    return [
        *(recall_at(ranks, k) for k in (1, 10, 100)),
        reciprocal_rank(ranks, 10),
        ndcg(ranks, gains, 10),
        average_precision_of(ranks),
    ]


def find_ranks(
    queries: PassageVectors,
    documents: PassageVectors,
    wanted: Sequence[Int64],
    hidden: Sequence[int],
) -> list[Int64]:
    """Return for each query the ranks of its relevant documents, from 1."""
    found: list[Int64] = []
    step = max(1, SCORES // max(1, len(documents.vectors)))
    for start in range(0, len(wanted), step):
        scores = _best_passages(queries.part(start, start + step), documents)
        for number, row in enumerate(scores, start):
            if hidden[number] >= 0:
                row[hidden[number]] = -np.inf
            found.append(np.array([_rank(row, place) for place in wanted[number].tolist()]))
    return found


def _rank(scores: Float64, place: int) -> int:
    better = (scores > scores[place]).sum() + (scores[:place] == scores[place]).sum()
    return int(better) + 1


def _best_passages(queries: PassageVectors, documents: PassageVectors) -> Float64:
    """Score each query with each document: `(q, d)`, -inf for what is blank."""
    scores = np.full((len(queries.counts), len(documents.counts)), -np.inf)
    there = np.flatnonzero(documents.counts)
    if len(there):
        each = queries.vectors @ documents.vectors.T
        each = np.maximum.reduceat(each, documents.begins[there], axis=1)
        scores[:, there] = np.round(np.maximum.reduceat(each, queries.begins, axis=0), 6)
    return scores

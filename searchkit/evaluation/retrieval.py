"""Retrieval metrics, from the ranks of the documents that are relevant to a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.metrics import average_precision_of_ranks, ndcg, recall_at, reciprocal_rank
from searchkit.evaluation.texts import PassageVectors

BLOCK_SCORES = 20_000_000
METRICS = ("recall@1", "recall@10", "recall@100", "MRR@10", "nDCG@10", "MAP")


def read_gains(
    documents: Mapping[str, int],
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, float]],
) -> dict[str, dict[str, float]]:
    """Return the relevant documents of each query, with how relevant they are.

    Args:
        documents: Ids of the documents in the corpus, with their rows.
        queries: Ids of the queries, with their texts.
        qrels: Queries, their judged documents, and how relevant these are.

    Raises:
        BadInput: If `qrels` has unknown queries or documents, nothing is relevant to any query, or
            a query to which something is relevant is blank.
    """
    for query, judged in qrels.items():
        if query not in queries:
            raise BadInput(f"qrels name the query {query!r}, which is not among the queries")
        for document in judged:
            if document not in documents:
                raise BadInput(f"qrels name the document {document!r}, which is not in the corpus")
    positive = {
        query: {document: gain for document, gain in judged.items() if gain > 0}
        for query, judged in qrels.items()
    }
    relevant = {query: gains for query, gains in positive.items() if gains}
    if not relevant:
        raise BadInput("no document is relevant to any query")
    for query in relevant:
        if not queries[query].strip():
            raise BadInput(f"the query {query!r} is blank")
    return relevant


def query_metrics(ranks: Int64, gains: Float64) -> list[float]:
    """Return the `METRICS` of a query.

    Args:
        ranks: `(r,)` the ranks of its relevant documents, from 1.
        gains: `(r,)` how relevant they are.
    """
    return [
        *(recall_at(ranks, k) for k in (1, 10, 100)),
        reciprocal_rank(ranks, 10),
        ndcg(ranks, gains, 10),
        average_precision_of_ranks(ranks),
    ]


def find_ranks(
    queries: PassageVectors,
    documents: PassageVectors,
    relevant: Sequence[Int64],
    hidden: Sequence[int],
    *,
    block_scores: int = BLOCK_SCORES,
) -> list[Int64]:
    """Return for each query the ranks of its relevant documents, from 1.

    Args:
        queries: The passages of the queries.
        documents: The passages of the documents.
        relevant: Rows of the documents that are relevant to each query.
        hidden: Row of the document that each query doesn't find; -1 for none.
        block_scores: Number of scores of queries and passages that are computed in one step; bounds
            the memory.
    """
    ranks: list[Int64] = []
    step = max(1, block_scores // max(1, len(documents.vectors)))
    for start in range(0, len(relevant), step):
        scores = _best_passages(queries.slice_texts(start, start + step), documents)
        for number, row in enumerate(scores, start):
            if hidden[number] >= 0:
                row[hidden[number]] = -np.inf
            ranks.append(np.array([_rank(row, place) for place in relevant[number].tolist()]))
    return ranks


def _rank(scores: Float64, place: int) -> int:
    better = (scores > scores[place]).sum() + (scores[:place] == scores[place]).sum()
    return int(better) + 1


def _best_passages(queries: PassageVectors, documents: PassageVectors) -> Float64:
    """Return `(q, d)` the score of each document for each query; -inf for blank documents."""
    scores = np.full((len(queries.counts), len(documents.counts)), -np.inf)
    nonblank = np.flatnonzero(documents.counts)
    if len(nonblank):
        passage_scores = queries.vectors @ documents.vectors.T
        passage_scores = np.maximum.reduceat(passage_scores, documents.starts[nonblank], axis=1)
        by_query = np.maximum.reduceat(passage_scores, queries.starts, axis=0)
        scores[:, nonblank] = np.round(by_query, 6)
    return scores

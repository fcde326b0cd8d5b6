"""The best sentence of a hit: the one that is nearest in meaning to the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from searchkit.core.arrays import Float32, unit_rows
from searchkit.core.records import Hit, Span
from searchkit.index.base import BaseIndex
from searchkit.text.words import sentence_spans


def with_best_sentences(
    index: BaseIndex, queries: Sequence[Float32], results: Sequence[Sequence[Hit]]
) -> list[list[Hit]]:
    """Return the hits of each query with their best sentences.

    Only sentences of a hit's best passage are compared. Their vectors are kept in the index, so
    that each is embedded once.

    Args:
        index: Of the hits.
        queries: For each query the vectors `(p, d)` of its passages.
        results: The hits of each query.
    """
    spans = [[_spans(hit) for hit in hits] for hits in results]
    texts = {
        hit.answer.text[start:end]: None
        for hits, hit_spans in zip(results, spans, strict=True)
        for hit, sentences in zip(hits, hit_spans, strict=True)
        if len(sentences) > 1
        for start, end in sentences
    }
    row_of = {text: row for row, text in enumerate(texts)}
    vectors = index.sentence_vectors(list(texts))
    return [
        [
            replace(hit, best=(_best(hit.answer.text, sentences, scores, row_of),))
            for hit, sentences in zip(hits, hit_spans, strict=True)
        ]
        for hits, hit_spans, scores in zip(results, spans, _scores(queries, vectors), strict=True)
    ]


def _scores(queries: Sequence[Float32], vectors: Float32) -> list[Float32]:
    """Return the score of every sentence for each query, that of the query's nearest passage."""
    rows = [unit_rows(np.atleast_2d(query)) for query in queries]
    return [np.max(vectors @ query.T, axis=1, initial=-1.0) for query in rows]


def _spans(hit: Hit) -> list[Span]:
    """Return the sentences of a hit's best passage."""
    passage = hit.passage
    spans = sentence_spans(hit.answer.text)
    within = [span for span in spans if span[0] < passage.end and passage.start < span[1]]
    return within or [(passage.start, passage.end)]


def _best(text: str, sentences: Sequence[Span], scores: Float32, row_of: dict[str, int]) -> Span:
    """Return the sentence with the highest score, the first of equals."""
    if len(sentences) == 1:
        return sentences[0]
    return max(sentences, key=lambda span: scores[row_of[text[slice(*span)]]])

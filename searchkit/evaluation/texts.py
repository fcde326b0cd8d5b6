"""Vectors of texts that are in no index: of their passages, and of whole texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32, Int64, mean_row, unit_rows
from searchkit.core.progress import Progress
from searchkit.encoding.encoder import Encoder
from searchkit.text.passages import split_passages


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """Vectors of the passages of some texts.

    Attributes:
        vectors: `(p, d)` unit rows, in the order of texts and passages.
        lengths: `(p,)` the length of each passage, in characters.
        counts: `(t,)` the number of passages of each text; 0 for a blank one.
    """

    vectors: Float32
    lengths: Float32
    counts: Int64

    @classmethod
    def embed(
        cls,
        texts: Sequence[str],
        encoder: Encoder,
        progress: Progress | None = None,
        *,
        queries: bool = False,
    ) -> PassageVectors:
        """Split texts into passages, and embed each different passage once."""
        passages = split_passages(texts, encoder.tokenizer, encoder.window)
        flat = [
            text[passage.start : passage.end]
            for text, text_passages in zip(texts, passages, strict=True)
            for passage in text_passages
        ]
        row = {passage: n for n, passage in enumerate(dict.fromkeys(flat))}
        counts = np.array([len(text_passages) for text_passages in passages], np.int64)
        lengths = np.array([len(passage) for passage in flat], np.float32)
        if not flat:
            return cls(np.zeros((0, encoder.dimension), np.float32), lengths, counts)
        distinct = list(row)
        if queries:
            vectors = encoder.encode_queries(distinct)
        else:
            vectors = encoder.encode(distinct, progress)
        vectors = unit_rows(vectors, distinct)
        return cls(vectors[[row[passage] for passage in flat]], lengths, counts)

    @property
    def starts(self) -> Int64:
        """Return `(t,)` the row of each text's first passage."""
        return np.cumsum(self.counts) - self.counts

    def slice_texts(self, start: int, end: int) -> PassageVectors:
        """Return the vectors of the texts from `start` to before `end`."""
        ends = np.concatenate([[0], np.cumsum(self.counts)])
        first, last = int(ends[start]), int(ends[min(end, len(self.counts))])
        return PassageVectors(
            self.vectors[first:last], self.lengths[first:last], self.counts[start:end]
        )


def embed_texts(texts: Sequence[str], encoder: Encoder, progress: Progress | None) -> Float32:
    """Embed whole texts as an index does: by the mean of their passages' vectors.

    Args:
        texts: Texts that aren't blank.
        encoder: The model.
        progress: Called with the number of embedded passages and the total.

    Returns:
        `(t, d)` unit rows.
    """
    passages = PassageVectors.embed(texts, encoder, progress)
    starts = passages.starts
    vectors = passages.vectors[starts]
    for row in np.flatnonzero(passages.counts > 1).tolist():
        part = slice(starts[row], starts[row] + passages.counts[row])
        vectors[row] = mean_row(passages.vectors[part], passages.lengths[part])
    return vectors

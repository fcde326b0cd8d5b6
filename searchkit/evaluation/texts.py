"""PassageVectors texts, in no index: by their passages, and whole."""

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
    """Texts by their passages.

    Attributes:
        vectors: `(p, d)` unit rows, the passages of the first text first.
        lengths: `(p,)` characters of each passage.
        counts: `(t,)` how many passages each text has; 0 for a blank one.
    """

    vectors: Float32
    lengths: Float32
    counts: Int64

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        encoder: Encoder,
        progress: Progress | None = None,
        *,
        queries: bool = False,
    ) -> PassageVectors:
        """Cut and embed texts; each passage once."""
        cut = split_passages(texts, encoder.tokenizer, encoder.window)
        flat = [text[p.start : p.end] for text, some in zip(texts, cut, strict=True) for p in some]
        row = {passage: n for n, passage in enumerate(dict.fromkeys(flat))}
        counts = np.array([len(some) for some in cut], np.int64)
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
    def begins(self) -> Int64:
        """Return `(t,)` where each text's passages begin."""
        return np.cumsum(self.counts) - self.counts

    def part(self, start: int, end: int) -> PassageVectors:
        """Return some of the texts."""
        ends = np.concatenate([[0], np.cumsum(self.counts)])
        first, last = int(ends[start]), int(ends[min(end, len(self.counts))])
        return PassageVectors(
            self.vectors[first:last], self.lengths[first:last], self.counts[start:end]
        )


def embed_texts(texts: Sequence[str], encoder: Encoder, progress: Progress | None) -> Float32:
    """Embed whole texts, none of them blank: the mean of their passages, as an index has it."""
    found = PassageVectors.of(texts, encoder, progress)
    begins = found.begins
    vectors = found.vectors[begins]
    for row in np.flatnonzero(found.counts > 1).tolist():
        part = slice(begins[row], begins[row] + found.counts[row])
        vectors[row] = mean_row(found.vectors[part], found.lengths[part])
    return vectors

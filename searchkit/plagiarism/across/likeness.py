"""Likeness across languages: how much nearer in meaning two answers are than others in theirs.

Two measures are added: the meaning of the whole answer, centred by language, and the meaning
sentence by sentence. Both are relative to the question's other answers, so that what everybody says
counts for nothing; the mean of each language is taken out, because a model sets languages a little
apart. Words are no measure: names and code are the same in all languages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Bool, Float32, Float64, Int64

# The nearest answer of the other language may be another copy, and isn't counted; the next three
# are the rivals of a sentence (as in `plagiarism.likeness`).
SKIPPED, RIVALS = 1, 3
MIN_OTHERS = SKIPPED + RIVALS + 1  # answers in other languages, for a sentence to have rivals
MEAN_PSEUDO_COUNT = 5  # answers of a language as many as which the mean of all languages counts
SENTENCES_WEIGHT = 1.5  # of the sentences' measure, whose values spread two thirds as far
BLOCK_COSINES = 1 << 24  # of sentences, that are held at a time


class MeaningLikeness:
    """Measures pairs of answers in two languages by their meaning.

    Attributes:
        whole: `(n, d)` unit rows, the meaning of each answer relative to its language's mean.
        has_rivals: `(n,)` whether an answer's sentences can be compared with rivals.
    """

    def __init__(
        self,
        sentences: Sequence[Float32],
        lengths: Sequence[Float64],
        codes: Int64,
        among: Int64,
        *,
        by_sentences: bool = False,
    ) -> None:
        """Find the rivals of every sentence.

        Args:
            sentences: For each answer, `(s, d)` unit rows, at least one.
            lengths: For each answer, `(s,)` the number of words of each sentence.
            codes: `(n,)` the language of each answer.
            among: The answers that say what is usual, ascending.
            by_sentences: Whether the whole answers don't count: among many answers, all that are on
                one topic are alike as a whole, and only sentences have rivals on it.
        """
        self._by_sentences = by_sentences
        self._sentences = sentences
        self._shares = [words / words.sum() for words in lengths]
        self._among = np.zeros(len(sentences), bool)
        self._among[among] = True
        self.whole = self._centred(codes, among)
        others = len(among) - np.bincount(codes[among], minlength=codes.max() + 1)[codes]
        self.has_rivals: Bool = others >= MIN_OTHERS
        self._best = self._nearest(codes, among)

    def measure(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` the likeness of answers; `left` is ascending, one of both has rivals."""
        likeness = np.zeros(len(left))
        if not self._by_sentences:
            likeness += np.einsum("pd,pd->p", self.whole[left], self.whole[right], dtype=float)
        borders = np.flatnonzero(np.diff(left)) + 1
        for places in np.split(np.arange(len(left)), borders):
            if len(places):
                ahead = self._ahead(int(left[places[0]]), right[places])
                likeness[places] += SENTENCES_WEIGHT * ahead
        return np.round(likeness, 6)

    def _centred(self, codes: Int64, among: Int64) -> Float32:
        """Return the whole answers without the mean of their language, shrunk to that of all."""
        rows = _unit(
            np.stack([s @ rows for s, rows in zip(self._shares, self._sentences, strict=True)])
        )
        mean = rows[among].mean(axis=0)
        centred = np.empty_like(rows)
        for code in np.unique(codes):
            own = rows[among[codes[among] == code]]
            of_language = (own.sum(axis=0) + MEAN_PSEUDO_COUNT * mean) / (
                len(own) + MEAN_PSEUDO_COUNT
            )
            centred[codes == code] = rows[codes == code] - of_language
        return _unit(centred)

    def _nearest(self, codes: Int64, among: Int64) -> list[Float32]:
        """Return `(s, MIN_OTHERS)` for each answer: the cosines with the nearest others, sorted."""
        counts = [len(rows) for rows in self._sentences]
        owners = np.repeat(np.arange(len(counts)), counts)
        best = np.full((len(owners), MIN_OTHERS), -1, np.float32)
        for code in np.unique(codes[self.has_rivals]):
            others = among[codes[among] != code]
            columns = np.concatenate([self._sentences[n] for n in others])
            begins = np.cumsum([0, *(counts[n] for n in others[:-1])])
            own = np.concatenate(
                [self._sentences[n] for n in np.flatnonzero(codes == code).tolist()]
            )
            rows = np.flatnonzero(codes[owners] == code)
            size = max(1, BLOCK_COSINES // len(columns))
            for at in range(0, len(own), size):
                cosines = own[at : at + size] @ columns.T
                nearest = np.maximum.reduceat(cosines, begins, axis=1)  # (b, others)
                nearest = np.partition(nearest, -MIN_OTHERS, axis=1)[:, -MIN_OTHERS:]
                best[rows[at : at + size]] = -np.sort(-nearest, axis=1)
        return np.split(best, np.cumsum(counts)[:-1])

    def _ahead(self, one: int, others: Int64) -> Float64:
        """Return `(o,)` by how much one answer's sentences and those of others are ahead."""
        sizes = np.array([len(self._sentences[n]) for n in others])
        begins = np.cumsum(sizes) - sizes
        cosines = self._sentences[one] @ np.concatenate([self._sentences[n] for n in others]).T
        nearest = np.maximum.reduceat(cosines, begins, axis=1)  # (s, o)
        onward = self._shares[one] @ _margins(
            nearest, self._best[one][:, None, :], self._among[others][None, :]
        )
        best = np.concatenate([self._best[n] for n in others])
        shares = np.concatenate([self._shares[n] for n in others])
        margins = _margins(cosines.max(axis=0), best, np.repeat(self._among[one], sizes.sum()))
        back = np.add.reduceat(margins * shares, begins)
        counted = np.stack([np.repeat(self.has_rivals[one], len(others)), self.has_rivals[others]])
        both = np.stack([onward, back]) * counted
        return np.asarray(both.sum(axis=0) / np.maximum(counted.sum(axis=0), 1), np.float64)


def _margins(cosines: Float32, best: Float32, counted: Bool) -> Float32:
    """Return by how much a sentence is nearer to an answer than to its rivals.

    Args:
        cosines: The cosine of the sentence with the answer's nearest sentence.
        best: `(…, MIN_OTHERS)` its cosines with the nearest answers, best first.
        counted: Whether the answer itself may be among these.
    """
    rounding = 1e-5  # the same cosine from another matrix product may differ in its last digits
    last = best[..., SKIPPED + RIVALS - 1]
    is_among = counted & (cosines >= last - rounding)
    is_skipped = counted & (cosines >= best[..., SKIPPED - 1] - rounding)
    others = best[..., SKIPPED : SKIPPED + RIVALS].sum(axis=-1)
    without = best[..., SKIPPED:].sum(axis=-1)  # of one more
    rivals = np.where(is_skipped, without - best[..., SKIPPED], others)
    rivals = np.where(is_among & ~is_skipped, without - cosines, rivals)
    margins: Float32 = cosines - rivals / RIVALS
    return margins


def _unit(rows: Float32) -> Float32:
    unit: Float32 = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)).astype(
        np.float32
    )
    return unit

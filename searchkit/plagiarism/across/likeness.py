"""Likeness across languages: how much nearer in meaning two answers are than others in theirs.

Three measures are added: the meaning of the whole answer, centred by language, the meaning sentence
by sentence, and the share of both answers that is in several sentences which say the same. All are
relative to the question's other answers, so that what everybody says counts for nothing; the mean
of each language is taken out, because a model sets languages a little apart. Words are no measure:
names and code are the same in all languages.
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
# Of the share in several sentences: of two such a half counts, of three more; none where one side's
# have no rivals.
ALIGNED_WEIGHT = 0.5
MIN_COSINE = 0.45  # of two sentences in two languages, one of which translates the other
MIN_MARGIN = 0.1  # by which each is nearer to the other's answer than to its rivals
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
            by_sentences: Whether only the second measure counts: among many answers, all that are
                on one topic are alike as a whole, and in several sentences.
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
                likeness[places] += self._of_sentences(int(left[places[0]]), right[places])
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

    def _of_sentences(self, one: int, others: Int64) -> Float64:
        """Return `(o,)` what the sentences of one answer and of others add to their likeness."""
        sizes = np.array([len(self._sentences[n]) for n in others])
        begins = np.cumsum(sizes) - sizes
        cosines = self._sentences[one] @ np.concatenate([self._sentences[n] for n in others]).T
        nearest = np.maximum.reduceat(cosines, begins, axis=1)  # (s, o)
        onward = _margins(nearest, self._best[one][:, None, :], self._among[others][None, :])
        best = np.concatenate([self._best[n] for n in others])
        back = _margins(cosines.max(axis=0), best, np.repeat(self._among[one], sizes.sum()))
        shares = self._shares[one], np.concatenate([self._shares[n] for n in others])

        counted = np.stack([np.repeat(self.has_rivals[one], len(others)), self.has_rivals[others]])
        ahead = np.stack([shares[0] @ onward, np.add.reduceat(back * shares[1], begins)]) * counted
        likeness: Float64 = (
            SENTENCES_WEIGHT * ahead.sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
        )
        if self._by_sentences:
            return likeness

        translated, translating = _aligned(cosines, nearest, onward, back, sizes)
        covered = np.minimum(
            shares[0] @ translated, np.add.reduceat(shares[1] * translating, begins)
        )
        several = 1 - 1 / np.maximum(translated.sum(axis=0), 1)
        likeness += ALIGNED_WEIGHT * covered * several * counted.all(axis=0)
        return likeness


def _aligned(
    cosines: Float32, nearest: Float32, onward: Float32, back: Float32, sizes: Int64
) -> tuple[Bool, Bool]:
    """Find the sentences that say the same: nearest to each other, and ahead of their rivals.

    Args:
        cosines: `(s, t)` of one answer's sentences with those of all others.
        nearest: `(s, o)` with the nearest sentence of each other answer.
        onward: `(s, o)` by how much that is nearer than the rivals.
        back: `(t,)` by how much the others' sentences are nearer to the answer than to rivals.
        sizes: `(o,)` the number of sentences of each other answer.

    Returns:
        `(s, o)` whether a sentence has such a one in each other answer, and `(t,)` whether the
        others' sentences have one in this answer.
    """
    columns = np.arange(cosines.shape[1])
    rows, owners = cosines.argmax(axis=0), np.repeat(np.arange(len(sizes)), sizes)
    best = cosines[rows, columns]
    is_same = (best >= MIN_COSINE) & (best >= nearest[rows, owners])
    is_same &= (back >= MIN_MARGIN) & (onward[rows, owners] >= MIN_MARGIN)
    has_same = np.zeros(nearest.shape, bool)
    has_same[rows[is_same], owners[is_same]] = True
    return has_same, is_same


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

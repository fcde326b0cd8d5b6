"""Likeness: how much alike two answers to one question are, beyond what all answers share.

There are four measures: the meaning of the whole answer, the meaning sentence by sentence, and
shared sequences of words, short and long. What all answers share counts for nothing in any of them:
meaning is taken relative to the question's other answers, and a sequence of words is weighted by
its rarity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Bool, Float32, Float64, Int64
from searchkit.text.words import Hashes, SequenceLength, Words, distinct_sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SEQUENCE_LENGTHS: dict[str, SequenceLength] = {
    "short": (2, 6),
    "long": (3, 10),
}  # words, tokens of code
COUNTED_LENGTHS: dict[str, SequenceLength] = {"word": (1, 1)} | SEQUENCE_LENGTHS
RIVALS = 3  # nearest other answers with which the likeness of a sentence is compared
# Near-duplicates share so many long sequences, and such a share of the shorter answer's sequences.
MIN_SHARED_SEQUENCES, MIN_SHARED_SHARE = 12, 0.1
MAX_TEXTS_OF_SEQUENCE = 500  # a sequence in more texts says nothing about near-duplicates
UNSEEN_ANSWERS = 50  # to other questions: a pseudo-count
SAME_COSINE = 1e-5  # two cosines that differ by less are equal
BLOCK_PAIRS, BLOCK_ROWS = 100_000, 2_000  # that are processed at a time
MIN_COMPARABLE = 5  # answers of a question; with fewer, likeness of meaning is 0


@dataclass(frozen=True, slots=True)
class Background:
    """The document frequency of every sequence of words in the whole corpus.

    Attributes:
        answers: The number of answers in the corpus.
        frequencies: For `word`, `short` and `long`, the sequences, ascending, and the number of
            answers that hold each.
    """

    answers: int
    frequencies: dict[str, tuple[Hashes, Int64]]

    @classmethod
    def of(cls, texts: Sequence[Words]) -> Background:
        """Count over the words of every answer of the corpus."""
        frequencies = {}
        for kind, length in COUNTED_LENGTHS.items():
            hashes = [np.empty(0, np.uint64)]
            for at in range(0, len(texts), BLOCK_ROWS):
                hashes.append(distinct_sequences(texts[at : at + BLOCK_ROWS], length)[1])
            frequencies[kind] = np.unique(np.concatenate(hashes), return_counts=True)
        return cls(len(texts), frequencies)

    def document_frequency(self, kind: str, wanted: Hashes) -> Int64:
        """Return `(s,)` the number of answers that hold each sequence `(s,)`."""
        hashes, counts = self.frequencies[kind]
        if not len(hashes):
            return np.zeros(len(wanted), np.int64)
        at = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
        return np.where(hashes[at] == wanted, counts[at], 0)

    def distinct(self, kind: str) -> int:
        """Return the number of distinct sequences."""
        return len(self.frequencies[kind][0])

    def total(self, kind: str) -> int:
        """Return the sum of all document frequencies."""
        return int(self.frequencies[kind][1].sum())


class SequenceMatrix:
    """Which texts hold which sequences of words.

    Attributes:
        kind: `short` or `long`.
        known: `(s,)` the hashes of the sequences, ascending.
        rows: `(m,)` the text of each occurrence; a text holds a sequence once.
        columns: `(m,)` the sequence of each occurrence, by its place in `known`.
        matrix: `(n, s)` sparse, 1 where a text holds a sequence.
    """

    def __init__(
        self, texts: Sequence[Words], kind: str, boilerplate: Hashes | None = None
    ) -> None:
        """Find the sequences.

        Args:
            texts: The words of each answer.
            kind: `short` or `long`.
            boilerplate: Sequences that are left out.
        """
        from scipy import sparse

        self.kind = kind
        self.rows, hashes = distinct_sequences(texts, SEQUENCE_LENGTHS[kind])
        if boilerplate is not None and len(boilerplate):
            is_own = ~np.isin(hashes, boilerplate)
            self.rows, hashes = self.rows[is_own], hashes[is_own]
        self.known, self.columns = np.unique(hashes, return_inverse=True)
        shape = (len(texts), max(1, len(self.known)))
        self.matrix = sparse.csr_matrix(
            (np.ones(len(self.rows), np.float32), (self.rows, self.columns)), shape
        )

    def document_frequency(self, weights: Float64) -> Float64:
        """Return `(s,)` the number of texts that hold each sequence.

        Args:
            weights: `(n,)` the number of answers as which each text counts.
        """
        frequency = np.bincount(self.columns, weights[self.rows], len(self.known))
        return frequency.astype(np.float64)

    def sharing(self, min_shared: int, max_texts: int) -> Iterator[tuple[Int64, Int64, Float64]]:
        """Yield the pairs of texts that have sequences in common, in blocks.

        Args:
            min_shared: The least number of sequences that a pair has in common.
            max_texts: Sequences in more texts are not counted.

        Yields:
            `(p,)` texts; `(p,)` texts with higher numbers; `(p,)` the number of their common
            sequences.
        """
        texts = np.bincount(self.columns, minlength=self.matrix.shape[1])
        counted = self.matrix[:, np.flatnonzero((texts > 1) & (texts <= max_texts))].tocsr()
        for at in range(0, counted.shape[0], BLOCK_ROWS):
            common = (counted[at : at + BLOCK_ROWS] @ counted.T).tocoo()
            hits = (common.data >= min_shared) & (common.row + at < common.col)
            left = common.row[hits].astype(np.int64) + at
            yield left, common.col[hits].astype(np.int64), common.data[hits].astype(np.float64)


def find_near_duplicates(long_sequences: SequenceMatrix) -> csr_matrix:
    """Return which texts are near-duplicates of each other, and so count as one answer together.

    Where half a class copies the same page, its words are not what everybody writes independently:
    they entered the class once. So answers of common descent count as one, as sequences do in the
    construction of BLOSUM matrices (Henikoff and Henikoff, PNAS 89, 1992).

    Args:
        long_sequences: Of the texts.

    Returns:
        `(n, n)` sparse, symmetric, 1 for near-duplicates. The diagonal is 1, except for texts with
        less than `MIN_SHARED_SEQUENCES` sequences.
    """
    from scipy import sparse

    sizes = np.bincount(long_sequences.rows, minlength=long_sequences.matrix.shape[0])
    itself = np.flatnonzero(sizes >= MIN_SHARED_SEQUENCES)
    lefts, rights = [itself], [itself]
    for left, right, shared in long_sequences.sharing(MIN_SHARED_SEQUENCES, MAX_TEXTS_OF_SEQUENCE):
        near = shared >= MIN_SHARED_SHARE * np.minimum(sizes[left], sizes[right])
        lefts += [left[near], right[near]]
        rights += [right[near], left[near]]
    left, right = np.concatenate(lefts), np.concatenate(rights)
    return sparse.csr_matrix((np.ones(len(left)), (left, right)), (len(sizes), len(sizes)))


def answer_weights(near_duplicates: csr_matrix, copies: Int64) -> Float64:
    """Return `(n,)` the number of answers as which each text counts.

    A text and its near-duplicates count as one answer together.

    Args:
        near_duplicates: From `find_near_duplicates`.
        copies: `(n,)` the number of equal answers that each text represents.
    """
    together = near_duplicates @ copies
    return np.where(together > 0, copies / np.maximum(together, 1), copies).astype(np.float64)


class LexicalLikeness:
    """Measures the sequences of words that two answers share, weighted by rarity.

    The weight of a sequence is -log of the probability that an answer holds it, estimated from the
    question's other answers with the corpus as prior. The sum over the shared sequences is divided
    by the square root of the total weight of both answers, which is half-way between an amount and
    a share: long answers share more by chance, and yet forty words in common are more than four.
    """

    def __init__(
        self,
        texts: SequenceMatrix,
        weights: Float64,
        background: Background,
        common: tuple[float, Float64] | None = None,
        references: Sequence[Words] = (),
    ) -> None:
        """Weight every sequence.

        Args:
            texts: The sequences of each answer.
            weights: `(n,)` from `answer_weights`.
            background: Of the corpus, these answers included.
            common: The document frequency above which a sequence has no weight, and `(n,)` the
                number of answers as which each text counts for that.
            references: The words of the reference answers, which count as an answer each.
        """
        rarity = _rarity(texts, weights, background, references)
        if common is not None:
            rarity[texts.document_frequency(common[1]) > common[0]] = 0
        self._roots = texts.matrix.copy()
        self._roots.data = np.sqrt(rarity)[self._roots.indices]
        self._norms = np.sqrt(np.maximum(self._roots.multiply(self._roots).sum(1).A1, 1e-9))

    def likeness(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` for the texts `left` and `right`; in the square root of nats."""
        shared = np.zeros(len(left))
        for at in range(0, len(left), BLOCK_PAIRS):
            part = slice(at, at + BLOCK_PAIRS)
            both = self._roots[left[part]].multiply(self._roots[right[part]])
            shared[part] = both.sum(1).A1
        likeness: Float64 = shared / np.sqrt(self._norms[left] * self._norms[right])
        return likeness


def _rarity(
    texts: SequenceMatrix, weights: Float64, background: Background, references: Sequence[Words]
) -> Float64:
    """Return `(s,)` -log of the probability that an answer holds each sequence.

    The two answers that are being compared are left out of the estimate.
    """
    frequency, answers = texts.document_frequency(weights), float(weights.sum())
    in_corpus = background.document_frequency(texts.kind, texts.known)
    elsewhere = np.maximum(in_corpus - frequency, 0)
    prior = (elsewhere + 0.5) / (max(background.answers - answers, 0) + UNSEEN_ANSWERS)
    _, referred = distinct_sequences(references, SEQUENCE_LENGTHS[texts.kind])
    known, counts = np.unique(referred, return_counts=True)
    usual = np.maximum(frequency - 2, 0) + prior
    usual[np.isin(texts.known, known)] += counts[np.isin(known, texts.known)]
    probability = usual / max(answers - 1 + len(references), 1)
    rarity: Float64 = -np.log(np.minimum(probability, 1))
    return rarity


class SentenceLikeness:
    """Measures how much nearer the sentences of two answers are to each other than to the others'.

    Each sentence is compared with the nearest sentence of every answer. What counts is by how much
    an answer is nearer than the three nearest other answers, its rivals: a sentence that many write
    is near to many. This is the local scaling of cross-lingual retrieval (CSLS; Conneau et al.,
    Word translation without parallel data, ICLR 2018, section 2.3), with answers as neighbours.
    """

    def __init__(
        self,
        sentences: Sequence[Float32],
        lengths: Sequence[Float32],
        among: Int64,
        near_duplicates: csr_matrix,
    ) -> None:
        """Find the rivals of every sentence.

        Args:
            sentences: For each answer, `(s, d)` unit rows, at least one.
            lengths: For each answer, `(s,)` the number of words of each sentence.
            among: The answers that rivals are taken from, ascending: all, or a sample.
            near_duplicates: From `find_near_duplicates`; near-duplicates are no rivals.
        """
        self._sentences = sentences
        self._shares = [words / words.sum() for words in lengths]
        self._too_few = len(among) < MIN_COMPARABLE
        if self._too_few:
            return
        self._excluded = near_duplicates + _identity(len(sentences))
        self._among = np.zeros(len(sentences), bool)
        self._among[among] = True
        columns = np.concatenate([sentences[n] for n in among])
        sizes = np.array([len(sentences[n]) for n in among])
        self._best: list[Float32] = []
        for number, rows in enumerate(sentences):
            nearest = np.maximum.reduceat(rows @ columns.T, np.cumsum(sizes) - sizes, axis=1)
            nearest[:, self._is_excluded(number)[among]] = -1  # (s, among)
            best = np.partition(nearest, -RIVALS - 1, axis=1)[:, -RIVALS - 1 :]
            self._best.append(-np.sort(-best, axis=1))  # (s, RIVALS + 1), best first

    def likeness(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` for the answers `left`, ascending, and `right`, `(p,)` each.

        Returns:
            The mean over the words of both answers, as a difference of cosines; 0 for every pair
            if there are less than `MIN_COMPARABLE` answers.
        """
        likeness = np.zeros(len(left))
        if self._too_few or not len(left):
            return likeness
        borders = np.flatnonzero(np.diff(left)) + 1
        for places in np.split(np.arange(len(left)), borders):
            likeness[places] = self._of_one(int(left[places[0]]), right[places])
        return likeness

    def _is_excluded(self, number: int) -> Bool:
        """Return `(n,)` whether each answer is this one itself or a near-duplicate of it."""
        borders = self._excluded.indptr  # slicing the matrix itself takes a hundred times as long
        is_excluded = np.zeros(len(self._sentences), bool)
        is_excluded[self._excluded.indices[borders[number] : borders[number + 1]]] = True
        return is_excluded

    def _of_one(self, one: int, others: Int64) -> Float64:
        """Return `(o,)` the likeness of one answer with each of the others `(o,)`."""
        columns = np.concatenate([self._sentences[n] for n in others])
        sizes = np.array([len(self._sentences[n]) for n in others])
        begins = np.cumsum(sizes) - sizes
        cosines = self._sentences[one] @ columns.T
        nearest = np.maximum.reduceat(cosines, begins, axis=1)  # (s, others)
        unrelated = ~self._is_excluded(one)[others]
        best = self._best[one][:, None, :]
        ahead = _ahead(nearest, best, (unrelated & self._among[others])[None, :])
        onward = self._shares[one] @ ahead
        best = np.concatenate([self._best[n] for n in others])
        ahead = _ahead(cosines.max(axis=0), best, np.repeat(unrelated & self._among[one], sizes))
        back = np.add.reduceat(ahead * np.concatenate([self._shares[n] for n in others]), begins)
        return np.asarray((onward + back) / 2, np.float64)


def _identity(count: int) -> csr_matrix:
    from scipy import sparse

    return sparse.identity(count, format="csr")


def _ahead(cosines: Float32, best: Float32, counted: NDArray[np.bool_]) -> Float32:
    """Return by how much a sentence is nearer to an answer than to its three nearest rivals.

    Args:
        cosines: The cosine of the sentence with the answer's nearest sentence.
        best: `(…, RIVALS + 1)` its cosines with the nearest answers, best first.
        counted: Whether the answer itself may be among these.
    """
    # The same cosine from another matrix product may differ in its last digits.
    itself = counted & (cosines >= best[..., RIVALS - 1] - SAME_COSINE)
    rivals = np.where(itself, best.sum(axis=-1) - cosines, best[..., :RIVALS].sum(axis=-1)) / RIVALS
    has_rivals = best[..., RIVALS - 1] > -1
    return np.where(has_rivals, np.maximum(cosines - rivals, 0), 0)

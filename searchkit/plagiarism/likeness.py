"""Likeness: how much alike two answers to one question are, beyond what all answers share.

Four measures: the meaning of the whole, the meaning sentence by
sentence, and shared sequences of words, short and long. What everybody writes counts for nothing
in any of them: meaning is taken relative to the question's other answers, and a sequence of words
weighs as much as it is rare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.text.words import Hashes, Length, Words, sequences

MEASURES = ("whole", "sentences", "short", "long")
LENGTHS: dict[str, Length] = {"short": (2, 6), "long": (3, 10)}
RIVALS = 3  # answers that come next to a sentence: what the nearest must beat
KIN, KIN_SHARE = 12, 0.1  # long sequences that kin share, and of the shorter one's all
COMMON = 500  # texts; what more of them have does not make kin
UNSEEN = 50  # answers to other questions, that one takes to have been there
SAME = 1e-5  # two cosines that differ by less are one
PAIRS, ROWS = 100_000, 2_000  # that are looked at in one step
ENOUGH = 5  # answers; fewer don't say what is usual in their question, and only words count


def distinct(words: Words, kind: str) -> Hashes:
    """Return the hashes of the distinct sequences of a text, ascending."""
    return np.unique(sequences(words, LENGTHS[kind])[0])


@dataclass(frozen=True, slots=True)
class Background:
    """How many answers of the whole corpus have a sequence, to know how common it is at all.

    Attributes:
        answers: How many answers there are.
        known: For each kind, the sequences, ascending, and how many answers have each.
    """

    answers: int
    known: dict[str, tuple[Hashes, Int64]]

    @classmethod
    def of(cls, texts: Sequence[Words]) -> Background:
        """Count over every answer of the corpus."""
        known = {}
        for kind in LENGTHS:
            every = [np.empty(0, np.uint64), *(distinct(words, kind) for words in texts)]
            known[kind] = np.unique(np.concatenate(every), return_counts=True)
        return cls(len(texts), known)

    def having(self, kind: str, wanted: Hashes) -> Int64:
        """Return how many answers have each of these sequences."""
        hashes, counts = self.known[kind]
        if not len(hashes):
            return np.zeros(len(wanted), np.int64)
        at = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
        return np.where(hashes[at] == wanted, counts[at], 0)


class Held:
    """Which sequences of words each text has."""

    def __init__(self, texts: Sequence[Words], kind: str, given: Hashes | None = None) -> None:
        """Find them.

        Args:
            texts: The words of each answer.
            kind: `short` or `long`.
            given: Sequences that everybody was given, and that count for nothing.
        """
        from scipy import sparse

        held = [distinct(words, kind) for words in texts]
        if given is not None and len(given):
            held = [hashes[~np.isin(hashes, given)] for hashes in held]
        self.kind = kind
        self.rows = np.repeat(np.arange(len(texts)), [len(hashes) for hashes in held])
        every = np.concatenate([np.empty(0, np.uint64), *held])
        self.known, self.columns = np.unique(every, return_inverse=True)
        shape = (len(texts), max(1, len(self.known)))
        self.matrix = sparse.csr_matrix(
            (np.ones(len(self.rows), np.float32), (self.rows, self.columns)), shape
        )

    def having(self, counts: Float64) -> Float64:
        """Return `(s,)` how many have each sequence, if text n counts as `counts[n]`."""
        having = np.bincount(self.columns, counts[self.rows], len(self.known))
        return having.astype(np.float64)

    def sharing(self, least: int, most: int) -> Iterator[tuple[Int64, Int64, Float64]]:
        """Yield the pairs of texts that have `least` sequences in common, and how many these are.

        Args:
            least: How many, at least.
            most: Sequences that more texts have are not looked at.

        Yields:
            `(p,)` texts, `(p,)` texts with a higher number, `(p,)` counts; in blocks.
        """
        texts = np.bincount(self.columns, minlength=self.matrix.shape[1])
        some = self.matrix[:, np.flatnonzero((texts > 1) & (texts <= most))].tocsr()
        for at in range(0, some.shape[0], ROWS):
            common = (some[at : at + ROWS] @ some.T).tocoo()
            kept = (common.data >= least) & (common.row + at < common.col)
            left = common.row[kept].astype(np.int64) + at
            yield left, common.col[kept].astype(np.int64), common.data[kept].astype(np.float64)


def find_kin(held: Held) -> Any:  # noqa: ANN401
    """Find the texts that share so much that they are one for whoever asks what is usual.

    Where half a class copies the same page, its words are not what everybody writes by themselves:
    they came into the class once. So answers of common descent count as one, as sequences do in
    the making of BLOSUM matrices (Henikoff and Henikoff, PNAS 89, 1992).

    Args:
        held: The long sequences.

    Returns:
        `(n, n)` sparse, symmetric, 1 for kin; a text is its own, unless it is too short to tell.
    """
    from scipy import sparse

    sizes = np.bincount(held.rows, minlength=held.matrix.shape[0])
    itself = np.flatnonzero(sizes >= KIN)
    lefts, rights = [itself], [itself]
    for left, right, shared in held.sharing(KIN, most=COMMON):
        near = shared >= KIN_SHARE * np.minimum(sizes[left], sizes[right])
        lefts += [left[near], right[near]]
        rights += [right[near], left[near]]
    left, right = np.concatenate(lefts), np.concatenate(rights)
    return sparse.csr_matrix((np.ones(len(left)), (left, right)), (len(sizes), len(sizes)))


def counting(kin: Any, copies: Int64) -> Float64:  # noqa: ANN401
    """Say as how many answers each text counts: kin are one together.

    Args:
        kin: From `find_kin`.
        copies: `(n,)` how many answers each text stands for.
    """
    together = kin @ copies
    return np.where(together > 0, copies / np.maximum(together, 1), copies).astype(np.float64)


class Wording:
    """Weighs the sequences of words that two answers share, by how rare these are.

    A sequence weighs -log of the chance that an answer has it: as the question's other answers
    say, and the corpus where there are none. The sum is taken relative to the square root of
    what both answers hold in all, half-way between an amount and a share: long answers share
    more by chance, and yet forty words in common are more than four.
    """

    def __init__(
        self,
        held: Held,
        counts: Float64,
        background: Background,
        common: tuple[float, Float64] | None = None,
    ) -> None:
        """Weigh every sequence.

        Args:
            held: The sequences of each text.
            counts: `(n,)` as how many answers each text counts.
            background: Of the corpus; the answers themselves are part of it.
            common: A sequence that more than so many have counts for nothing; and `(n,)` as how
                many each text counts for that.
        """
        weights = _rarity(held.having(counts), float(counts.sum()), held, background)
        if common is not None:
            weights[held.having(common[1]) > common[0]] = 0
        self._roots = held.matrix.copy()
        self._roots.data = np.sqrt(weights)[self._roots.indices]
        self._whole = np.sqrt(np.maximum(self._roots.multiply(self._roots).sum(1).A1, 1e-9))

    def likeness(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` for the texts `left` and `right`, `(p,)`; in the square root of nats."""
        shared = np.zeros(len(left))
        for at in range(0, len(left), PAIRS):
            part = slice(at, at + PAIRS)
            both = self._roots[left[part]].multiply(self._roots[right[part]])
            shared[part] = both.sum(1).A1
        likeness: Float64 = shared / np.sqrt(self._whole[left] * self._whole[right])
        return likeness


def _rarity(having: Float64, answers: float, held: Held, background: Background) -> Float64:
    """Return -log of the chance that an answer has each sequence, the two at hand left out."""
    elsewhere = np.maximum(background.having(held.kind, held.known) - having, 0)
    prior = (elsewhere + 0.5) / (max(background.answers - answers, 0) + UNSEEN)
    chance = (np.maximum(having - 2, 0) + prior) / max(answers - 1, 1)
    weights: Float64 = -np.log(np.minimum(chance, 1))
    return weights


class SentenceMeaning:
    """Says how much nearer the sentences of two answers are to each other than to the others'.

    Each sentence is compared with the nearest sentence of every answer. What counts is by how
    much an answer comes nearer than the three nearest others: a sentence that many write is near
    to many. This is the local scaling of cross-lingual retrieval (CSLS; Conneau et al., Word
    translation without parallel data, ICLR 2018, section 2.3), with answers for neighbours.
    """

    def __init__(
        self,
        sentences: Sequence[Float32],
        lengths: Sequence[Float32],
        among: Int64,
        kin: Any,  # noqa: ANN401
    ) -> None:
        """Find the rivals of every sentence.

        Args:
            sentences: For each answer, `(s, d)` unit rows, at least one.
            lengths: For each answer, `(s,)` words of each.
            among: The answers that rivals are taken from, ascending: all, or a sample.
            kin: From `find_kin`: an answer's kin are no rivals of theirs.
        """
        self._sentences = sentences
        self._shares = [words / words.sum() for words in lengths]
        self._few = len(among) < ENOUGH
        if self._few:
            return
        self._kin = kin + _identity(len(sentences))
        self._among = np.zeros(len(sentences), bool)
        self._among[among] = True
        columns = np.concatenate([sentences[n] for n in among])
        sizes = np.array([len(sentences[n]) for n in among])
        self._best: list[Float32] = []
        for number, rows in enumerate(sentences):
            nearest = np.maximum.reduceat(rows @ columns.T, np.cumsum(sizes) - sizes, axis=1)
            own = self._kin[number].indices
            nearest[:, np.isin(among, own)] = -1  # (s, among)
            top = np.partition(nearest, -RIVALS - 1, axis=1)[:, -RIVALS - 1 :]
            self._best.append(-np.sort(-top, axis=1))  # (s, 4), best first

    def likeness(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` for the answers `left` and `right`, `(p,)`, `left` ascending.

        Returns:
            The mean over both answers' words, each as a difference of cosines; 0 throughout where
            there are too few answers to compare with.
        """
        found = np.zeros(len(left))
        if self._few or not len(left):
            return found
        borders = np.flatnonzero(np.diff(left)) + 1
        for places in np.split(np.arange(len(left)), borders):
            found[places] = self._one_with_many(int(left[places[0]]), right[places])
        return found

    def _one_with_many(self, one: int, others: Int64) -> Float64:
        columns = np.concatenate([self._sentences[n] for n in others])
        sizes = np.array([len(self._sentences[n]) for n in others])
        begins = np.cumsum(sizes) - sizes
        cosines = self._sentences[one] @ columns.T
        there = np.maximum.reduceat(cosines, begins, axis=1)  # (s, others)
        foreign = ~np.isin(others, self._kin[one].indices)
        best = self._best[one][:, None, :]
        onward = self._shares[one] @ _ahead(there, best, (foreign & self._among[others])[None, :])
        best = np.concatenate([self._best[n] for n in others])
        ahead = _ahead(cosines.max(axis=0), best, np.repeat(foreign & self._among[one], sizes))
        back = np.add.reduceat(ahead * np.concatenate([self._shares[n] for n in others]), begins)
        return np.asarray((onward + back) / 2, np.float64)


def _identity(count: int) -> Any:  # noqa: ANN401
    from scipy import sparse

    return sparse.identity(count, format="csr")


def _ahead(cosines: Float32, best: Float32, counted: NDArray[np.bool_]) -> Float32:
    """Return by how much a sentence is nearer to an answer than to the three nearest others.

    Args:
        cosines: Of the sentence with the answer's nearest.
        best: `(…, 4)` with the four nearest answers, best first.
        counted: Whether the answer itself may be one of the four.
    """
    # The same cosine out of another product may differ in its last digits.
    itself = counted & (cosines >= best[..., RIVALS - 1] - SAME)
    rivals = np.where(itself, best.sum(axis=-1) - cosines, best[..., :RIVALS].sum(axis=-1)) / RIVALS
    enough = best[..., RIVALS - 1] > -1
    return np.where(enough, np.maximum(cosines - rivals, 0), 0)

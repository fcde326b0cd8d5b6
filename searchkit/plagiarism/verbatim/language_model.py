"""A language model of a question: how probable each word of an answer is for another author.

Whoever answers a question independently uses its stock phrases, and the phrases of its subject. So
the probability of a word after the two before it comes from the question's other answers, backed
off from three words to two and to one by pseudo-counts (MacKay and Peto, A hierarchical Dirichlet
language model, 1995), half and half with the same estimate from the answers to other questions.
The two answers that are compared are left out, with their near-duplicates: no copier can make a
phrase common. Reference answers, which nobody copied, count as one more answer each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.plagiarism.likeness.measures import Background
from searchkit.text.words import Hashes, Words, sequences

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

ORDERS = (1, 2, 3)  # words in a sequence
KINDS = ("word", "short", "long")  # the names of these orders in `Background`
PSEUDO_WORDS = 20  # as many words as which the estimate of the corpus counts in a question
PSEUDO_COUNT = 5  # of backing off to one word less
QUESTION_SHARE = 0.5  # of the question's estimate; the rest is that of the corpus
MAX_NATS = 5.0  # that a word gives: what nobody else wrote isn't as rare as a small class makes it
MAX_SYMBOL_NATS = 1.0  # that a number or a single letter gives: in a calculation they are forced
NO_CODE = 1 << 30  # the length of a sequence of code that no text has


class LanguageModel:
    """Measures how many nats of information each word of an answer gives.

    Attributes:
        triples: For each answer, `(n,)` the number of the three words that end at each word; equal
            ones have the same, and -1 is where there are none.
    """

    def __init__(
        self,
        texts: Sequence[Words],
        copies: Int64,
        weights: Float64,
        background: Background,
        references: Sequence[Words] = (),
    ) -> None:
        """Count the sequences of words of every answer.

        Args:
            texts: The words of each answer to the question; code is left out.
            copies: `(n,)` the number of equal answers that each text represents.
            weights: `(n,)` the number of answers as which each text counts.
            background: Of the whole corpus, these answers included.
            references: The words of the reference answers.
        """
        from scipy import sparse

        every = [*texts, *references]
        distinct = {id(words): words for words in every}  # equal texts share their words
        self._weights = np.concatenate([weights, np.ones(len(references))])
        raw = np.concatenate([copies.astype(np.float64), np.zeros(len(references))])
        self._held, self._counts, self._elsewhere, numbers = [], [], [], []
        for order, kind in zip(ORDERS, KINDS, strict=True):
            placed_in = {key: _hashes_by_place(words, order) for key, words in distinct.items()}
            placed = [placed_in[id(words)] for words in every]
            known, at = np.unique(
                np.concatenate([np.empty(0, np.uint64), *(hashes for hashes, _ in placed)]),
                return_inverse=True,
            )
            rows = np.repeat(np.arange(len(every)), [len(hashes) for hashes, _ in placed])
            shape = (len(every), max(1, len(known)))
            held = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, at)), shape)
            held.data[:] = 1
            in_corpus = np.zeros(shape[1])
            in_corpus[: len(known)] = background.document_frequency(kind, known)
            self._held.append(held.tocsc())
            self._counts.append(self._weights @ held)
            self._elsewhere.append(np.maximum(in_corpus - raw @ held, 0))
            numbers.append(_by_place(every, placed, at))
        self._words, self._pairs, self.triples = numbers
        most = {key: _most_nats(words) for key, words in distinct.items()}
        self._most = [most[id(words)] for words in texts]
        sizes = np.bincount(self._held[0].indices, minlength=len(every))  # distinct words
        self._sizes = sizes.astype(np.float64)
        self._size_elsewhere = max(background.total("word") - float(raw @ self._sizes), 0.0)
        self._vocabulary = background.distinct("word") + 1

    def information(self, text: int, left_out: Float32) -> Float64:
        """Return the information of each word of a text, in nats.

        Args:
            text: The number of the text, of n words.
            left_out: `(p, texts)` for each of p pairs, 1 for the texts that are left out.

        Returns:
            `(p, 3, n)`: of the word alone, after the word before it, and after the two before it.
            Where these are code or missing, it is that with one word less.
        """
        numbers = self._words[text], self._pairs[text], self.triples[text]
        padded = np.zeros((len(left_out), len(self._weights)))
        padded[:, : left_out.shape[1]] = left_out
        padded *= self._weights
        counts = [
            np.maximum(total[at] - padded @ _columns(held, at), 0)
            for total, held, at in zip(self._counts, self._held, numbers, strict=True)
        ]
        size = self._weights @ self._sizes - padded @ self._sizes
        elsewhere = [known[at][None, :] for known, at in zip(self._elsewhere, numbers, strict=True)]
        corpus = _back_off(
            elsewhere, numbers, np.array([[self._size_elsewhere]]), 1 / self._vocabulary
        )
        question = _back_off(counts, numbers, size[:, None], corpus[0])
        information = np.empty((len(left_out), len(ORDERS), len(numbers[0])))
        for order, (ours, theirs) in enumerate(zip(question, corpus, strict=True)):
            mixed = QUESTION_SHARE * ours + (1 - QUESTION_SHARE) * theirs
            information[:, order] = np.minimum(-np.log(mixed), self._most[text])
        return information

    def total_information(self, text: int, left_out: Float32) -> float:
        """Return the information of all words of a text, one after another, in nats.

        Args:
            text: The number of the text.
            left_out: `(texts,)` 1 for the texts that are left out.
        """
        information = self.information(text, left_out[None, :])[0, -1]
        return float(information[self._words[text] >= 0].sum())


def _columns(held: csc_matrix, at: Int64) -> Float64:
    """Return columns of a matrix of zeros and ones; slicing it takes three times as long."""
    begins = held.indptr[:-1][at]  # -1 is the last column, as it is of an array
    counts = held.indptr[at % held.shape[1] + 1] - begins
    places = np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    columns = np.zeros((held.shape[0], len(at)))
    columns[held.indices[places], np.repeat(np.arange(len(at)), counts)] = 1
    return columns


def _most_nats(words: Words) -> Float64:
    """Return `(n,)` the most that each word gives."""
    is_symbol = [word.isdecimal() or (len(word) == 1 and word.isascii()) for word in words.tokens]
    return np.where(is_symbol, MAX_SYMBOL_NATS, MAX_NATS)


def _hashes_by_place(words: Words, order: int) -> tuple[Hashes, Int64]:
    """Return the hash of each sequence of prose, and the place of its last word."""
    hashes, firsts = sequences(words, (order, NO_CODE))
    return hashes, firsts + order - 1


def _by_place(
    texts: Sequence[Words], placed: Sequence[tuple[Hashes, Int64]], numbers: Int64
) -> list[Int64]:
    """Return for each text `(n,)` the number of the sequence that ends at each word, or -1."""
    result, begin = [], 0
    for words, (_, places) in zip(texts, placed, strict=True):
        own = np.full(len(words), -1, np.int64)
        own[places] = numbers[begin : begin + len(places)]
        begin += len(places)
        result.append(own)
    return result


def _back_off(
    counts: Sequence[Float64], numbers: Sequence[Int64], size: Float64, prior: float | Float64
) -> list[Float64]:
    """Return the probabilities `(p, n)` of each word: alone, after one word, after two.

    Args:
        counts: For each order, `(p, n)` the number of answers with the sequence that ends here.
        numbers: For each order, `(n,)` the number of that sequence; -1 where there is none.
        size: `(p, 1)` the number of words counted.
        prior: The probability of a word before anything was counted.
    """
    probability = (counts[0] + PSEUDO_WORDS * prior) / (size + PSEUDO_WORDS)
    probabilities = [probability]
    for order in (1, 2):
        before = np.roll(counts[order - 1], 1, axis=1)  # of the sequence without this word
        longer = (counts[order] + PSEUDO_COUNT * probability) / (before + PSEUDO_COUNT)
        probability = np.where(numbers[order] >= 0, longer, probability)
        probabilities.append(probability)
    return probabilities

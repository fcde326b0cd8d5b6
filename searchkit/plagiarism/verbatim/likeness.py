"""Verbatim likeness: the information that two answers to a question share, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.plagiarism.overlap import SEED_LENGTH
from searchkit.plagiarism.verbatim.language_model import LanguageModel
from searchkit.plagiarism.verbatim.runs import RunFinder
from searchkit.text.words import Hashes, Words, sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BLOCK_PAIRS = 256  # whose information is computed at a time
# Sequences of three words that a pair has in common, so that it is read at all: as many as a tenth
# of the question's unrelated pairs has, within limits. The others are below the start of the tail.
MIN_SHARED, MAX_MIN_SHARED, SHARE_READ = 3, 10, 0.1
MAX_COUNTED = 600  # answers by which that is determined


class VerbatimLikeness:
    """Measures pairs of a question's answers, by their numbers."""

    def __init__(
        self,
        texts: Sequence[Words],
        model: LanguageModel,
        held: csr_matrix,
        near_duplicates: csr_matrix,
        given: Hashes,
    ) -> None:
        """Prepare every answer.

        Args:
            texts: The words of each answer.
            model: Of the question.
            held: `(n, s)` 1 where an answer holds a long sequence.
            near_duplicates: From `find_near_duplicates`.
            given: The hashes of sequences of `SEED_LENGTH` that all authors were given.
        """
        self._model = model
        self._held, self._holders = held, held.T.tocsr()
        self._min_shared = _min_shared(held[:MAX_COUNTED], near_duplicates)
        self._near = near_duplicates
        self._runs = RunFinder(
            model.triples[: len(texts)], [_is_given(words, given) for words in texts]
        )

    def likeness(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` the shared information of pairs, in nats; `left` is ascending."""
        likeness = np.zeros(len(left))
        borders = np.flatnonzero(np.diff(left)) + 1
        for places in np.split(np.arange(len(left)), borders) if len(left) else []:
            for begin in range(0, len(places), BLOCK_PAIRS):
                part = places[begin : begin + BLOCK_PAIRS]
                likeness[part] = self._of_one(int(left[part[0]]), right[part])
        return likeness

    def _of_one(self, one: int, others: Int64) -> Float64:
        """Return `(p,)` the shared information of one answer and each of the others."""
        shared = (self._held[one] @ self._holders).toarray().ravel()
        places = np.flatnonzero(shared[others] >= self._min_shared)
        likeness = np.zeros(len(others))
        if not len(places):
            return likeness
        sharing = others[places]
        left_out = self._near[sharing].toarray()
        left_out[np.arange(len(sharing)), sharing] = 1
        left_out = np.maximum(left_out, self._near[one].toarray())
        left_out[:, one] = 1
        information = self._model.information(one, left_out)
        for row, common in self._runs.common_words(one, sharing, information):
            likeness[places[row]] = common.shared_information()
        return likeness


def _is_given(words: Words, given: Hashes) -> Bool:
    """Return `(n,)` whether each word of an answer is in a sequence that all authors were given."""
    is_given = np.zeros(len(words), bool)
    hashes, firsts = sequences(words, SEED_LENGTH)
    for first in firsts[np.isin(hashes, given)].tolist():
        is_given[first : first + SEED_LENGTH[int(words.is_code[first])]] = True
    return is_given


def _min_shared(held: csr_matrix, near_duplicates: csr_matrix) -> float:
    """Return how many sequences a pair must share to be read.

    Args:
        held: `(n, s)` 1 where a text holds a sequence.
        near_duplicates: Of these texts, and maybe more; their pairs are read in any case.
    """
    i, j = np.triu_indices(held.shape[0], 1)
    shared = (held @ held.T).toarray()[i, j]
    shared = shared[near_duplicates[: held.shape[0]].toarray()[i, j] == 0]
    if not len(shared):
        return MIN_SHARED
    return float(np.clip(np.quantile(shared, 1 - SHARE_READ), MIN_SHARED, MAX_MIN_SHARED))

"""The units that answers have in common: characters, words, pairs of words, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.text.words import Hashes, Words, distinct_sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NGRAM_LENGTHS = (3, 4)  # characters, across words


@dataclass(frozen=True, slots=True)
class Units:
    """Which answer has which units of a kind.

    Attributes:
        present: `(n, v)` sparse, 1 for each unit that an answer has.
        weights: `(v,)` how much a unit counts: the rarer the more (inverse document frequency).
        keys: `(v,)` the units' hashes, ascending; empty for n-grams of characters.
    """

    present: csr_matrix
    weights: Float64
    keys: Hashes

    @classmethod
    def of(cls, present: csr_matrix, keys: Hashes | None = None) -> Units:
        """Weight the units by how many of the answers have them."""
        frequency = np.maximum(np.asarray(present.sum(axis=0)).ravel(), 1)
        weights = np.log1p(present.shape[0] / frequency)
        return cls(present, weights, np.empty(0, np.uint64) if keys is None else keys)

    def shares(self, rows: Int64, models: csr_matrix) -> tuple[Float64, Float64]:
        """Return the weight in common with the best model, as shares; 0 without units.

        Args:
            rows: `(m,)` rows of answers.
            models: `(k, v)` the units of the answers that they are compared with.

        Returns:
            `(m,)` the largest share of a model that the answer has, and `(m,)` the largest share of
            the answer that a model has.
        """
        weighted = self.present[rows].multiply(self.weights).tocsr()
        common = (weighted @ models.T).toarray()  # (m, k)
        of_models = np.maximum(models @ self.weights, 1e-9)
        of_answers = np.maximum(np.asarray(weighted.sum(axis=1)), 1e-9)
        return (common / of_models).max(axis=1), (common / of_answers).max(axis=1)

    def typical(self, rows: Int64) -> csr_matrix:
        """Return `(1, v)` the most frequent units of some answers, as many as the median has."""
        from scipy.sparse import csr_matrix

        own = self.present[rows]
        frequency = np.asarray(own.sum(axis=0)).ravel()
        size = int(np.median(own.getnnz(axis=1)))
        chosen = np.zeros(len(frequency))
        chosen[np.argsort(-frequency, kind="stable")[:size]] = 1
        return csr_matrix(chosen)

    def with_keys(self, keys: Hashes) -> csr_matrix:
        """Return `(1, v)` the units among some hashes."""
        from scipy.sparse import csr_matrix

        return csr_matrix(np.isin(self.keys, keys).astype(np.float64))


def character_ngrams(texts: Sequence[str]) -> csr_matrix:
    """Return `(n, v)` TF-IDF of the n-grams of characters, unit rows; zeros for a blank text.

    They are what an answer says word for word, whatever its language, and misspelt, too.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=NGRAM_LENGTHS, sublinear_tf=True)
    padded = [f" {text.strip()} " for text in texts]  # so that one letter is an n-gram, too
    if not any(len(text) >= NGRAM_LENGTHS[0] for text in padded):
        return csr_matrix((len(texts), 1))
    return csr_matrix(vectorizer.fit_transform(padded))


def word_units(words: Sequence[Words], length: int) -> Units:
    """Return the sequences of so many words, or tokens of code."""
    return _units(len(words), *distinct_sequences(words, (length, length)))


def number_units(words: Sequence[Words]) -> Units:
    """Return the words with a digit in them."""
    rows, keys = distinct_sequences(words, (1, 1))
    key_of: dict[str, int] = {}
    for answer in words:
        key_of.update(zip(answer.tokens, answer.hashes.tolist(), strict=True))
    numbers = [key for token, key in key_of.items() if any(c.isdigit() for c in token)]
    is_number = np.isin(keys, np.array(numbers, np.uint64))
    return _units(len(words), rows[is_number], keys[is_number])


def _units(count: int, rows: Int64, hashes: Hashes) -> Units:
    from scipy.sparse import csr_matrix

    keys, columns = np.unique(hashes, return_inverse=True)
    shape = (count, max(1, len(keys)))
    present = csr_matrix((np.ones(len(rows)), (rows, columns.ravel())), shape=shape)
    return Units.of(present, keys if len(keys) else np.zeros(1, np.uint64))

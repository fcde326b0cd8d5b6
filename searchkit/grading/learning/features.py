"""Features that an answer to any question has: how it compares with the reference answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.text.words import Words

FEATURES = (
    "cosine with the nearest reference",
    "share of a reference's words that the answer has",
    "share of the answer's words that a reference has",
    "length",
    "length minus the mean length of the references",
)


def compute_features(
    words: Sequence[Words],
    vectors: Float32,
    questions: Int64,
    references: NDArray[np.bool_],
) -> Float64:
    """Compare each answer with the reference answers to its question.

    Where a question has no reference, a typical answer takes its place: the mean of all vectors,
    and the words that most answers have. Words are weighted by inverse document frequency.

    Args:
        words: The words of each answer.
        vectors: `(n, d)` unit rows, one for each whole answer.
        questions: `(n,)` code of each answer's question.
        references: `(n,)` whether the answer is a reference answer.

    Returns:
        `(n, 5)`, in the order of `FEATURES`; a length is the logarithm of 1 + the number of words.
    """
    word_sets = [frozenset(answer.hashes.tolist()) for answer in words]
    lengths = np.log1p([len(answer) for answer in words])
    document_frequency = Counter(word for answer in word_sets for word in answer)
    weights = {
        word: float(np.log1p(len(word_sets) / count)) for word, count in document_frequency.items()
    }
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, question in enumerate(questions.tolist()):
        rows_of[question].append(row)
    features = np.zeros((len(word_sets), len(FEATURES)))
    for members in rows_of.values():
        rows = np.array(members)
        models = rows[references[rows]]
        if len(models):
            model_vectors, model_words = vectors[models], [word_sets[row] for row in models]
            model_length = float(lengths[models].mean())
        else:
            model_vectors = vectors[rows].mean(axis=0, keepdims=True)
            model_vectors /= max(float(np.linalg.norm(model_vectors)), 1e-9)
            model_words = [_typical_words([word_sets[row] for row in members])]
            model_length = float(np.median(lengths[rows]))
        features[rows, 0] = (vectors[rows] @ model_vectors.T).max(axis=1)
        for row in members:
            own = word_sets[row]
            features[row, 1] = max(_shared_weight(model, own, weights) for model in model_words)
            features[row, 2] = max(_shared_weight(own, model, weights) for model in model_words)
        features[rows, 3] = lengths[rows]
        features[rows, 4] = lengths[rows] - model_length
    return features


def _typical_words(texts: Sequence[Set[int]]) -> frozenset[int]:
    """Return the most frequent words of some texts, as many as the median text has."""
    frequency = Counter(word for text in texts for word in text)
    size = int(np.median([len(text) for text in texts]))
    order = sorted(frequency, key=lambda word: (-frequency[word], word))
    return frozenset(order[:size])


def _shared_weight(words: Set[int], others: Set[int], weights: Mapping[int, float]) -> float:
    """Return the share of the weight of `words` that is also in `others`; 0 without words."""
    total = sum(weights[word] for word in words)
    return sum(weights[word] for word in words & others) / total if total else 0.0

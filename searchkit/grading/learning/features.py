"""Features that an answer to any question has: how it compares with the reference answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float32, Float64, Int64
from searchkit.grading.learning.words import Units, number_units, word_units
from searchkit.text.words import Words, split_words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

PLAIN_FEATURES = (
    "cosine with the nearest reference",
    "share of a reference's words that the answer has",
    "share of the answer's words that a reference has",
    "length",
    "length minus the mean length of the references",
)
FEATURES = (
    *PLAIN_FEATURES,
    "share of a reference's pairs of words that the answer has",
    "share of the answer's pairs of words that a reference has",
    "share of a reference's n-grams of characters that the answer has",
    "share of the answer's n-grams of characters that a reference has",
    "share of a reference's numbers that the answer has",
    "share of the answer's numbers that a reference has",
    "share of the answer's words that are the question's",
    "cosine with the mean of all answers",
    "whether the answer denies something",
    "whether only one of the answer and its nearest reference does",
)
NEGATIONS = frozenset(
    "no not never none nothing nobody neither nor cannot without "
    "nicht kein keine keinen nie niemals nichts ohne pas jamais rien sans nunca nada sin ni "
    "non mai senza niet geen nooit zonder nem sem ikke ingen inte aldrig".split()
)
CONTRACTED = frozenset(
    "arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt shouldnt wasnt werent wont "
    "wouldnt".split()
)  # as `split_words` gives them
MAX_DEVIATIONS = 3.0  # standard deviations to which a relative feature is limited


def compute_features(
    words: Sequence[Words],
    vectors: Float32,
    ngrams: csr_matrix,
    questions: Int64,
    references: NDArray[np.bool_],
    prompts: Sequence[str],
) -> Float64:
    """Compare each answer with the reference answers to its question.

    Where a question has no reference, a typical answer takes its place: the mean of all vectors,
    and the words that most answers have. Words are weighted by inverse document frequency.

    Args:
        words: The words of each answer.
        vectors: `(n, d)` unit rows, one for each whole answer.
        ngrams: `(n, v)` sparse; see `character_ngrams`.
        questions: `(n,)` code of each answer's question.
        references: `(n,)` whether the answer is a reference answer.
        prompts: The text of the question that each answer comes with; empty if there is none.

    Returns:
        `(n, f)`, in the order of `FEATURES`; a length is the logarithm of 1 + the number of words.
    """
    single = word_units(words, 1)
    kinds = [single, word_units(words, 2), Units.of(ngrams.sign()), number_units(words)]
    lengths = np.log1p([len(answer) for answer in words])
    denies = np.array(
        [not (NEGATIONS | CONTRACTED).isdisjoint(w.tokens) for w in words], np.float64
    )
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, question in enumerate(questions.tolist()):
        rows_of[question].append(row)
    features = np.zeros((len(words), len(FEATURES)))
    for members in rows_of.values():
        rows = np.array(members)
        models = rows[references[rows]]
        center = center_row(vectors[rows])
        model_vectors, model_length = center, float(np.median(lengths[rows]))
        if len(models):
            model_vectors, model_length = vectors[models], float(lengths[models].mean())
        cosines = vectors[rows] @ model_vectors.T
        shares = [
            share
            for units in kinds
            for share in units.shares(
                rows, units.present[models] if len(models) else units.typical(rows)
            )
        ]
        prompt = split_words(next((prompts[row] for row in members if prompts[row]), ""))
        model_denies = denies[models] if len(models) else np.array([np.rint(denies[rows].mean())])
        features[rows] = np.column_stack(
            [
                cosines.max(axis=1),
                *shares[:2],
                lengths[rows],
                lengths[rows] - model_length,
                *shares[2:],
                single.shares(rows, single.with_keys(prompt.hashes))[1],
                vectors[rows] @ center[0],
                denies[rows],
                np.abs(denies[rows] - model_denies[cosines.argmax(axis=1)]),
            ]
        )
    return features


def relative_features(
    features: Float64, questions: Int64, references: NDArray[np.bool_]
) -> Float64:
    """Return `(n, f)` how many standard deviations each feature is from the question's mean.

    Authors' answers make the mean, and not the references.
    """
    relative = np.zeros_like(features)
    for question in np.unique(questions).tolist():
        rows = questions == question
        own = features[rows & ~references]
        if len(own) > 1:
            scaled = (features[rows] - own.mean(axis=0)) / (own.std(axis=0) + 1e-6)
            relative[rows] = np.clip(scaled, -MAX_DEVIATIONS, MAX_DEVIATIONS)
    return relative


def center_row(vectors: Float32) -> Float32:
    """Return `(1, d)` the unit vector of the mean; zeros if there is none."""
    mean = vectors.mean(axis=0, keepdims=True)
    center: Float32 = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return center

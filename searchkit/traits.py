"""Traits: what can be said of an answer to any question, from its references and its length."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from searchkit.words import Words

NAMES = (
    "cosine with the nearest reference",
    "share of a reference's words that it has",
    "share of its words that a reference has",
    "length",
    "length against the references'",
)

Floats = NDArray[np.float64]


def traits(
    words: Sequence[Words],
    vectors: NDArray[np.float32],
    questions: NDArray[np.int64],
    references: NDArray[np.bool_],
) -> Floats:
    """Measure each answer against the reference answers to its question.

    Where a question has none, the typical answer stands for one: the mean of all, and the words
    that most of them have. Words weigh by how few answers of the corpus have them.

    Args:
        words: Of each answer.
        vectors: `(n, d)` unit rows, of the whole answers.
        questions: `(n,)` number of the question of each.
        references: `(n,)` whether it is a reference answer.

    Returns:
        `(n, 5)`, in the order of `NAMES`; lengths as logarithms of words.
    """
    said = [frozenset(one.hashes.tolist()) for one in words]
    lengths = np.log1p([len(one) for one in words])
    having = Counter(word for one in said for word in one)
    weight = {word: float(np.log1p(len(said) / count)) for word, count in having.items()}
    members: dict[int, list[int]] = defaultdict(list)
    for row, question in enumerate(questions.tolist()):
        members[question].append(row)
    found = np.zeros((len(said), len(NAMES)))
    for some in members.values():
        rows = np.array(some)
        models = rows[references[rows]]
        if len(models):
            meanings, texts = vectors[models], [said[row] for row in models]
            length = float(lengths[models].mean())
        else:
            meanings = vectors[rows].mean(axis=0, keepdims=True)
            meanings /= max(float(np.linalg.norm(meanings)), 1e-9)
            texts = [_usual([said[row] for row in some])]
            length = float(np.median(lengths[rows]))
        found[rows, 0] = (vectors[rows] @ meanings.T).max(axis=1)
        for row in some:
            found[row, 1] = max(_share(text, said[row], weight) for text in texts)
            found[row, 2] = max(_share(said[row], text, weight) for text in texts)
        found[rows, 3] = lengths[rows]
        found[rows, 4] = lengths[rows] - length
    return found


def _usual(texts: Sequence[Set[int]]) -> frozenset[int]:
    """Give the words of a text as long as most are, made of what is in most."""
    having = Counter(word for text in texts for word in text)
    size = int(np.median([len(text) for text in texts]))
    order = sorted(having, key=lambda word: (-having[word], word))
    return frozenset(order[:size])


def _share(wanted: Set[int], there: Set[int], weight: Mapping[int, float]) -> float:
    total = sum(weight[word] for word in wanted)
    return sum(weight[word] for word in wanted & there) / total if total else 0.0

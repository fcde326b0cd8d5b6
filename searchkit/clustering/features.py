"""What k-means sees of each text: its meaning, and beside it its words, smoothed over neighbours.

The weight of the words, their axes, and the neighbours were chosen on BANKING77, samples of its
classes and one-line descriptions of functions of 20 libraries; see docs/figures/clustering.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from searchkit.core.arrays import Float32, Int64, centred
from searchkit.index.vectors.faiss_runtime import load_faiss
from searchkit.text.words import split_words

WORD_WEIGHT = 0.5  # of words beside 1 for vectors
WORD_AXES = 100
NEIGHBOURS, ROUNDS = 10, 2  # texts whose mean replaces each text, and how often
MAX_EXACT_ROWS = 20_000  # neighbours of more rows are searched in the nearest cells only
SEARCHED_CELLS = 8


def cluster_features(
    vectors: Float32, texts: Sequence[str], *, weights: Int64 | None = None
) -> Float32:
    """Return what texts are clustered by, `(n, f)` unit rows, or zeros for a typical text.

    The vectors relative to their mean stand beside the principal axes of the words (TF-IDF of words
    and pairs of words, Deerwester et al., 1990). Then each row is replaced by the mean of its
    nearest rows, which draws texts of one kind together and leaves gaps between kinds.

    Args:
        vectors: `(n, d)` float32 unit rows.
        texts: `(n,)` the text of each row.
        weights: `(n,)` the number of texts that each row represents; None: one.
    """
    counts = np.ones(len(texts)) if weights is None else np.asarray(weights, np.float64)
    rows = _scaled(np.hstack([centred(vectors, counts), WORD_WEIGHT * _word_axes(texts)]))
    neighbours = _nearest(rows, min(NEIGHBOURS, 1 + len(rows) // (2 * NEIGHBOURS)))
    for _ in range(ROUNDS):
        rows = _scaled(sum(rows[near] for near in neighbours.T))
    return rows


def _word_axes(texts: Sequence[str]) -> Float32:
    """Return `(n, a)` unit rows: the texts on the principal axes of their words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.utils.extmath import randomized_svd

    vectorizer = TfidfVectorizer(
        analyzer=_words_and_pairs, min_df=2, sublinear_tf=True, dtype=np.float32
    )
    try:
        words = vectorizer.fit_transform(texts)
    except ValueError:  # no word is in two texts
        return np.zeros((len(texts), 0), np.float32)
    axes = min(WORD_AXES, len(texts) // 4, words.shape[1])
    if not axes:
        return np.zeros((len(texts), 0), np.float32)
    places, strengths, _ = randomized_svd(words, axes, random_state=0)
    return _scaled(places * strengths)


def _words_and_pairs(text: str) -> list[str]:
    tokens = split_words(text).tokens
    return tokens + [" ".join(pair) for pair in pairwise(tokens)]


def _nearest(rows: Float32, count: int) -> Int64:
    """Return `(n, count)` the nearest rows of each row, mostly with itself among them."""
    faiss = load_faiss()

    index = faiss.IndexFlatIP(rows.shape[1])
    if len(rows) > MAX_EXACT_ROWS:
        index = faiss.IndexIVFFlat(
            index, rows.shape[1], int(len(rows) ** 0.5), faiss.METRIC_INNER_PRODUCT
        )
        index.train(rows)
        index.nprobe = SEARCHED_CELLS
    index.add(rows)
    near: Int64 = index.search(rows, count)[1]
    return np.where(near < 0, np.arange(len(rows))[:, None], near)


def _scaled(rows: Float32) -> Float32:
    """Return rows scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows / np.maximum(lengths, 1e-9), np.float32)

"""Keywords: the words that distinguish a cluster of texts from the other clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from searchkit.text.words import Words

MIN_LETTERS = 3
# Function words, folded, that are missing from scikit-learn's list.
_MORE_STOP_WORDS = frozenset(
    "arent cant couldnt did didnt does doesnt doing dont hadnt hasnt havent isnt ive lets shouldnt "
    "thats theres theyre theyve wasnt werent whats wont wouldnt youd youll youre youve".split()
)


def cluster_keywords(
    clusters: Sequence[Sequence[Words]], max_keywords: int = 4
) -> list[tuple[str, ...]]:
    """Return the words that distinguish each cluster of texts from the other clusters.

    Words are ranked by class-based TF-IDF (Grootendorst, BERTopic, 2022): the frequency of a word
    in the cluster, times log(1 + mean number of words in a cluster / uses of the word in all
    clusters). Function words, numbers and code are left out. Ties are in alphabetical order.

    Args:
        clusters: The texts of each cluster.
        max_keywords: Maximum number of keywords of a cluster.

    Returns:
        The keywords of each cluster, best first; empty if a cluster has no word that can be one.
    """
    counts = [Counter(_content_words(texts)) for texts in clusters]
    total_counts: Counter[str] = Counter()
    for count in counts:
        total_counts.update(count)
    mean_length = sum(total_counts.values()) / max(1, len(clusters))
    keywords = []
    for count in counts:
        length = max(1, sum(count.values()))
        weights = {
            word: uses / length * float(np.log1p(mean_length / total_counts[word]))
            for word, uses in count.items()
        }
        ranked = sorted(weights, key=lambda word: (-round(weights[word], 9), word))
        keywords.append(tuple(ranked[:max_keywords]))
    return keywords


def _content_words(texts: Sequence[Words]) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    stop_words = ENGLISH_STOP_WORDS | _MORE_STOP_WORDS
    return [
        token
        for words in texts
        for token, is_code in zip(words.tokens, words.is_code.tolist(), strict=True)
        if not is_code
        and len(token) >= MIN_LETTERS
        and not token.isdigit()
        and token not in stop_words
    ]

"""Keywords: the words that set some texts apart from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from searchkit.text.words import Words

SHORTEST = 3  # letters of a keyword
_EMPTY = frozenset(  # function words, folded, that scikit-learn's list lacks
    "arent cant couldnt did didnt does doesnt doing dont hadnt hasnt havent isnt ive lets shouldnt "
    "thats theres theyre theyve wasnt werent whats wont wouldnt youd youll youre youve".split()
)


def keywords(clusters: Sequence[Sequence[Words]], most: int = 4) -> list[tuple[str, ...]]:
    """Return the words that set each cluster of texts apart from the other clusters.

    Class-based TF-IDF (Grootendorst, BERTopic, 2022): how often a word is used in the cluster,
    relative to its length, times log(1 + mean words of a cluster / uses of the word in all).
    Function words, numbers and code are left out; of equal values the alphabet decides.

    Args:
        clusters: The texts of each.
        most: Keywords of a cluster, at most.

    Returns:
        For each cluster, best first; none if it has no word of its own.
    """
    counts = [Counter(_content(texts)) for texts in clusters]
    everywhere: Counter[str] = Counter()
    for count in counts:
        everywhere.update(count)
    mean = sum(everywhere.values()) / max(1, len(clusters))
    found = []
    for count in counts:
        total = max(1, sum(count.values()))
        value = {
            word: uses / total * float(np.log1p(mean / everywhere[word]))
            for word, uses in count.items()
        }
        best = sorted(value, key=lambda word: (-round(value[word], 9), word))
        found.append(tuple(best[:most]))
    return found


def _content(texts: Sequence[Words]) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    empty = ENGLISH_STOP_WORDS | _EMPTY
    return [
        token
        for words in texts
        for token, code in zip(words.tokens, words.code.tolist(), strict=True)
        if not code and len(token) >= SHORTEST and not token.isdigit() and token not in empty
    ]

"""Keywords: the words that distinguish a cluster of texts from the other clusters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.text.folding import fold
from searchkit.text.languages.function_words import function_words
from searchkit.text.languages.stems import without_article
from searchkit.text.words import Words

MIN_LETTERS = 3
MIN_SYLLABLES = 2  # of a Korean word
# Chinese and Japanese have no spaces: their keywords are loanwords in kana, and the longest runs of
# characters that come again and again. Other kana, and these characters, are function words for the
# most part, or belong to them.
_PHRASE_LENGTHS = range(2, 6)
_LOANWORD = re.compile("[\u30a1-\u30fa\u30fc]{2,}")
_IDEOGRAPHS = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2,}")
_FUNCTION_CHARACTERS = re.compile(
    "[的了是在和有不就这這那也与與或及其之而但则則被把从從对對将將会會个個们們它他她我你]"
)
_ELIDING = frozenset({"ca", "fr", "it"})  # languages with articles as that of l'eau
_LATIN, _LOOK_ALIKE = re.compile("[A-Za-z]"), re.compile("[\u0370-\u052f]")  # Greek, Cyrillic
_HANGUL = re.compile("[\uac00-\ud7af]")
_DOMINATED = 0.6  # of the uses of a run, in a longer one: then it is a part of that


@dataclass(frozen=True, slots=True)
class KeywordText:
    """A text that has keywords.

    Attributes:
        text: The text.
        words: Its words.
        language: The code of its language; None or `und` if it isn't known.
    """

    text: str
    words: Words
    language: str | None = None


def cluster_keywords(
    clusters: Sequence[Sequence[KeywordText]], max_keywords: int = 4
) -> list[tuple[str, ...]]:
    """Return the words that distinguish each cluster of texts from the other clusters.

    Words are ranked by class-based TF-IDF (Grootendorst, BERTopic, 2022): the frequency of a word
    in the cluster, times log(1 + mean number of words in a cluster / uses of the word in all
    clusters). Function words of the text's language, numbers and code are left out. Ties are in
    alphabetical order.

    Args:
        clusters: The texts of each cluster.
        max_keywords: Maximum number of keywords of a cluster.

    Returns:
        The keywords of each cluster, best first; empty if a cluster has no word that can be one.
    """
    stop_words = _StopWords(clusters)
    counts = [_count(texts, stop_words) for texts in clusters]
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
        keywords.append(_apart(ranked, max_keywords))
    return keywords


class _StopWords:
    """The function words of each text; of those in an unknown language, of all that are there."""

    def __init__(self, clusters: Sequence[Sequence[KeywordText]]) -> None:
        languages = {text.language for texts in clusters for text in texts}
        self._known = {code: words for code in languages if (words := function_words(code))}
        self._all = function_words("en").union(*self._known.values())

    def of(self, text: KeywordText) -> frozenset[str]:
        return self._known.get(text.language, self._all)


def _count(texts: Sequence[KeywordText], stop_words: _StopWords) -> Counter[str]:
    """Count the words of a cluster that can be keywords."""
    words = (word for text in texts for word in _content_words(text, stop_words.of(text)))
    return Counter(words) + _count_phrases([text.text for text in texts])


def _content_words(text: KeywordText, stop_words: frozenset[str]) -> Iterator[str]:
    words = text.words
    spans = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    for token, span, is_code in zip(words.tokens, spans, words.is_code.tolist(), strict=True):
        if is_code or token in stop_words or token.isdigit():
            continue
        written = text.text[slice(*span)]
        if text.language in _ELIDING and (rest := without_article(written)) != written:
            written, token = rest, fold(rest).text
            if token in stop_words:
                continue
        word = _spelt(token, written)
        if len(word) >= (MIN_SYLLABLES if _HANGUL.match(word) else MIN_LETTERS):
            yield word


def _spelt(token: str, written: str) -> str:
    """Return a word with the accents and letters of its script, which its token hasn't.

    One with letters of two scripts hides something: it stays what it is compared as.
    """
    if written.isascii() or not written.isalpha():
        return token
    is_mixed = _LATIN.search(written) and _LOOK_ALIKE.search(written)
    return token if is_mixed else unicodedata.normalize("NFC", written).lower()


def _count_phrases(texts: Sequence[str]) -> Counter[str]:
    """Count loanwords and the runs of characters that aren't just parts of longer ones."""
    texts = [unicodedata.normalize("NFKC", text) for text in texts]
    words = Counter(word for text in texts for word in _LOANWORD.findall(text))
    pieces = [
        piece
        for text in texts
        for run in _IDEOGRAPHS.findall(text)
        for piece in _FUNCTION_CHARACTERS.split(run)
    ]
    counts = Counter(
        piece[start : start + length]
        for piece in pieces
        for length in _PHRASE_LENGTHS
        for start in range(len(piece) - length + 1)
    )
    most: Counter[str] = Counter()  # uses of a phrase in the one longer phrase with most of them
    for phrase, uses in counts.items():
        for part in (phrase[:-1], phrase[1:]):
            most[part] = max(most[part], uses)
    whole = frozenset(pieces)
    return words + Counter(
        {
            phrase: uses
            for phrase, uses in counts.items()
            if most[phrase] < _DOMINATED * uses and (uses > 1 or phrase in whole)
        }
    )


def _apart(ranked: Sequence[str], max_keywords: int) -> tuple[str, ...]:
    """Return the first words; of those without spaces none that shares two characters with one."""
    chosen: list[str] = []
    seen: set[str] = set()
    for word in ranked:
        if len(chosen) == max_keywords:
            break
        is_phrase = _IDEOGRAPHS.match(word)
        pairs = {word[n : n + 2] for n in range(len(word) - 1)} if is_phrase else set()
        if not pairs & seen:
            chosen.append(word)
            seen |= pairs
    return tuple(chosen)

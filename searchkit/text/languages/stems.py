"""Stems: what all forms of a word have in common, by the Snowball algorithm of its language.

For the full text, which knows the stems of English by itself. A stem is without accents, as the
full text is, so that `hauser` finds `Häuser`; and since the algorithms look at accents, those of a
word and of the word without them are both its stems.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from importlib import import_module
from threading import Lock
from typing import Any

from searchkit.core.records import Span
from searchkit.text.languages.names import UNKNOWN

# The languages whose stems are known, but for English, and their algorithms.
ALGORITHMS = {
    **{"ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german"},
    **{"el": "greek", "es": "spanish", "et": "estonian", "fa": "persian", "fi": "finnish"},
    **{"fr": "french", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian"},
    **{"lt": "lithuanian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese"},
    **{"ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "tr": "turkish"},
}
# A short text whose language can't be told gets the stems of all of these, if its letters say that
# it isn't English: so an English corpus is searched as if there were no other languages.
LIKELY = ("ar", "de", "es", "fr", "it", "nl", "pl", "pt", "ru", "tr")
MAX_UNKNOWN = 200  # characters of such a text; a longer one is a formula or a program
MIN_LETTERS = 3  # of a word that has a stem
# Fixed ranges, and not those of Python's Unicode tables: what is removed from the full text must
# have the stems that it had when it was added, perhaps by another version of Python.
_WORD = re.compile(
    "[0-9A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f"  # Latin
    "\u1e00-\u1eff\u0370-\u0373\u0376-\u03ff\u1f00-\u1fff\u0400-\u0481\u048a-\u052f"  # … Cyrillic
    "\u0620-\u0669\u066e-\u06d3\u06ee-\u06fc\u0900-\u0963\u0966-\u097f]+"  # Arabic, Devanagari
)
_DIGIT = re.compile("[0-9]")
_ELIDED = re.compile("(?:[cdjlmnst]|qu|(?:de|a|ne|su|da)?ll|un)['\u2019](?=\\w)", re.IGNORECASE)
_LATIN_MARKED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i"}
)
_LOCK = Lock()  # a stemmer has a state


def indexed_stems(text: str, language: str | None) -> str:
    """Return the stems of a text's words, as far as they aren't the words themselves."""
    languages = _languages(text, language)
    if not languages:
        return ""
    stems = (stem for word, _ in _words(text) for stem in _word_stems(word, languages))
    return " ".join(stems)


def query_stems(word: str, languages: Collection[str]) -> list[str]:
    """Return what finds all forms of a word of a query, in each of some languages.

    Nothing for what isn't a single word, but for one with an article before it, as `l'eau`.
    """
    word = without_article(word)
    parts = [part for part, _ in _words(word)]
    if len(parts) != 1 or len(_WORD.findall(word)) != 1:
        return []
    stems = [stem for language in languages for stem in _stems(parts[0], language)]
    return list(dict.fromkeys(stems))


def without_article(word: str) -> str:
    """Return a word of French or Italian without the article that is written as a part of it."""
    match = _ELIDED.match(word)
    return word[match.end() :] if match else word


def stem_spans(text: str, language: str | None, stems: Collection[str]) -> list[Span]:
    """Return the offsets of the words of a text that have one of these stems."""
    languages = _languages(text, language)
    if not languages:
        return []
    return [
        span
        for word, span in _words(text)
        if any(stem in stems for code in languages for stem in _stems(word, code))
    ]


def _languages(text: str, language: str | None) -> tuple[str, ...]:
    """Return the languages whose stems a text gets."""
    if language == UNKNOWN:
        return LIKELY if len(text) <= MAX_UNKNOWN and not text.isascii() else ()
    return (language,) if language in ALGORITHMS else ()


def _words(text: str) -> Iterator[tuple[str, Span]]:
    """Yield the words that can have a stem, in lower case, and their offsets."""
    for match in _WORD.finditer(text):
        if len(match[0]) >= MIN_LETTERS and not _DIGIT.search(match[0]):
            yield unicodedata.normalize("NFC", match[0]).lower(), match.span()


@lru_cache(maxsize=1 << 15)
def _word_stems(word: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    stems = dict.fromkeys(stem for language in languages for stem in _stems(word, language))
    stems.pop(_without_marks(word), None)
    return tuple(stems)


@lru_cache(maxsize=1 << 15)
def _stems(word: str, language: str) -> tuple[str, ...]:
    """Return the stem of a word in a language, and that of the word without accents."""
    plain = _plain(word)
    with _LOCK:
        stems = [_stemmer(language).stemWord(form) for form in dict.fromkeys((word, plain))]
    return tuple(dict.fromkeys(map(_plain, stems)))


def _plain(word: str) -> str:
    return _without_marks(word).translate(_LETTERS)


def _without_marks(word: str) -> str:
    """Return a word without the accents of its Latin letters, as the full text has it."""
    if not _LATIN_MARKED.search(word):
        return word
    return _MARKS.sub("", unicodedata.normalize("NFD", word))


@cache
def _stemmer(language: str) -> Any:  # noqa: ANN401
    """Return the algorithm, and never PyStemmer's, whose version can be another one."""
    name = ALGORITHMS[language]
    module = import_module(f"snowballstemmer.{name}_stemmer")
    return getattr(module, f"{name.capitalize()}Stemmer")()

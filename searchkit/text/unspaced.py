"""Scripts that are written without spaces: Chinese, Japanese, Thai and others, cut for search.

SQLite's tokenizers take a run of letters for one word, so that no word in it is found. For the full
text, each character of these scripts, with its vowel signs, is a word of its own; a word of several
characters is then a phrase, which is found wherever they stand side by side, be it of one character
or of ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

BOUNDARY = "\x1f"  # between characters; no tokenizer takes it for a part of a word
# Fixed ranges, and not those of Python's Unicode tables: what is removed from the full text must be
# cut as it was when it was added, perhaps by another version of Python.
_SYLLABLES = (  # one or two characters are a word
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"  # Chinese
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # hangul: spaces stand between phrases, not words
)
_LETTERS = "\u0e01-\u0e4e\u0e81-\u0eff\u1000-\u109f\u1780-\u17dd"  # Thai, Lao, Burmese, Khmer
_SIGNS = (  # which belong to the character before them
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059"
    "\u17b6-\u17d3\u17dd\u3099\u309a\uff9e\uff9f"
)
UNSPACED = _SYLLABLES + _LETTERS  # for a character class of a regular expression
PHRASE_LENGTHS = {True: 2, False: 3}  # characters of a phrase: of syllables, and of letters


@cache  # most commands need neither pattern, and both take 5 ms to compile
def _character() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}][{_SIGNS}]*")


@cache
def _run() -> re.Pattern[str]:
    return re.compile(f"(?P<syllables>[{_SYLLABLES}]+)|[{_LETTERS}]+")


def cut_unspaced(text: str) -> str:
    """Return a text with a boundary around each character of a script without spaces."""
    if text.isascii():
        return text
    return _character().sub(rf"{BOUNDARY}\g<0>{BOUNDARY}", text)


def without_boundaries(text: str) -> str:
    """Return a text without the boundaries that `cut_unspaced` has added."""
    return text.replace(BOUNDARY, "")


def search_terms(word: str) -> Iterator[str]:
    """Yield what to search for in place of a word of a query: the word, if it has spaces around it.

    A run of a script without spaces may be a sentence. It is searched for by the phrases of two
    characters in it (three letters), which overlap; a shorter run is one phrase.
    """
    at = 0
    for run in _run().finditer(word):
        yield word[at : run.start()]
        at = run.end()
        characters = _character().findall(run[0])
        length = PHRASE_LENGTHS[run["syllables"] is not None]
        for start in range(max(1, len(characters) - length + 1)):
            yield "".join(characters[start : start + length])
    yield word[at:]

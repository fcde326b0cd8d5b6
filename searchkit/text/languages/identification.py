"""The language that a text is written in, as far as that can be told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING

from searchkit.text.languages.names import NAMES, UNKNOWN
from searchkit.text.words import code_spans

if TYPE_CHECKING:
    from searchkit.text.languages.naive_bayes import LanguageClassifier

# Below these a text's language isn't told: of 3,600 stretches of 1 to 6 words in 15 languages none
# was taken for another one (`make bench-languages`).
MIN_CONFIDENCE = 0.7
MIN_BYTES = 16  # of UTF-8: a Chinese character says as much as three letters
# Characters in which prose is looked for, and how many of it are looked at: with 300, of SAF's,
# medquad's and alpaca's answers 0 to 0.3 % more aren't told than with 1,000, in half the time.
_MAX_CHARACTERS, _MAX_PROSE = 1000, 300

_lock = Lock()
_loaded: list[LanguageClassifier] = []


def identify_languages(texts: Sequence[str]) -> list[str | None]:
    """Return the code of the language of each text, by its prose; `UNKNOWN` if it can't be told.

    None for a blank text.
    """
    proses = [_prose(text[:_MAX_CHARACTERS]).strip()[:_MAX_PROSE] for text in texts]
    told = [len(prose.encode(errors="replace")) >= MIN_BYTES for prose in proses]
    classes = iter(
        _classify([prose for prose, is_told in zip(proses, told, strict=True) if is_told])
    )
    return [
        next(classes) if is_told else UNKNOWN if text.strip() else None
        for text, is_told in zip(texts, told, strict=True)
    ]


def identify_language(text: str) -> str | None:
    """Return the code of the language of one text; see `identify_languages`."""
    [language] = identify_languages([text])
    return language


def load_ahead() -> None:
    """Begin to load what identifies languages, in a thread: it takes half a second."""
    with suppress(RuntimeError):  # the system starts no more threads
        Thread(target=_classifier, name="load_ahead", daemon=True).start()


def _classify(proses: Sequence[str]) -> list[str]:
    if not proses:
        return []
    return [
        language if confidence >= MIN_CONFIDENCE else UNKNOWN
        for language, confidence in _classifier().classify_all(proses)
    ]


def _prose(text: str) -> str:
    """Return a text without the code in it."""
    parts, position = [], 0
    for start, end in code_spans(text):
        parts.append(text[position:start])
        position = end
    return "\n".join([*parts, text[position:]])


def _classifier() -> LanguageClassifier:
    """Return the classifier, which is loaded once."""
    with _lock:
        if not _loaded:
            from searchkit.text.languages.naive_bayes import LanguageClassifier

            _loaded.append(LanguageClassifier(NAMES))
        return _loaded[0]

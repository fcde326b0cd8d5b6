"""The language that a text is written in, as far as that can be told."""

from __future__ import annotations

from functools import cache
from typing import Any

from searchkit.text.languages.names import NAMES, UNKNOWN
from searchkit.text.words import code_spans

# Below these a text's language isn't told: of 3,600 stretches of 1 to 6 words in 15 languages none
# was taken for another one (`make bench-languages`).
MIN_CONFIDENCE = 0.7
MIN_BYTES = 16  # of UTF-8: a Chinese character says as much as three letters
_MAX_CHARACTERS = 1000  # that are looked at


def identify_language(text: str) -> str | None:
    """Return the code of the language of a text, by its prose; `UNKNOWN` if it can't be told.

    None for a blank text.
    """
    prose = _prose(text[:_MAX_CHARACTERS]).strip()
    if not prose:
        return UNKNOWN if text.strip() else None
    if len(prose.encode(errors="replace")) < MIN_BYTES:
        return UNKNOWN
    language, confidence = _identifier().classify(prose)
    return str(language) if confidence >= MIN_CONFIDENCE else UNKNOWN


def _prose(text: str) -> str:
    """Return a text without the code in it."""
    parts, position = [], 0
    for start, end in code_spans(text):
        parts.append(text[position:start])
        position = end
    return "\n".join([*parts, text[position:]])


@cache  # its model takes half a second to load
def _identifier() -> Any:  # noqa: ANN401
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(NAMES))
    return identifier

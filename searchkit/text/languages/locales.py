"""How a text is read: its language for a browser, and its direction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from unicodedata import bidirectional

from searchkit.text.languages.identification import identify_language
from searchkit.text.languages.names import NAMES

Direction = Literal["ltr", "rtl", "auto"]
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_LOOKED_AT = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Locale:
    """What a browser is told of a text.

    Attributes:
        language: Its code, by which a browser hyphenates and quotes; empty if it isn't known.
        direction: Its direction; `auto`: that of its first letter.
    """

    language: str
    direction: Direction

    def to_record(self) -> dict[str, str]:
        """Return the attributes as JSON has them."""
        return {"language": self.language, "direction": self.direction}


def locale_of(text: str, language: str | None) -> Locale:
    """Return how a text is read.

    The direction is that of the language, also of Arabic that begins with "HTTP", unless no letter
    has that direction: then the language is a mistake.

    Args:
        text: The text.
        language: Its code; one that isn't in `NAMES` counts as not known.
    """
    if language not in NAMES:
        return Locale("", "auto")
    directions = {bidirectional(character) for character in text[:_LOOKED_AT]}
    if language in _RIGHT_TO_LEFT:
        return Locale(language, "rtl" if directions & {"R", "AL"} else "auto")
    return Locale(language, "ltr" if "L" in directions else "auto")


@lru_cache(maxsize=1 << 14)  # a page has the same question many times, or all questions once
def identified_locale(text: str) -> Locale:
    """Return how a text is read of which no language is kept, such as that of a question."""
    return locale_of(text, identify_language(text))

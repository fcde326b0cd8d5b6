"""Folding: normalize a text for comparison, with the original offset of each character.

Folding removes differences that a reader hardly notices: case, Unicode normalization forms,
accents, the vowel points of Hebrew and Arabic, zero-width characters, and look-alike letters of
other scripts. The offsets of hidden characters are recorded, so that they can be reported.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Letters of other scripts that look like Latin ones: those of Unicode's confusables.txt (UTS 39)
# that are on common keyboards. All other letters are left as they are.
_LOOK_ALIKES = {
    **dict(zip("аеорсухіјѕԁһԛԝѵ", "aeopcyxijsdhqwv", strict=True)),  # Cyrillic, small
    **dict(zip("АВЕКМНОРСТУХІЈЅ", "abekmhopctyxijs", strict=True)),  # Cyrillic, capital
    **dict(zip("αορυνικ", "aopuvik", strict=True)),  # Greek, small
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True)),  # Greek, capital
}
# Accents; and the points and vowels that Hebrew and Arabic are mostly written without.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc]"
)
_QUOTES = {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-"}


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: The folded text, which is what is compared.
        offsets: For each character of `text`, and for its end, the offset in the original text;
            None if both texts have the same offsets.
        hidden: Offsets in the original text of zero-width characters and look-alike letters next
            to Latin letters.
    """

    text: str
    offsets: list[int] | None
    hidden: list[int]

    def original_offset(self, offset: int) -> int:
        """Return the offset in the original text of a character of the folded text."""
        return offset if self.offsets is None else self.offsets[offset]


def fold(text: str) -> Folded:
    """Return the text folded for comparison, as the module describes."""
    if text.isascii():
        return Folded(text.lower(), None, [])
    pieces: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        folded = _fold_character(character)
        pieces.append(folded)
        offsets += [offset] * len(folded)
    return Folded("".join(pieces), [*offsets, len(text)], _hidden_offsets(text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    if character in _QUOTES:
        return _QUOTES[character]
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(
        _LOOK_ALIKES.get(c, c)
        for c in plain
        if not _MARKS.match(c) and unicodedata.category(c) != "Cf"
    )


def _hidden_offsets(text: str) -> list[int]:
    hidden = []
    for offset, character in enumerate(text):
        if character.isascii():
            continue
        neighbours = text[max(0, offset - 1) : offset] + text[offset + 1 : offset + 2]
        in_latin = any(c.isalpha() and c < "\u0250" for c in neighbours)
        invisible = unicodedata.category(character) == "Cf" and character != "\u00ad"
        if in_latin and (invisible or character in _LOOK_ALIKES):
            hidden.append(offset)
    return hidden

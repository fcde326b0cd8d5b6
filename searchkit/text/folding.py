"""Folding: a text as it is compared, with the way back to where each character stood.

Case, Unicode forms, accents, zero-width and look-alike letters make no difference to a reader, and
must make none to a comparison. What was hidden in a text is counted, so that it can be told.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Letters of other scripts that look like Latin ones, as Unicode's confusables.txt (UTS 39) has
# them; only those that stand on common keyboards. Others keep their own form.
_LOOK_ALIKES = {
    **dict(zip("аеорсухіјѕԁһԛԝѵ", "aeopcyxijsdhqwv", strict=True)),  # Cyrillic, small
    **dict(zip("АВЕКМНОРСТУХІЈЅ", "abekmhopctyxijs", strict=True)),  # Cyrillic, capital
    **dict(zip("αορυνικ", "aopuvik", strict=True)),  # Greek, small
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True)),  # Greek, capital
}
_MARKS = range(0x0300, 0x0370)  # combining accents
_QUOTES = {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-"}


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: What is compared.
        offsets: For each character of `text`, and for its end, the offset in the original; None
            where both are the same.
        hidden: Offsets of the zero-width characters, and of look-alikes inside Latin words.
    """

    text: str
    offsets: list[int] | None
    hidden: list[int]

    def original(self, offset: int) -> int:
        """Return where a character of the folded text stood."""
        return offset if self.offsets is None else self.offsets[offset]


def fold(text: str) -> Folded:
    """Fold a text for comparison; see the module."""
    if text.isascii():
        return Folded(text.lower(), None, [])
    pieces: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        folded = _folded(character)
        pieces.append(folded)
        offsets += [offset] * len(folded)
    return Folded("".join(pieces), [*offsets, len(text)], _hidden(text))


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    if character in _QUOTES:
        return _QUOTES[character]
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(
        _LOOK_ALIKES.get(c, c)
        for c in plain
        if ord(c) not in _MARKS and unicodedata.category(c) != "Cf"
    )


def _hidden(text: str) -> list[int]:
    found = []
    for offset, character in enumerate(text):
        if character.isascii():
            continue
        beside = text[max(0, offset - 1) : offset] + text[offset + 1 : offset + 2]
        in_latin = any(c.isalpha() and c < "\u0250" for c in beside)
        invisible = unicodedata.category(character) == "Cf" and character != "\u00ad"
        if in_latin and (invisible or character in _LOOK_ALIKES):
            found.append(offset)
    return found

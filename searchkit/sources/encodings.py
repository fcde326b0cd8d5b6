"""Which encoding bytes are in that are not UTF-8: the one that gives only what people write."""

from __future__ import annotations

import re
import unicodedata

# Of Excel on Windows, of old Macs, of Excel's "CSV (MS-DOS)" and of Windows in Poland; of two that
# fit alike, the first is taken.
OLDER_ENCODINGS = ("cp1252", "mac-roman", "cp850", "cp1250")
MAX_ODD_SHARE = 0.02  # of the characters that aren't ASCII
MAX_LETTER_SHARE = 0.5  # of the letters that aren't ASCII
MAX_WORD_SHARE = 0.1  # of the words with such letters in which these are the most
MIN_WIDE_SHARE = 0.4  # of every second byte that is zero in UTF-16
_WORD = re.compile(r"[^\W\d_]{4,}")
_APOSTROPHES = "\u2019\u2018\u00b4"
_DASHES = "\u2013\u2014"
_OPENING_QUOTES = "\u2018\u201e\u201a"  # the other one closes in German
_IN_WORDS = _APOSTROPHES + "\u2026\u00b7\u00ad\u00a0\u00b2\u00b3\u00b0"
_SIGNS = (
    _IN_WORDS + _DASHES + _OPENING_QUOTES + "\u201c\u201d\u2022\u20ac\u2122\u2039\u203a\u00d7"
    "§«»©®±µ¶¹º¼½¾÷¿¡£¢¥¨ªΩ∆∑√∞≤≥≠≈πƒ"
)


def older_encoding(data: bytes) -> str | None:
    """Return the encoding of text that isn't UTF-8, or None if none fits.

    In the right encoding, letters are in words as people write them, and signs are beside words and
    not in them: `café` of an old Mac, read as that of Windows, has a capital letter at its end.
    """
    odd_shares = {}
    for name in OLDER_ENCODINGS:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if _is_latin(text):
            odd_shares[name] = _odd_share(text)
    best = min(odd_shares, key=lambda name: odd_shares[name], default=None)
    return best if best and odd_shares[best] <= MAX_ODD_SHARE else None


def wide_encoding(data: bytes) -> str | None:
    """Return the encoding of UTF-16 without a byte order mark, or None if it is none."""
    even, odd = data[:1000:2], data[1:1000:2]
    if len(odd) < 2:
        return None
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) >= MIN_WIDE_SHARE * len(zeros) and not others.count(0):
            return name
    return None


def _is_latin(text: str) -> bool:
    """Whether other letters than ASCII's are a minority, in all and in most words."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(not character.isascii() for character in letters)
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    odd_words = sum(2 * sum(not c.isascii() for c in word) > len(word) for word in words)
    return (
        foreign < 3 or foreign <= MAX_LETTER_SHARE * len(letters)
    ) and odd_words <= MAX_WORD_SHARE * len(words)


def _odd_share(text: str) -> float:
    places = [place for place, character in enumerate(text) if not character.isascii()]
    return sum(_oddity(text, place) for place in places) / max(len(places), 1)


def _oddity(text: str, place: int) -> float:
    """Return 0 for a character that people write in this place, up to 1 for one that they don't."""
    character, before, after = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if character.isalpha() and character not in "ªº":
        is_late = character.isupper() and (before.islower() or before in ("!", "?", ".", ","))
        return float(is_late or "LATIN" not in unicodedata.name(character, ""))
    if character in _OPENING_QUOTES and before.isalpha() and not after.isalpha():
        return 1.0
    if character in _DASHES and before.islower() and after.islower():
        return 0.5
    if before.isalpha() and after.isalpha() and character not in _DASHES:
        return float(character not in _IN_WORDS)
    return float(character not in _SIGNS)

"""What makes two answers, or two authors, the same one."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

MAX_NAME_LENGTH = 45  # characters of a question's name that is made of its text
_QUESTION_NAME_DIGITS = 4  # of the hash of the text, behind a name that was cut
_CUT_NAME = re.compile(r"(.+)… \([0-9a-f]{4}\)", re.DOTALL)
_QUESTION_DIGITS, _TEXT_DIGITS = 8, 12  # of a text's hash in a made id, with a question and without


@lru_cache(maxsize=65536)
def author_key(name: str | None) -> str | None:
    """Return an author's name for comparing: without regard to case, width and white space.

    None stands for no author, and a blank name is none.
    """
    if name is None:
        return None
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split()) or None


def distinct_name(author: str, identity: str) -> str:
    """Return a name that several people have with what tells this one apart."""
    return f"{author} ({identity})"


def canonical(text: str) -> str:
    """Return the text that is hashed and embedded: stripped and in NFC, so that é is always é."""
    return unicodedata.normalize("NFC", text).strip()


def question_name(prompt: str) -> str:
    """Return the name of a question with this text, which is the same in every file.

    It is the text in one line, if it is short; else its beginning, cut at a word, and four digits
    of its hash: `What is CORS, and why does the browser… (3f2a)`.
    """
    line = " ".join(prompt.split())
    if len(line) <= MAX_NAME_LENGTH:
        return line
    cut = line[:MAX_NAME_LENGTH].rpartition(" ")[0] or line[:MAX_NAME_LENGTH]
    return f"{cut.rstrip(' ,;:.-')}… ({_digits(line, _QUESTION_NAME_DIGITS)})"


def full_beginning(name: str) -> str | None:
    """Return the beginning of a question's text, from a name that was cut; None for others."""
    match = _CUT_NAME.fullmatch(name)
    return match[1] if match else None


def make_id(question: str | None, author: str | None, text: str) -> str:
    """Return an id for an answer whose file gives none.

    It follows from question and author, or else from the text, and never from the line, so that a
    row that is added above moves no answer to another author.
    """
    if author:
        return f"{question}/{author}" if question else author
    if question:
        return f"{question}/{_digits(text, _QUESTION_DIGITS)}"
    return _digits(text, _TEXT_DIGITS)


def _digits(text: str, count: int) -> str:
    """Return the first hexadecimal digits of the hash of a text."""
    hash_ = hashlib.sha256(canonical(text).encode("utf-8", "surrogatepass"))
    return hash_.hexdigest()[:count]

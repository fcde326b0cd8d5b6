"""What makes two answers, or two authors, the same one."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache

_QUESTION_DIGITS, _TEXT_DIGITS = 8, 12  # of a text's hash in a made id, with a question and without


@lru_cache(maxsize=65536)
def author_key(name: str | None) -> str | None:
    """Return an author's name for comparing: without regard to case, width and white space.

    None stands for no author, and a blank name is none.
    """
    if name is None:
        return None
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split()) or None


def canonical(text: str) -> str:
    """Return the text that is hashed and embedded: stripped and in NFC, so that é is always é."""
    return unicodedata.normalize("NFC", text).strip()


def make_id(question: str | None, author: str | None, text: str) -> str:
    """Return an id for an answer whose file gives none.

    It follows from question and author, or else from the text, and never from the line, so that a
    row that is added above moves no answer to another author.
    """
    if author:
        return f"{question}/{author}" if question else author
    digits = hashlib.sha256(canonical(text).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{question}/{digits[:_QUESTION_DIGITS]}" if question else digits[:_TEXT_DIGITS]

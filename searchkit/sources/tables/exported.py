"""CSV as searchkit writes it: texts that a spreadsheet would run as a formula are guarded."""

from __future__ import annotations

import re
from collections.abc import Iterable

EXPORTED_FIELDS = ("id", "question", "author", "submitted_at", "text")  # in each export of answers
_FORMULA = re.compile(r"[=\t\r]|[-+@].*\w", re.DOTALL)  # a mark such as + or +/- is none
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?%?")


def guarded(text: str) -> str:
    """Return a text with an apostrophe before it if a spreadsheet would run it as a formula.

    One that is behind apostrophes of its own gets another, so that `unguarded` restores all texts.
    """
    return "'" + text if _is_formula(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` returned this for."""
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def is_export(names: Iterable[str]) -> bool:
    """Whether a table with these columns is an export of answers, also an edited one."""
    return not set(EXPORTED_FIELDS).difference(names)


def _is_formula(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)

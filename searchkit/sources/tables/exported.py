"""Tables as searchkit writes them: guarded formulas, and columns that it computes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from searchkit.core.messages import listed

Value = TypeVar("Value")

EXPORTED_FIELDS = ("id", "question", "author", "submitted_at", "text")  # in each export of answers
ATTEMPT = "attempt"  # the column with the number of the attempt
DECISIONS = "decisions"  # the column with the review decisions about an answer
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


def computed_columns(names: Sequence[str], source: str, say: Callable[[str], None]) -> list[str]:
    """Return the columns of an export that were computed, and would only be true of that day.

    Args:
        names: The columns of a table, of any kind.
        source: The file's name for the message.
        say: Called with a message if there are some.
    """
    if not is_export(names):
        return []
    # Answers may have such a column of their own, before the computed one.
    computed = [f"{name} (2)" if f"{name} (2)" in names else name for name in (ATTEMPT, DECISIONS)]
    computed = [name for name in computed if name in names]
    if computed:
        say(f"{source}: left out, as an export computes it: {listed(computed)}")
    return computed


def without(values: dict[str, Value], names: Sequence[str]) -> dict[str, Value]:
    """Take columns out of a row's values, and return these."""
    for name in names:
        del values[name]
    return values


def _is_formula(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)

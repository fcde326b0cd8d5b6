"""Names of questions, authors and answers: their order, and those that a user typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from searchkit.core.errors import NotFound
from searchkit.core.identity import author_key, full_beginning
from searchkit.core.messages import MAX_NAME_LENGTH, counted, listed

MAX_SUGGESTIONS = 3
MIN_BEGINNING = 8  # characters of a text that stand for a name
MAX_FEW_NAMES = 10  # which are listed where none is like the missing one
MAX_COMPARED_NAMES = 20_000  # of the lengths nearest to the missing name's; comparing is slow


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return what names are sorted by: in any case, and with q2 before q10."""
    parts = re.split(r"(\d+)", name.casefold())  # texts and numbers in turn
    return [
        (len(digits), digits) if n % 2 and (digits := part.lstrip("0")) else (0, part)
        for n, part in enumerate(parts)
    ]


def same_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that differ from a name in case, width or white space only."""
    folded = author_key(name)
    return [other for other in names if author_key(other) == folded]


def names_by_beginning(name: str, names: Iterable[str]) -> list[str]:
    """Return the questions' names that were cut, and that a beginning of the text stands for.

    Other names are left out, so that q1 doesn't stand for q10.
    """
    folded = author_key(name.removesuffix("…")) or ""
    if len(folded) < MIN_BEGINNING:
        return []
    cut = ((other, beginning) for other in names if (beginning := full_beginning(other)))
    return [other for other, text in cut if (author_key(text) or "").startswith(folded)]


def nearest_names(name: str, names: Iterable[str]) -> list[str]:
    """Return at most `MAX_SUGGESTIONS` names that are like a name, the nearest first.

    After those that differ in few letters come those that have it as a part, or are a part of it.
    """
    import difflib  # 2 ms, for a name that isn't there only

    folded = author_key(name) or ""
    by_folded = {author_key(other) or "": other for other in names}
    if len(by_folded) > MAX_COMPARED_NAMES:
        nearest = sorted(by_folded, key=lambda other: abs(len(other) - len(folded)))
        by_folded = {other: by_folded[other] for other in nearest[:MAX_COMPARED_NAMES]}
    close = difflib.get_close_matches(folded, by_folded, MAX_SUGGESTIONS)
    parts = [other for other in by_folded if folded and other and _is_part(folded, other)]
    return [by_folded[other] for other in dict.fromkeys([*close, *parts])][:MAX_SUGGESTIONS]


def _is_part(name: str, other: str) -> bool:
    short, long = sorted((name, other), key=len)
    return len(short) >= 3 and short in long


def not_found(noun: str, missing: Sequence[str], place: str, names: Iterable[str]) -> NotFound:
    """Build the error for names that an index doesn't have.

    Args:
        noun: What has the names: `question`, `author` or `answer`.
        missing: The names, of which the first is named.
        place: The index.
        names: The names that there are.
    """
    names = list(dict.fromkeys(names))
    more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
    return NotFound(
        f"no {noun} {missing[0]!r}{more} in {place}; {_advice(noun, missing[0], names)}"
    )


def _advice(noun: str, missing: str, names: Sequence[str]) -> str:
    if nearest := [_quoted(name) for name in nearest_names(missing, names)]:
        *others, last = nearest
        return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
    if not names:
        return f"it has no {noun}"
    if len(names) <= MAX_FEW_NAMES:
        return f"there {'is' if len(names) == 1 else 'are'} {listed(sorted(names))}"
    return f"none of its {counted(len(names), noun)} has a name like it"


def _quoted(name: str) -> str:
    return repr(name if len(name) <= 2 * MAX_NAME_LENGTH else name[: 2 * MAX_NAME_LENGTH] + "…")

"""People of the same name in different files: an address or a number tells them apart.

Marks find the answers of who is called `Moss, Ada` in one file and `Ada Moss` in the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from searchkit.core.identity import author_key, distinct_name
from searchkit.core.records import Answer, Slot
from searchkit.index.incoming.ids import Lookup
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.header_names import HEADER_NAMES, fold_header

_PERSON_NAMES = frozenset(
    name for field in ("email", "person_id", "author") for name in HEADER_NAMES[field]
)
MAX_WORDS = 6  # of a name
Row = TypeVar("Row", Answer, AnswerColumns)


def with_known_names(rows: Sequence[Row], lookup: Lookup, question: str | None = None) -> list[Row]:
    """Return rows with the names under which the index has their authors.

    Whoever was alone with a name in an earlier file keeps it, also if the name of this file says
    who of several it is. Who was one of several there, or has the name of somebody else, gets a
    name that says so.

    Args:
        rows: The rows; where nothing tells people of one name apart, they stay as they are.
        lookup: The index.
        question: The question of rows without one.
    """
    plain = {n: _plain_name(row) for n, row in enumerate(rows) if row.author and row.identity}
    slots: dict[int, tuple[Slot, Slot]] = {}  # with the name alone, and with what it says more
    for number, name in plain.items():
        row = rows[number]
        topic, distinct = row.question or question, distinct_name(name, _identity(row))
        slots[number] = (topic, author_key(name)), (topic, author_key(distinct))
    stored = lookup.find_slots(set(chain(*slots.values()))) if slots else {}
    named = list(rows)
    for number, name in plain.items():
        row, (alone, distinct_slot) = rows[number], slots[number]
        column, value = row.identity or ("", "")
        known = stored.get(alone, ())
        people = {author_key(text) for old in known if (text := old.meta.get(column))}
        if author_key(value) in people:
            named[number] = replace(row, author=name)
        elif people or distinct_slot in stored:
            named[number] = replace(row, author=distinct_name(name, value))
    return named


def inverted_names(key: str) -> set[str]:
    """Return an author's key with first and last name in the other order; several may be meant.

    `moss, ada` is `ada moss`, and `ada de moss` is `moss, ada de` or `de moss, ada`.
    """
    last, *firsts = map(str.strip, key.split(","))
    if firsts:
        return {f"{firsts[0]} {last}"} if len(firsts) == 1 and last and firsts[0] else set()
    words = key.split()[:MAX_WORDS]
    return {f"{' '.join(words[n:])}, {' '.join(words[:n])}" for n in range(1, len(words))}


def answers_by_inverted_name(
    slots: Collection[Slot], lookup: Lookup
) -> dict[Slot, Sequence[Answer]]:
    """Return the answers whose author has the name in the other order, where it is one only.

    Args:
        slots: Questions and authors without an answer.
        lookup: The index.
    """
    others = {
        (topic, key): [(topic, name) for name in sorted(inverted_names(key or ""))]
        for topic, key in slots
    }
    stored = lookup.find_slots(set(chain(*others.values()))) if others else {}
    found = {slot: [other for other in names if other in stored] for slot, names in others.items()}
    return {slot: stored[known[0]] for slot, known in found.items() if len(known) == 1}


def authors_in_both_orders(answers: Iterable[Answer], lookup: Lookup) -> Iterator[tuple[str, str]]:
    """Yield each author of answers with one to the same question whose name is in the other order.

    Both can be one person, or two: nothing else tells it.
    """
    others: dict[Slot, str] = {
        (answer.question, name): answer.author or ""
        for answer in answers
        for name in inverted_names(answer.author_key or "")
    }
    stored = lookup.find_slots(others.keys()) if others else {}
    for slot in sorted(stored, key=lambda slot: (slot[1] or "", slot[0] or "")):
        yield others[slot], stored[slot][0].author or ""


def is_somebody_else(row: Row, answers: Sequence[Answer]) -> bool:
    """Whether answers have another address or number than a row, in a column of the same name."""
    column, value = row.identity or ("", "")
    stored = (
        text
        for answer in answers
        for name, text in answer.meta.items()
        if row.identity and fold_header(name) == fold_header(column)
    )
    return any(author_key(text) != author_key(value) for text in stored)


def _identity(row: Answer | AnswerColumns) -> str:
    return row.identity[1] if row.identity else ""


def _plain_name(row: Answer | AnswerColumns) -> str:
    return (row.author or "").removesuffix(distinct_name("", _identity(row)))


def authors_by_column(answers: Iterable[Answer], slots: Collection[Slot]) -> dict[Slot, str]:
    """Return the authors who have an address or a number in a column, where it is one author only.

    Args:
        answers: The answers with their columns.
        slots: Questions with an address or a number in the author's place.
    """
    found: dict[Slot, set[str]] = defaultdict(set)
    for answer in answers:
        for name, value in answer.meta.items() if answer.author_key else ():
            slot = answer.question, author_key(value)
            if slot in slots and fold_header(name) in _PERSON_NAMES:
                found[slot].add(answer.author_key or "")
    return {slot: min(authors) for slot, authors in found.items() if len(authors) == 1}

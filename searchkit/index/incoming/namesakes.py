"""People of the same name in different files: an address or a number tells them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from searchkit.core.identity import author_key, distinct_name
from searchkit.core.records import Answer, Slot
from searchkit.index.incoming.ids import Lookup
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.header_names import HEADER_NAMES, fold_header

_PERSON_NAMES = frozenset(
    name for field in ("email", "person_id", "author") for name in HEADER_NAMES[field]
)
Row = TypeVar("Row", Answer, AnswerColumns)


def with_known_names(rows: Sequence[Row], lookup: Lookup, question: str | None = None) -> list[Row]:
    """Return rows with the names under which the index has their authors.

    Whoever was alone with a name in an earlier file keeps it, also if the name of this file says
    who of several it is. Who has the name of somebody else there gets a name that says so.

    Args:
        rows: The rows; where nothing tells people of one name apart, they stay as they are.
        lookup: The index.
        question: The question of rows without one.
    """
    plain = {n: _plain_name(row) for n, row in enumerate(rows) if row.author and row.identity}
    slots = {n: (rows[n].question or question, author_key(name)) for n, name in plain.items()}
    stored = lookup.find_slots(set(slots.values())) if slots else {}
    named = list(rows)
    for number, name in plain.items():
        row, known = rows[number], stored.get(slots[number], ())
        column, value = row.identity or ("", "")
        people = {author_key(text) for old in known if (text := old.meta.get(column))}
        if people:
            is_known = author_key(value) in people
            named[number] = replace(row, author=name if is_known else distinct_name(name, value))
    return named


def _plain_name(row: Answer | AnswerColumns) -> str:
    author, (_, value) = row.author or "", row.identity or ("", "")
    return author.removesuffix(distinct_name("", value))


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

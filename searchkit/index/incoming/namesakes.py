"""People of the same name in different files: an address or a number tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from searchkit.core.identity import author_key, distinct_name
from searchkit.core.records import Answer
from searchkit.index.incoming.ids import Lookup
from searchkit.sources.columns import AnswerColumns

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

"""The question and the author of a filter, as an index writes them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, Protocol

from searchkit.core.identity import question_name
from searchkit.core.names import names_by_beginning, not_found, same_names
from searchkit.core.where import Where

NamedField = Literal["question", "author"]


class NameTable(Protocol):
    """The names of questions and authors of an index."""

    @abstractmethod
    def has_name(self, field: NamedField, name: str) -> bool:
        """Whether an answer has exactly this name in a field."""

    @abstractmethod
    def names(self, field: NamedField) -> Iterable[str]:
        """Return the different names in a field."""


def resolve_names(where: Where, table: NameTable, place: str) -> Where:
    """Return a filter whose question and author are written as in the index.

    A name that differs from one of the index in case or white space stands for that one, and the
    text of a question, or its beginning, for a name that was cut out of that text. The empty
    name, for answers without a question or an author, stays.

    Args:
        where: The filter.
        table: The names of the index.
        place: The index, for the error.

    Raises:
        NotFound: if there is no such question or author; names the nearest.
    """
    return replace(
        where,
        question=_resolved("question", where.question, table, place),
        author=_resolved("author", where.author, table, place),
    )


def _resolved(field: NamedField, name: str | None, table: NameTable, place: str) -> str | None:
    """Return the name as the index writes it.

    Two questions whose names differ in case are two, but one author can be written in two ways.
    """
    if not name or table.has_name(field, name):
        return name
    names = list(table.names(field))
    same = same_names(name, names)
    if not same and field == "question":
        whole = question_name(name)
        same = [whole] if whole in names else names_by_beginning(name, names)
    if len(same) == 1 or (same and field == "author"):
        return same[0]
    raise not_found(field, [name], place, names)

"""Columns and rows: the names that the user chose, and rows that can't be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer

MAX_COLUMNS = 100_000

Values = dict[str, str | None]  # a row's values by column; None is a value that isn't there
RejectRow = Callable[[int | None, str, str], None]  # takes line (from 1), reason and row


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns that hold an answer's fields; None goes by the usual names.

    Attributes:
        id: The column with the ids.
        text: The column with the answers; several if each is a question, see `wide`.
        question: The column with the questions.
        author: The column with the authors; several make one name, such as first and last name.
        submitted_at: The column with the times.
        wide: Whether a row is a person, with a column or several for each question. The columns
            in `text` are the questions then; without any, those that look like questions.
        fixed: Whether the names belong to the file's format, so that an error doesn't offer to
            choose others.
    """

    id: str | None = None
    text: str | Sequence[str] | None = None
    question: str | None = None
    author: str | Sequence[str] | None = None
    submitted_at: str | None = None
    wide: bool = field(default=False, kw_only=True)
    fixed: bool = field(default=False, kw_only=True)

    def chosen(self, role: str) -> tuple[str, ...]:
        """Return the names that were given for a field; none if it goes by the usual names."""
        names = getattr(self, role)
        return (names,) if isinstance(names, str) else tuple(names or ())

    @property
    def has_text(self) -> bool:
        """Whether the answers' columns were named, or the table said to be wide."""
        return bool(self.text) or self.wide


@dataclass(frozen=True, slots=True)
class AnswerColumns:
    """A row without a text: columns, such as marks, of an answer that is in an index.

    Attributes:
        id: The answer's id; None if it is known by author and question.
        question: The question, or None.
        author: The author, or None.
        meta: The columns, from name to value.
        source: The file.
        line: The line or row of the file, from 1, or None.
        identity: As of an `Answer`.
    """

    id: str | None
    question: str | None
    author: str | None
    meta: Mapping[str, str]
    source: str | None = None
    line: int | None = None
    identity: tuple[str, str] | None = None

    def as_answer(self) -> Answer:
        """Return the row as an answer without a text, to be shown."""
        return Answer(
            self.id or "", "", self.question, self.author, None, self.source, self.line, self.meta
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that can't be used.

    Attributes:
        source: The file.
        line: The line or row of the file, from 1; None if it isn't known.
        reason: What is wrong with the row, and what to do.
        row: The row as text, as far as it is known.
    """

    source: str
    line: int | None
    reason: str
    row: str


class BadRow(Exception):
    """A row can't be used.

    Attributes:
        reason: What is wrong with the row, and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def numbered_names(header: Sequence[str], source: str, line: int | None) -> list[str]:
    """Return the columns' names, unlike each other; one without a name is called by its number.

    Raises:
        BadInput: if there are too many.
    """
    if len(header) > MAX_COLUMNS:
        what = f"{len(header):,} columns, at most {MAX_COLUMNS:,} are read; leave out some"
        raise BadInput.at(source, line, what)
    return distinct_names([name.strip() or f"column {n}" for n, name in enumerate(header, 1)])


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return the names, with `(2)`, `(3)` … behind the second, third … of the same name."""
    taken = set(names)
    counts: Counter[str] = Counter()
    distinct = []
    for name in names:
        counts[name] += 1
        numbered = name if counts[name] == 1 else f"{name} ({counts[name]})"
        while counts[name] > 1 and numbered in taken:  # the file has this name, too
            counts[name] += 1
            numbered = f"{name} ({counts[name]})"
        taken.add(numbered)
        distinct.append(numbered)
    return distinct


def distinct_in_any_case(names: Sequence[str]) -> list[str]:
    """Return the names, with `(2)`, `(3)` … behind those that differ only in case from others.

    Filters take names that differ only in case for one.
    """
    lowered = [name.lower() for name in names]
    if len(set(lowered)) == len(lowered):
        return list(names)
    numbered = zip(names, lowered, distinct_names(lowered), strict=True)
    return [name + new[len(old) :] for name, old, new in numbered]


def repeated_name(names: Iterable[str]) -> str | None:
    """Return the first name that comes a second time, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def fold_name(name: str) -> str:
    """Return a column's name as it is compared: lower case, and _ for spaces and hyphens."""
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())

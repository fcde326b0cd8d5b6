"""Which column is what: found by its usual name, or named by the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from searchkit.core.records import Answer
from searchkit.core.wording import Message

USUAL = {
    "id": ("id", "key"),
    "text": ("text", "answer", "content", "response", "body"),
    "question": ("question", "question_id", "prompt", "task"),
    "author": ("author", "student", "user", "student_id"),
    "submitted_at": ("submitted_at", "created_at", "timestamp", "date"),
}
MOST_HEADERS = 1000  # remembered: every line of JSON may have other names


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of columns that the user gave; None finds one by its usual names."""

    id: str | None = None
    text: str | None = None
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be used.

    Attributes:
        source: The file.
        line: Its line or row, from 1, if known.
        reason: What is wrong with it, and what to do.
        row: The row itself, as far as it is known.
    """

    source: str
    line: int | None
    reason: str
    row: str


class BadRow(Exception):
    """A row that can't be used; its text says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def assign(names: Sequence[str], columns: Columns) -> dict[str, str]:
    """Say which column holds which field.

    Args:
        names: The columns that are there.
        columns: What the user named.

    Returns:
        Field to column; `text` is always among them.

    Raises:
        BadRow: if a named column isn't there, or no text can be found.
    """
    roles: dict[str, str] = {}
    for field, usual in USUAL.items():
        named = getattr(columns, field)
        column = _named(field, named, names) if named else _usual(usual, names, roles)
        if column is not None:
            roles[field] = column
    if "text" not in roles:
        free = [name for name in names if name not in roles.values()]
        if len(names) != 1 or not free:
            raise BadRow(_no_text(names))
        roles["text"] = free[0]
    return roles


def _named(field: str, named: str, names: Sequence[str]) -> str:
    if named in names:
        return named
    alike = [name for name in names if folded(name) == folded(named)]
    if len(alike) == 1:
        return alike[0]
    raise BadRow(
        Message(
            f"no column {{named!r}} (`columns.{field}`); there are: {{names}}",
            named=named,
            names=", ".join(names) or "none",
        )
    )


def _usual(usual: Sequence[str], names: Sequence[str], roles: Mapping[str, str]) -> str | None:
    taken = set(roles.values())
    for wanted in usual:
        for name in names:
            if folded(name) == wanted and name not in taken:
                return name
    return None


def folded(name: str) -> str:
    """Return a column's name as it is compared: lower case, and _ for spaces and hyphens."""
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


def _no_text(names: Sequence[str]) -> str:
    return Message(
        "no column with the answers; there are: {names}; name it with `columns.text=NAME` (the "
        "first line must hold the columns' names)",
        names=", ".join(names) or "none",
    )


class Rows:
    """Makes answers of rows: finds the columns, and gives ids where there are none."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.names: tuple[str, ...] = ()  # of the last row, or of the header
        self._roles: dict[tuple[str, ...], dict[str, str]] = {}
        self._others: dict[tuple[str, ...], list[str]] = {}
        self._given: Counter[str] = Counter()

    def roles(self, names: Sequence[str]) -> dict[str, str]:
        """Say which column holds which field; as `assign`, but once for the same columns."""
        key = self.names = tuple(names)
        if key not in self._roles:
            if len(self._roles) == MOST_HEADERS:
                self._roles.clear()
                self._others.clear()
            self._roles[key] = assign(names, self.columns)
            taken = set(self._roles[key].values())
            self._others[key] = [name for name in key if name not in taken]
        return self._roles[key]

    def answer(self, values: Mapping[str, str | None], source: str, line: int | None) -> Answer:
        """Make an answer of a row's values; None is a value that isn't there.

        Raises:
            BadRow: if there is no text or the id is blank.
        """
        names = tuple(values)
        roles = self.roles(names)
        text = values[roles["text"]]
        if text is None:
            raise BadRow(f"no text in column {roles['text']!r}; write '' for a blank answer")
        question = values.get(roles.get("question", "")) or None
        author = values.get(roles.get("author", "")) or None
        return Answer(
            id=self._id(values, roles, question, author, source, line),
            text=text,
            question=question,
            author=author,
            submitted_at=values.get(roles.get("submitted_at", "")) or None,
            source=source,
            line=line,
            meta={n: v for n in self._others[names] if (v := values[n]) is not None},
        )

    def _id(
        self,
        values: Mapping[str, str | None],
        roles: Mapping[str, str],
        question: str | None,
        author: str | None,
        source: str,
        line: int | None,
    ) -> str:
        if "id" in roles:
            given = (values[roles["id"]] or "").strip()
            if not given:
                raise BadRow(f"the id (column {roles['id']!r}) is blank; give each answer one")
            return given
        if question and author:
            made = f"{question}/{author}"
            self._given[made] += 1
            return made if self._given[made] == 1 else f"{made}#{self._given[made]}"
        return f"{PurePath(source).stem}:{line}"

"""Columns and their fields: a column is found by its usual names, or named by the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from searchkit.core.errors import BadInput
from searchkit.core.identity import make_id
from searchkit.core.messages import Message, listed
from searchkit.core.records import Answer
from searchkit.text.html import as_plain_text

USUAL_NAMES = {
    "id": ("id", "key"),
    "text": ("text", "answer", "content", "response", "body"),
    "question": ("question", "question_id", "prompt", "task"),
    "author": ("author", "student", "user", "student_id"),
    "submitted_at": ("submitted_at", "created_at", "timestamp", "date"),
}
MAX_COLUMNS = 100_000
MAX_NAMES = 1_000_000  # that are remembered in all: every line of JSON may have other ones

Values = dict[str, str | None]  # a row's values by column; None is a value that isn't there
RejectRow = Callable[[int | None, str, str], None]  # takes line (from 1), reason and row


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns that hold an answer's fields; None goes by the usual names.

    Attributes:
        id: The column with the ids.
        text: The column with the answers.
        question: The column with the questions.
        author: The column with the authors.
        submitted_at: The column with the times.
        fixed: Whether the names belong to the file's format, so that an error doesn't offer to
            choose others.
    """

    id: str | None = None
    text: str | None = None
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None
    fixed: bool = field(default=False, kw_only=True)


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


def repeated_name(names: Iterable[str]) -> str | None:
    """Return the first name that comes a second time, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def find_roles(names: Sequence[str], columns: Columns) -> dict[str, str]:
    """Find the column that holds each field.

    Args:
        names: The names of the columns of a file or row.
        columns: The names that the user chose.

    Returns:
        Field to column; `text` is always among them.

    Raises:
        BadRow: if a chosen column is missing, or no column holds the text.
    """
    roles: dict[str, str] = {}
    by_fold: dict[str, list[str]] = {}
    for name in names:
        by_fold.setdefault(fold_name(name), []).append(name)
    for role, usual_names in USUAL_NAMES.items():
        chosen = getattr(columns, role)
        if chosen:
            roles[role] = _find_chosen(role, chosen, names, by_fold, columns)
        elif column := _find_usual(usual_names, by_fold, roles):
            roles[role] = column
    if "text" not in roles:
        free = [name for name in names if name not in roles.values()]
        if len(names) != 1 or not free:
            raise BadRow(_no_text(names))
        roles["text"] = free[0]
    return roles


def _find_chosen(
    role: str,
    chosen: str,
    names: Sequence[str],
    by_fold: Mapping[str, Sequence[str]],
    columns: Columns,
) -> str:
    if chosen in names:
        return chosen
    similar = by_fold.get(fold_name(chosen), [])
    if len(similar) == 1:
        return similar[0]
    parameter = "" if columns.fixed else f" (`columns.{role}`)"
    raise BadRow(
        Message(
            f"no column {{chosen!r}}{parameter}; there are: {{names}}",
            chosen=chosen,
            names=listed(names),
        )
    )


def _find_usual(
    usual_names: Sequence[str], by_fold: Mapping[str, Sequence[str]], roles: Mapping[str, str]
) -> str | None:
    """Return the first column with one of the usual names that holds no other field."""
    taken = set(roles.values())
    usual = (name for usual_name in usual_names for name in by_fold.get(usual_name, ()))
    return next((name for name in usual if name not in taken), None)


def fold_name(name: str) -> str:
    """Return a column's name as it is compared: lower case, and _ for spaces and hyphens."""
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


def _no_text(names: Sequence[str]) -> str:
    return Message(
        "no column with the answers; there are: {names}; name it with `columns.text=NAME` (the "
        "first line must hold the columns' names)",
        names=listed(names),
    )


class Rows:
    """Builds answers from rows: finds the columns, and makes ids where there is no id column.

    Attributes:
        columns: The names that the user chose.
        names: The columns of the last row, or of the header; empty before the first one.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.names: tuple[str, ...] = ()
        self._roles: dict[tuple[str, ...], dict[str, str] | str] = {}  # a text: why there are none
        self._others: dict[tuple[str, ...], list[str]] = {}
        self._remembered = 0  # names in all of these
        self._made: Counter[str] = Counter()

    def roles(self, names: Sequence[str]) -> dict[str, str]:
        """Return field to column; as `find_roles`, which is called once for the same names."""
        key = self.names = tuple(names)
        if key not in self._roles:
            self._remembered += len(key)
            if self._remembered > MAX_NAMES:
                self._roles.clear()
                self._others.clear()
                self._remembered = len(key)
            try:
                roles = self._roles[key] = find_roles(names, self.columns)
            except BadRow as error:
                self._roles[key] = error.reason
                raise
            taken = set(roles.values())
            self._others[key] = [name for name in key if name not in taken]
        found = self._roles[key]
        if isinstance(found, str):
            raise BadRow(found)
        return found

    def answer(self, values: Values, source: str, line: int | None) -> Answer:
        """Build an answer from a row's values.

        Raises:
            BadRow: if the text is missing, or the id is missing or blank.
        """
        names = tuple(values)
        roles = self.roles(names)
        text = values[roles["text"]]
        if text is None:
            raise BadRow(f"no text in column {roles['text']!r}; write '' for a blank answer")
        text, original = as_plain_text(text)
        question = _value(values, roles.get("question"))
        author = _value(values, roles.get("author"))
        if has_id := "id" in roles:
            id = _checked_id(values, roles["id"])
        else:
            id = self._made_id(question, author, text)
        return Answer(
            id=id,
            text=text,
            question=question,
            author=author,
            submitted_at=_value(values, roles.get("submitted_at")),
            source=source,
            line=line,
            meta={n: v for n in self._others[names] if (v := values[n]) is not None},
            original=original,
            has_made_id=not has_id,
        )

    def _made_id(self, question: str | None, author: str | None, text: str) -> str:
        """Return an id from question, author and text, with #2, #3 … where it comes again."""
        id = make_id(question, author, text)
        self._made[id] += 1
        return id if self._made[id] == 1 else f"{id}#{self._made[id]}"


def _value(values: Values, column: str | None) -> str | None:
    """Return a column's value, or None where it is missing or blank."""
    return values[column] or None if column else None


def _checked_id(values: Values, column: str) -> str:
    id = (values[column] or "").strip()
    if not id:
        raise BadRow(f"the id (column {column!r}) is blank; give each answer one")
    return id

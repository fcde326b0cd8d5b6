"""Which columns hold the marks and the comments, and what they hold for each answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, counted, listed
from searchkit.core.records import Answer
from searchkit.grading.marking.columns import (
    is_comments_name,
    is_marks_name,
    is_ours,
    is_suggested_name,
)
from searchkit.grading.marks import MISSING_MARKS
from searchkit.text.numbers import Amount, parse_amount, parse_number

Per = Literal["answer", "student"]
_parse = lru_cache(maxsize=10_000)(parse_amount)  # marks are few, and read often


@dataclass(frozen=True, slots=True)
class MarkOptions:
    """What of an index is written for a platform, and how.

    Attributes:
        marks: The column with the marks; None takes the one that was written here.
        comments: The column with the comments; None takes the one that was written here, if any.
        assignment: The name of the assignment, as the platform has it.
        maximum: The number of points that an assignment gives at most.
        per: Whether a row of a plain table is an answer or a student.
    """

    marks: str | None = None
    comments: str | None = None
    assignment: str | None = None
    maximum: float | None = None
    per: Per = "answer"


@dataclass(frozen=True, slots=True)
class MarkedAnswer:
    """An answer with its mark.

    Attributes:
        answer: The answer.
        mark: The mark as it was written; "" for none.
        comment: The comment; "" for none.
    """

    answer: Answer
    mark: str
    comment: str

    @property
    def amount(self) -> Amount | None:
        """The mark as a number; None if there is none, or it is a label."""
        return _parse(self.mark)


@dataclass(frozen=True, slots=True)
class MarkedAnswers:
    """Answers with their marks.

    Attributes:
        rows: The answers, in the order in which they were added.
        marks: The column with the marks; None if there is none.
        comments: The column with the comments; None if there is none.
    """

    rows: Sequence[MarkedAnswer]
    marks: str | None
    comments: str | None

    @property
    def labels(self) -> list[str]:
        """The marks that are no numbers, each once."""
        return list(dict.fromkeys(row.mark for row in self.rows if row.mark and not row.amount))

    def check_numbers(self, platform: str) -> None:
        """Check that all marks are numbers.

        Raises:
            BadInput: if one is a label.
        """
        if labels := self.labels:
            raise BadInput(
                Message(
                    "{platform} takes numbers, but {column} holds {labels}; name a column with "
                    "numbers: `marks=NAME`",
                    platform=platform,
                    column=self.marks,
                    labels=listed([repr(label) for label in labels]),
                )
            )


def read_marked(
    answers: Iterable[Answer], options: MarkOptions, *, need_marks: bool
) -> MarkedAnswers:
    """Return answers with their marks and comments; references are left out.

    Raises:
        BadInput: if a column isn't there, several may hold the marks, or there are none and they
            are needed.
    """
    students = [answer for answer in answers if not answer.is_reference]
    names = list(dict.fromkeys(name for answer in students for name in answer.columns))
    written = _written_values(students)
    marks = _chosen(options.marks, names, "marks") or _marks_column(written, names, need_marks)
    comments = _chosen(options.comments, names, "comments")
    if comments is None:
        found = [
            name
            for name, values in written.items()
            if is_comments_name(name) and name != marks and not all(map(_parse, values))
        ]
        comments = found[0] if len(found) == 1 else None
    return MarkedAnswers(
        [
            MarkedAnswer(answer, _mark(answer, marks), _value(answer, comments))
            for answer in students
        ],
        marks,
        comments,
    )


def columns_taken(marked: MarkedAnswers, options: MarkOptions) -> list[str]:
    """Return a line on the columns that the user didn't choose; none if all were chosen."""
    taken = {
        "marks": None if options.marks else marked.marks,
        "comments": None if options.comments else marked.comments,
    }
    parts = [f"{what} of column {column!r}" for what, column in taken.items() if column]
    return [" and ".join(parts)] if parts else []


def points(amount: Amount, maximum: float | None) -> float:
    """Return how many points a mark is.

    Raises:
        BadInput: if it is in per cent, and the maximum isn't known.
    """
    if amount.out_of is None or (maximum is None and not amount.is_per_cent):
        return amount.value
    if maximum is None:
        raise BadInput(
            Message("the marks are in per cent; say how many points 100 % are: `maximum=10`")
        )
    return amount.value / amount.out_of * maximum


def listed_answers(rows: Sequence[MarkedAnswer]) -> str:
    """Return the ids of answers for a message."""
    return listed([row.answer.label for row in rows])


def left_out(rows: Sequence[MarkedAnswer], why: str) -> list[str]:
    """Return a line on answers that can't be written; none if there are none."""
    return [f"{counted(len(rows), 'answer')} left out: {why}: {listed_answers(rows)}"] * bool(rows)


def _written_values(answers: Sequence[Answer]) -> dict[str, list[str]]:
    """Return what was written here, by column, without blank values."""
    values: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    for answer in answers:
        for name, value in answer.written.items():
            if value.strip().lower() not in MISSING_MARKS and not is_ours(name):
                values.setdefault(spelling.setdefault(name.lower(), name), []).append(value)
    return values


def _marks_column(
    written: Mapping[str, Sequence[str]], names: Sequence[str], need_marks: bool
) -> str | None:
    found = [
        name
        for name, values in written.items()
        if is_marks_name(name) or all(parse_number(value) is not None for value in values)
    ]
    given = [name for name in found if not is_suggested_name(name)]
    for names_found in (given, found):
        if len(names_found) == 1:
            return names_found[0]
    if not need_marks:
        return None
    if found:
        template = "which column holds the marks: {found}? name it: `marks=NAME`"
        raise BadInput(Message(template, found=" or ".join(given or found)))
    raise BadInput(
        Message(
            "no marks were written here; name the column with the marks, `marks=NAME`, of: {names}",
            names=listed(names),
        )
    )


def _chosen(chosen: str | None, names: Sequence[str], parameter: str) -> str | None:
    """Return the name of a column that the user chose, as the answers write it."""
    if chosen is None or chosen in names:
        return chosen
    found = [name for name in names if name.casefold() == chosen.strip().casefold()]
    if not found:
        template = f"`{parameter}`: no answer has a column {{chosen!r}}; there are: {{names}}"
        raise BadInput(Message(template, chosen=chosen, names=listed(names)))
    return found[0]


def _mark(answer: Answer, column: str | None) -> str:
    mark = _value(answer, column)
    return "" if mark.lower() in MISSING_MARKS else mark


def _value(answer: Answer, column: str | None) -> str:
    if column is None:
        return ""
    columns = answer.columns
    if column in columns:
        return columns[column].strip()
    return next((v.strip() for n, v in columns.items() if n.lower() == column.lower()), "")

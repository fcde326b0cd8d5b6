"""Marks: what graders wrote into a column, numbers or labels, and the scale that they are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.core.wording import read_number
from searchkit.grading.records import Mark

Kind = Literal["numbers", "labels"]
KINDS: tuple[Kind, ...] = ("numbers", "labels")
UNGRADED = -1
_ABSENT = {"", "nan", "none", "null", "na", "n/a", "#n/a", "-", "--", "?"}
TELLING = 20  # graded answers: so many show the range of a question's marks
LABELS = 200  # more distinct labels than this, and most of them once, are no classes


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of some answers.

    Attributes:
        column: Where they stand.
        kind: `numbers` or `labels`.
        scale: The distinct marks in use, in order: numbers ascending, labels by the alphabet.
        codes: `(n,)` place in the scale of each answer's mark; `UNGRADED` where it has none.
    """

    column: str
    kind: Kind
    scale: tuple[Mark, ...]
    codes: Int64

    @property
    def graded(self) -> NDArray[np.bool_]:
        """Say for each answer whether it has a mark."""
        known: NDArray[np.bool_] = self.codes != UNGRADED
        return known

    @property
    def range(self) -> float:
        """Return the highest number minus the lowest; 1 for labels."""
        return float(self.scale[-1]) - float(self.scale[0]) if self.kind == "numbers" else 1.0

    def read(self, text: str) -> Mark:
        """Read a mark that is on the scale."""
        number = read_number(text) if self.kind == "numbers" else None
        return text.strip() if number is None else number

    def of(self, answer: int) -> Mark | None:
        """Return an answer's mark."""
        code = int(self.codes[answer])
        return None if code == UNGRADED else self.scale[code]

    def targets(self) -> Float64:
        """Return what is to be estimated: `(n, 1)` numbers, or `(n, c)` 1 for the label and else 0.

        Rows without a mark are NaN.
        """
        known = (
            np.array(self.scale, np.float64)[:, None]
            if self.kind == "numbers"
            else np.eye(len(self.scale))
        )
        return np.vstack([known, np.full((1, known.shape[1]), np.nan)])[self.codes]

    def within(self, rows: Int64) -> Grid:
        """Return the marks that may be suggested for one question, from those in use there.

        Args:
            rows: Its graded answers; few of them don't show the range, and the column's is taken.
        """
        if not len(rows):
            rows = np.flatnonzero(self.graded)
        used = [self.scale[code] for code in np.unique(self.codes[rows])]
        if self.kind == "numbers" and len(rows) < TELLING:
            used += [self.scale[0], self.scale[-1]]
        return Grid.of(used, self)


@dataclass(frozen=True, slots=True)
class Grid:
    """The marks that may be suggested.

    Attributes:
        labels: The labels, or None for numbers.
        low: The lowest number.
        high: The highest.
        step: They are `low`, `low` + `step` and so on; 0 where they have no common step.
    """

    labels: tuple[Mark, ...] | None
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0

    @classmethod
    def of(cls, used: Sequence[Mark], marks: Marks) -> Grid:
        """Return the coarsest steps that all the marks in use are on."""
        if marks.kind == "labels":
            return cls(marks.scale)
        numbers = [float(mark) for mark in used]
        exact = [Fraction(repr(number)).limit_denominator(10_000) for number in numbers]
        gaps = [number - exact[0] for number in exact if number != exact[0]]
        step = float(reduce(_common, gaps, Fraction(0)))
        return cls(None, min(numbers), max(numbers), step if step >= 1e-3 else 0.0)

    def nearest(self, estimates: Float64) -> list[Mark]:
        """Return the mark for each row of estimates: the nearest number, or the likeliest label."""
        if self.labels is not None:
            return [self.labels[n] for n in estimates.argmax(axis=1).tolist()]
        numbers = np.clip(estimates[:, 0], self.low, self.high)
        if self.step:
            # Halves go up, as a teacher would have it, and not to the even number.
            steps = np.floor((numbers - self.low) / self.step + 0.5 + 1e-9)
            numbers = np.clip(self.low + self.step * steps, self.low, self.high)
        return [round(number, 6 if self.step else 2) for number in numbers.tolist()]


def read_marks(
    answers: Sequence[Answer], column: str, kind: Kind | None = None, also: Sequence[str] = ()
) -> Marks:
    """Read the marks in a column.

    Reference answers are never graded ones: theirs is no grader's mark of a student.

    Args:
        answers: With their other columns.
        column: Its name.
        kind: What the marks are; None: numbers if all of them are.
        also: Marks that a person gave beside the column; they are on the scale, too.

    Raises:
        BadInput: if there is no such column or no mark in it, or some marks are numbers and others
            aren't.
    """
    written = [
        "" if answer.is_reference else answer.meta.get(column, "").strip() for answer in answers
    ]
    given = {n: text for n, text in enumerate(written) if text.lower() not in _ABSENT}
    if not given and not also:
        _refuse_empty(answers, column)
    also = [text.strip() for text in also]
    numbers = {n: read_number(text) for n, text in given.items()}
    found = sum(number is not None for number in numbers.values())
    if kind is None:
        telling = list(given.values()) or also
        kind = "labels" if all(read_number(text) is None for text in telling) else "numbers"
    if kind == "numbers" and found < len(given):
        first = next(n for n, number in numbers.items() if number is None)
        raise BadInput(
            f"{column}: {found:,} marks are numbers, but {answers[first].id} has "
            f"{given[first][:40]!r} ({len(given) - found:,} such); empty these cells, or say "
            f"--as labels"
        )
    values: dict[int, Mark] = dict(given)
    more: list[Mark] = list(also)
    if kind == "numbers":
        values = {n: number for n, number in numbers.items() if number is not None}
        more = [_said_number(text, column) for text in also]
    scale = sorted({*values.values(), *more})
    place = {mark: n for n, mark in enumerate(scale)}
    codes = np.full(len(answers), UNGRADED, np.int64)
    for n, mark in values.items():
        codes[n] = place[mark]
    return Marks(column, kind, tuple(scale), codes)


def check_learnable(marks: Marks) -> None:
    """Refuse marks that teach nothing.

    Raises:
        BadInput: if only one is in use, or they are texts and no labels.
    """
    graded = int(marks.graded.sum())
    if len(marks.scale) == 1:
        raise BadInput(
            f"{marks.column}: all {graded:,} marks are {mark_text(marks.scale[0])!r}; nothing can "
            f"be learned from one mark"
        )
    if marks.kind == "labels" and len(marks.scale) > max(LABELS, graded // 2):
        raise BadInput(
            f"{marks.column}: {len(marks.scale):,} different texts in {graded:,} answers are no "
            f"labels; name the column with the marks"
        )


def mark_text(mark: Mark | None) -> str:
    """Write a mark as a person would."""
    return "" if mark is None else f"{mark:.6g}" if isinstance(mark, float) else mark


def _said_number(text: str, column: str) -> float:
    number = read_number(text)
    if number is None:
        raise BadInput(f"{text!r} is no number, and the marks in {column} are")
    return number


def _common(one: Fraction, other: Fraction) -> Fraction:
    """Return the greatest step that both are multiples of."""
    while other:
        one, other = other, one % other
    return abs(one)


def _refuse_empty(answers: Sequence[Answer], column: str) -> None:
    there = sorted({name for answer in answers for name in answer.meta})
    if any(answer.meta.get(column, "").strip() for answer in answers if not answer.is_reference):
        raise BadInput(f"{column}: no answer has a mark that can be used")
    if column not in there:
        raise BadInput(f"no column {column!r}; there are {', '.join(there) or 'none but the text'}")
    raise BadInput(f"{column}: no answer has a mark yet; grade a few of each question first")

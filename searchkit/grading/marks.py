"""Marks: the numbers or labels that graders wrote into a column, and the scale that they are on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message, listed
from searchkit.core.records import Answer
from searchkit.grading.records import Mark
from searchkit.text.numbers import PER_CENT, Amount, parse_amount, parse_number

log = logging.getLogger("searchkit")
MarkKind = Literal["numbers", "labels"]
UNGRADED = -1  # the code of an answer without a mark
MISSING_MARKS = {  # in lower case
    "", "nan", "none", "null", "na", "n/a", "n.a.", "#n/a", "-", "--", "\u2013", "\u2014", "?"
}  # fmt: skip
MIN_RANGE_ANSWERS = 20  # graded answers that a question needs to have a range of its own
MAX_LABELS = 200  # a column with more distinct texts than this, mostly unique, has no labels
ROUNDING_ERROR = 1e-6  # suggested numbers are rounded to six places


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of some answers.

    Attributes:
        column: The name of their column.
        kind: `numbers` or `labels`.
        scale: The distinct marks in use: numbers ascending, labels in alphabetical order.
        codes: `(n,)` position of each answer's mark in the scale; `UNGRADED` if it has none.
        out_of: What every number is out of, such as 10; None if the column doesn't say so.
        totals: What the numbers of each question are out of, as far as the column says so.
        in_proportion: Whether questions give fewer points than others, and their numbers were put
            on the scale of these.
    """

    column: str
    kind: MarkKind
    scale: tuple[Mark, ...]
    codes: Int64
    out_of: float | None = None
    totals: Mapping[str | None, float] = field(default_factory=dict)
    in_proportion: bool = False

    @property
    def graded(self) -> NDArray[np.bool_]:
        """`(n,)` whether each answer has a mark."""
        graded: NDArray[np.bool_] = self.codes != UNGRADED
        return graded

    @property
    def range(self) -> float:
        """The highest number minus the lowest; 1 for labels."""
        return float(self.scale[-1]) - float(self.scale[0]) if self.kind == "numbers" else 1.0

    def parse(self, text: str) -> Mark:
        """Return the mark that is on the scale for what a person wrote."""
        amount = parse_amount(text) if self.kind == "numbers" else None
        return text.strip() if amount is None else _rescaled(amount, self.out_of)

    def over(self, units: Float64) -> Marks:
        """Return the numbers divided by `(n,)` units, one for each answer; labels stay."""
        if self.kind == "labels" or np.all(units[self.graded] == 1):
            return self
        rows = np.flatnonzero(self.graded)
        numbers = np.array(self.scale, np.float64)[self.codes[rows]] / units[rows]
        scale, places = np.unique(np.round(numbers, 6), return_inverse=True)
        codes = np.full(len(self.codes), UNGRADED, np.int64)
        codes[rows] = places
        return replace(self, scale=tuple(scale.tolist()), codes=codes, in_proportion=True)

    def of(self, row: int) -> Mark | None:
        """Return the mark of the answer in a row."""
        code = int(self.codes[row])
        return None if code == UNGRADED else self.scale[code]

    def targets(self) -> Float64:
        """Return what a grader estimates: `(n, 1)` numbers, or `(n, c)` one-hot labels.

        Rows without a mark are NaN.
        """
        values = (
            np.array(self.scale, np.float64)[:, None]
            if self.kind == "numbers"
            else np.eye(len(self.scale))
        )
        return np.vstack([values, np.full((1, values.shape[1]), np.nan)])[self.codes]

    def grid(self, rows: Int64) -> Grid:
        """Return the marks that may be suggested for a question.

        Args:
            rows: The graded answers to the question. Fewer than `MIN_RANGE_ANSWERS` of them do not
                show its range, and the range of the whole column is used.
        """
        if not len(rows):
            rows = np.flatnonzero(self.graded)
        used = [self.scale[code] for code in np.unique(self.codes[rows])]
        if self.kind == "numbers" and len(rows) < MIN_RANGE_ANSWERS:
            used += [self.scale[0], self.scale[-1]]
        return Grid.of(used, self)


@dataclass(frozen=True, slots=True)
class Grid:
    """The marks that may be suggested.

    Attributes:
        labels: The labels, or None for numbers.
        low: The lowest number.
        high: The highest number.
        step: The numbers are `low`, `low + step`, and so on; 0 if they have no common step.
    """

    labels: tuple[Mark, ...] | None
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0

    @classmethod
    def of(cls, used: Sequence[Mark], marks: Marks) -> Grid:
        """Return the grid with the largest step that all marks in use are on."""
        if marks.kind == "labels":
            return cls(marks.scale)
        numbers = [float(mark) for mark in used]
        fractions = [Fraction(repr(number)).limit_denominator(10_000) for number in numbers]
        gaps = [number - fractions[0] for number in fractions if number != fractions[0]]
        step = float(reduce(_common_divisor, gaps, Fraction(0)))
        return cls(None, min(numbers), max(numbers), step if step >= 1e-3 else 0.0)

    def nearest(self, estimates: Float64) -> list[Mark]:
        """Return the nearest number, or the most probable label, for each row of estimates."""
        if self.labels is not None:
            return [self.labels[n] for n in estimates.argmax(axis=1).tolist()]
        numbers = np.clip(estimates[:, 0], self.low, self.high)
        if self.step:
            # Halves are rounded up, as teachers do, and not to the even number.
            steps = np.floor((numbers - self.low) / self.step + 0.5 + 1e-9)
            numbers = np.clip(self.low + self.step * steps, self.low, self.high)
        return [round(number, 6 if self.step else 2) for number in numbers.tolist()]


def read_marks(
    answers: Sequence[Answer],
    column: str,
    kind: MarkKind | None = None,
    extra: Sequence[str] = (),
    *,
    may_be_empty: bool = False,
) -> Marks:
    """Read the marks in a column.

    Numbers that are out of something, such as 7/10 and 75 %, are put on one scale for each
    question. A reference answer counts as ungraded, whatever its column holds.

    Args:
        answers: The answers with their other columns.
        column: The name of the column.
        kind: What the marks are; None: labels if no mark is a number, otherwise numbers.
        extra: Marks that were given outside the column; the scale includes them.
        may_be_empty: Whether the column can have no mark, or not exist.

    Raises:
        BadInput: if there is no such kind or column, it has no mark, or some marks are numbers and
            others are not.
    """
    check_choice("kind", kind, (None, *get_args(MarkKind)))
    texts = _read_texts(answers, column)
    if not texts and not extra:
        if may_be_empty:
            return Marks(column, kind or "numbers", (), np.full(len(answers), UNGRADED, np.int64))
        _raise_no_marks(answers, column)
    extra = [text.strip() for text in extra]
    if kind is None:
        kind = _guess_kind(list(texts.values()) or extra)
    values: dict[int, Mark] = dict(texts)
    extra_values: list[Mark] = list(extra)
    out_of, totals = None, {}
    if kind == "numbers":
        amounts = _read_amounts(texts, answers, column)
        scales = _scales(amounts, answers, column)
        values = {row: _rescaled(a, scales[answers[row].question]) for row, a in amounts.items()}
        out_of = next(iter(scales.values())) if len(set(scales.values())) == 1 else None
        extra_values = [_read_extra_number(text, column, out_of) for text in extra]
        totals = {question: total for question, total in scales.items() if total}
    scale = sorted({*values.values(), *extra_values})
    position = {mark: code for code, mark in enumerate(scale)}
    codes = np.full(len(answers), UNGRADED, np.int64)
    for row, mark in values.items():
        codes[row] = position[mark]
    return Marks(column, kind, tuple(scale), codes, out_of, totals)


def check_learnable(marks: Marks) -> None:
    """Check that something can be learned from marks.

    Raises:
        BadInput: if all marks are the same, or there are too many distinct texts to be labels.
    """
    graded = int(marks.graded.sum())
    if len(marks.scale) == 1:
        raise BadInput(
            f"{marks.column}: all {graded:,} marks are {mark_text(marks.scale[0])!r}; nothing can "
            f"be learned from one mark"
        )
    if marks.kind == "labels" and len(marks.scale) > max(MAX_LABELS, graded // 2):
        raise BadInput(
            f"{marks.column}: {len(marks.scale):,} different texts in {graded:,} answers are no "
            f"labels; name the column with the marks"
        )


def check_tolerance(marks: Marks, tolerance: float | None) -> float:
    """Return the difference up to which a suggested number counts as right; 0 for labels.

    Args:
        marks: The marks of the column.
        tolerance: The difference that the caller asks for; None: a tenth of the range of the marks.

    Raises:
        BadInput: if it is negative or not finite, or the marks are labels.
    """
    if tolerance is not None and not 0 <= tolerance < np.inf:
        raise BadInput(Message("`tolerance` must be 0 or more, not {number}", number=tolerance))
    if marks.kind == "labels":
        if tolerance is not None:
            template = "`tolerance` is for numbers; the marks in {column} are labels"
            raise BadInput(Message(template, column=marks.column))
        return 0.0
    return round(marks.range / 10, 6) if tolerance is None else tolerance


def within_tolerance(
    true_marks: Sequence[Mark | None], suggested: Sequence[Mark], tolerance: float
) -> NDArray[np.bool_]:
    """Return `(n,)` whether each suggestion is the grader's mark or within the tolerance of it."""
    return np.array(
        [
            abs(true - mark) <= tolerance + ROUNDING_ERROR
            if isinstance(true, float) and isinstance(mark, float)
            else true == mark
            for true, mark in zip(true_marks, suggested, strict=True)
        ],
        bool,
    )


def mark_text(mark: Mark | None) -> str:
    """Return a mark as people write it: no trailing zeros, and nothing for None."""
    return "" if mark is None else f"{mark:.6g}" if isinstance(mark, float) else mark


def _read_texts(answers: Sequence[Answer], column: str) -> dict[int, str]:
    """Return what the column holds for each graded answer, by its row."""
    texts = {
        row: answer.value(column).strip()
        for row, answer in enumerate(answers)
        if not answer.is_reference
    }
    return {row: text for row, text in texts.items() if text.lower() not in MISSING_MARKS}


def _guess_kind(texts: Sequence[str]) -> MarkKind:
    return "labels" if all(parse_number(text) is None for text in texts) else "numbers"


def _read_amounts(
    texts: dict[int, str], answers: Sequence[Answer], column: str
) -> dict[int, Amount]:
    amounts = {
        row: amount for row, text in texts.items() if (amount := parse_amount(text)) is not None
    }
    if len(amounts) < len(texts):
        others = [row for row in texts if row not in amounts]
        shown = dict.fromkeys(repr(texts[row][:40]) for row in others)
        raise BadInput(
            Message(
                "{column}: {numbers:,} marks are numbers, and {others:,} are not: {texts} (first "
                "in {id}); empty these cells, or say `kind='labels'`",
                column=column,
                numbers=len(amounts),
                others=len(others),
                texts=listed(list(shown)),
                id=answers[others[0]].id,
            )
        )
    return amounts


def _scales(
    amounts: dict[int, Amount], answers: Sequence[Answer], column: str
) -> dict[str | None, float | None]:
    """Return what the marks of each question are out of; None if they don't say so.

    Raises:
        BadInput: if that is not clear.
    """
    by_question: dict[str | None, list[Amount]] = {}
    for row, amount in amounts.items():
        by_question.setdefault(answers[row].question, []).append(amount)
    return {name: _scale(marks, name, column) for name, marks in by_question.items()}


def _scale(amounts: Sequence[Amount], question: str | None, column: str) -> float | None:
    totals = sorted({a.out_of for a in amounts if a.out_of and not a.is_per_cent})
    if not totals and any(amount.is_per_cent for amount in amounts):
        totals = [PER_CENT]
        is_clear = all(amount.is_per_cent for amount in amounts)
    else:
        is_clear = len(totals) < 2 or all(amount.out_of for amount in amounts)
    names = " and ".join(f"{total:g}" for total in totals)
    where = f"{column}: " if question is None else f"{column}: marks of question {question!r}: "
    if not is_clear:
        raise BadInput(
            f"{where}some are out of {names}, and others don't say what they are out of; "
            "write them alike"
        )
    if len(totals) > 1:
        log.warning("%sthey are out of %s; all are read as out of %g", where, names, totals[-1])
    return totals[-1] if totals else None


def _rescaled(amount: Amount, out_of: float | None) -> float:
    if amount.out_of is None or out_of is None or amount.out_of == out_of:
        return amount.value
    return round(amount.value * out_of / amount.out_of, 6)


def _read_extra_number(text: str, column: str, out_of: float | None) -> float:
    amount = parse_amount(text)
    if amount is None:
        raise BadInput(f"{text!r} is no number, and the marks in {column} are")
    return _rescaled(amount, out_of)


def _common_divisor(left: Fraction, right: Fraction) -> Fraction:
    """Return the largest fraction that both are integer multiples of."""
    while right:
        left, right = right, left % right
    return abs(left)


def _raise_no_marks(answers: Sequence[Answer], column: str) -> None:
    columns = sorted({name for answer in answers for name in answer.columns})
    if any(answer.value(column).strip() for answer in answers if not answer.is_reference):
        raise BadInput(f"{column}: no answer has a mark that can be used")
    if column.lower() not in {name.lower() for name in columns}:
        raise BadInput(
            f"no column {column!r}; there are {listed(columns) if columns else 'none but the text'}"
        )
    raise BadInput(f"{column}: no answer has a mark yet; grade a few of each question first")

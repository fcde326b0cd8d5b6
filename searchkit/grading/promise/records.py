"""The results of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.results import Record, Results, Table
from searchkit.grading.marks import Marks

MAX_OFF = 0.05
CONFIDENCE = 0.9
Reason = Literal["check", "learn"]


@dataclass(frozen=True, slots=True)
class PlannedAnswer(Record):
    """An answer to mark next.

    Attributes:
        id: The answer's id.
        question: The question that it answers.
        reason: `check`: it was drawn at random, and shows how good the suggestions are; `learn`:
            its suggestion is uncertain, and that for similar answers, too.
        confidence: The probability that the present suggestion for it is right; None if there is
            none.
    """

    id: str
    question: str | None
    reason: Reason
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Promise(Record):
    """What holds for the suggestions for the answers that are not in the plan.

    Attributes:
        holds: Whether it is promised; otherwise it is what can probably be promised once the
            planned answers are marked.
        to_mark: How many answers have to be marked; None if that can't be told.
        rest: How many answers the promise is about; None if that can't be told.
        max_wrong: How many suggestions for these may be off; None if that can't be told.
        checks: How many answers of the random sample are marked.
        checks_needed: How many it needs; None if that can't be told.
        text: The promise in words.
    """

    holds: bool
    to_mark: int | None
    rest: int | None
    max_wrong: int | None
    checks: int
    checks_needed: int | None
    text: str


@dataclass(frozen=True, slots=True)
class GradingPlan(Table):
    """The result of `plan_grading`.

    Attributes:
        answers: The answers to mark, in order.
        promise: What holds for the others.
        marks: The marks of the column.
        tolerance: The difference up to which a suggested number counts as right; 0 for labels.
        marked: How many answers are marked.
        unmarked: How many are not.
    """

    answers: Results[PlannedAnswer]
    promise: Promise
    marks: Marks
    tolerance: float
    marked: int
    unmarked: int

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield each planned answer."""
        return self.answers.iter_records()

    def to_record(self) -> dict[str, Any]:
        """Return the plan as one JSON object."""
        return {
            "column": self.marks.column,
            "marked": self.marked,
            "unmarked": self.unmarked,
            "tolerance": self.tolerance,
            "promise": self.promise.to_record(),
            "answers": self.answers.to_records(),
        }


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be promised.

    Attributes:
        max_off: The share of the suggestions that may be off.
        confidence: The probability with which a promise holds.
    """

    max_off: float = MAX_OFF
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        for name, number in (("max_off", self.max_off), ("confidence", self.confidence)):
            if not 0 < number < 1:
                template = f"`{name}` must be above 0 and below 1, not {{number}}"
                raise BadInput(Message(template, number=number))

    @property
    def alpha(self) -> float:
        """The probability with which a promise does not hold."""
        return 1 - self.confidence

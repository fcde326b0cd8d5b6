"""The scale of a question: the marks that a teacher can give, as numbers or as labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, listed
from searchkit.grading.marks import MAX_LABELS, MIN_RANGE_ANSWERS, MarkKind, mark_text
from searchkit.grading.records import Mark
from searchkit.text.numbers import PER_CENT, Amount, parse_amount

MAX_MARK_LENGTH = 200  # characters of a label
STEPS: tuple[float, ...] = (
    1.0,
    0.5,
    0.25,
    0.2,
    0.1,
    0.05,
    0.01,
)  # that a scale can have where nobody chose another
_ROUNDING_ERROR = 1e-5  # of numbers, which are stored with six digits, as a share of the scale
MAX_NUMBER = 1e9
MIN_RANGE = 1e-3  # of the marks in use, to be a scale
_MAX_STEPS = 1e12  # more marks than that are no scale


class MarkRefused(BadInput):
    """A mark that isn't on the scale."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The marks that can be given.

    Attributes:
        kind: `numbers` or `labels`.
        low: The lowest number.
        high: The highest number.
        step: The numbers are `low`, `low + step`, and so on; 0 allows any number between them.
        labels: The labels; empty for numbers.
        is_per_cent: Whether numbers are written in per cent.
    """

    kind: MarkKind = "numbers"
    low: float = 0.0
    high: float = 10.0
    step: float = 0.5
    labels: tuple[str, ...] = ()
    is_per_cent: bool = False

    @property
    def tolerance(self) -> float | None:
        """The difference up to which two numbers agree, a tenth of the range; None for labels."""
        return None if self.kind == "labels" else round((self.high - self.low) / 10, 6)

    def parse(self, text: str) -> str:
        """Return a mark as it is stored.

        Raises:
            MarkRefused: if it isn't on the scale.
        """
        text = text.strip()
        mark = self.read(text)
        if isinstance(mark, float):
            if self._is_on_grid(mark):
                return self.text_of(mark)
        elif mark is not None and mark in self.labels:
            return mark
        raise MarkRefused(
            Message("{mark!r} is no mark here: {scale}", mark=text[:60], scale=self.describe())
        )

    def read(self, text: str) -> Mark | None:
        """Return the mark that a text is, on the scale or not; None for none."""
        text = text.strip()
        if self.kind == "labels":
            same = [label for label in self.labels if label.casefold() == text.casefold()]
            return same[0] if same else text or None
        amount = parse_amount(text)
        return None if amount is None else self._value(amount)

    def nearest(self, mark: Mark) -> str | None:
        """Return the mark on the scale that is nearest to a suggested one; None if there is none.

        Halves are rounded up, as teachers do.
        """
        if not isinstance(mark, float):
            return mark if mark in self.labels else None
        if self.kind == "labels":
            return None
        mark = min(max(mark, self.low), self.high)
        if self.step:
            mark = self.low + self.step * math.floor((mark - self.low) / self.step + 0.5 + 1e-9)
            if mark > self.high + _ROUNDING_ERROR:
                mark -= self.step
        return self.text_of(min(mark, self.high))

    def text_of(self, number: float) -> str:
        """Return a number as it is stored."""
        return mark_text(round(number, 6) + 0.0) + (" %" if self.is_per_cent else "")

    def describe(self) -> str:
        """Return in words which marks can be given."""
        if self.kind == "labels":
            return f"marks are {listed(self.labels)}"
        unit = " %" if self.is_per_cent else ""
        steps = f" in steps of {self.step:g}" if self.step else ""
        return f"marks are numbers from {self.low:g} to {self.high:g}{unit}{steps}"

    def to_record(self) -> dict[str, Any]:
        """Return the scale as JSON values; what its kind has no use for is None."""
        if self.kind == "labels":
            numbers = dict.fromkeys(("low", "high", "step", "unit"))
            return {"kind": self.kind, **numbers, "labels": list(self.labels)}
        return {
            "kind": self.kind,
            "low": self.low,
            "high": self.high,
            "step": self.step,
            "unit": "%" if self.is_per_cent else None,
            "labels": None,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Scale:
        """Return the scale of a record.

        Raises:
            BadInput: if it can't be one.
        """
        kind = record.get("kind")
        if kind == "labels":
            labels = record.get("labels")
            return cls("labels", 0.0, 0.0, 0.0, _checked_labels(labels))
        if kind != "numbers":
            template = "`scale.kind` must be numbers or labels, not {kind!r}"
            raise BadInput(Message(template, kind=kind))
        numbers = [record.get(name) for name in ("low", "high", "step")]
        low, high, step = (0.0 if n is None else _finite(n) for n in numbers)
        if not 0 <= step <= high - low or low == high or 0 < step < (high - low) / _MAX_STEPS:
            template = (
                "`scale`: from {low:g} to {high:g} in steps of {step:g} is no scale; `low` must be "
                "below `high`, and `step` no more than what is between them"
            )
            raise BadInput(Message(template, low=low, high=high, step=step))
        return cls("numbers", low, high, step, is_per_cent=record.get("unit") == "%")

    def _value(self, amount: Amount) -> float:
        """Return an amount on the scale; out of something else than its end it is off the scale."""
        is_as_written = amount.is_per_cent and self.is_per_cent  # also where bonuses pass 100 %
        if is_as_written or amount.out_of is None or math.isclose(amount.out_of, self.high):
            return amount.value
        if amount.is_per_cent:
            return round(amount.value / PER_CENT * self.high, 6)
        return math.inf

    def _is_on_grid(self, number: float) -> bool:
        error = _ROUNDING_ERROR * max(1.0, abs(self.low), abs(self.high))
        if not self.low - error <= number <= self.high + error:
            return False
        steps = (number - self.low) / self.step if self.step else 0.0
        return abs(steps - round(steps)) * self.step <= error


DEFAULT_SCALE = Scale()


def infer_scale(
    own: Sequence[str], others: Iterable[str] = (), maximum: Sequence[str] = ()
) -> Scale:
    """Return the scale that the marks in use are on.

    Args:
        own: The marks of the question.
        others: Those of other questions in the same column, which count where the question has
            fewer than `MIN_RANGE_ANSWERS`.
        maximum: The points possible, as far as the file says so.
    """
    texts = list(own) if len(own) >= MIN_RANGE_ANSWERS else [*own, *others]
    amounts, possible = _amounts(texts), [amount.value for amount in _amounts(maximum)]
    labels = {text.casefold(): text for text in sorted(texts, reverse=True) if _is_label(text)}
    if len(texts) - len(amounts) > len(amounts) and 0 < len(labels) <= MAX_LABELS:
        return Scale("labels", 0.0, 0.0, 0.0, tuple(sorted(labels.values())))
    is_per_cent = bool(amounts) and all(amount.is_per_cent for amount in amounts)
    numbers = [amount.value for amount in amounts]
    out_of = [amount.out_of for amount in amounts if amount.out_of and not amount.is_per_cent]
    low = min([0.0, *numbers])
    high = max([*numbers, *out_of, *possible, *([PER_CENT] if is_per_cent else []), low])
    if high - low < MIN_RANGE:  # nobody got a point yet
        return DEFAULT_SCALE
    steps = STEPS if numbers else STEPS[1:]  # half marks, until it is known that there are none
    steps = tuple(step for step in steps if step <= high - low)
    scales = (Scale("numbers", low, high, step, (), is_per_cent) for step in steps)
    fitting = (scale for scale in scales if all(map(scale._is_on_grid, {*numbers, high})))
    return next(fitting, Scale("numbers", low, high, 0.0, (), is_per_cent))


def _amounts(texts: Iterable[str]) -> list[Amount]:
    """Return the numbers among some texts that a scale can have."""
    amounts = (parse_amount(text) for text in texts)
    return [
        amount
        for amount in amounts
        if amount and max(abs(amount.value), amount.out_of or 0.0) <= MAX_NUMBER
    ]


def _is_label(text: str) -> bool:
    return text == text.strip() != "" and text.isprintable() and len(text) <= MAX_MARK_LENGTH


def _checked_labels(labels: object) -> tuple[str, ...]:
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise BadInput(Message("`scale.labels` must be a list of texts"))
    stripped = [label.strip() for label in labels]
    if len(set(map(str.casefold, stripped))) < max(len(stripped), 1):
        raise BadInput(Message("`scale.labels` must be one or more different texts"))
    for label in stripped:
        if not _is_label(label):
            raise BadInput(Message("`scale.labels`: {label!r} is no label", label=label[:60]))
    return tuple(stripped)


def _finite(number: object) -> float:
    if isinstance(number, int | float) and not isinstance(number, bool):
        if abs(number) <= MAX_NUMBER:
            return float(number)
    raise BadInput(Message("`scale`: {number!r} is no number that can be used", number=number))

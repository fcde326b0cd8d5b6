"""Questions whose marks aren't alike: some are labels, and numbers are out of another total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from searchkit.core.errors import BadInput, IndexDamaged
from searchkit.core.messages import Message, listed
from searchkit.core.records import Answer
from searchkit.grading.marking.columns import maximum_of, value_of
from searchkit.grading.marking.rubric import scale_of
from searchkit.grading.marking.settings import Settings
from searchkit.grading.marks import MIN_RANGE_ANSWERS, MarkKind, Marks
from searchkit.index.base import BaseIndex
from searchkit.text.numbers import parse_number

Question = str | None
MAX_SHARE = 0.5  # of the column's highest mark: a question that stays below it has its own maximum


def other_kind(
    answers: Iterable[Answer], column: str, kind: MarkKind | None, asked: str | None
) -> set[Question]:
    """Return the questions whose marks are of another kind than those that are asked for.

    Args:
        answers: All answers.
        column: The column with the marks.
        kind: The kind that is asked for; None: that of the question.
        asked: The question that is asked about, which stays; empty for the answers without one,
            None for all.

    Raises:
        BadInput: if there are both kinds, and it isn't known which is asked for.
    """
    texts: dict[Question, list[str]] = {}
    for answer in answers:
        if not answer.is_reference and (text := value_of(answer, column)):
            texts.setdefault(answer.question, []).append(text)
    kinds: dict[Question, MarkKind] = {}
    for name, own in texts.items():
        are_numbers = {parse_number(text) is not None for text in own}
        if len(are_numbers) == 1:  # else it is a mistake, which is named where marks are read
            kinds[name] = "numbers" if are_numbers.pop() else "labels"
    if len(set(kinds.values())) < 2:
        return set()
    wanted = kind or (None if asked is None else kinds.get(asked or None))
    if wanted is None:
        by_kind = {
            one: listed([str(name) for name in kinds if kinds[name] == one])
            for one in ("labels", "numbers")
        }
        template = (
            "{column}: the marks are labels in {labels}, and numbers in {numbers}; name one "
            "question, or say `kind='labels'` or `kind='numbers'`"
        )
        raise BadInput(Message(template, column=column, **by_kind))
    return {
        name
        for name, own_kind in kinds.items()
        if own_kind != wanted and (asked is None or name != (asked or None))
    }


def question_units(
    index: BaseIndex, answers: Sequence[Answer], marks: Marks
) -> dict[Question, float]:
    """Return for each question how many of its points are one point of the column's largest scale.

    All are 1 where no question is known to have fewer points than another. A maximum is known from
    the scale that was chosen on the grading page, from a column with the points possible, from
    marks such as 7/10, or where a question has many marks and none is above half of the highest.

    Args:
        index: Where the scales are kept.
        answers: All answers.
        marks: Their marks.
    """
    if marks.kind == "labels" or not marks.scale:
        return {}
    stored = index.grading.settings() if index.grading else {}
    by_question: dict[Question, list[int]] = {}
    for row, answer in enumerate(answers):
        if not answer.is_reference:
            by_question.setdefault(answer.question, []).append(row)
    known = {
        question: maximum
        for question, rows in by_question.items()
        if (maximum := _maximum([answers[row] for row in rows], marks, stored, question))
    }
    highest = max([float(marks.scale[-1]), *known.values()])
    for question, rows in by_question.items():
        numbers = [float(mark) for row in rows if (mark := marks.of(row)) is not None]
        if question not in known and len(numbers) >= MIN_RANGE_ANSWERS:
            if 0 < max(numbers) <= MAX_SHARE * highest:
                known[question] = max(numbers)
    return {question: known.get(question, highest) / highest for question in by_question}


def _maximum(
    answers: Sequence[Answer], marks: Marks, stored: Mapping[str, str], question: Question
) -> float | None:
    """Return how many points a question gives, as far as somebody said so."""
    with suppress(IndexDamaged):
        settings = Settings.from_json(stored.get(question or ""), question or "")
        scale = settings.scale or (scale_of(settings.rubric) if settings.rubric else None)
        is_column = (settings.mark_column or marks.column).lower() == marks.column.lower()
        if scale and scale.kind == "numbers" and is_column and scale.high > 0:
            return scale.high
    if question in marks.totals:
        return marks.totals[question]
    possible = [number for text in maximum_of(answers) if (number := parse_number(text))]
    return max(possible, default=None)

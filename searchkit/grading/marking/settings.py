"""The settings of a question, as they are stored, and as they are where nobody chose."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from searchkit.core.errors import BadInput, IndexDamaged
from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.grading.marking.columns import (
    COMMENT_COLUMN,
    MARK_COLUMN,
    check_column,
    choose_comment_column,
    choose_mark_column,
    file_value,
    maximum_of,
    value_of,
)
from searchkit.grading.marking.rubric import Rubric, read_rubric, scale_of
from searchkit.grading.marking.scale import Scale, infer_scale

Value = TypeVar("Value")
UsedMarks = Mapping[str, Counter[str]]
"""How often each mark is in the columns of all answers, by the column's name in lower case."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen for a question; None where nobody chose.

    Attributes:
        mark_column: The column with the marks.
        comment_column: The column with the comments.
        level: The position of the slider, from 0, the finest groups.
        scale: The marks that can be given.
        rubric: The items whose points make the mark; empty for none.
    """

    mark_column: str | None = None
    comment_column: str | None = None
    level: int | None = None
    scale: Scale | None = None
    rubric: Rubric = ()

    def to_json(self) -> str | None:
        """Return the settings as they are stored; None if nothing was chosen."""
        record: dict[str, Any] = {
            "mark_column": self.mark_column,
            "comment_column": self.comment_column,
            "level": self.level,
            "scale": self.scale and self.scale.to_record(),
            "rubric": [item.to_record() for item in self.rubric] or None,
        }
        chosen = {name: value for name, value in record.items() if value is not None}
        return json.dumps(chosen, ensure_ascii=False, sort_keys=True) if chosen else None

    @classmethod
    def from_json(cls, text: str | None, question: str) -> Settings:
        """Return stored settings.

        Raises:
            IndexDamaged: if they aren't what was written.
        """
        try:
            record = json.loads(text or "{}")
            if not isinstance(record, dict):
                raise BadInput("no object")
            return cls().changed(record)
        except (ValueError, BadInput) as error:
            raise IndexDamaged(
                f"question {question!r}: its settings of grading are damaged; "
                "run: searchkit rebuild"
            ) from error

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """Return the settings with new values, as JSON has them; None takes a choice back.

        Raises:
            BadInput: if one of them can't be used.
        """
        readers = {
            "mark_column": lambda value: check_column(_text(value), "mark_column"),
            "comment_column": lambda value: check_column(_text(value), "comment_column"),
            "level": _level,
            "scale": _scale,
            "rubric": read_rubric,
        }
        if unknown := values.keys() - readers.keys():
            template = "there is no setting {name!r}; there are mark_column, comment_column, …"
            raise BadInput(Message(template, name=min(unknown)))
        new: dict[str, Any] = {}
        for name, value in values.items():
            nothing = () if name == "rubric" else None
            new[name] = nothing if value is None else readers[name](value)
        settings = replace(self, **new)
        mark, comment = settings.mark_column, settings.comment_column
        if mark and comment and mark.lower() == comment.lower():
            raise BadInput(Message("`comment_column`: {name!r} has the marks", name=mark))
        return settings

    def column_of(self, answers: Sequence[Answer], usual: Settings) -> str:
        """Return the column with the marks of some answers of the question.

        Args:
            answers: The answers.
            usual: What most other questions have, from `usual_settings`.
        """
        return self.mark_column or choose_mark_column(answers) or usual.mark_column or MARK_COLUMN

    def resolve(
        self,
        answers: Sequence[Answer],
        used: UsedMarks | None = None,
        usual: Settings | None = None,
    ) -> ChosenSettings:
        """Return what counts for some answers.

        Args:
            answers: Those of the question, without references.
            used: The marks of all answers.
            usual: What most other questions have, from `usual_settings`.
        """
        usual = usual or Settings()
        column = self.column_of(answers, usual)
        scale = self.scale or (scale_of(self.rubric) if self.rubric else None)
        if scale is None:
            own = [mark for answer in answers if (mark := value_of(answer, column))]
            maximum = maximum_of(answers)
            if usual.scale and not own and not maximum and column == usual.mark_column:
                scale = usual.scale
            else:
                others = (used or {}).get(column.lower(), Counter[str]())
                scale = infer_scale(own, others, maximum)
        comments = self.comment_column or choose_comment_column(answers, usual.comment_column)
        if comments.lower() == column.lower():
            comments = COMMENT_COLUMN
        return ChosenSettings(column, comments, scale, self.rubric)


def usual_settings(stored: Mapping[str, str]) -> Settings:
    """Return the columns that most questions have, and the scale of most of these without a rubric.

    Args:
        stored: The settings of each question, as JSON; those that are damaged don't count.
    """
    chosen: list[Settings] = []
    for question in sorted(stored):
        with suppress(IndexDamaged):
            chosen.append(Settings.from_json(stored[question], question))
    column = _most_common(settings.mark_column for settings in chosen)
    like_it = [settings for settings in chosen if settings.mark_column == column]
    return Settings(
        mark_column=column,
        comment_column=_most_common(settings.comment_column for settings in like_it),
        scale=_most_common(settings.scale for settings in like_it if not settings.rubric),
    )


def marks_of(answers: Iterable[Answer], stored: Mapping[str, str]) -> list[str]:
    """Return the mark of each answer by the settings of its question; empty for none.

    Args:
        answers: To any questions.
        stored: The settings of each question, as JSON; those that are damaged don't count.
    """
    usual = usual_settings(stored)
    by_question: dict[str, Settings] = {}
    marks = []
    for answer in answers:
        question = answer.question or ""
        if question not in by_question:
            by_question[question] = Settings()
            with suppress(IndexDamaged):
                by_question[question] = Settings.from_json(stored.get(question), question)
        marks.append(value_of(answer, by_question[question].column_of([answer], usual)))
    return marks


def _most_common(values: Iterable[Value | None]) -> Value | None:
    """Return the most frequent value but None, the first of several; None if there is none."""
    counts = Counter(value for value in values if value is not None)
    return max(counts, key=counts.__getitem__) if counts else None


@dataclass(frozen=True, slots=True)
class ChosenSettings:
    """The settings that count for a question.

    Attributes:
        mark_column: The column with the marks.
        comment_column: The column with the comments.
        scale: The marks that can be given.
        rubric: The items whose points make the mark; empty for none.
    """

    mark_column: str
    comment_column: str
    scale: Scale
    rubric: Rubric

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that suggestions are learned from: that of the marks, and the rubric's."""
        return (self.mark_column, *(item.key for item in self.rubric))

    def mark_of(self, answer: Answer) -> str:
        """Return an answer's mark as it is written; empty for none."""
        return value_of(answer, self.mark_column)

    def file_mark_of(self, answer: Answer) -> str:
        """Return the mark that the answer's file gave; empty for none."""
        return file_value(answer, self.mark_column)

    def comment_of(self, answer: Answer) -> str:
        """Return the comment on an answer; empty for none."""
        return answer.value(self.comment_column)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadInput(Message("{value!r} is no name of a column", value=value))
    return value


def _level(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1_000:
        raise BadInput(Message("`level`: {value!r} is no position of the slider", value=value))
    return value


def _scale(value: object) -> Scale:
    if not isinstance(value, dict):
        raise BadInput(Message("`scale` has a `kind`, and `low`, `high` and `step`, or `labels`"))
    return Scale.from_record(value)

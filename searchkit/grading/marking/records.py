"""A question that is being graded, and what a teacher does with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.grading.marking.cards import Cards, GroupedTexts, deal
from searchkit.grading.marking.settings import ChosenSettings, Settings, UsedMarks


@dataclass(frozen=True)
class Sheet:
    """The answers to a question with everything that grading them needs.

    Attributes:
        question: The question's name; empty for answers without one.
        answers: The latest attempt of each author, in order, without references.
        references: The reference answers.
        stored: The settings that were chosen.
        texts: What is computed from the texts of the answers.
        used: The marks of all answers of the index.
        usual: What was chosen for most questions, where nobody chose for this one.
    """

    question: str
    answers: Sequence[Answer]
    references: Sequence[Answer]
    stored: Settings
    texts: GroupedTexts
    used: UsedMarks
    usual: Settings = field(default_factory=Settings)

    @cached_property
    def settings(self) -> ChosenSettings:
        """The settings that count."""
        return self.stored.resolve(self.answers, self.used, self.usual)

    @cached_property
    def level(self) -> int:
        """The position of the slider."""
        return self.texts.level(self.stored.level)

    @cached_property
    def cards(self) -> Cards:
        """The groups at this position."""
        return deal(self.texts, self.level, self.answers)

    @cached_property
    def by_id(self) -> dict[str, Answer]:
        """The answers, by id."""
        return {answer.id: answer for answer in self.answers}


# -- actions ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WriteMarks:
    """Give marks, or clear them with None.

    Attributes:
        marks: The marks, by the answers' ids.
        accepted: Whether they were suggested.
    """

    marks: Mapping[str, str | None]
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class WriteComment:
    """Comment on answers; None clears their comments."""

    ids: Sequence[str]
    comment: str | None


@dataclass(frozen=True, slots=True)
class Tick:
    """Tick an item of the rubric, or say that it isn't met; None takes both back."""

    ids: Sequence[str]
    item: str
    ticked: bool | None


@dataclass(frozen=True, slots=True)
class Move:
    """Move answers to a group; None lets each stand alone."""

    ids: Sequence[str]
    group: str | None


@dataclass(frozen=True, slots=True)
class Merge:
    """Make one group of several; it has the name of the first."""

    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Split:
    """Split a group at the next finer position that splits it, or make a group of some answers."""

    group: str | None
    ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a group another name."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """Change settings, given as JSON has them; None takes a choice back."""

    settings: Mapping[str, Any]


Action = WriteMarks | WriteComment | Tick | Move | Merge | Split | Rename | ChangeSettings


@dataclass(frozen=True, slots=True)
class Overwrite:
    """A mark or a comment that would be replaced.

    Attributes:
        id: The answer's id.
        old: What it has.
        new: What it would get.
    """

    id: str
    old: str
    new: str


class OverwriteRefused(BadInput):
    """Marks or comments would be replaced, and nobody said that they may be.

    Attributes:
        overwrites: What would be replaced.
    """

    def __init__(self, noun: str, overwrites: Sequence[Overwrite]) -> None:
        count = counted(len(overwrites), noun)
        super().__init__(f"{count} would be overwritten; nothing was changed")
        self.overwrites = list(overwrites)


@dataclass(frozen=True, slots=True)
class Edit:
    """What an action changes.

    Attributes:
        what: What is done, so that "9 answers" can follow; quotes no answer and no comment.
        values: For the id of each answer the new values by column; None for none.
        settings: The new settings; None if they stay.
    """

    what: str
    values: Mapping[str, Mapping[str, str | None]]
    settings: Settings | None = None

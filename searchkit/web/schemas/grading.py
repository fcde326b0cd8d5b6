"""Grading in the REST interface: what is asked for, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from searchkit.grading.marking.actions import MAX_COMMENT
from searchkit.grading.marking.cards import MAX_GROUP_NAME
from searchkit.grading.marking.changes import MAX_NAME
from searchkit.grading.marking.records import (
    Action,
    ChangeSettings,
    Merge,
    Move,
    Rename,
    Split,
    Tick,
    WriteComment,
    WriteMarks,
)
from searchkit.grading.marking.scale import MAX_MARK_LENGTH
from searchkit.index.records import ChangeState
from searchkit.web.schemas.corpus import Record
from searchkit.web.schemas.requests import Body

Ids = Annotated[list[str], Field(min_length=1)]
MarkText = Annotated[str, Field(max_length=MAX_MARK_LENGTH)]

# -- actions ---------------------------------------------------------------------------------------


class MarkAction(Body):
    """Give answers a mark; null clears it."""

    kind: Literal["mark"]
    ids: Ids
    mark: MarkText | None

    def action(self) -> Action:
        """Return the action."""
        return WriteMarks(dict.fromkeys(self.ids, self.mark))


class CommentAction(Body):
    """Comment on answers; null clears the comment."""

    kind: Literal["comment"]
    ids: Ids
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] | None

    def action(self) -> Action:
        """Return the action."""
        return WriteComment(self.ids, self.comment)


class TickAction(Body):
    """Tick an item of the rubric for answers (true), say that it isn't met (false), or neither."""

    kind: Literal["tick"]
    ids: Ids
    item: str
    ticked: bool | None

    def action(self) -> Action:
        """Return the action."""
        return Tick(self.ids, self.item, self.ticked)


class AcceptAction(Body):
    """Give answers the marks that were suggested, by id."""

    kind: Literal["accept"]
    marks: Annotated[dict[str, MarkText], Field(min_length=1)]

    def action(self) -> Action:
        """Return the action."""
        return WriteMarks(self.marks, accepted=True)


class MoveAction(Body):
    """Move answers to a group; null: each stands alone."""

    kind: Literal["move"]
    ids: Ids
    group: str | None

    def action(self) -> Action:
        """Return the action."""
        return Move(self.ids, self.group)


class MergeAction(Body):
    """Make one group of several, with the name of the first."""

    kind: Literal["merge"]
    groups: Annotated[list[str], Field(min_length=2)]

    def action(self) -> Action:
        """Return the action."""
        return Merge(self.groups)


class SplitAction(Body):
    """Split a group at the next finer position, or make a group of these answers."""

    kind: Literal["split"]
    group: str | None = None
    ids: Ids | None = None

    def action(self) -> Action:
        """Return the action."""
        return Split(self.group, self.ids)


class RenameAction(Body):
    """Give a group another name."""

    kind: Literal["rename"]
    group: str
    name: Annotated[str, Field(max_length=MAX_GROUP_NAME)]

    def action(self) -> Action:
        """Return the action."""
        return Rename(self.group, self.name)


class SettingsAction(Body):
    """Change settings of the question; null takes a choice back."""

    kind: Literal["settings"]
    settings: dict[str, Any]

    def action(self) -> Action:
        """Return the action."""
        return ChangeSettings(self.settings)


AnyAction = (
    MarkAction
    | CommentAction
    | TickAction
    | AcceptAction
    | MoveAction
    | MergeAction
    | SplitAction
    | RenameAction
    | SettingsAction
)


class QuestionStep(Body):
    """The question whose last change is undone or done again, and by whom."""

    question: str
    by: Annotated[str, Field(max_length=MAX_NAME)] = ""


class NewChange(QuestionStep):
    """What is done to a question; marks and comments are replaced only with `overwrite`."""

    overwrite: bool = False
    action: Annotated[AnyAction, Field(discriminator="kind")]


# -- a question ------------------------------------------------------------------------------------


class TextLocale(Record):
    """How a text is read."""

    language: str
    """Its code in ISO 639-1; empty if it can't be told."""
    direction: Literal["ltr", "rtl", "auto"]


class GradedQuestion(Record):
    """A question."""

    name: str
    text: str
    """The question's own text; empty if no column holds it."""
    locale: TextLocale


class ReferenceText(Record):
    """A reference answer."""

    id: str
    text: str
    locale: TextLocale


class ScaleRecord(Record):
    """The marks that can be given: numbers, or labels."""

    kind: Literal["numbers", "labels"]
    low: float | None
    high: float | None
    step: float | None
    """Distance of two marks; 0: any number from `low` to `high`."""
    unit: str | None
    """`%` if marks are in per cent."""
    labels: list[str] | None


class RubricItemRecord(Record):
    """An item of a rubric; `key` is the column that holds its ticks."""

    key: str
    name: str
    points: float


class GradingSettings(Record):
    """The settings that count for a question."""

    mark_column: str
    comment_column: str
    level: int
    """Position of the slider, from 0, the finest groups."""
    levels: int
    """Number of positions."""
    default_level: int
    scale: ScaleRecord
    rubric: list[RubricItemRecord]


class GradedAnswer(Record):
    """An answer with what was written about it."""

    id: str
    author: str | None
    text: str
    locale: TextLocale
    mark: str | None
    file_mark: str | None
    """The mark in the answer's file, whatever was written here."""
    comment: str
    ticks: dict[str, str]
    """`yes` or `no` for each item of the rubric that was decided about."""
    group: str | None
    """Key of its group; null: it stands alone."""
    proposed: str | None
    """Key of a group that the teacher corrected and that this later answer seems to belong to."""


class Version(Record):
    """One of the things that answers of a group say where they differ."""

    text: str
    ids: list[str]


class GroupDifference(Record):
    """Something in which answers of a group differ: a negation, a number, a unit or a formula."""

    kind: str
    versions: list[Version]


class AnswerGroup(Record):
    """A group of answers."""

    key: str
    name: str
    fixed: bool
    """Whether a teacher corrected it, so that it stays as it is."""
    says: Literal["same", "topic"]
    """Whether all say the same, nearly word for word, or only speak about the same topic."""
    keywords: list[str]
    ids: list[str]
    differences: list[GroupDifference]


class GradingProgress(Record):
    """How far a question is graded, in numbers of answers."""

    answers: int
    graded: int
    suggested: int
    """Answers without a mark that one is suggested for, as far as suggestions are computed."""
    unread: int
    finished: bool


class GradingState(Record):
    """What every change can change."""

    settings: GradingSettings
    answers: list[GradedAnswer]
    groups: list[AnswerGroup]
    progress: GradingProgress
    comments: list[str]
    """Earlier comments, the most used first."""
    undo: str | None
    """What would be undone."""
    redo: str | None
    """What would be done again."""


class GradingSheet(GradingState):
    """A question with everything that is needed for grading it."""

    question: GradedQuestion
    references: list[ReferenceText]


class GradingChanged(GradingState):
    """What a change changed: only these answers, but all groups."""

    note: str
    """What stays as it is because it was changed since; empty for nothing."""


class Overwritten(Record):
    """A mark or a comment that would be replaced."""

    id: str
    from_: Annotated[str, Field(alias="from")]
    to: str


class WouldOverwrite(Record):
    """Nothing was written, as marks or comments would be replaced."""

    error: str
    overwrites: list[Overwritten]


# -- suggestions -----------------------------------------------------------------------------------


class NeighbourRecord(Record):
    """One of the most similar marked answers, as a reason for a suggested mark."""

    id: str
    mark: str | None
    """Null for a reference answer."""
    score: float
    """Cosine with the answer that the mark is suggested for."""
    text: str
    locale: TextLocale


class SuggestedMark(Record):
    """A suggested mark, and where the teacher's is in nine cases of ten."""

    mark: str
    low: str | None
    """Null for labels, and where too few marks are known."""
    high: str | None
    labels: list[str] | None
    """Null for numbers, and where too few marks are known."""
    confidence: float
    """Probability that a grader would give this mark, or nearly."""
    neighbours: list[NeighbourRecord]


class SuggestedTick(Record):
    """Whether an item of the rubric should be ticked."""

    ticked: bool
    confidence: float


class MarkConflict(Record):
    """Marks that disagree: `group`: in a group; `same`: of answers that say the same."""

    kind: Literal["group", "same"]
    group: str | None
    """Key of the group; null for answers that are in several."""
    ids: list[str]
    marks: list[str]
    """Mark of each of these answers, known or suggested, lowest first."""


class GradingSuggestions(Record):
    """Suggested marks and ticks for the answers without them, and what to mark next."""

    suggestions: dict[str, SuggestedMark]
    """By the answers' ids."""
    ticks: dict[str, dict[str, SuggestedTick]]
    """By the answers' ids, and by the keys of the rubric's items."""
    conflicts: list[MarkConflict]
    next: list[str]
    """Answers to mark next, the first one first."""
    promise: str
    """How good the suggestions for the others are then, in words; empty if nothing is planned."""
    message: str
    """Why nothing is suggested; empty if something is."""


# -- history ---------------------------------------------------------------------------------------


class ChangedCell(Record):
    """A column of an answer that was written; null: nothing was written there."""

    id: str
    column: str
    before: str | None
    after: str | None


class GradingChangeRecord(Record):
    """A change of a question, by whom and when."""

    number: int
    question: str
    by: str
    at: str
    """Time in UTC, as ISO 8601."""
    what: str
    state: ChangeState
    """`dropped`: undone, and overtaken by another change."""
    reverts: int | None
    """Number of the change that this one undoes or does again."""
    cells: list[ChangedCell]
    settings: list[dict[str, Any] | None] | None
    """The question's settings before and after; null if they are the same."""


class GradingHistory(Record):
    """All changes of a question, oldest first."""

    changes: list[GradingChangeRecord]

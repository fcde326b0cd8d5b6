"""Records that an index takes and returns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from searchkit.core.arrays import Float32
from searchkit.core.records import Answer, Passage

DecisionStatus = Literal["open", "confirmed", "asked", "dismissed"]
DECISION_WORDS: dict[DecisionStatus, str] = {
    "open": "open",
    "confirmed": "confirmed",
    "asked": "ask the student",
    "dismissed": "dismissed",
}
"""How each decision is shown to people, in the order of legends and filters."""
ChangeState = Literal["done", "undone", "dropped"]


@dataclass(frozen=True, slots=True)
class Model:
    """The embedding model that an index was made with.

    Attributes:
        fingerprint: SHA-256 of the model's files and settings; equal for models that give the same
            vectors.
        name: The model's folder or hub name.
        dimension: Length of its vectors.
        window: Tokens that a passage may have.
    """

    fingerprint: str
    name: str
    dimension: int
    window: int

    @property
    def described(self) -> str:
        """Its name, and the beginning of its fingerprint in parentheses."""
        return f"{self.name} ({self.fingerprint[:12]})"


@dataclass(frozen=True, slots=True)
class Added:
    """How many answers one `add` changed, and how many passages it embedded.

    Attributes:
        added: Answers whose id was new.
        updated: Answers whose text or columns changed.
        unchanged: Answers that were already in the index.
        passages: Passages that the added and updated texts were split into.
        embedded: Distinct passage texts that the model was run on.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    passages: int = 0
    embedded: int = 0

    @classmethod
    def of(
        cls,
        stored: Collection[str],
        answers: int,
        written: Sequence[SplitAnswer],
        same_text: int = 0,
        embedded: int = 0,
    ) -> Added:
        """Count what was written.

        Args:
            stored: The ids that the index had.
            answers: The number of answers that were given.
            written: Those of them that were new or had another text.
            same_text: The number of those of which only columns changed.
            embedded: The number of distinct texts that were embedded.
        """
        added = sum(new.answer.id not in stored for new in written)
        updated = len(written) - added + same_text
        passages = sum(len(new.passages) for new in written)
        return cls(added, updated, answers - added - updated, passages, embedded)


@dataclass(frozen=True, slots=True)
class SplitAnswer:
    """An answer to be written.

    Attributes:
        answer: The answer.
        passages: Its passages, in order; empty if it is blank.
        hashes: SHA-256 of each passage's text, as `embedding.passage_hash` returns it.
        is_other: Whether the stored answer with its id, if any, is another one, whose decisions and
            history of marks go.
    """

    answer: Answer
    passages: Sequence[Passage]
    hashes: Sequence[bytes]
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer with everything that the index keeps about it.

    Attributes:
        answer: The answer.
        passages: Its passages, in order; empty if it is blank.
        vectors: `(p, d)` float32, one row a passage, rounded to float16.
    """

    answer: Answer
    passages: list[Passage]
    vectors: Float32


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The vectors of many answers' passages, each distinct text once; answers in order of id.

    Attributes:
        ids: The ids of the `n` answers.
        questions: The question of each answer, or None.
        rows: For each answer the rows of `vectors` that belong to its passages, in order; empty if
            it is blank. Equal texts have the same row.
        vectors: `(v, d)` float32, unit rows.
    """

    ids: list[str]
    questions: list[str | None]
    rows: list[tuple[int, ...]]
    vectors: Float32


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a pair of answers.

    Attributes:
        number: Counts all decisions of the index; higher is later; 0 before it is stored.
        left: The id of one answer; the smaller of both.
        right: The id of the other answer.
        decision: `confirmed`; `dismissed`; `asked`: the student is to be asked, which says neither;
            or `open`: an earlier decision was withdrawn.
        reason: The person's note; may be empty.
        decided_at: Time in UTC, as ISO 8601.
        is_stale: Whether one of the texts has changed since, so that the pair has to be decided
            again. Computed when decisions are read, and not stored.
        left_sha: SHA-256 of the left text at that time; None if it is not in this index.
        right_sha: SHA-256 of the right text at that time; None if it is not in this index.
    """

    number: int
    left: str
    right: str
    decision: DecisionStatus
    reason: str
    decided_at: str
    is_stale: bool = False
    left_sha: bytes | None = None
    right_sha: bytes | None = None


@dataclass(frozen=True, slots=True)
class GradingCell:
    """A column of an answer that a change of grading wrote.

    Attributes:
        answer: The answer's id.
        column: The name of the column.
        before: What was written here before, as in `Answer.written`; None if nothing was.
        after: What is written since; None if nothing is.
    """

    answer: str
    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class GradingChange:
    """What a person changed while grading a question, in one step.

    Attributes:
        question: The question; empty for the answers without one.
        by: The person's name; may be empty.
        at: Time in UTC, as ISO 8601.
        what: What was done, in words that quote no text of a person.
        cells: What was written into columns of answers.
        settings: The question's settings as JSON before and after; None if they are the same, and
            None in the place of one where there are none.
        reverts: The number of the change that this one undoes, or does again; None for others.
        state: `done`; `undone`; `dropped`: undone, and overtaken by another change.
        number: Counts all changes of the index; higher is later; 0 before it is stored.
    """

    question: str
    by: str
    at: str
    what: str
    cells: tuple[GradingCell, ...] = ()
    settings: tuple[str | None, str | None] | None = None
    reverts: int | None = None
    state: ChangeState = "done"
    number: int = 0

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What a copy of the change in another index has in common with it."""
        return self.question, self.at, self.by, self.what


def with_values(written: Mapping[str, str], values: Mapping[str, str | None]) -> dict[str, str]:
    """Return columns with new values; None takes a column away."""
    merged = {**written, **values}
    return {name: value for name, value in merged.items() if value is not None}

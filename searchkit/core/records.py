"""The records that pass between the parts: frozen, slotted, nothing but data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from searchkit.core.results import Record

By = Literal["question", "all"]  # what is compared with what: within each question, or over all
REFERENCE = "reference"  # the author of a reference answer


@dataclass(frozen=True, slots=True)
class Answer:
    """One text by one author to one question.

    Attributes:
        id: The caller's own identifier; unique within an index.
        text: What was written, exactly as it was read; may be empty.
        question: The question that it answers, or None.
        author: Who wrote it, or None.
        submitted_at: When it was handed in, as the source wrote it, or None.
        source: The file that it was read from, or None.
        line: The line (or row) of that file where it begins, from 1, or None.
        meta: Every other column, name to value, as text.
    """

    id: str
    text: str
    question: str | None = None
    author: str | None = None
    submitted_at: str | None = None
    source: str | None = None
    line: int | None = None
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What a person is shown for it: its id, and its author if known."""
        return f"{self.id} · {self.author}" if self.author else self.id

    @property
    def is_reference(self) -> bool:
        """Whether it is a reference answer: its author is called `reference`."""
        return (self.author or "").strip().lower() == REFERENCE


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an answer that fits the model's window.

    Attributes:
        start: Offset of its first character in the answer's text.
        end: Offset after its last character.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit(Record):
    """An answer that a query found.

    Attributes:
        rank: Place in the list, from 1.
        score: Higher is nearer. Semantic: cosine; lexical: BM25; hybrid: reciprocal-rank fusion.
        answer: The answer, whole.
        passage: The stretch of it that matches best.
    """

    rank: int
    score: float
    answer: Answer
    passage: Passage

    def to_record(self) -> dict[str, Any]:
        """Return rank and score, then the answer without its source, and the passage's offsets."""
        answer = self.answer
        return {
            "rank": self.rank,
            "score": self.score,
            "id": answer.id,
            "question": answer.question,
            "author": answer.author,
            "submitted_at": answer.submitted_at,
            "text": answer.text,
            "passage": asdict(self.passage),
            "meta": dict(answer.meta),
        }

"""The records that pass between the parts: frozen, slotted, nothing but data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class Hit:
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


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers that say the same, or nearly.

    Attributes:
        left: The id of one; the first of both in order.
        right: The id of the other.
        score: Cosine of the passages that are most alike, one of each.
    """

    left: str
    right: str
    score: float

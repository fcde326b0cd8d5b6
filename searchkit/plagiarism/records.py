"""What plagiarism finding returns."""

from __future__ import annotations

from dataclasses import dataclass

from searchkit.core.results import Record


@dataclass(frozen=True, slots=True)
class Overlap(Record):
    """A passage of one answer and the passage of another that says the same.

    Attributes:
        left: (start, end) offsets in the left answer's text.
        right: (start, end) offsets in the right answer's text.
        kind: `verbatim`: the same words; `reworded`: the same meaning.
        score: Cosine of both for `reworded`; 1 for `verbatim`.
    """

    left: tuple[int, int]
    right: tuple[int, int]
    kind: str
    score: float


NO_FINDING = "no finding"  # a verdict: the two are as much alike as others


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """Two answers that are more alike than chance explains, with the evidence.

    Attributes:
        left: The id of one; the first of both in order.
        right: The id of the other.
        question: The question that both answer.
        verdict: `identical`, `near copy`, `light revision`, `heavy revision` or `shared source`;
            from `compare` also `NO_FINDING`.
        score: Cosine of both whole answers.
        semantic: Mean cosine of each sentence with the nearest one of the other answer.
        verbatim: Share of the shorter answer's words that stand in the other in the same order.
        expected: How many pairs so much alike one would expect in this question by chance.
        passages: What both share, in the order of the left answer.
        reason: One sentence that says what was seen.
        remarks: What else a reader should know: hidden characters, a pooled or rough estimate.
        first: The id of the one that was handed in first, if both times are known.
    """

    left: str
    right: str
    question: str | None
    verdict: str
    score: float
    semantic: float
    verbatim: float
    expected: float
    passages: tuple[Overlap, ...]
    reason: str
    remarks: tuple[str, ...] = ()
    first: str | None = None


@dataclass(frozen=True, slots=True)
class Ring(Record):
    """Authors whose answers are found together in more than one question.

    Attributes:
        authors: Their names, in order.
        questions: The questions of the findings, in order.
        findings: The (left, right) ids of the findings among them.
        expected: How many pairs of authors with findings in so many questions one would expect by
            chance, for the most surprising pair of the ring.
    """

    authors: tuple[str, ...]
    questions: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    expected: float

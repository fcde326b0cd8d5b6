"""What plagiarism finding returns."""

from __future__ import annotations

from dataclasses import dataclass

from searchkit.core.results import Record


@dataclass(frozen=True, slots=True)
class Overlap(Record):
    """A passage of one answer and the passage of another that says the same.

    Attributes:
        left: The start and end offsets in the left answer's text.
        right: The start and end offsets in the right answer's text.
        kind: `verbatim`: the same words; `reworded`: the same meaning.
        score: The cosine of both for `reworded`; 1 for `verbatim`.
    """

    left: tuple[int, int]
    right: tuple[int, int]
    kind: str
    score: float


NO_FINDING = "no finding"  # the verdict on two answers that are no more alike than others


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """Two answers that are more alike than chance explains, with the evidence.

    Attributes:
        left: The id of the first of both answers, in order.
        right: The id of the other answer.
        question: The question that both answer; None if all answers were compared.
        verdict: `identical`, `near copy`, `light revision`, `heavy revision` or `shared source`;
            from `compare` also `NO_FINDING`.
        score: The cosine of the two whole answers.
        semantic: The mean cosine of each sentence with the nearest one of the other answer.
        verbatim: The share of the shorter answer's words that the other has in the same order.
        expected: The number of pairs at least as much alike that are expected in this question by
            chance.
        passages: What both share, in the order of the left answer.
        reason: One sentence that describes the evidence.
        remarks: What else a reader should know: hidden characters, a pooled or rough estimate.
        first: The id of the answer that was handed in first, if both times are known.
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
    """Authors whose answers are findings together in more than one question.

    Attributes:
        authors: Their names, in order.
        questions: The questions of the findings, in order.
        findings: The (left, right) ids of the findings among these authors.
        expected: The number of pairs of authors with findings in so many questions that are
            expected by chance, for the most significant pair of the ring.
    """

    authors: tuple[str, ...]
    questions: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    expected: float

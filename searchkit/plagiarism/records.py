"""What plagiarism finding takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.records import By
from searchkit.core.results import Record
from searchkit.core.where import EVERYTHING, Where

if TYPE_CHECKING:
    from searchkit.index.base import BaseIndex


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


MAX_EXPECTED = 0.05  # the default upper bound of `expected` for a pair to be reported
MAX_SENTENCES = 250_000  # that are embedded; with more, passages are compared in their place
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


@dataclass(frozen=True, slots=True)
class PlagiarismOptions:
    """What is compared, and what counts as a finding.

    Attributes:
        by: `question`: within each question; `all`: over all answers. None: within questions if
            there are any.
        where: A finding has at least one answer that passes this filter; it is judged against all
            answers to its question.
        template: Text that was handed out, and may be in every answer.
        against: An index of earlier answers, made with the same model. They are compared with the
            new ones, but not with each other.
        max_expected: Upper bound of `expected` for a pair to be reported.
        max_common: The number of answers to a question above which a sequence of words that they
            share is no evidence; None: half of the answers, at least 5.
        max_sentences: The number of sentences above which passages are compared in their place.
        reference_was_given: Whether the answers of an author `reference` were handed out, too, so
            that sharing them is no evidence.

    Raises:
        BadInput: if a number is out of range.
    """

    by: By | None = None
    where: Where = EVERYTHING
    template: str = ""
    against: BaseIndex | None = None
    max_expected: float = MAX_EXPECTED
    max_common: int | None = None
    max_sentences: int = MAX_SENTENCES
    reference_was_given: bool = False

    def __post_init__(self) -> None:
        if not self.max_expected >= 0:
            raise BadInput(
                Message("`max_expected` must be 0 or more, not {number}", number=self.max_expected)
            )
        if self.max_common is not None and self.max_common < 2:
            raise BadInput(
                Message("`max_common` must be 2 or more, not {number}", number=self.max_common)
            )

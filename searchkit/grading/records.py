"""What grading returns."""

from __future__ import annotations

from dataclasses import dataclass

from searchkit.clustering.records import Cluster

Mark = float | str  # what a grader gave: a number, or a label


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A graded answer to the same question, as a reason for a suggested mark.

    Attributes:
        id: The answer's id.
        mark: The mark that it has; None for a reference answer, where there is no graded one.
        score: Its cosine with the answer that is to be graded.
    """

    id: str
    mark: Mark | None
    score: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A mark for an answer that has none.

    Attributes:
        id: The answer's id.
        question: The question that it answers.
        suggested: A number on the question's scale, or a label; None where the confidence is below
            the least that was asked for.
        confidence: The probability that a grader would give this mark, or one near it: so often
            were suggestions like it right in cross-validation on the graded answers.
        neighbours: The nearest graded answers to the question, nearest first.
    """

    id: str
    question: str | None
    suggested: Mark | None
    confidence: float
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """Two near-equal answers with different marks.

    Attributes:
        left: The id of one; the first of both in order.
        right: The id of the other.
        question: The question that both answer.
        marks: Of left and of right.
        difference: Of the marks; 1 for different labels.
        score: Cosine of the whole answers, or for programs the share of tokens that both have in
            the same order, if that makes them near-equal.
        steepness: The difference, as a share of the range of marks, over the distance (1 - score).
    """

    left: str
    right: str
    question: str | None
    marks: tuple[Mark, Mark]
    difference: float
    score: float
    steepness: float


@dataclass(frozen=True, slots=True)
class Standout:
    """A mark that stands out from those of like answers.

    Attributes:
        id: The answer's id.
        question: The question that it answers.
        mark: What it has.
        expected: What the other graded answers to the question lead one to expect.
        surprise: How far the number is from that, in usual errors of the question; of a label how
            far below 1 its own estimate is.
        cluster: The usual mark of the answers that say the same, if the mark stands out there, too.
        others: How many graded answers that cluster has beside it.
    """

    id: str
    question: str | None
    mark: Mark
    expected: Mark
    surprise: float
    cluster: Mark | None
    others: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What the mark of one answer would give those that say the same.

    Attributes:
        id: The answer that a person graded.
        question: The question that it answers.
        mark: Its mark.
        cluster: The cluster that it is in.
        given: The ids that have no mark of their own and would get it, nearest to the centre first.
        agree: Those that have a mark already, no further from it than the tolerance.
        differ: Those that have another one: (id, mark).
    """

    id: str
    question: str | None
    mark: Mark
    cluster: Cluster
    given: tuple[str, ...]
    agree: tuple[str, ...]
    differ: tuple[tuple[str, Mark], ...]

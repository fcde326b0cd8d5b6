"""The results of grading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from searchkit.clustering.records import Cluster
from searchkit.core.results import Record

Mark = float | str  # a number, or a label


@dataclass(frozen=True, slots=True)
class Neighbour(Record):
    """A graded answer to the same question: a reason for a suggested mark.

    Attributes:
        id: The answer's id; NAME:ID for an answer of an earlier index.
        mark: The answer's mark; None for a reference answer, which has none.
        score: Cosine with the answer that is to be graded.
    """

    id: str
    mark: Mark | None
    score: float


@dataclass(frozen=True, slots=True)
class Suggestion(Record):
    """A mark for an answer that has none.

    Attributes:
        id: The answer's id.
        question: The question that it answers.
        suggested: A number on the question's scale, or a label; None if the confidence is below
            the minimum asked for.
        confidence: The probability that a grader would give this mark, or one within the
            tolerance, calibrated by leave-one-out on the graded answers.
        neighbours: The nearest graded answers to the question, nearest first.
        low: The lowest number of the range that the grader's mark is in for nine answers in ten;
            None for labels, and where there are too few marks.
        high: The highest number of the range.
        labels: The labels that the grader's is among for nine answers in ten, most probable first;
            None for numbers, and where there are too few marks.
    """

    id: str
    question: str | None
    suggested: Mark | None
    confidence: float
    neighbours: tuple[Neighbour, ...]
    low: float | None = None
    high: float | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Conflict(Record):
    """Two near-equal answers with different marks.

    Attributes:
        left: The id of one answer; the first of both in order.
        right: The id of the other.
        question: The question that both answer.
        marks: The marks of left and right.
        difference: The difference of the marks; 1 for different labels.
        score: Cosine of the whole answers; for programs the share of tokens that both have in the
            same order, if the cosine is below the threshold.
        steepness: The difference as a share of the range of marks, over the distance (1 - score).
    """

    left: str
    right: str
    question: str | None
    marks: tuple[Mark, Mark]
    difference: float
    score: float
    steepness: float

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name, and `kind`, which is `pair`."""
        return {"kind": "pair"} | Record.to_record(self)


@dataclass(frozen=True, slots=True)
class Outlier(Record):
    """A mark that differs from those of similar answers.

    Attributes:
        id: The answer's id.
        question: The question that it answers.
        mark: Its mark.
        expected: The mark that the other graded answers to the question lead to.
        surprise: For numbers the error of `expected`, divided by the question's root mean squared
            error; for labels 1 minus the estimated probability of the answer's own label.
        cluster_mark: The typical mark of the answer's cluster, if the mark differs from that, too.
        others: How many other graded answers the cluster has; 0 without a `cluster_mark`.
    """

    id: str
    question: str | None
    mark: Mark
    expected: Mark
    surprise: float
    cluster_mark: Mark | None
    others: int

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name, and `kind`, which is `mark`."""
        cluster = None
        if self.cluster_mark is not None:
            cluster = {"usual": self.cluster_mark, "others": self.others}
        return {
            "kind": "mark",
            "id": self.id,
            "question": self.question,
            "mark": self.mark,
            "expected": self.expected,
            "surprise": self.surprise,
            "cluster": cluster,
        }


@dataclass(frozen=True, slots=True)
class Propagation(Record):
    """The effect of giving the mark of one answer to its cluster.

    Attributes:
        id: The answer that a person graded.
        question: The question that it answers.
        mark: Its mark.
        cluster: The cluster that it is in.
        recipients: The ids of the answers without a mark, which would get this one; nearest to the
            centre first.
        agreeing: The ids of the answers whose mark is within the tolerance of this one.
        differing: The (id, mark) of the answers with another mark.
    """

    id: str
    question: str | None
    mark: Mark
    cluster: Cluster
    recipients: tuple[str, ...]
    agreeing: tuple[str, ...]
    differing: tuple[tuple[str, Mark], ...]

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name, and the cluster's keywords and size."""
        return {
            "id": self.id,
            "question": self.question,
            "mark": self.mark,
            "keywords": list(self.cluster.keywords),
            "size": self.cluster.size,
            "given": list(self.recipients),
            "agree": list(self.agreeing),
            "differ": [{"id": name, "mark": mark} for name, mark in self.differing],
        }

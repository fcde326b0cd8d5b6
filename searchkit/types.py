"""The records that pass between the parts: frozen, slotted, nothing but data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

By = Literal["question", "all"]  # what is compared with what: within each question, or over all
Mark = float | str  # what a grader gave: a number, or a label

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


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Two texts, and how near their meanings are: what a model is trained on and measured by.

    Attributes:
        sentence_0: One text.
        sentence_1: The other.
        label: The higher, the nearer.
        question: The question that both answer, or None.
    """

    sentence_0: str
    sentence_1: str
    label: float
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """An answer in a cluster.

    Attributes:
        id: The answer's id.
        score: Its cosine with the cluster's centre; 0 among what is in no cluster.
    """

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Answers that say the same.

    Attributes:
        cluster: Its number in its question, from 1, largest first.
        question: The question that they answer; None over all.
        kind: `cluster`; `single`: one answer that is like no other; `noise`: all that the method
            puts into no cluster.
        center: The id of its most typical answer; None for noise.
        keywords: Words that set it apart from the question's other clusters, best first.
        spread: 1 minus the mean score of its members.
        members: Its answers, nearest to the centre first.
    """

    cluster: int
    question: str | None
    kind: str
    center: str | None
    keywords: tuple[str, ...]
    spread: float
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """How many answers it has."""
        return len(self.members)


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


@dataclass(frozen=True, slots=True)
class Overlap:
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
class Finding:
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


Verdict = Literal["confirmed", "dismissed", "open"]  # what a person decided about a finding


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about two answers.

    Attributes:
        number: Counts all decisions of the index; higher is later.
        left: The id of one answer; the first of both in order.
        right: The id of the other.
        decision: `confirmed`, `dismissed`, or `open`: it was taken back.
        reason: In the person's own words; may be empty.
        decided_at: When, in UTC, as ISO 8601.
        is_stale: Whether one of the texts has changed since, so that it has to be decided anew.
    """

    number: int
    left: str
    right: str
    decision: Verdict
    reason: str
    decided_at: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Ring:
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

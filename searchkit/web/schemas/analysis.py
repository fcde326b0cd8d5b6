"""Answers of the REST interface about what is computed: pairs, findings, clusters, grades."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from searchkit.index.records import DecisionStatus
from searchkit.web.schemas.corpus import Record

Mark = float | str

# -- pairs and findings ----------------------------------------------------------------------------


class Pair(Record):
    """Two similar answers."""

    left: str
    right: str
    score: float
    """Cosine of both whole answers."""


class Pairs(Record):
    """Similar pairs."""

    equal: list[list[str]]
    """Groups of answers with the same text; each group counts as one answer in the pairs."""
    pairs: list[Pair]
    """Best first, at most `max_pairs`."""
    total: int
    """Number of all pairs that reach the threshold."""


class Overlap(Record):
    """A passage that two answers share."""

    left: tuple[int, int]
    """Offsets in the left answer's text: first character, and the one after the last."""
    right: tuple[int, int]
    kind: Literal["verbatim", "reworded"]
    score: float
    """Cosine of both passages; 1 for verbatim ones."""


class Finding(Record):
    """Two answers that are more alike than chance explains, with the evidence."""

    left: str
    right: str
    question: str | None
    verdict: str
    score: float
    """Cosine of both whole answers; of programs the share of literals and sequences of tokens."""
    semantic: float | None
    """Mean cosine of each sentence with the nearest one of the other answer; null for programs."""
    verbatim: float
    """Share of the shorter answer's words that the other has in the same order."""
    expected: float | None
    """Number of pairs so much alike that chance produces in this question; null where that can't be
    judged, which a remark gives the reason of."""
    passages: list[Overlap]
    reason: str
    remarks: list[str]
    first: str | None
    """The id of the answer that was handed in first, if both times are known."""
    q_value: float | None
    """Share of findings by chance to be expected among this one and those listed before it; null
    where chance can't be judged, and for a comparison."""
    decision: DecisionStatus


class ComparedPair(Finding):
    """A comparison of any two answers; the verdict may be `no finding`."""

    pairs: int | None
    """Number of pairs of the question, to which `expected` refers."""


class Ring(Record):
    """Authors whose answers are found together in several questions."""

    authors: list[str]
    questions: list[str]
    findings: list[tuple[str, str]]
    """Ids of the answers of each finding."""
    expected: float | None
    """Number of pairs of authors found together so often that chance produces; null where that
    can't be judged."""
    reason: str
    sources: list[str]
    """Ids of answers by others with which several of them are found."""


class EqualGroup(Record):
    """Answers by different authors to one question with the same words, to be looked at."""

    question: str | None
    answers: list[str]
    """Their ids, one for each author."""
    authors: list[str | None]
    words: int
    """Number of words that are no boilerplate, 8 or more."""
    nats: float | None
    """Information of the words, in nats; null if it is unknown."""
    share: float
    """Share of the question's authors who wrote these words."""
    is_common: bool
    """Whether at least a tenth of the authors, and three, wrote them."""
    findings: list[tuple[str, str]]
    """Ids of the pairs among them that are findings, too."""
    reason: str
    remarks: list[str]


class SourceFinding(Record):
    """An answer that is nearer to a known source than chance explains, with the evidence."""

    answer: str
    source: str
    """Name of the source's file, or the id of its row."""
    author: str | None
    question: str | None
    verdict: str
    verbatim: float
    expected: float | None
    """Number of pairs of an answer and a source, at least as near, that chance produces; null where
    that can't be judged."""
    passages: list[Overlap]
    """The answer's on the left, the source's on the right."""
    reason: str
    remarks: list[str]
    q_value: float | None
    language: str | None
    """Of the source, by its code; `und` if it can't be told."""


class SourceGroup(Record):
    """Several students whose answers are found with one known source."""

    source: str
    answers: list[str]
    """Their ids, the strongest finding first."""
    authors: list[str | None]
    questions: list[str]
    expected: float | None
    reason: str


class Findings(Record):
    """Findings, least expected first, those that chance can't judge, groups, equal answers."""

    findings: list[Finding]
    rings: list[Ring]
    by_chance: float
    """Number of findings to be expected if nobody copied; with `fdr` the highest number of those in
    this list."""
    equal: list[EqualGroup]
    sources: list[SourceFinding]
    """Empty here: known sources are given to the commands and in Python."""
    source_groups: list[SourceGroup]
    across: str
    """One line on the pairs of answers in two languages; empty if there are none."""


class Decision(Record):
    """A decision about two answers."""

    number: int
    """Counts all decisions of the index."""
    left: str
    right: str
    decision: DecisionStatus
    reason: str
    """A person's note; may be empty."""
    decided_at: str
    """In UTC, as ISO 8601."""
    is_stale: bool
    """Whether one of the texts has changed since, so that the pair is open again."""
    left_sha: str | None
    """SHA-256 of the text that was decided about, in hex; null if it isn't known."""
    right_sha: str | None
    """The same of the other text."""


class Decisions(Record):
    """The last decision about each pair, oldest first."""

    decisions: list[Decision]


class PairOfAnswers(Record):
    """The ids of two answers."""

    left: str
    right: str


class TakenBack(Record):
    """The pair whose decision was taken back; null if there was none."""

    taken_back: PairOfAnswers | None


# -- clusters and grades ---------------------------------------------------------------------------


class ClusterMember(Record):
    """An answer in a cluster, and its cosine with the cluster's centre."""

    id: str
    score: float


class Cluster(Record):
    """Answers that say the same."""

    cluster: int
    """Its number within its question, from 1, the largest first."""
    question: str | None
    kind: Literal["cluster", "single", "noise"]
    size: int
    keywords: list[str]
    center: str | None
    """The id of the most typical answer; null for noise."""
    spread: float
    """1 minus the mean score of the members."""
    members: list[ClusterMember]
    """Nearest to the centre first."""


class Clusters(Record):
    """All clusters, and how many answers they are made of."""

    clusters: list[Cluster]
    answers: int
    blank: int
    """Number of answers left out because they have no text."""


class MapPoint(Record):
    """An answer on the map."""

    id: str
    author: str | None
    text: str
    """The beginning of the text."""
    columns: dict[str, str]
    """The columns of its file with short values, by which the map can be coloured."""
    x: float
    y: float
    cluster: str
    """Name of its cluster; empty if it is in none."""


class Map(Record):
    """The answers as points on a plane."""

    points: list[MapPoint]


class Neighbour(Record):
    """A graded answer on which a suggestion rests; null: a reference answer without a mark."""

    id: str
    mark: Mark | None
    score: float


class Suggestion(Record):
    """A mark suggested for an answer; null where the confidence is too low."""

    id: str
    question: str | None
    suggested: Mark | None
    confidence: float
    """Probability that a grader would give this mark, or one within the tolerance."""
    neighbours: list[Neighbour]
    low: float | None
    """The grader's number is from this one to `high` for nine answers in ten; null: unknown."""
    high: float | None
    labels: list[str] | None
    """The grader's label is one of these for nine answers in ten; null: unknown, or numbers."""


class Suggestions(Record):
    """Suggested marks, and what they were learned from, in sentences."""

    suggestions: list[Suggestion]
    said: list[str]


class GradingMethod(Record):
    """The method that did best in cross-validation."""

    name: str
    size: float
    """Strength of the regularisation, or number of neighbours."""
    shared: bool
    """Whether it corrects a model of all questions."""


class Coverage(Record):
    """What remains at a confidence: the share of answers, and the share of right ones of these."""

    confidence: float
    answers: float
    right: float | None


class Trial(Record):
    """A cross-validation in which answers, or whole questions, were held out."""

    unseen: Literal["answers", "questions"]
    answers: int
    questions: int
    scores: dict[str, dict[str, float | None]]
    """Figures of the suggestions and of each baseline, by its name."""
    coverage: list[Coverage]
    calibration_error: float | None
    """Mean difference between the confidence and the share of right suggestions."""


class ItemAccuracy(Record):
    """How often the suggested tick of an item of a rubric is right, on held-out answers."""

    question: str | None
    item: str
    column: str
    """Column with the item's ticks."""
    answers: int
    """Number of answers that the item was decided about."""
    accuracy: float | None
    """Null if these are too few, or all alike."""
    majority: float | None
    """The same for the more frequent tick."""


class Evaluation(Record):
    """How well suggested marks agree with the given ones."""

    column: str
    kind: Literal["numbers", "labels"]
    graded: int
    tolerance: float
    method: GradingMethod | None
    trials: list[Trial]
    rubric: list[ItemAccuracy]


class InconsistentPair(Record):
    """Two similar answers with different marks."""

    kind: Literal["pair"]
    left: str
    right: str
    question: str | None
    marks: tuple[Mark, Mark]
    difference: float
    score: float
    """Similarity of both answers."""
    steepness: float
    """Difference, as a share of the range of marks, divided by the distance 1 - score."""


class ClusterMarks(Record):
    """The usual mark of an answer's cluster, and the number of its other answers."""

    usual: Mark
    others: int


class OutlyingMark(Record):
    """A mark that differs from what similar answers have."""

    kind: Literal["mark"]
    id: str
    question: str | None
    mark: Mark
    expected: Mark
    """The mark that the other graded answers predict."""
    surprise: float
    cluster: ClusterMarks | None


class Audit(Record):
    """Inconsistent marks: pairs first, then single marks, each the worst first."""

    found: list[Annotated[InconsistentPair | OutlyingMark, Field(discriminator="kind")]]


# -- progress --------------------------------------------------------------------------------------


class JobProgress(Record):
    """How far a computation is."""

    id: str
    """Another one than before means that it is computed anew."""
    state: Literal["running", "done", "failed"]
    done: int
    """Number of steps that are done."""
    total: int
    """Number of all steps; 0: unknown."""
    seconds_left: float | None
    """How long it may still take; null: unknown."""
    findings: int | None
    """Number of findings so far; null: it looks for none."""
    text: str
    """All that in words."""
    error: str | None
    """Why it failed."""

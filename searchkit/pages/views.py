"""Views: the package's records as the templates draw them; pure functions, all places worked out.

A text comes as segments: stretches between the borders of what is marked in it, each of pieces.
What a reader wouldn't see, or would take for something else, is a piece of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from searchkit.clustering.records import Cluster
from searchkit.core.records import Answer
from searchkit.core.wording import counted
from searchkit.index.records import Decision
from searchkit.output.findings import by_chance, in_short
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import (
    Mark,
    Name,
    Piece,
    Segment,
    answer_name,
    author_name,
    overlap_marks,
    pieces,
    segments,
)
from searchkit.plagiarism.records import NO_FINDING, Finding

TONES = {
    "identical": "bad",
    "near copy": "bad",
    "light revision": "warn",
    "heavy revision": "info",
    "shared source": "",
    NO_FINDING: "",
}


# -- findings --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SideView:
    """One answer of two.

    Attributes:
        answer: Its id.
        author: Who wrote it, if known.
        time: When it was handed in, as the source wrote it; or nothing.
        segments: Its text.
        is_first: Whether it was handed in before the other.
    """

    answer: Name
    author: Name | None
    time: str
    segments: list[Segment]
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as it is drawn.

    Attributes:
        number: Among all findings, from 1, the most surprising first.
        anchor: Its name in the page.
        question: The question of both answers, or nothing.
        verdict: As in the finding.
        tone: The verdict's badge.
        surprise: `expected` as a number.
        chance: `expected` in words.
        score: Cosine of the whole answers.
        semantic: Sentence by sentence.
        verbatim: Share of the shorter answer's words.
        reason: What was seen, as pieces.
        remarks: What else a reader should know, each as pieces.
        first: Which was handed in first, in words.
        left: One answer.
        right: The other.
        decision: `open`, `confirmed` or `dismissed`.
        decided: Whether somebody decided.
        decided_at: When.
        decided_because: The reason.
        decided_number: The decision's number, to take it back by; 0 if there is none.
    """

    number: int
    anchor: str
    question: str
    verdict: str
    tone: str
    surprise: str
    chance: str
    score: float
    semantic: float
    verbatim: float
    reason: tuple[Piece, ...]
    remarks: list[tuple[Piece, ...]]
    first: tuple[Piece, ...]
    left: SideView
    right: SideView
    decision: str
    decided: bool
    decided_at: str
    decided_because: tuple[Piece, ...]
    decided_number: int


def finding_view(
    finding: Finding,
    left: Answer,
    right: Answer,
    *,
    number: int = 1,
    pairs: int | None = None,
    decision: Decision | None = None,
    names: Pseudonyms | None = None,
) -> FindingView:
    """Return a finding, or what `compare` says of two answers, as it is drawn.

    Args:
        finding: The finding.
        left: Its left answer.
        right: Its right answer.
        number: Its number in the page, from 1; 0: it stands alone and has none.
        pairs: How many pairs the question has, if it is to be said.
        decision: What was decided, if it still counts.
        names: Who is called what where names are hidden.
    """
    anchor = f"finding-{number}"
    decided = decision is not None and decision.decision != "open"
    first = f"{finding.first} was handed in first; that does not say who copied."
    return FindingView(
        number=number,
        anchor=anchor,
        question=finding.question or "",
        verdict=finding.verdict,
        tone=TONES.get(finding.verdict, ""),
        surprise=in_short(finding.expected),
        chance=by_chance(finding.expected, pairs),
        score=finding.score,
        semantic=finding.semantic,
        verbatim=finding.verbatim,
        reason=pieces(finding.reason, names),
        remarks=[pieces(remark, names) for remark in finding.remarks],
        first=pieces(first, names) if finding.first else (),
        left=_side(left, overlap_marks(finding.passages, "left", anchor), finding, names),
        right=_side(right, overlap_marks(finding.passages, "right", anchor), finding, names),
        decision=decision.decision if decision and decided else "open",
        decided=decided,
        decided_at=decision.decided_at if decision and decided else "",
        decided_because=pieces(decision.reason, names) if decision and decided else (),
        decided_number=decision.number if decision and decided else 0,
    )


def side_view(
    answer: Answer, marks: Sequence[Mark] = (), names: Pseudonyms | None = None
) -> SideView:
    """Return an answer as it is drawn."""
    return SideView(
        answer=answer_name(answer.id, names),
        author=author_name(answer.author, names) if answer.author else None,
        time=answer.submitted_at or "",
        segments=segments(answer.text, marks, names),
    )


def _side(
    answer: Answer, marks: list[Mark], finding: Finding, names: Pseudonyms | None
) -> SideView:
    side = side_view(answer, marks, names)
    is_first = finding.first == answer.id
    return SideView(side.answer, side.author, side.time, side.segments, is_first)


# -- clusters --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a cluster, and its score with the centre."""

    answer: Name
    score: float


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster with its centre, and all of its members, nearest to the centre first."""

    number: int
    anchor: str
    question: str
    kind: str
    heading: str
    size: int
    spread: float
    keywords: list[str]
    center: SideView | None
    members: list[MemberView]


def cluster_view(
    cluster: Cluster,
    center: Answer | None,
    *,
    anchor: str = "",
    names: Pseudonyms | None = None,
) -> ClusterView:
    """Return a cluster as it is drawn.

    Args:
        cluster: The cluster.
        center: Its most typical answer; None for noise.
        anchor: Its name in the page, if it has one.
        names: Who is called what where names are hidden.
    """
    size = counted(cluster.size, "answer")
    heading = {"single": "Alone", "noise": f"{size} in no cluster"}.get(cluster.kind, size)
    keywords = list(cluster.keywords)
    if names and names.replace:
        keywords = [word for word in keywords if not names.mentions(f"{word} {word.capitalize()}")]
    return ClusterView(
        number=cluster.cluster,
        anchor=anchor,
        question=cluster.question or "",
        kind=cluster.kind,
        heading=heading,
        size=cluster.size,
        spread=cluster.spread,
        keywords=keywords,
        center=side_view(center, (), names) if center else None,
        members=[MemberView(answer_name(m.id, names), m.score) for m in cluster.members],
    )

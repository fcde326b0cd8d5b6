"""Views: the package's records as the templates draw them; pure functions, all places worked out.

A text comes as segments: stretches between the borders of what is marked in it, each of pieces.
What a reader wouldn't see, or would take for something else, is a piece of its own.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from searchkit.distribution import BINS
from searchkit.evidence import counted
from searchkit.findings import by_chance, in_short
from searchkit.folding import fold
from searchkit.pseudonyms import Pseudonyms
from searchkit.types import NO_FINDING, Answer, Cluster, Decision, Finding, Hit, Overlap, Ring

TONES = {"identical": "bad", "near copy": "bad", "light revision": "warn",
         "heavy revision": "info", "shared source": "", NO_FINDING: ""}  # fmt: skip
LABEL = 14  # letters of a name in a drawing
EDGE = 12  # letters on a line of a drawing

# What acts or isn't seen: control and bidi characters, lone surrogates, zero-width ones, fillers
# and tags; not the joiners, of which emoji and some scripts are made.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


# -- names and texts -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """Who or what is meant: `alias` stands there when names are hidden, if it isn't empty."""

    text: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is shown in one way.

    Attributes:
        text: What is shown.
        kind: `sign`: a character spelled out; `name`: of an author or answer; or nothing.
        alias: What stands there when names are hidden.
    """

    text: str
    kind: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A passage that is marked in a text.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last.
        kind: `verbatim`, `reworded` or `hit`.
        number: The same on both sides, from 1; 0: it has none, and no brackets.
        anchor: Its name in the page.
        target: The name of the passage on the other side.
        title: What it is, in words.
    """

    start: int
    end: int
    kind: str
    number: int = 0
    anchor: str = ""
    target: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text between two borders.

    Attributes:
        pieces: Its text.
        kind: How it is marked: `verbatim` before `reworded`; or nothing.
        opens: The marks that begin before it, the outermost first.
        closes: The marks that end after it, the innermost first.
    """

    pieces: tuple[Piece, ...]
    kind: str = ""
    opens: tuple[Mark, ...] = ()
    closes: tuple[Mark, ...] = ()


def author_name(name: str, names: Pseudonyms | None = None) -> Name:
    """Give an author as a page shows one."""
    if names is None:
        return Name(name)
    alias = names.author(name)
    return Name(alias) if names.replace else Name(name, alias)


def answer_name(name: str, names: Pseudonyms | None = None) -> Name:
    """Give an answer's id as a page shows it."""
    if names is None:
        return Name(name)
    alias = names.answer(name)
    return Name(alias) if names.replace else Name(name, alias)


def pieces(text: str, names: Pseudonyms | None = None) -> tuple[Piece, ...]:
    """Give what searchkit says, with the answers and authors in it as names."""
    mentions = names.mentions_by_us(text) if names else []
    shown = [(m.start, m.end, _name_piece(text[m.start : m.end], m.alias, names)) for m in mentions]
    return tuple(_within(text, 0, len(text), _with_signs(text, shown)))


def segments(
    text: str, marks: Sequence[Mark] = (), names: Pseudonyms | None = None
) -> list[Segment]:
    """Cut a text at the borders of its marks, which may lie in each other or overlap.

    Args:
        text: Of an answer.
        marks: Within it; empty ones are left out.
        names: Whose mentions are shown as names, or replaced.
    """
    marks = [mark for mark in marks if mark.start < mark.end]
    mentions = names.mentions(text) if names else []
    shown = [(m.start, m.end, _name_piece(text[m.start : m.end], m.alias, names)) for m in mentions]
    special = _with_signs(text, shown)
    borders = sorted({0, len(text), *(at for mark in marks for at in (mark.start, mark.end))})
    found = []
    for start, end in pairwise(borders):
        kinds = {mark.kind for mark in marks if mark.start <= start and end <= mark.end}
        opens = [mark for mark in marks if mark.start == start]
        closes = [mark for mark in marks if mark.end == end]
        found.append(
            Segment(
                pieces=tuple(_within(text, start, end, special)),
                kind=next((k for k in ("hit", "verbatim", "reworded") if k in kinds), ""),
                opens=tuple(sorted(opens, key=lambda mark: (-mark.end, mark.number))),
                closes=tuple(sorted(closes, key=lambda mark: (-mark.start, -mark.number))),
            )
        )
    return found


def hit_segments(hit: Hit, names: Pseudonyms | None = None) -> list[Segment]:
    """Cut a hit's text at its passage; nothing is marked if that is the whole text."""
    text, passage = hit.answer.text, hit.passage
    whole = not text[: passage.start].strip() and not text[passage.end :].strip()
    marks = () if whole else (Mark(passage.start, passage.end, "hit"),)
    return segments(text, marks, names)


def overlap_marks(passages: Sequence[Overlap], side: str, anchor: str) -> list[Mark]:
    """Give the marks of one side, numbered as `compare` numbers them.

    Args:
        passages: What both share.
        side: `left` or `right`.
        anchor: What all names of the pair begin with.
    """
    other = "right" if side == "left" else "left"
    return [
        Mark(
            *(passage.left if side == "left" else passage.right),
            kind=passage.kind,
            number=number,
            anchor=f"{anchor}-{side}-{number}",
            target=f"{anchor}-{other}-{number}",
            title=_what_is_shared(number, passage),
        )
        for number, passage in enumerate(passages, 1)
    ]


def _what_is_shared(number: int, passage: Overlap) -> str:
    if passage.kind == "verbatim":
        return f"passage {number}: the same words; to the other answer"
    return f"passage {number}: the same in other words (cosine {passage.score:.2f}); to the other"


Special = list[tuple[int, int, Piece]]


def _name_piece(said: str, alias: str, names: Pseudonyms | None) -> Piece:
    return Piece(alias, "name") if names and names.replace else Piece(said, "name", alias)


def _with_signs(text: str, shown: Special) -> Special:
    """Add the characters that have to be spelled out, where no name stands."""
    places = {match.start() for match in _UNSEEN.finditer(text)} | set(fold(text).hidden)
    taken = {at for start, end, _ in shown for at in range(start, end)}
    signs = [(at, at + 1, Piece(_sign(text[at]), "sign")) for at in places - taken]
    return sorted([*shown, *signs], key=lambda one: one[0])


def _sign(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return (
        code if _UNSEEN.match(character) or not character.isprintable() else f"{character} {code}"
    )


def _within(text: str, start: int, end: int, special: Special) -> Iterable[Piece]:
    """Give the pieces of a stretch; a name that a border cuts has its alias before the cut."""
    at = start
    for begin, after, piece in special:
        if after <= start or begin >= end:
            continue
        if at < begin:
            yield Piece(_plain(text[at:begin]))
        if start <= begin and after <= end:
            yield piece
        elif not piece.alias:
            if start <= begin:
                yield piece
        else:
            part = text[max(start, begin) : min(end, after)]
            yield Piece(part, piece.kind, piece.alias if start <= begin else "")
        at = min(end, after)
    if at < end:
        yield Piece(_plain(text[at:end]))


def _plain(text: str) -> str:
    """Give text with line ends as a page has them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    """Give a finding, or what `compare` says of two answers, as it is drawn.

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
    """Give an answer as it is drawn."""
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


# -- the scores of a question ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its place, and what it says."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A finding on the scale: its place, where it leads, and what it says."""

    x: float
    y: float
    target: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class HistogramView:
    """How many pairs have which score, with the findings above; in units of the drawing."""

    width: int
    height: int
    left: float
    right: float
    base: float
    bars: list[Bar]
    dots: list[Dot]
    ticks: list[Tick]
    title: str
    note: str


WIDTH, HEIGHT, TOP, ROW = 400, 150, 26, 9  # of a histogram; rows of dots are so high


def histogram(
    counts: Sequence[int], findings: Sequence[FindingView] = (), note: str = ""
) -> HistogramView:
    """Draw how many pairs of a question have which cosine, and where its findings are.

    Args:
        counts: `BINS` of them, of scores from -1 to 1.
        findings: Those of the question.
        note: What else has to be said.
    """
    total = sum(counts)
    scores = [finding.score for finding in findings]
    lowest = next((n for n, count in enumerate(counts) if count), BINS // 2)
    lowest = min([lowest, *(int((score + 1) * BINS / 2) for score in scores)])
    lowest = max(0, min(lowest, BINS - 20) // 5 * 5)
    left, right, base = 12.0, WIDTH - 12.0, HEIGHT - 20.0
    step = (right - left) / (BINS - lowest)
    dots = _dots(findings, lowest, left, right)
    top = max([float(TOP), *(dot.y + ROW for dot in dots)])
    most = max([1, *counts])
    bars = []
    for n in range(lowest, BINS):
        if not counts[n]:
            continue
        height = max(1.0, (base - top) * counts[n] / most)
        low, high = (round(2 * k / BINS - 1, 2) for k in (n, n + 1))
        bars.append(
            Bar(
                round(left + (n - lowest) * step, 1), round(base - height, 1),
                round(step * 0.9, 1), round(height, 1),
                f"{low:.2f} to {high:.2f}: {counted(counts[n], 'pair')}",
            )
        )  # fmt: skip
    every = 10 if BINS - lowest > 30 else 5
    ticks = [
        Tick(round(left + (n - lowest) * step, 1), f"{2 * n / BINS - 1:.1f}")
        for n in range(lowest, BINS + 1)
        if n % every == 0
    ]
    return HistogramView(
        WIDTH,
        HEIGHT,
        left,
        right,
        base,
        bars,
        dots,
        ticks,
        _in_words(counts, total, findings),
        note,
    )


def _dots(findings: Sequence[FindingView], lowest: int, left: float, right: float) -> list[Dot]:
    """Place each finding above its score, those that would touch under each other."""
    dots: list[Dot] = []
    ends: list[float] = []  # of each row, from the top
    low = 2 * lowest / BINS - 1
    for finding in sorted(findings, key=lambda f: (f.score, f.number)):
        x = left + (right - left) * (min(1.0, finding.score) - low) / (1 - low)
        row = next((n for n, end in enumerate(ends) if x - end >= ROW), len(ends))
        if row == 6:  # a heap of them: the rest share the last row
            row = 5
        ends[row : row + 1] = [x]
        label = f"finding {finding.number}: {finding.verdict}, score {finding.score:.2f}"
        y = 6.0 + ROW * row
        dots.append(Dot(round(x, 1), y, finding.anchor, label, finding.decision))
    return dots


def _in_words(counts: Sequence[int], total: int, findings: Sequence[FindingView]) -> str:
    if not total:
        return "No two answers to compare."
    reached, below = 0, 0
    for n, count in enumerate(counts):
        reached += count
        if reached >= total / 2:
            below = n
            break
    middle = 2 * below / BINS - 1
    found = counted(len(findings), "finding") if findings else "no finding"
    return (
        f"Scores (cosines of whole answers) of {counted(total, 'pair')}, half of them below "
        f"{middle + 2 / BINS:.2f}; {found}, a dot each."
    )


# -- rings -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """An author on the circle."""

    name: Name
    short: str
    x: float
    y: float
    text_x: float
    text_y: float
    text_anchor: str


@dataclass(frozen=True, slots=True)
class Link:
    """A finding of two authors: its question, and where it stands."""

    question: str
    target: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Two authors who were found together: the line, what it says, and their findings."""

    one: Name
    other: Name
    x1: float
    y1: float
    x2: float
    y2: float
    x: float
    y: float
    half: float
    label: str
    thickness: float
    links: list[Link]


@dataclass(frozen=True, slots=True)
class RingView:
    """A ring as a graph; in units of the drawing."""

    number: int
    anchor: str
    authors: list[Name]
    words: str
    title: str
    width: int
    height: int
    nodes: list[Node]
    edges: list[Edge]


def ring_view(
    ring: Ring,
    answers: Mapping[str, Answer],
    *,
    number: int = 1,
    anchors: Mapping[tuple[str, str], str] | None = None,
    names: Pseudonyms | None = None,
) -> RingView:
    """Draw a ring: its authors on a circle in order, a line for each two found together.

    Args:
        ring: The ring.
        answers: Of its findings, by their ids.
        number: Its number in the page.
        anchors: Where each finding stands in the page, by (left, right).
        names: Who is called what where names are hidden.
    """
    anchors = anchors or {}
    together: dict[tuple[str, str], list[Link]] = defaultdict(list)
    for pair in ring.findings:
        one, other = sorted((answers[name].author or "") for name in pair)
        link = Link(answers[pair[0]].question or "(no question)", anchors.get(pair, ""))
        together[one, other].append(link)
    radius = 78 if len(ring.authors) < 8 else min(180, 10 * len(ring.authors))
    width = 2 * radius + 200
    height = 2 * radius + 56 if len(ring.authors) > 2 else 64
    nodes = {
        author: _node(author, n, len(ring.authors), (width / 2, height / 2), radius, names)
        for n, author in enumerate(ring.authors)
    }
    many = len(together) > 10
    edges = [
        _edge(nodes[one], nodes[other], links, n, labelled=not many)
        for n, ((one, other), links) in enumerate(sorted(together.items()))
    ]
    couples = counted(len(together), "pair") + " of authors"
    return RingView(
        number=number,
        anchor=f"ring-{number}",
        authors=[author_name(author, names) for author in ring.authors],
        words=(
            f"{counted(len(ring.findings), 'finding')} among {len(ring.authors):,} authors, in "
            f"{counted(len(ring.questions), 'question')}. {_ring_by_chance(ring.expected)}"
        ),
        title=f"A graph of {len(ring.authors):,} authors; {couples} were found together.",
        width=width,
        height=height,
        nodes=list(nodes.values()),
        edges=edges,
    )


def _ring_by_chance(expected: float) -> str:
    if expected < 1e-6:
        return "By chance, not one such pair of authors comes up in a million courses like this."
    if expected >= 1:
        return f"By chance, {expected:,.0f} such pairs of authors come up in a course like this."
    return f"By chance, one such pair of authors comes up in {1 / expected:,.0f} courses like this."


def _node(
    author: str, at: int, count: int, center: tuple[float, float], radius: float,
    names: Pseudonyms | None,
) -> Node:  # fmt: skip
    angle = 2 * math.pi * at / count - (math.pi if count == 2 else math.pi / 2)
    across, down = math.cos(angle), math.sin(angle)
    x, y = center[0] + radius * across, center[1] + radius * down
    beside = abs(across) > 0.25
    name = author_name(author, names)
    short = name.text if len(name.text) <= LABEL else name.text[: LABEL - 1] + "…"
    return Node(
        name, short, round(x, 1), round(y, 1), round(x + 14 * across, 1),
        round(y + 4 + (0 if beside else 15 * down), 1),
        ("start" if across > 0 else "end") if beside else "middle",
    )  # fmt: skip


def _edge(one: Node, other: Node, links: list[Link], number: int, *, labelled: bool) -> Edge:
    questions = list(dict.fromkeys(link.question for link in links))
    label = ", ".join(questions)
    if len(label) > EDGE:
        label = counted(len(questions), "question")
    label = label if labelled else ""
    along = (0.4, 0.6)[number % 2]  # so that two labels at one height don't touch
    return Edge(
        one.name, other.name, one.x, one.y, other.x, other.y,
        round(one.x + along * (other.x - one.x), 1), round(one.y + along * (other.y - one.y), 1),
        round(3.4 * len(label) + 5, 1), label, min(6.0, 1.0 + len(questions)), links,
    )  # fmt: skip


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
    """Give a cluster as it is drawn.

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

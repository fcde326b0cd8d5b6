"""Drawings as coordinates: histograms of scores, and rings as graphs of authors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from searchkit.core.identity import author_key
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.output.plagiarism.chance import ring_expected_in_words
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.scores import BINS
from searchkit.pages.segments import Name, author_name, question_name
from searchkit.pages.views import FindingView
from searchkit.plagiarism.records import Ring

MAX_NODE_LABEL = 14  # characters of an author's name
MAX_EDGE_LABEL = 12  # characters on a line between two authors
MAX_DOT_ROWS = 6


# -- the scores of a question ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram, and the text of its tooltip."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A finding above its score: its position, the anchor that it links to, and its label."""

    x: float
    y: float
    target: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below the axis of a histogram."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class HistogramView:
    """The number of pairs by score, with a dot for each finding; in units of the drawing."""

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


WIDTH, HEIGHT = 400, 150  # of a histogram
MIN_TOP = 26  # least space above the bars
ROW_HEIGHT = 9  # of a row of dots, and their least distance


def histogram(
    counts: Sequence[int], findings: Sequence[FindingView] = (), note: str = ""
) -> HistogramView:
    """Return the histogram of a question's scores, with its findings.

    Args:
        counts: `BINS` numbers of pairs, for scores from -1 to 1.
        findings: The findings of the question.
        note: A sentence to add to the caption.
    """
    lowest = _lowest_bin(counts, findings)
    left, right, base = 12.0, WIDTH - 12.0, HEIGHT - 20.0
    step = (right - left) / (BINS - lowest)
    dots = _dots(findings, lowest, left, right)
    top = max([float(MIN_TOP), *(dot.y + ROW_HEIGHT for dot in dots)])
    most = max([1, *counts])
    bars = [
        _bar(n, counts[n], left + (n - lowest) * step, base, step, (base - top) * counts[n] / most)
        for n in range(lowest, BINS)
        if counts[n]
    ]
    interval = 10 if BINS - lowest > 30 else 5
    ticks = [
        Tick(round(left + (n - lowest) * step, 1), f"{2 * n / BINS - 1:.1f}")
        for n in range(lowest, BINS + 1)
        if n % interval == 0
    ]
    title = _in_words(counts, sum(counts), findings)
    return HistogramView(WIDTH, HEIGHT, left, right, base, bars, dots, ticks, title, note)


def _lowest_bin(counts: Sequence[int], findings: Sequence[FindingView]) -> int:
    """Return the first bin to display: a multiple of 5 that leaves at least 20 bins."""
    first = next((n for n, count in enumerate(counts) if count), BINS // 2)
    lowest = min([first, *(int((finding.score + 1) * BINS / 2) for finding in findings)])
    return max(0, min(lowest, BINS - 20) // 5 * 5)


def _bar(n: int, count: int, x: float, base: float, step: float, height: float) -> Bar:
    height = max(1.0, height)  # so that a single pair is visible
    low, high = (round(2 * k / BINS - 1, 2) for k in (n, n + 1))
    return Bar(
        round(x, 1),
        round(base - height, 1),
        round(step * 0.9, 1),
        round(height, 1),
        f"{low:.2f} to {high:.2f}: {counted(count, 'pair')}",
    )


def _dots(findings: Sequence[FindingView], lowest: int, left: float, right: float) -> list[Dot]:
    """Place each finding above its score, in another row where dots would touch."""
    dots: list[Dot] = []
    ends: list[float] = []  # x of the last dot of each row, from the top
    low = 2 * lowest / BINS - 1
    for finding in sorted(findings, key=lambda f: (f.score, f.number)):
        x = left + (right - left) * (min(1.0, finding.score) - low) / (1 - low)
        row = next((n for n, end in enumerate(ends) if x - end >= ROW_HEIGHT), len(ends))
        row = min(row, MAX_DOT_ROWS - 1)  # where there are very many, they share the last row
        ends[row : row + 1] = [x]
        label = f"finding {finding.number}: {finding.verdict}, similarity {finding.score:.2f}"
        y = 6.0 + ROW_HEIGHT * row
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
        f"Similarity of the whole answers of {counted(total, 'pair')}, half of them below "
        f"{middle + 2 / BINS:.2f}; {found}, a dot each."
    )


MAX_LABELLED = 3  # authors of a ring whose lines have labels; with more, these lie on each other


# -- rings -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """An author on the circle, with the position and alignment of the label."""

    name: Name
    short: str
    x: float
    y: float
    text_x: float
    text_y: float
    text_anchor: str


@dataclass(frozen=True, slots=True)
class Link:
    """A finding of two authors: its question, and the anchor of its element."""

    question: Name
    target: str


@dataclass(frozen=True, slots=True)
class Edge:
    """The line between two authors who were found together, its label, and their findings."""

    one: Name
    other: Name
    x1: float
    y1: float
    x2: float
    y2: float
    x: float
    y: float
    half: float
    label: Name
    thickness: float
    links: list[Link]


@dataclass(frozen=True, slots=True)
class RingView:
    """A ring as a graph, in units of the drawing."""

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
    """Return a ring as a graph: its authors on a circle, linked where they were found together.

    Args:
        ring: The ring.
        answers: The answers of its findings, by id.
        number: The number of the ring in the page.
        anchors: The anchor of each finding in the page, by its (left, right) ids.
        names: Pseudonyms, if names can be hidden.
    """
    anchors = anchors or {}
    together: dict[tuple[str, str], list[Link]] = defaultdict(list)
    for one, other, pair in _edges(ring, answers):
        question = question_name(answers[pair[0]].question or "(no question)", names)
        together[one, other].append(Link(question, anchors.get(pair, "")))
    radius = 78 if len(ring.authors) < 8 else min(180, 10 * len(ring.authors))
    width = 2 * radius + 200
    height = 2 * radius + 56 if len(ring.authors) > 2 else 64
    nodes = {
        author: _node(author, n, len(ring.authors), (width / 2, height / 2), radius, names)
        for n, author in enumerate(ring.authors)
    }
    many = len(ring.authors) > MAX_LABELLED
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
            f"{counted(len(ring.findings), 'finding')} among {len(ring.authors):,} authors"
            f"{_and_sources(ring)}, in {counted(len(ring.questions), 'question')}. "
            f"{ring_expected_in_words(ring.expected)}"
        ),
        title=f"A graph of {len(ring.authors):,} authors; {couples} were found together.",
        width=width,
        height=height,
        nodes=list(nodes.values()),
        edges=edges,
    )


def _and_sources(ring: Ring) -> str:
    return f" and with {counted(len(ring.sources), 'shared source')}" if ring.sources else ""


def _edges(ring: Ring, answers: Mapping[str, Answer]) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Yield two authors of a ring and the finding by which they are together, for each finding.

    Authors who share a source are together by the finding of the first of them.
    """
    spelling = {author_key(author): author for author in ring.authors}
    with_source: dict[str, list[tuple[str, tuple[str, str]]]] = defaultdict(list)
    for pair in ring.findings:
        if not set(pair) & set(ring.sources):
            one, other = sorted(spelling[answers[id_].author_key] for id_ in pair)
            yield one, other, pair
        for source, id_ in (pair, pair[::-1]):
            if source in ring.sources:
                with_source[source].append((spelling[answers[id_].author_key], pair))
    for found in with_source.values():
        for (one, pair), (other, _) in combinations(sorted(found), 2):
            if one != other:
                yield one, other, pair


def _node(
    author: str,
    at: int,
    count: int,
    center: tuple[float, float],
    radius: float,
    names: Pseudonyms | None,
) -> Node:
    angle = 2 * math.pi * at / count - (math.pi if count == 2 else math.pi / 2)
    across, down = math.cos(angle), math.sin(angle)
    x, y = center[0] + radius * across, center[1] + radius * down
    beside = abs(across) > 0.25
    name = author_name(author, names)
    short = name.text if len(name.text) <= MAX_NODE_LABEL else name.text[: MAX_NODE_LABEL - 1] + "…"
    return Node(
        name,
        short,
        round(x, 1),
        round(y, 1),
        round(x + 14 * across, 1),
        round(y + 4 + (0 if beside else 15 * down), 1),
        ("start" if across > 0 else "end") if beside else "middle",
    )


def _edge_label(questions: list[str]) -> str:
    label = ", ".join(questions)
    return label if len(label) <= MAX_EDGE_LABEL else counted(len(questions), "question")


def _edge(one: Node, other: Node, links: list[Link], number: int, *, labelled: bool) -> Edge:
    questions = list(dict.fromkeys(link.question for link in links))
    label = Name(
        _edge_label([question.text for question in questions]),
        _edge_label([question.alias or question.text for question in questions]),
    )
    if label.alias == label.text:
        label = Name(label.text)
    label = label if labelled else Name("")
    along = (0.4, 0.6)[number % 2]  # so that labels at the same height don't touch
    return Edge(
        one.name,
        other.name,
        one.x,
        one.y,
        other.x,
        other.y,
        round(one.x + along * (other.x - one.x), 1),
        round(one.y + along * (other.y - one.y), 1),
        round(3.4 * max(len(label.text), len(label.alias)) + 5, 1),
        label,
        min(6.0, 1.0 + len(questions)),
        links,
    )

"""A graph of students: who is found together with whom, how often and how unlikely by chance."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from searchkit.core.messages import counted
from searchkit.output.plagiarism.chance import MIN_EXPECTED, STRENGTHS, WEAK, odds, strength
from searchkit.pages.groups.layout import Layout, Size, lay_out
from searchkit.pages.groups.pairs import StudentPair
from searchkit.pages.segments import Name

MAX_LABEL = 14  # characters of a name under its student; the whole name is in the lists
CHARACTER_WIDTH = 7.0  # pixels of a label's character on the mean, with some to spare
MIN_LABEL_WIDTH = 11 * CHARACTER_WIDTH  # of `author 9999`, so that hidden names fit, too
NODE_HEIGHT = 42.0  # of a student with the name below
LABEL_DROP, DISC_RISE = 15.0, 8.0  # of the name below, and of the disc above the middle
COLOURS = 6  # of groups; more share them, and are told apart by their numbers
MAX_THICKNESS = 9.0


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the slider: which findings are drawn.

    Attributes:
        bound: `expected` is below this; None for all findings.
        label: The step in words, with its odds.
    """

    bound: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Node:
    """A student.

    Attributes:
        name: The name.
        short: What stands below the disc: the name, or its beginning.
        x: The middle of the disc.
        y: The middle of the disc.
        group: The number of the group, from 1; 0 for none.
        colour: The number of the group's colour, from 1; 0 for none.
        title: What a screen reader says after the name.
    """

    name: Name
    short: Name
    x: float
    y: float
    group: int
    colour: int
    title: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two students.

    Attributes:
        one: The position of a student among the nodes.
        other: That of the other student.
        counts: The number of findings at each step of the slider.
        thickness: Its width at the first step.
        colour: The number of the colour of the group that both are in; 0 for none.
        has_source: Whether the two are together through a third answer alone.
    """

    one: int
    other: int
    x1: float
    y1: float
    x2: float
    y2: float
    counts: tuple[int, ...]
    thickness: float
    colour: int
    has_source: bool


@dataclass(frozen=True, slots=True)
class GraphView:
    """A graph of students in pixels."""

    width: int
    height: int
    nodes: list[Node]
    edges: list[Edge]
    title: str


def slider_steps() -> list[Step]:
    """Return the steps of the slider, from all findings to the least expected ones."""
    bounds = [*sorted(STRENGTHS, reverse=True), 1e-5, MIN_EXPECTED]
    words = [strength(bound / 2) for bound in bounds]
    return [
        Step(None, f"all findings, {WEAK} ones too"),
        *(
            Step(bound, f"{word} · rarer than {odds(bound)}")
            for bound, word in zip(bounds, words, strict=True)
        ),
    ]


def network_layout(
    pairs: Sequence[StudentPair], names: Mapping[str, str], groups: Mapping[str, int]
) -> Layout:
    """Return places for all students of some pairs, with those of a group near to each other.

    Args:
        pairs: The pairs.
        names: The name of each student by its key.
        groups: The number of each student's group, by key.
    """
    sizes = {key: node_size(names[key]) for pair in pairs for key in (pair.one, pair.other)}
    edges = {(pair.one, pair.other) for pair in pairs}
    return lay_out(sizes, edges, groups)


def node_size(name: str) -> Size:
    """Return the width and height that a student takes with the name."""
    characters = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in short_name(name))
    return max(MIN_LABEL_WIDTH, CHARACTER_WIDTH * characters), NODE_HEIGHT


def short_name(name: str) -> str:
    """Return a name, or the beginning of one that is too long to stand below a student."""
    return name if len(name) <= MAX_LABEL else name[: MAX_LABEL - 1] + "…"


def group_colour(group: int) -> int:
    """Return the number of a group's colour."""
    return (group - 1) % COLOURS + 1 if group else 0


def thickness(findings: int) -> float:
    """Return the width of a line of so many findings."""
    return min(MAX_THICKNESS, 0.5 + 1.5 * findings)


def graph_view(
    pairs: Sequence[StudentPair],
    layout: Layout,
    names: Mapping[str, Name],
    groups: Mapping[str, int],
) -> GraphView:
    """Return the graph of some pairs.

    Args:
        pairs: The pairs; students in none of them are left out.
        layout: Places of these students, and maybe of others.
        names: The name of each student as it is displayed, by key.
        groups: The number of each student's group, by key.
    """
    findings, friends = Counter[str](), Counter[str]()
    for pair in pairs:
        for key in (pair.one, pair.other):
            findings[key] += len(pair.meetings)
            friends[key] += 1
    keys = sorted(findings, key=lambda key: (groups.get(key, 0) == 0, groups.get(key, 0), key))
    at = {key: n for n, key in enumerate(keys)}
    steps = slider_steps()
    nodes = []
    for key in keys:
        (x, y), group = layout.places[key], groups.get(key, 0)
        title = f"{counted(findings[key], 'finding')} with {counted(friends[key], 'student')}"
        short = Name(short_name(names[key].text), short_name(names[key].alias))
        colour = group_colour(group)
        place = round(x, 1), round(y - DISC_RISE, 1)
        title = f"group {group}, {title}" if group else title
        nodes.append(Node(names[key], short, *place, group, colour, title))
    edges = [_edge(pair, at[pair.one], at[pair.other], nodes, steps) for pair in reversed(pairs)]
    return GraphView(
        width=round(layout.width),
        height=round(layout.height),
        nodes=nodes,
        edges=edges,
        title=f"A graph of {counted(len(nodes), 'student')}; "
        f"{counted(len(edges), 'pair')} of them were found together.",
    )


def _edge(
    pair: StudentPair, one: int, other: int, nodes: Sequence[Node], steps: Sequence[Step]
) -> Edge:
    counts = tuple(pair.count_below(step.bound) for step in steps)
    ends = (nodes[one].x, nodes[one].y, nodes[other].x, nodes[other].y)
    is_inside = nodes[one].group == nodes[other].group
    has_source = all(meeting.has_source for meeting in pair.meetings)
    colour = nodes[one].colour if is_inside else 0
    return Edge(one, other, *ends, counts, thickness(counts[0]), colour, has_source)

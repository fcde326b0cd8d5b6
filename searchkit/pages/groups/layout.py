"""Places for the students of a graph, so that neither they nor their names lie on each other.

Each group is laid out by networkx, and then all groups and other students that are connected: few
by the distances in the graph (Kamada and Kawai, 1989), many by forces (Fruchterman and Reingold,
1991). Each time overlaps are removed. What is not connected is put beside each other in rows. The
same graph has the same places.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from searchkit.core.arrays import Float64

Edges = Collection[tuple[str, str]]  # both ends of each, in order
Graph = Any  # networkx.Graph, which is untyped
Size = tuple[float, float]  # width and height

MAX_BY_DISTANCES = 60  # students of a part; more are laid out by forces, which is faster
EDGE_LENGTH = 1.1  # of an edge on the mean, in diagonals of its ends, before overlaps are removed
GAP = 6.0  # least space between two students, and half of that between two parts
MARGIN = 8.0  # around the drawing
ASPECT = 2.0  # width of the drawing by its height
MIN_ROW = 420.0  # least width of a row of parts
EVENING = 0.35  # exponent by which distances from the middle are evened out
WIDENING = 1.3  # of the drawing, since names are wider than high
TOLERANCE = 1e-3  # of an overlap
STEPS_BEFORE_GROWTH = 20  # of pushing apart; where that isn't enough, everything grows
GROWTH = 1.03
SEED = 20


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each student is, in pixels from the upper left corner of the drawing."""

    width: float
    height: float
    places: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Part:
    """A connected part of the graph: its nodes, their places from its corner, and its size."""

    names: list[str]
    points: Float64
    size: Float64


def lay_out(sizes: Mapping[str, Size], edges: Edges, groups: Mapping[str, int]) -> Layout:
    """Return a place for the middle of each node.

    Args:
        sizes: The width and height that each node takes with its name.
        edges: The two ends of each edge.
        groups: The number of each node's group; those of a group are put together.
    """
    import networkx

    graph = _ordered(sizes, edges)
    parts = [
        _part_of_groups(_within(graph, component), sizes, groups)
        for component in networkx.connected_components(graph)
    ]
    return _packed(sorted(parts, key=lambda part: (-part.size[1], part.names)))


def _part_of_groups(graph: Graph, sizes: Mapping[str, Size], groups: Mapping[str, int]) -> Part:
    """Lay out the nodes of each group, and then the groups and other nodes as boxes."""
    members = defaultdict(list)
    for name in sorted(graph):
        group = groups.get(name)
        members[f"group {group}" if group else f"student {name}"].append(name)
    if len(members) in (1, len(graph)):
        return _part(graph, sizes)
    block_of = {name: block for block, names in members.items() for name in names}
    blocks = {name: _part(_within(graph, names), sizes) for name, names in members.items()}
    ends = ((block_of[one], block_of[other]) for one, other in graph.edges)
    between = _ordered(blocks, (pair for pair in ends if pair[0] != pair[1]))
    whole = _part(between, {name: tuple(part.size + GAP) for name, part in blocks.items()})
    names, points = [], []
    for block, middle in zip(whole.names, whole.points, strict=True):
        names += blocks[block].names
        points.append(blocks[block].points - blocks[block].size / 2 + middle)
    return Part(names, np.concatenate(points), whole.size)


def _ordered(names: Iterable[str], edges: Iterable[tuple[str, str]]) -> Graph:
    """Return a graph in whose order chance has no part: the layouts begin with a circle."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(sorted(names))
    graph.add_edges_from(sorted({(min(pair), max(pair)) for pair in edges}))
    return graph


def _within(graph: Graph, names: Collection[str]) -> Graph:
    """Return the part of a graph with these nodes; the order of networkx's own is that of a set."""
    own = set(names)
    return _ordered(own, (pair for pair in graph.edges if own.issuperset(pair)))


def _part(graph: Graph, sizes: Mapping[str, Size]) -> Part:
    """Lay out the nodes of a connected graph."""
    names = sorted(graph)
    boxes = np.array([sizes[name] for name in names]) + GAP
    points = separate(_places(graph, names, EDGE_LENGTH * float(np.hypot(*boxes.T).mean())), boxes)
    corner = (points - boxes / 2).min(axis=0)
    return Part(names, points - corner, (points + boxes / 2).max(axis=0) - corner)


def _places(graph: Graph, names: Sequence[str], edge_length: float) -> Float64:
    """Return places of the nodes of a connected graph, with edges of this length on the mean."""
    import networkx

    if len(names) < 3:
        return np.array([[0.0, 0.0], [edge_length, 0.0]])[: len(names)]
    if len(names) <= MAX_BY_DISTANCES:
        placed = networkx.kamada_kawai_layout(graph)
    else:
        placed = networkx.spring_layout(graph, seed=SEED)
    points = np.array([placed[name] for name in names], dtype=np.float64)
    at = {name: n for n, name in enumerate(names)}
    ends = np.array([(at[one], at[other]) for one, other in graph.edges])
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1).mean()
    points = _lying(points * (edge_length / max(length, 1e-9)))
    return points if len(names) <= MAX_BY_DISTANCES else _evened(points)


def _lying(points: Float64) -> Float64:
    """Turn points so that they spread most from left to right."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    axes *= np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    return np.asarray(centred @ axes.T, dtype=np.float64)


def _evened(points: Float64) -> Float64:
    """Move points that are far from the middle nearer to it, and make room for wide names."""
    distance = np.linalg.norm(points, axis=1, keepdims=True)
    typical = max(float(np.median(distance)), 1.0)
    evened = points * np.maximum(distance / typical, 0.1) ** -EVENING
    return np.asarray(evened * (WIDENING, 1 / WIDENING), dtype=np.float64)


def separate(points: Float64, boxes: Float64) -> Float64:
    """Move boxes until no two overlap.

    Two that do are pushed apart along the axis on which they overlap less; where pushing alone
    doesn't end it, all distances grow, too.

    Args:
        points: `(n, 2)` the middle of each box.
        boxes: `(n, 2)` the width and height of each box.
    """
    from scipy.spatial import KDTree

    order = np.arange(len(points), dtype=np.float64)
    points = points + 1e-3 * np.stack([order, -order], axis=1)  # no two at the same place
    largest = boxes.max(axis=0, initial=1.0)
    for step in count(1):
        near = KDTree(points / largest).query_pairs(1.0, p=math.inf, output_type="ndarray")
        one, other = near[:, 0], near[:, 1]
        delta = points[one] - points[other]
        overlap = (boxes[one] + boxes[other]) / 2 - np.abs(delta)
        touching = (overlap > TOLERANCE).all(axis=1)
        if not touching.any():
            break
        one, other, delta, overlap = (each[touching] for each in (one, other, delta, overlap))
        axis = overlap.argmin(axis=1)
        at = np.arange(len(axis)), axis
        push = (overlap[at] / 2 + TOLERANCE) * np.sign(delta[at])
        pushed = np.zeros_like(points)
        np.add.at(pushed, (one, axis), push)
        np.add.at(pushed, (other, axis), -push)
        neighbours = np.bincount(np.append(one, other), minlength=len(points))
        points += pushed / np.sqrt(np.maximum(neighbours, 1))[:, None]
        if step % STEPS_BEFORE_GROWTH == 0:
            points *= GROWTH
    return points


def _packed(parts: Sequence[Part]) -> Layout:
    """Put the parts beside each other in rows, and low ones above each other in a row."""
    area = sum(float(part.size.prod()) for part in parts)
    widest = max((float(part.size[0]) for part in parts), default=0.0)
    row_width = max(MIN_ROW, widest, math.sqrt(ASPECT * area))
    places: dict[str, tuple[float, float]] = {}
    left = top = row_height = column_width = filled = width = 0.0
    for part in parts:
        across, down = (float(side) for side in part.size)
        if filled + down > row_height or across > column_width:  # another column
            left, column_width, filled = left + column_width, across, 0.0
        if left + across > row_width or not places:  # another row
            left, top, row_height, filled = 0.0, top + row_height, down, 0.0
        moved = np.add(part.points, (MARGIN + left, MARGIN + top + filled))
        places |= {
            name: (float(x), float(y)) for name, (x, y) in zip(part.names, moved, strict=True)
        }
        filled, row_height, width = filled + down, max(row_height, down), max(width, left + across)
    return Layout(width + 2 * MARGIN, top + row_height + 2 * MARGIN, places)

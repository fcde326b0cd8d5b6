"""Batches for training: questions spread, no text twice; and questions held out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Int64


def spread_batches(
    questions: Sequence[Hashable],
    texts: Sequence[tuple[str, str]],
    size: int,
    seed: int | Sequence[int] = 0,
) -> list[list[int]]:
    """Deal rows into batches so that each question is in as many of them as can be.

    A loss that takes the other rows of a batch for wrong answers is misled by another answer to the
    same question, and contradicts itself where a text comes twice.

    Args:
        questions: `(n,)` the question of each row.
        texts: `(n,)` both texts of each row.
        size: Rows of a batch, at most.
        seed: Of the order of rows and of batches.

    Returns:
        Batches of rows, every row in one of them. No text is twice in a batch; where one text is in
        more rows than there are full batches, there are more batches, and they are smaller.
    """
    rng = np.random.default_rng(seed)
    count = Counter(text for pair in texts for text in set(pair))
    number = max(ceil(len(texts) / size), max(count.values(), default=0))
    batches: list[list[int]] = [[] for _ in range(number)]
    said: list[set[str]] = [set() for _ in range(number)]
    late = []
    for place, row in enumerate(_dealt(questions, texts, rng)):
        target = place % number
        if said[target].isdisjoint(texts[row]) and len(batches[target]) < size:
            batches[target].append(row)
            said[target].update(texts[row])
        else:
            late.append(row)
    for row in late:
        _put(row, texts[row], batches, said, size)
    order = rng.permutation(len(batches)).tolist()
    return [batches[n] for n in order if batches[n]]


def _dealt(
    questions: Sequence[Hashable], texts: Sequence[tuple[str, str]], rng: np.random.Generator
) -> list[int]:
    """Put the rows of a question, and in it those with the same first text, one after another.

    Dealt in turn, neighbours come into different batches.
    """
    groups: dict[Hashable, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rng.permutation(len(texts)).tolist():
        groups[questions[row]][texts[row][0]].append(row)
    return [row for group in groups.values() for rows in group.values() for row in rows]


def _put(
    row: int, pair: tuple[str, str], batches: list[list[int]], said: list[set[str]], size: int
) -> None:
    """Put a row into the smallest batch that has room and none of its texts, or into a new one."""
    free = [n for n, one in enumerate(batches) if len(one) < size and said[n].isdisjoint(pair)]
    if not free:
        batches.append([])
        said.append(set())
        free = [len(batches) - 1]
    best = min(free, key=lambda n: len(batches[n]))
    batches[best].append(row)
    said[best].update(pair)


def connected_groups(texts: Sequence[tuple[str, str]]) -> Int64:
    """Return rows that share a text, directly or over others, the same number.

    Where the question isn't known, that is the nearest to it: what is held out shares no text with
    what is learned from.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number: dict[str, int] = {}
    left, right = (
        np.array([number.setdefault(pair[side], len(number)) for pair in texts], np.int64)
        for side in (0, 1)
    )
    graph = coo_array((np.ones(len(texts)), (left, right)), (len(number), len(number)))
    labels: Int64 = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels[left]


def hold_out_groups(groups: Sequence[Hashable], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Choose whole groups, drawn by lot, until a share of the rows is held out.

    Args:
        groups: `(n,)` the group (the question) of each row.
        share: Of the rows, about; at least one group, and never all of them.
        seed: Of the lot.

    Returns:
        `(n,)` whether a row is held out.
    """
    sizes = Counter(groups)
    names = sorted(sizes, key=repr)
    wanted = share * len(groups)
    chosen: set[Hashable] = set()
    total = 0
    for n in np.random.default_rng(seed).permutation(len(names)).tolist():
        if total >= wanted or len(chosen) == len(names) - 1:
            break
        if total + sizes[names[n]] <= max(1.5 * wanted, min(sizes.values())):
            chosen.add(names[n])
            total += sizes[names[n]]
    return np.array([group in chosen for group in groups], bool)

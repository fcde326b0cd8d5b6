"""Batches that spread questions and repeat no text, and the choice of held-out pairs."""

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
    """Distribute rows over batches so that the rows of a question are in as many as possible.

    A loss with in-batch negatives is misled by another answer to the same question, and contradicts
    itself if a text occurs twice.

    Args:
        questions: `(n,)` the question of each row.
        texts: `(n,)` both texts of each row.
        size: Maximum number of rows in a batch.
        seed: Seed of the order of rows and of batches.

    Returns:
        Batches of rows; each row is in exactly one. No text occurs twice in a batch; a text in more
        rows than there are full batches makes batches more numerous, and smaller.
    """
    rng = np.random.default_rng(seed)
    count = Counter(text for pair in texts for text in set(pair))
    number = max(ceil(len(texts) / size), max(count.values(), default=0))
    batches: list[list[int]] = [[] for _ in range(number)]
    batch_texts: list[set[str]] = [set() for _ in range(number)]
    postponed = []
    for position, row in enumerate(_grouped_rows(questions, texts, rng)):
        target = position % number
        if batch_texts[target].isdisjoint(texts[row]) and len(batches[target]) < size:
            batches[target].append(row)
            batch_texts[target].update(texts[row])
        else:
            postponed.append(row)
    for row in postponed:
        _place(row, texts[row], batches, batch_texts, size)
    order = rng.permutation(len(batches)).tolist()
    return [batches[n] for n in order if batches[n]]


def _grouped_rows(
    questions: Sequence[Hashable], texts: Sequence[tuple[str, str]], rng: np.random.Generator
) -> list[int]:
    """Return rows with those of a question, and of one first text in it, next to each other.

    Distributed in turn, neighbours come into different batches.
    """
    groups: dict[Hashable, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rng.permutation(len(texts)).tolist():
        groups[questions[row]][texts[row][0]].append(row)
    return [row for group in groups.values() for rows in group.values() for row in rows]


def _place(
    row: int,
    pair: tuple[str, str],
    batches: list[list[int]],
    batch_texts: list[set[str]],
    size: int,
) -> None:
    """Add a row to the smallest batch with room and without its texts, or to a new batch."""
    free = [
        n
        for n, batch in enumerate(batches)
        if len(batch) < size and batch_texts[n].isdisjoint(pair)
    ]
    if not free:
        batches.append([])
        batch_texts.append(set())
        free = [len(batches) - 1]
    smallest = min(free, key=lambda n: len(batches[n]))
    batches[smallest].append(row)
    batch_texts[smallest].update(pair)


def connected_groups(texts: Sequence[tuple[str, str]]) -> Int64:
    """Return `(n,)` the connected component of each row; rows that share a text are connected.

    Components stand in for unknown questions: held-out pairs share no text with training pairs.

    Args:
        texts: `(n,)` both texts of each row.
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
    """Choose random groups to hold out, as a whole, until a share of the rows is held out.

    Args:
        groups: `(n,)` the group (the question) of each row.
        share: Approximate share of the rows; at least one group is chosen, and never all.
        seed: Seed of the choice.

    Returns:
        `(n,)` whether a row is held out.
    """
    sizes = Counter(groups)
    names = sorted(sizes, key=repr)
    target = share * len(groups)
    chosen: set[Hashable] = set()
    total = 0
    for n in np.random.default_rng(seed).permutation(len(names)).tolist():
        if total >= target or len(chosen) == len(names) - 1:
            break
        if total + sizes[names[n]] <= max(1.5 * target, min(sizes.values())):
            chosen.add(names[n])
            total += sizes[names[n]]
    return np.array([group in chosen for group in groups], bool)

"""Pairs: which answers of an index say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import By
from searchkit.core.results import Record, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.base import BaseIndex
from searchkit.index.records import PassageVectors
from searchkit.mining.distributed import mine_shards
from searchkit.mining.exact import mine_blocks
from searchkit.mining.partitions import Recall, measure_recall, mine_partitions, split
from searchkit.mining.row_pairs import PairSorter, RowPairs
from searchkit.runners.base import Runner

Group = tuple[str | None, tuple[int, ...]]  # a question and the rows of an answer's passages
THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class MiningResult(Table):
    """What `mine` found.

    Attributes:
        equal: Groups of answers with the same text, as ids in order; largest group first. The
            first id stands for its group in the pairs.
        total: How many pairs reach the threshold.
        returned: How many of them are given: less than `total` only where `max_pairs` said so.
        recall: How many of all pairs these are, where `partitions` said so; None: all.
    """

    equal: list[list[str]]
    total: int
    returned: int
    _ids: Sequence[str]
    _sorter: PairSorter
    recall: Recall | None = None

    def pairs(self) -> Iterator[Pair]:
        """Stream the pairs, best first; scores that are equal to six places by the ids."""
        for block in self._sorter.blocks():
            columns = (block.left.tolist(), block.right.tolist(), block.scores.tolist())
            for left, right, score in zip(*columns, strict=True):
                yield Pair(self._ids[left], self._ids[right], round(score, 6))

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield each pair; groups of equal texts are in `equal`."""
        return (pair.to_record() for pair in self.pairs())


def mine(
    index: BaseIndex,
    threshold: float = THRESHOLD,
    *,
    by: By | None = None,
    where: Where = EVERYTHING,
    max_pairs: int | None = None,
    runner: Runner | None = None,
    partitions: int | None = None,
    progress: Progress | None = None,
) -> MiningResult:
    """Find every pair of answers whose best passages score at least `threshold`.

    Exact: equal to brute force over all passages. Answers with equal texts are one: they are
    listed as a group and stand in pairs under their first id, so that a hundred thousand times
    "I don't know" is a line and not five billion. Blank answers are in no pair.

    Args:
        index: Open for reading or writing.
        threshold: From -1 to 1, inclusive; compared to six places.
        by: `question`: within each question only; `all`: over all. None: within questions if
            there are any.
        where: Which answers to look at.
        max_pairs: Give the best so many; None for all.
        runner: Where to compare; the same comes out. None: in this process.
        partitions: Seek pairs only within so many cells of vectors that lie together, and measure
            on a sample how many of all pairs that finds; None: exact.
        progress: Called with how many vectors (or cells) are done, and of how many.

    Raises:
        BadInput: if the threshold is no cosine, `max_pairs` is negative, there are less than 2
            partitions, or the filter can't be read.
    """
    check_threshold(threshold)
    if max_pairs is not None and max_pairs < 0:
        raise BadInput(f"--max-pairs must be 0 or more, not {max_pairs}")
    if partitions is not None and partitions < 2:
        raise BadInput(f"--partitions must be 2 or more, not {partitions}")
    found = index.passage_vectors(where)
    by = by or ("question" if any(found.questions) else "all")
    ids, equal = found.ids, _equal_texts(found, by)
    sorter = PairSorter(max_pairs)
    vectors, groups, owners = _rows(found, equal)
    cells = split(vectors, partitions, owners) if partitions and len(vectors) else None
    run: Callable[..., Iterator[RowPairs]] = partial(mine_shards, runner) if runner else mine_blocks
    if cells:
        run = partial(mine_partitions, cells=cells, runner=runner)
    for block in run(vectors, threshold, groups=groups, owners=owners, progress=progress):
        sorter.add(block)
    recall = None
    if cells:
        recall = measure_recall(vectors, threshold, cells, groups=groups, owners=owners)
    same = sorted((group for group in equal.values() if len(group) > 1), key=lambda g: (-len(g), g))
    kept = sorter.total if max_pairs is None else min(sorter.total, max_pairs)
    return MiningResult(
        [[ids[n] for n in group] for group in same], sorter.total, kept, ids, sorter, recall
    )


def check_threshold(threshold: float) -> None:
    """Refuse what is no cosine.

    Raises:
        BadInput: if it is not from -1 to 1.
    """
    if not -1 <= threshold <= 1:
        raise BadInput(f"a threshold is a cosine, from -1 to 1, not {threshold}")


def _equal_texts(found: PassageVectors, by: By) -> dict[Group, list[int]]:
    """Group the answers that have the same passages; by their number."""
    groups: dict[Group, list[int]] = {}
    for number, (question, rows) in enumerate(zip(found.questions, found.rows, strict=True)):
        if rows:
            groups.setdefault((question if by == "question" else "", rows), []).append(number)
    return groups


def _rows(found: PassageVectors, equal: dict[Group, list[int]]) -> tuple[Float32, Int64, Int64]:
    """Return the vectors to compare, the question of each as a number, and its answer's number.

    One answer stands for all with an equal text; a passage that it repeats counts once.
    """
    order = sorted(equal, key=lambda group: (group[0] is not None, group[0] or "", equal[group][0]))
    questions = {question: n for n, question in enumerate(dict.fromkeys(g[0] for g in order))}
    rows = [
        (row, questions[group[0]], equal[group][0])
        for group in order
        for row in dict.fromkeys(group[1])
    ]
    wanted, groups, owners = np.array(rows, np.int64).reshape(-1, 3).T
    return found.vectors[wanted], groups, owners


@dataclass(frozen=True, slots=True)
class Pair(Record):
    """Two answers that say the same, or nearly.

    Attributes:
        left: The id of one; the first of both in order.
        right: The id of the other.
        score: Cosine of the passages that are most alike, one of each.
    """

    left: str
    right: str
    score: float

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name; by hand, since there may be millions of pairs."""
        return {"left": self.left, "right": self.right, "score": self.score}

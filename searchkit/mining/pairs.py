"""Pairs: which answers of an index say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np

from searchkit.core.arrays import Float32, Int64
from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message
from searchkit.core.progress import Progress
from searchkit.core.records import By
from searchkit.core.results import Record, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.base import BaseIndex
from searchkit.index.records import PassageVectors
from searchkit.mining.exact import mine_blocks
from searchkit.mining.partitions import Recall, measure_recall, mine_partitions, split
from searchkit.mining.row_pairs import PairSorter, RowPairs
from searchkit.runners.base import Runner

THRESHOLD = 0.8

EqualTexts = dict[tuple[str | None, tuple[int, ...]], list[int]]
"""Answers with the same text, by number, under their question and the rows of their passages."""


@dataclass(frozen=True, slots=True)
class Pair(Record):
    """Two answers that say the same, or nearly.

    Attributes:
        left: The id of the first of both, in the order of ids.
        right: The id of the other.
        score: The cosine of the passages that are most alike, one of each answer.
    """

    left: str
    right: str
    score: float

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name; by hand, since there may be millions of pairs."""
        return {"left": self.left, "right": self.right, "score": self.score}


@dataclass(frozen=True, slots=True)
class MiningResult(Table):
    """The pairs that `mine` found.

    Attributes:
        equal: Groups of answers with the same text, as ids in order; largest group first. The
            first id represents its group in the pairs.
        total: The number of pairs that reach the threshold.
        returned: The number of pairs that `pairs` yields; less than `total` only with `max_pairs`.
        recall: With `partitions`, the share of all pairs that were found; None: all.
    """

    equal: list[list[str]]
    total: int
    returned: int
    _ids: Sequence[str]
    _sorter: PairSorter
    recall: Recall | None = None

    def pairs(self) -> Iterator[Pair]:
        """Yield the pairs, best first; scores that are equal to six decimals in order of ids."""
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

    Exact: equal to brute force over all passages. Answers with equal texts count as one: they are
    listed as a group and represented in pairs by their first id, so that a hundred thousand times
    "I don't know" is one line and not five billion. Blank answers are in no pair.

    Args:
        index: Open for reading or writing.
        threshold: From -1 to 1, inclusive; compared to six decimals.
        by: `question`: within each question only; `all`: over all answers. None: within questions
            if there are any.
        where: Which answers to compare; of an author's attempts at a question, the latest.
        max_pairs: Return only so many pairs, the best; None for all.
        runner: Where vectors are compared, with the same result; None for this process.
        partitions: Compare only within so many cells of vectors that are near to each other, and
            measure on a sample which share of all pairs that finds; None: exact.
        progress: Called with the number of vectors (or cells) done, and of all.

    Raises:
        BadInput: if there is no such `by`, the threshold is no cosine, `max_pairs` is negative,
            there are less than 2 partitions, or the filter can't be read.
    """
    check_choice("by", by, (None, *get_args(By)))
    _check(threshold, max_pairs, partitions)
    passages = index.passage_vectors(where.with_attempts())
    by = by or ("question" if any(passages.questions) else "all")
    ids, equal = passages.ids, _equal_texts(passages, by)
    vectors, groups, owners = _rows(passages, equal)
    sorter, recall = PairSorter(max_pairs), None
    labels: dict[str, Any] = {"groups": groups, "owners": owners}
    run: Callable[..., Iterator[RowPairs]] = mine_blocks
    cells = split(vectors, partitions, owners) if partitions and len(vectors) else None
    if cells:
        run = partial(mine_partitions, cells=cells)
    for block in run(vectors, threshold, **labels, runner=runner, progress=progress):
        sorter.add(block)
    if cells:
        recall = measure_recall(vectors, threshold, cells, **labels)
    duplicates = [[ids[n] for n in group] for group in equal.values() if len(group) > 1]
    duplicates.sort(key=lambda group: (-len(group), group))
    returned = sorter.total if max_pairs is None else min(sorter.total, max_pairs)
    return MiningResult(duplicates, sorter.total, returned, ids, sorter, recall)


def _check(threshold: float, max_pairs: int | None, partitions: int | None) -> None:
    check_threshold(threshold)
    if max_pairs is not None and max_pairs < 0:
        raise BadInput(Message("`max_pairs` must be 0 or more, not {number}", number=max_pairs))
    if partitions is not None and partitions < 2:
        raise BadInput(Message("`partitions` must be 2 or more, not {number}", number=partitions))


def check_threshold(threshold: float) -> None:
    """Check that a threshold is a cosine.

    Raises:
        BadInput: if it is not from -1 to 1.
    """
    if not -1 <= threshold <= 1:
        raise BadInput(f"a threshold is a cosine, from -1 to 1, not {threshold}")


def _equal_texts(passages: PassageVectors, by: By) -> EqualTexts:
    """Group the answers whose passages are the same rows."""
    groups: EqualTexts = {}
    for number, (question, rows) in enumerate(zip(passages.questions, passages.rows, strict=True)):
        if rows:
            groups.setdefault((question if by == "question" else "", rows), []).append(number)
    return groups


def _rows(passages: PassageVectors, equal: EqualTexts) -> tuple[Float32, Int64, Int64]:
    """Return the vectors to compare, the question of each as a number, and its answer's number.

    One answer represents all with an equal text; a passage that it repeats counts once.
    """
    order = sorted(equal, key=lambda key: (key[0] is not None, key[0] or "", equal[key][0]))
    questions = {question: n for n, question in enumerate(dict.fromkeys(key[0] for key in order))}
    triples = [
        (row, questions[key[0]], equal[key][0]) for key in order for row in dict.fromkeys(key[1])
    ]
    rows, groups, owners = np.array(triples, np.int64).reshape(-1, 3).T
    return passages.vectors[rows], groups, owners

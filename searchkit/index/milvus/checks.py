"""What can be checked about an index in Milvus without the model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.index.embedding import split_problems
from searchkit.index.milvus.client import Collection
from searchkit.index.milvus.rows import FIELD_NAMES, MilvusAnswer, Row, assemble_answers

log = logging.getLogger("searchkit")
SAMPLE_SIZE = 100  # vectors that the recall is measured with
RECALL_DEPTH = 10  # best passages of each that the search should find
WANTED_RECALL = 0.99
_INGEST = "ingest the files again: searchkit ingest --on-duplicate keep-last"


def find_problems(collection: Collection, *, keep_recall: bool) -> Iterator[str]:
    """Yield every problem in one line with what mends it.

    Checks that no row is left over; that each passage's text has the hash its vector was made for;
    that passages leave no word out; and that vectors are finite and of unit length. The recall of
    the search is measured too, logged, and with `keep_recall` kept for `status`.
    """
    left_over, sample = 0, _RecallSample()
    for rows in collection.pages("part >= 0", [*FIELD_NAMES, "vector"]):
        answers = assemble_answers(rows)
        left_over += len(left_over_rows(rows, answers))
        for answer in answers.values():
            yield from _answer_problems(answer)
            sample.add(answer)
    if left_over:
        yield f"{left_over} rows belong to no answer; a writer was killed; run: searchkit rebuild"
    if recall := sample.measure_recall(collection):
        log.info("%s", recall)
        if keep_recall:
            collection.record_recall(recall)


def left_over_rows(rows: Sequence[Row], answers: dict[str, MilvusAnswer]) -> list[Row]:
    """Return the rows that belong to none of the answers put together from all of them."""
    return [
        row
        for row in rows
        if (answer := answers.get(row["key"])) is None or not answer.has_row(row)
    ]


def _answer_problems(stored: MilvusAnswer) -> Iterator[str]:
    id_ = stored.answer.id
    passages = [
        (passage.start, passage.end, sha)
        for passage, sha in zip(stored.passages, stored.hashes, strict=True)
    ]
    for problem in split_problems(stored.answer.text, passages):
        yield f"answer {id_!r}: {problem}; {_INGEST}"
    lengths = np.linalg.norm(stored.vectors, axis=1)
    if not np.all(np.abs(lengths - 1) < 1e-3):  # also NaN, which compares as false
        yield f"answer {id_!r}: a vector is not of unit length; {_INGEST}"


class _RecallSample:
    """Some vectors as queries, with the best scores of each among all vectors of the index."""

    def __init__(self) -> None:
        self._queries: list[Float32] = []
        self._hashes: set[bytes] = set()
        self._pending: list[Float32] = []  # vectors that are not compared yet
        self._best: Float32 | None = None  # (q, RECALL_DEPTH), ascending

    def add(self, stored: MilvusAnswer) -> None:
        """Add the vectors of an answer, the first ones also as queries."""
        for sha, vector in zip(stored.hashes, stored.vectors, strict=True):
            if sha not in self._hashes and len(self._queries) < SAMPLE_SIZE:
                self._hashes.add(sha)
                self._queries.append(vector)
        if stored.passages:
            self._pending.append(stored.vectors)
        if len(self._queries) == SAMPLE_SIZE and len(self._pending) > SAMPLE_SIZE:
            self._compare()

    def _compare(self) -> None:
        if self._pending:
            scores = np.stack(self._queries) @ np.concatenate(self._pending).T
            known = [] if self._best is None else [self._best]
            together = np.concatenate([scores, *known], axis=1)
            self._best = np.sort(together, axis=1)[:, -RECALL_DEPTH:]
            self._pending = []

    def measure_recall(self, collection: Collection) -> str:
        """Return in words how many of the best passages of each query the search finds."""
        self._compare()
        if self._best is None:
            return ""
        best, k = self._best, self._best.shape[1]

        def measure() -> float:
            results = collection.search(np.stack(self._queries), k, "end > 0")
            return sum(map(_count_best, results, best)) / best.size

        recall = collection.choose_depth(measure, WANTED_RECALL)
        queries, rows = len(self._queries), collection.count("end > 0")
        return f"recall@{k} of the search, over {queries} vectors among {rows:,}: {recall:.3f}"


def _count_best(rows: Sequence[Row], best: Float32) -> int:
    """Return how many rows score as the best do; any of several equal ones counts."""
    return sum(row["score"] >= best[0] - 1e-5 for row in rows)

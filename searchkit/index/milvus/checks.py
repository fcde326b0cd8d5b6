"""What can be checked of an index in Milvus without the model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.index.embedding import passage_hash
from searchkit.index.milvus.client import Collection
from searchkit.index.milvus.rows import FIELDS, Held, Row, answers_of

log = logging.getLogger("searchkit")
SAMPLE, DEPTH = 100, 10  # vectors to measure the recall with, and how many hits of each
_AGAIN = "ingest the files again with --on-duplicate keep-last"


def problems(collection: Collection) -> Iterator[str]:
    """Yield every problem, each in one line with what mends it.

    Checks that no row is left over; that each passage's text has the hash its vector was made for;
    that passages leave no word out; and that vectors are finite and of unit length. The recall of
    the search is measured by the way, and said.
    """
    left, sample = 0, _Sample()
    for rows in collection.pages("part >= 0", [*(name for name, _ in FIELDS), "vector"]):
        current = answers_of(rows)
        wrong = [row for row in rows if not _stands(row, current)]
        left += len(wrong)
        for held in current.values():
            yield from _of_answer(held)
            sample.add(held)
    if left:
        yield f"{left} rows belong to no answer; a writer was killed; run: searchkit rebuild"
    sample.measure(collection)


def _stands(row: Row, current: dict[str, Held]) -> bool:
    held = current.get(row["key"])
    return held is not None and held.version == row["version"]


def _of_answer(held: Held) -> Iterator[str]:
    text, at = held.answer.text, 0
    for passage, sha in zip(held.passages, held.shas, strict=True):
        if text[at : passage.start].strip() or not passage.start < passage.end <= len(text):
            yield f"answer {held.answer.id!r}: its passages leave text out; {_AGAIN}"
        if passage_hash(text[passage.start : passage.end]) != sha:
            yield f"answer {held.answer.id!r}: its text is not what was embedded; {_AGAIN}"
        at = passage.end
    if text[at:].strip():
        yield f"answer {held.answer.id!r}: its passages leave text out; {_AGAIN}"
    lengths = np.linalg.norm(held.vectors, axis=1)
    if not np.all(np.abs(lengths - 1) < 1e-3):  # NaN is not below either
        yield f"answer {held.answer.id!r}: a vector is not of unit length; {_AGAIN}"


class _Sample:
    """Some vectors as queries, with the best scores of each among all that came by."""

    def __init__(self) -> None:
        self.queries: list[Float32] = []
        self.seen: set[bytes] = set()
        self.waiting: list[Float32] = []  # vectors that are not compared yet
        self.best: Float32 | None = None  # (q, DEPTH)

    def add(self, held: Held) -> None:
        for sha, vector in zip(held.shas, held.vectors, strict=True):
            if sha not in self.seen and len(self.queries) < SAMPLE:
                self.seen.add(sha)
                self.queries.append(vector)
        if held.passages:
            self.waiting.append(held.vectors)
        if len(self.queries) == SAMPLE and len(self.waiting) > SAMPLE:
            self._compare()

    def _compare(self) -> None:
        if self.waiting:
            scores = np.stack(self.queries) @ np.concatenate(self.waiting).T
            known = [] if self.best is None else [self.best]
            self.best = np.sort(np.concatenate([scores, *known], axis=1), axis=1)[:, -DEPTH:]
            self.waiting = []

    def measure(self, collection: Collection) -> None:
        """Say how many of the best passages of each query the search finds."""
        self._compare()
        if self.best is None:
            return
        k = self.best.shape[1]
        found = collection.search(np.stack(self.queries), k, "end > 0")
        hit = sum(map(_found, found, self.best))
        share = hit / self.best.size
        log.info("recall@%s of the search, over %s vectors: %.3f", k, len(self.queries), share)


def _found(rows: Sequence[Row], true: Float32) -> int:
    """Count the rows that score as the best do; which of equals came doesn't matter."""
    return sum(row["score"] >= true[0] - 1e-5 for row in rows)

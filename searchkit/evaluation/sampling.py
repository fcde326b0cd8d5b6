"""Contrasts: pairs of answers to one question beside pairs of answers to two, all or a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64

MAX_PAIRS = 3_000_000  # pairs that are looked at; of more a sample
GATHER = 65_536  # pairs whose vectors are gathered in one step


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows, `(p,)` each.

    Attributes:
        left: One row.
        right: The other.
        weights: As how many pairs each counts; above 1 in a sample.
        total: How many pairs there are.
    """

    left: Int64
    right: Int64
    weights: Float64
    total: int

    @property
    def is_sampled(self) -> bool:
        """Whether there are more pairs than these."""
        return self.total > len(self.left)


class QuestionPairs:
    """The pairs of rows that are of one question, and those that are of two.

    A sample is drawn with replacement, each pair equally probable.
    """

    def __init__(self, questions: Int64, seed: int = 0) -> None:
        """Take `(n,)` the question of each row, from 0."""
        self._order = np.argsort(questions, kind="stable")
        self._sizes = np.bincount(questions)
        self._begins = np.cumsum(self._sizes) - self._sizes
        self._of = questions[self._order]  # the question at each place in order
        self._random = np.random.default_rng(seed)

    def same_question(self, most: int = MAX_PAIRS) -> Pairs:
        """Return the pairs of one question; of more than `most` a sample."""
        sizes = self._sizes
        total = int((sizes * (sizes - 1) // 2).sum())
        if total <= most:
            inside = [
                np.array(np.triu_indices(size, 1)) + begin
                for begin, size in zip(self._begins.tolist(), sizes.tolist(), strict=True)
            ]
            left, right = np.concatenate(inside, axis=1)
            return self._pairs(left, right, total)
        left = self._drawn(sizes[self._of] - 1, most)
        begin = self._begins[self._of[left]]
        right = begin + self._random.integers(0, sizes[self._of[left]] - 1)
        return self._pairs(left, right + (right >= left), total)

    def different_questions(self, most: int = MAX_PAIRS) -> Pairs:
        """Return the pairs of two questions; of more than `most` a sample."""
        count, sizes = len(self._of), self._sizes
        total = (count**2 - int((sizes**2).sum())) // 2
        if total <= most:
            ends = np.repeat(self._begins + sizes, sizes)
            left = np.repeat(np.arange(count), count - ends)
            firsts = np.cumsum(count - ends) - (count - ends)
            right = np.arange(total) - firsts[left] + ends[left]
            return self._pairs(left, right, total)
        left = self._drawn(count - sizes[self._of], most)
        own, size = self._begins[self._of[left]], sizes[self._of[left]]
        right = self._random.integers(0, count - size)
        return self._pairs(left, right + size * (right >= own), total)

    def _drawn(self, weights: Int64, count: int) -> Int64:
        upto = np.cumsum(weights)
        places = self._random.integers(0, upto[-1], count)
        return np.searchsorted(upto, places, side="right").astype(np.int64)

    def _pairs(self, left: Int64, right: Int64, total: int) -> Pairs:
        weight = total / max(1, len(left))
        rows = self._order[left], self._order[right]
        return Pairs(np.minimum(*rows), np.maximum(*rows), np.full(len(left), weight), total)


def cosines(vectors: Float32, left: Int64, right: Int64) -> Float64:
    """Return the cosine of each pair of rows, to six places.

    Args:
        vectors: `(n, d)` unit rows.
        left: `(p,)` one row.
        right: `(p,)` the other.
    """
    found = np.empty(len(left))
    for start in range(0, len(left), GATHER):
        part = slice(start, start + GATHER)
        found[part] = np.einsum("pd,pd->p", vectors[left[part]], vectors[right[part]])
    return np.round(found, 6)

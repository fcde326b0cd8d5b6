"""Pairs of answers to the same question and to different questions: all of them, or a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64

# Of more pairs, a sample of this size is used.
MAX_PAIRS = 3_000_000
BLOCK_PAIRS = 65_536


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows, or a sample of them.

    Attributes:
        left: `(p,)` the first row of each pair.
        right: `(p,)` the second row of each pair.
        weights: `(p,)` as how many pairs each counts; more than 1 in a sample.
        total: Number of pairs that these stand for.
    """

    left: Int64
    right: Int64
    weights: Float64
    total: int

    @property
    def is_sampled(self) -> bool:
        """Whether these are a sample."""
        return self.total > len(self.left)


class QuestionPairs:
    """The pairs of rows with the same question, and those with different questions.

    A sample is drawn with replacement; all pairs are equally probable.
    """

    def __init__(self, questions: Int64, seed: int = 0) -> None:
        """Group the rows by question.

        Args:
            questions: `(n,)` the question of each row, from 0.
            seed: Seed of samples.
        """
        self._order = np.argsort(questions, kind="stable")
        self._sizes = np.bincount(questions)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._ordered_questions = questions[self._order]
        self._rng = np.random.default_rng(seed)

    def same_question(self, max_pairs: int = MAX_PAIRS) -> Pairs:
        """Return the pairs with the same question, or a sample of more than `max_pairs`."""
        sizes = self._sizes
        total = int((sizes * (sizes - 1) // 2).sum())
        if total <= max_pairs:
            inside = [
                np.array(np.triu_indices(size, 1)) + begin
                for begin, size in zip(self._starts.tolist(), sizes.tolist(), strict=True)
            ]
            left, right = np.concatenate(inside, axis=1)
            return self._pairs(left, right, total)
        left = self._draw_rows(sizes[self._ordered_questions] - 1, max_pairs)
        start = self._starts[self._ordered_questions[left]]
        right = start + self._rng.integers(0, sizes[self._ordered_questions[left]] - 1)
        return self._pairs(left, right + (right >= left), total)

    def different_questions(self, max_pairs: int = MAX_PAIRS) -> Pairs:
        """Return the pairs with different questions, or a sample of more than `max_pairs`."""
        count, sizes = len(self._ordered_questions), self._sizes
        total = (count**2 - int((sizes**2).sum())) // 2
        if total <= max_pairs:
            ends = np.repeat(self._starts + sizes, sizes)
            left = np.repeat(np.arange(count), count - ends)
            firsts = np.cumsum(count - ends) - (count - ends)
            right = np.arange(total) - firsts[left] + ends[left]
            return self._pairs(left, right, total)
        left = self._draw_rows(count - sizes[self._ordered_questions], max_pairs)
        own, size = (
            self._starts[self._ordered_questions[left]],
            sizes[self._ordered_questions[left]],
        )
        right = self._rng.integers(0, count - size)
        return self._pairs(left, right + size * (right >= own), total)

    def _draw_rows(self, weights: Int64, count: int) -> Int64:
        cumulative = np.cumsum(weights)
        places = self._rng.integers(0, cumulative[-1], count)
        return np.searchsorted(cumulative, places, side="right").astype(np.int64)

    def _pairs(self, left: Int64, right: Int64, total: int) -> Pairs:
        weight = total / max(1, len(left))
        rows = self._order[left], self._order[right]
        return Pairs(np.minimum(*rows), np.maximum(*rows), np.full(len(left), weight), total)


def cosines(
    vectors: Float32, left: Int64, right: Int64, *, block_pairs: int = BLOCK_PAIRS
) -> Float64:
    """Return the cosine of each pair of rows, rounded to six places.

    Args:
        vectors: `(n, d)` unit rows.
        left: `(p,)` the first row of each pair.
        right: `(p,)` the second row of each pair.
        block_pairs: Number of pairs whose vectors are gathered in one step; bounds the memory.
    """
    scores = np.empty(len(left))
    for start in range(0, len(left), block_pairs):
        part = slice(start, start + block_pairs)
        scores[part] = np.einsum("pd,pd->p", vectors[left[part]], vectors[right[part]])
    return np.round(scores, 6)

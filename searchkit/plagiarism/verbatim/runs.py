"""Runs: where two answers have three or more words in common, found for one answer and many others.

All runs of an answer with the others are found at once in arrays, with the nats that each gives.
Most are stock phrases: those that can be in no chain that gives more than it pays are dropped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.plagiarism.verbatim.chains import (
    GAP_COST,
    MAX_GAP,
    MIN_LONGEST,
    MIN_SEGMENT,
    CommonWords,
)

Runs = tuple[Int64, Int64, Int64, Int64]  # of each: other text, place there, place here, length


class RunFinder:
    """Finds the runs of words that the answers to a question have in common."""

    def __init__(self, triples: Sequence[Int64], is_given: Sequence[Bool]) -> None:
        """Sort the places of all three words in a row.

        Args:
            triples: For each answer, `(n,)` the number of the three words that end at each word;
                -1 for none.
            is_given: For each answer, `(n,)` whether a word is part of what all authors were given.
        """
        self._lengths = [len(numbers) for numbers in triples]
        ends = [
            np.flatnonzero(_is_own(numbers, given))
            for numbers, given in zip(triples, is_given, strict=True)
        ]
        self._own = [  # the places where they begin, and their numbers
            (places - (MIN_SEGMENT - 1), numbers[places])
            for places, numbers in zip(ends, triples, strict=True)
        ]
        texts = np.repeat(np.arange(len(ends)), [len(places) for places in ends])
        starts = np.concatenate([np.empty(0, np.int64), *(places for places, _ in self._own)])
        numbers = np.concatenate([np.empty(0, np.int64), *(own for _, own in self._own)])
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._texts, self._starts = numbers[order], texts[order], starts[order]

    def common_words(
        self, one: int, others: Int64, information: Float64
    ) -> Iterator[tuple[int, CommonWords]]:
        """Yield what an answer has in common with others, where it may be worth something.

        Args:
            one: The number of the answer, of n words.
            others: `(p,)` the numbers of the others, ascending.
            information: `(p, 3, n)` of its words, beside each of the others; from
                `LanguageModel.information`.

        Yields:
            (position among the others, what both have in common).
        """
        rows, right, left, lengths = self._runs(one, others)
        longest = np.zeros(len(others), np.int64)
        np.maximum.at(longest, rows, lengths)
        sums = np.zeros((len(others), information.shape[2] + 1))
        np.cumsum(information[:, 2], axis=1, out=sums[:, 1:])
        # Nothing is known before the first word of a run.
        nats = information[rows, 0, left] + information[rows, 1, left + 1]
        nats += sums[rows, left + lengths] - sums[rows, left + 2]
        pays = np.array([log(max(1, self._lengths[n])) for n in [one, *others.tolist()]])
        pay = pays[0] + pays[1:]
        kept = np.flatnonzero((longest[rows] >= MIN_LONGEST) & (nats > GAP_COST))
        kept = kept[_may_pay(rows[kept], right[kept], left[kept], lengths[kept], nats[kept], pay)]
        order = np.lexsort((lengths[kept], left[kept], right[kept], rows[kept]))
        kept = kept[order]
        borders = np.flatnonzero(np.diff(rows[kept])) + 1
        for part in np.split(kept, borders) if len(kept) else []:
            row = int(rows[part[0]])
            segments = zip(
                *(values[part].tolist() for values in (right, left, lengths, nats)), strict=True
            )
            yield row, CommonWords(list(segments), information[row], sums[row], float(pay[row]))

    def _runs(self, one: int, others: Int64) -> Runs:
        """Return the runs of an answer and others, each as long as it goes."""
        places, numbers = self._own[one]
        begin = np.searchsorted(self._numbers, numbers, "left")
        counts = np.searchsorted(self._numbers, numbers, "right") - begin
        at = np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        left, right, texts = np.repeat(places, counts), self._starts[at], self._texts[at]
        row_of = np.full(len(self._own), -1)
        row_of[others] = np.arange(len(others))
        rows = row_of[texts]
        inside = rows >= 0
        rows, left, right = rows[inside], left[inside], right[inside]
        order = np.lexsort((left, right - left, rows))
        rows, left, right = rows[order], left[order], right[order]
        is_first = np.ones(len(rows), bool)
        is_first[1:] = (np.diff(rows) != 0) | (np.diff(right - left) != 0) | (np.diff(left) != 1)
        first = np.flatnonzero(is_first)
        lengths = np.diff([*first.tolist(), len(rows)]) + MIN_SEGMENT - 1
        return rows[first], right[first], left[first], lengths


def _is_own(triples: Int64, is_given: Bool) -> Bool:
    """Return `(n,)` whether three words that an author wrote end at each word."""
    own = triples >= 0
    own[2:] &= ~(is_given[2:] & is_given[1:-1] & is_given[:-2])
    return own


def _may_pay(
    rows: Int64, right: Int64, left: Int64, lengths: Int64, nats: Float64, pay: Float64
) -> Bool:
    """Return whether each run may be in a chain that gives more than it pays.

    A chain goes on within `MAX_GAP` words in both answers. So runs that are further apart in the
    one answer, or on its diagonals, are in none together: their nats are added up in groups, which
    hold every chain whole.
    """
    group = rows
    for places, ends in ((right - left, right - left), (right, right + lengths)):
        order = np.lexsort((places, group))
        reached = ends[order].copy()
        new = np.ones(len(order), bool)
        new[1:] = np.diff(group[order]) != 0
        reached = _running_maximum(reached, new)
        new[1:] |= places[order][1:] > reached[:-1] + MAX_GAP
        numbered = np.empty(len(order), np.int64)
        numbered[order] = np.cumsum(new)
        group = numbered
    return np.bincount(group, nats)[group] > pay[rows] if len(group) else np.zeros(0, bool)


def _running_maximum(values: Int64, is_new: Bool) -> Int64:
    """Return the greatest value up to each place, since the last place that is new."""
    step = int(values.max(initial=0) - values.min(initial=0)) + 1
    shift = np.cumsum(is_new) * step
    greatest: Int64 = np.maximum.accumulate(values + shift) - shift
    return greatest

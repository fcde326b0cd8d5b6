"""Chains: what two answers have in common word for word, in nats of information.

A segment is a run of words that are the same in both. Segments that follow each other closely in
both answers form a chain, as in gapped alignment of sequences (Altschul et al., Gapped BLAST and
PSI-BLAST, 1997): a copy in which words were replaced, left out or put in is one chain. Each segment
pays for the places in which it could have stood: the first for all places in both answers, the
others for the places near the segment before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from searchkit.core.arrays import Float64, Int64

MIN_SEGMENT = 3  # words
MIN_LONGEST = 5  # words of the longest segment of two answers that have anything in common
MAX_GAP = 6  # words between two segments of a chain, in either answer
GAP_COST = 3.0  # nats, besides the places

_GAP_COSTS = [
    [GAP_COST + log((left + 1) * (right + 1)) for right in range(MAX_GAP + 1)]
    for left in range(MAX_GAP + 1)
]

Run = tuple[int, int, int]  # the first word in the right and the left answer, and how many words
Segment = tuple[int, int, int, float]  # a run, and the nats that it gives
Places = dict[int, list[int]]  # of each three words, by their number


@dataclass(frozen=True, slots=True)
class ChainedText:
    """An answer as its chains are found.

    Attributes:
        places: Where each three consecutive words begin, by their number.
        length: The number of words.
    """

    places: Places
    length: int

    @classmethod
    def of(cls, triples: Int64, is_given: Sequence[bool]) -> ChainedText:
        """Note the places of all three words in a row.

        Args:
            triples: `(n,)` the number of the three words that end at each word; -1 for none.
            is_given: `(n,)` whether a word is part of what all authors were given.
        """
        places: Places = defaultdict(list)
        for end, number in enumerate(triples.tolist()):
            if number >= 0 and not all(is_given[end - 2 : end + 1]):
                places[number].append(end - 2)
        return cls(dict(places), len(triples))


def shared_information(left: ChainedText, right: ChainedText, information: Float64) -> float:
    """Return the information of what two answers have in common word for word, in nats.

    Args:
        left: One answer, of n words.
        right: The other.
        information: `(3, n)` of the words of the left answer, from `LanguageModel.information`.

    Returns:
        The sum over all chains, best first, that give more than they pay.
    """
    runs = list(_runs(left.places, right.places))
    if not runs or max(length for *_, length in runs) < MIN_LONGEST:
        return 0.0
    pay = log(left.length) + log(right.length)
    worth = _Worth(information)
    segments = worth.segments(runs)
    total = 0.0
    while sum(nats for *_, nats in segments) > pay:
        chain, gain = _best_chain(segments)
        if gain <= pay:
            break
        total += gain - pay
        segments = worth.segments(_without(segments, chain))
    return total


class _Worth:
    """The information of every run of an answer's words, from sums over its words."""

    def __init__(self, information: Float64) -> None:
        self._first, self._second = information[0].tolist(), information[1].tolist()
        self._sums = [0.0, *np.cumsum(information[2]).tolist()]

    def segments(self, runs: Iterable[Run]) -> list[Segment]:
        """Return the runs that give more than a gap costs, in the order of the right answer."""
        first, second, sums = self._first, self._second, self._sums
        segments = []
        for j, i, length in runs:  # nothing is known before its first word
            nats = first[i] + second[i + 1] + sums[i + length] - sums[i + 2]
            if nats > GAP_COST:
                segments.append((j, i, length, nats))
        segments.sort()
        return segments


def _runs(left: Places, right: Places) -> Iterator[Run]:
    """Yield the runs of three or more words that are the same, each as long as it goes."""
    diagonals: dict[int, list[int]] = defaultdict(list)
    for number in left.keys() & right.keys():
        for i in left[number]:
            for j in right[number]:
                diagonals[j - i].append(i)
    for shift, starts in diagonals.items():
        starts.sort()
        first = previous = starts[0]
        for i in [*starts[1:], -1]:
            if i != previous + 1:
                yield first + shift, first, previous - first + MIN_SEGMENT
                first = i
            previous = i


def _best_chain(segments: Sequence[Segment]) -> tuple[list[Segment], float]:
    """Return the chain that gives most, and what it gives less its gaps; by dynamic programming.

    Args:
        segments: In the order of the right answer, which may be much the longer one.
    """
    gains: list[float] = []
    before: list[int] = []
    open_ends: list[tuple[int, int, int]] = []  # in both answers, of those a chain may go on from
    for at, (j, i, length, own) in enumerate(segments):
        open_ends = [ends for ends in open_ends if ends[0] + MAX_GAP >= j]
        best, link = own, -1
        for end_right, end_left, earlier in open_ends:
            gap_right, gap_left = j - end_right, i - end_left
            if gap_right >= 0 and 0 <= gap_left <= MAX_GAP:
                gain = gains[earlier] + own - _GAP_COSTS[gap_left][gap_right]
                if gain > best:
                    best, link = gain, earlier
        gains.append(best)
        before.append(link)
        open_ends.append((j + length, i + length, at))
    at = max(range(len(gains)), key=gains.__getitem__)
    gain, chain = gains[at], []
    while at >= 0:
        chain.append(segments[at])
        at = before[at]
    return chain, gain


def _without(segments: Sequence[Segment], chain: Sequence[Segment]) -> Iterator[Run]:
    """Yield what remains of the segments without the words of a chain."""
    used_right = {j + k for j, _, length, _ in chain for k in range(length)}
    used_left = {i + k for _, i, length, _ in chain for k in range(length)}
    for j, i, length, _ in segments:
        free = [k for k in range(length) if i + k not in used_left and j + k not in used_right]
        if len(free) >= MIN_SEGMENT and free[-1] - free[0] == len(free) - 1:
            yield j + free[0], i + free[0], len(free)

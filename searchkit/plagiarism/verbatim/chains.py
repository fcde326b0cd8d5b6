"""Chains: what two answers have in common word for word, in nats of information.

A segment is a run of words that are the same in both. Segments that follow each other closely in
both answers form a chain, as in gapped alignment of sequences (Altschul et al., Gapped BLAST and
PSI-BLAST, 1997): a copy in which words were replaced, left out or put in is one chain. Each segment
pays for the places in which it could have stood: the first for all places in both answers, the
others for the places near the segment before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from searchkit.core.arrays import Float64, Int64

MIN_SEGMENT = 2  # words
MIN_LONGEST = 5  # words of the longest segment of two answers that have anything in common
MAX_GAP = 6  # words between two segments of a chain, in either answer
GAP_COST = 3.0  # nats, besides the places
MAX_CHAINS = 12  # of two answers

Segment = tuple[int, int, int]  # the first word in both answers, and the number of words
Places = dict[int, list[int]]  # of each pair of words, by its number


@dataclass(frozen=True, slots=True)
class ChainedText:
    """An answer as its chains are found.

    Attributes:
        places: Where each pair of consecutive words begins, by its number.
        length: The number of words.
    """

    places: Places
    length: int

    @classmethod
    def of(cls, pairs: Int64, is_given: Sequence[bool]) -> ChainedText:
        """Note the places of all pairs of words.

        Args:
            pairs: `(n,)` the number of the two words that end at each word; -1 for none.
            is_given: `(n,)` whether a word is part of what all authors were given.
        """
        places: Places = defaultdict(list)
        for end, number in enumerate(pairs.tolist()):
            if number >= 0 and not (is_given[end] and is_given[end - 1]):
                places[number].append(end - 1)
        return cls(dict(places), len(pairs))


def shared_information(left: ChainedText, right: ChainedText, information: Float64) -> float:
    """Return the information of what two answers have in common word for word, in nats.

    Args:
        left: One answer, of n words.
        right: The other.
        information: `(3, n)` of the words of the left answer, from `LanguageModel.information`.

    Returns:
        The sum over all chains, best first, that give more than they pay.
    """
    segments = sorted(_segments(left.places, right.places), key=_order)
    if not segments or max(length for *_, length in segments) < MIN_LONGEST:
        return 0.0
    pay = log(left.length) + log(right.length)
    worth = _Worth(information)
    segments = list(_without_lonely(segments, pay, worth))
    total = 0.0
    for _ in range(MAX_CHAINS if segments else 0):
        chain, gain = _best_chain(segments, worth)
        if gain <= pay:
            break
        total += gain - pay
        segments = sorted(_without(segments, chain), key=_order)
        if not segments:
            break
    return total


class _Worth:
    """The information of every segment of an answer, from sums over its words."""

    def __init__(self, information: Float64) -> None:
        self._first, self._second = information[0].tolist(), information[1].tolist()
        self._sums = [0.0, *np.cumsum(information[2]).tolist()]

    def __call__(self, first: int, length: int) -> float:
        """Return the information of a segment: nothing before its first word is known."""
        known = self._first[first]
        if length > 1:
            known += self._second[first + 1]
        return float(known + self._sums[first + length] - self._sums[first + min(2, length)])


def _segments(left: Places, right: Places) -> Iterator[Segment]:
    """Yield the runs of two or more words that are the same, each as long as it goes."""
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
                yield first, first + shift, previous - first + 2
                first = i
            previous = i


def _order(segment: Segment) -> tuple[int, int, int]:
    """Return what segments are sorted by: their places in the right answer."""
    first, other, length = segment
    return other, first, length


def _without_lonely(segments: Sequence[Segment], pay: float, worth: _Worth) -> Iterator[Segment]:
    """Yield segments, but not those that are worth no more than they pay and are next to no other.

    A long text has thousands of those.

    Args:
        segments: In order.
        pay: What a chain pays.
        worth: The information of a segment.
    """
    reach = MAX_GAP + max(length for *_, length in segments)
    borders = [-reach - 1, *(other for _, other, _ in segments), 1 << 60]
    for at, (first, other, length) in enumerate(segments, 1):
        is_lonely = borders[at + 1] - other > reach < other - borders[at - 1]
        if not is_lonely or worth(first, length) > pay:
            yield first, other, length


def _best_chain(segments: Sequence[Segment], worth: _Worth) -> tuple[list[Segment], float]:
    """Return the chain that gives most, and what it gives less its gaps; by dynamic programming.

    Args:
        segments: In the order of the right answer, which may be much the longer one.
        worth: The information of a segment.
    """
    gains: list[float] = []
    before: list[int] = []
    reach = MAX_GAP + max(length for *_, length in segments)
    for at, (i, j, length) in enumerate(segments):
        own = worth(i, length)
        best, link = own, -1
        for earlier in range(at - 1, -1, -1):
            first, other, size = segments[earlier]
            if j - other > reach:
                break
            gap_left, gap_right = i - first - size, j - other - size
            if not (0 <= gap_left <= MAX_GAP and 0 <= gap_right <= MAX_GAP):
                continue
            gain = gains[earlier] + own - GAP_COST - log((gap_left + 1) * (gap_right + 1))
            if gain > best:
                best, link = gain, earlier
        gains.append(best)
        before.append(link)
    at = max(range(len(gains)), key=gains.__getitem__)
    gain, chain = gains[at], []
    while at >= 0:
        chain.append(segments[at])
        at = before[at]
    return chain, gain


def _without(segments: Sequence[Segment], chain: Sequence[Segment]) -> Iterator[Segment]:
    """Yield what remains of the segments without the words of a chain."""
    used_left = {i + k for i, _, length in chain for k in range(length)}
    used_right = {j + k for _, j, length in chain for k in range(length)}
    for i, j, length in segments:
        free = [k for k in range(length) if i + k not in used_left and j + k not in used_right]
        if len(free) >= MIN_SEGMENT and free[-1] - free[0] == len(free) - 1:
            yield i + free[0], j + free[0], len(free)

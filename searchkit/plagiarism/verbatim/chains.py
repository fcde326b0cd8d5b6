"""Chains: what two answers have in common word for word, in nats of information.

A segment is a run of words that are the same in both. Segments that follow each other closely in
both answers form a chain, as in gapped alignment of sequences (Altschul et al., Gapped BLAST and
PSI-BLAST, 1997): a copy in which words were replaced, left out or put in is one chain. Each segment
pays for the places in which it could have stood: the first for all places in both answers, the
others for the places near the segment before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from searchkit.core.arrays import Float64

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


@dataclass(frozen=True, slots=True)
class CommonWords:
    """What two answers have in common word for word.

    Attributes:
        segments: In the order of the right answer; each gives more than a gap costs.
        information: `(3, n)` of the words of the left answer, from `LanguageModel.information`.
        sums: `(n + 1,)` the information after two words, `information[2]`, of all words before.
        pay: What a chain pays for the places in which it could stand, in nats.
    """

    segments: list[Segment]
    information: Float64
    sums: Float64
    pay: float

    def shared_information(self) -> float:
        """Return the sum over all chains, best first, that give more than they pay, in nats."""
        segments = self.segments
        total = 0.0
        while sum(nats for *_, nats in segments) > self.pay:
            chain, gain = _best_chain(segments)
            if gain <= self.pay:
                break
            total += gain - self.pay
            segments = self._without(segments, chain)
        return total

    def _without(self, segments: Sequence[Segment], chain: Sequence[Segment]) -> list[Segment]:
        """Return what remains of the segments without the words of a chain."""
        used_right = {j + k for j, _, length, _ in chain for k in range(length)}
        used_left = {i + k for _, i, length, _ in chain for k in range(length)}
        remaining = []
        for segment in segments:
            j, i, length, _ = segment
            if used_right.isdisjoint(range(j, j + length)) and used_left.isdisjoint(
                range(i, i + length)
            ):
                remaining.append(segment)
                continue
            free = [k for k in range(length) if i + k not in used_left and j + k not in used_right]
            if len(free) >= MIN_SEGMENT and free[-1] - free[0] == len(free) - 1:
                run = j + free[0], i + free[0], len(free)
                if (nats := self._nats(run)) > GAP_COST:
                    remaining.append((*run, nats))
        return sorted(remaining)

    def _nats(self, run: Run) -> float:
        """Return what a run gives; nothing is known before its first word."""
        _, i, length = run
        first, second = self.information[0, i], self.information[1, i + 1]
        return float(first + second + self.sums[i + length] - self.sums[i + 2])


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

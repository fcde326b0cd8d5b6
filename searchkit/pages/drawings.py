"""Histograms of scores as coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from searchkit.core.messages import counted
from searchkit.pages.scores import BINS

MAX_DOT_ROWS = 6
MAX_DOTS = 60  # findings of a histogram that have a dot each; more are counted in bars
FOUND_HEIGHT = 45  # of those bars


class ScoredFinding(Protocol):
    """What a histogram takes of a finding: a row of a table, or its view."""

    @property
    def number(self) -> int:
        """Its number among all."""

    @property
    def anchor(self) -> str:
        """The id of its element in the page."""

    @property
    def verdict(self) -> str:
        """Its verdict."""

    @property
    def score(self) -> float:
        """The cosine of both answers."""

    @property
    def decision(self) -> str:
        """What was decided about it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram, and the text of its tooltip."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A finding above its score: its position, the anchor that it links to, and its label."""

    x: float
    y: float
    target: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below the axis of a histogram."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class HistogramView:
    """The number of pairs by score; in units of the drawing.

    Above them is a dot for each finding, or if there are many, bars with the number of findings.
    """

    width: int
    height: int
    left: float
    right: float
    base: float
    bars: list[Bar]
    found: list[Bar]
    dots: list[Dot]
    ticks: list[Tick]
    title: str
    note: str


WIDTH, HEIGHT = 400, 150  # of a histogram
MIN_TOP = 26  # least space above the bars
ROW_HEIGHT = 9  # of a row of dots, and their least distance


def histogram(
    counts: Sequence[int], findings: Sequence[ScoredFinding] = (), note: str = ""
) -> HistogramView:
    """Return the histogram of a question's scores, with its findings.

    Args:
        counts: `BINS` numbers of pairs, for scores from -1 to 1.
        findings: The findings of the question.
        note: A sentence to add to the caption.
    """
    lowest = _lowest_bin(counts, findings)
    left, right, base = 12.0, WIDTH - 12.0, HEIGHT - 20.0
    step = (right - left) / (BINS - lowest)
    has_dots = len(findings) <= MAX_DOTS
    dots = _dots(findings, lowest, left, right) if has_dots else []
    found = [] if has_dots else _found_bars(findings, lowest, left, step)
    top = max([float(MIN_TOP), *(dot.y + ROW_HEIGHT for dot in dots)])
    top = top if has_dots else FOUND_HEIGHT + ROW_HEIGHT
    most = max([1, *counts])
    bars = [
        _bar(n, counts[n], left + (n - lowest) * step, base, step, (base - top) * counts[n] / most)
        for n in range(lowest, BINS)
        if counts[n]
    ]
    interval = 10 if BINS - lowest > 30 else 5
    ticks = [
        Tick(round(left + (n - lowest) * step, 1), f"{2 * n / BINS - 1:.1f}")
        for n in range(lowest, BINS + 1)
        if n % interval == 0
    ]
    title = _in_words(counts, sum(counts), findings)
    return HistogramView(WIDTH, HEIGHT, left, right, base, bars, found, dots, ticks, title, note)


def _lowest_bin(counts: Sequence[int], findings: Sequence[ScoredFinding]) -> int:
    """Return the first bin to display: a multiple of 5 that leaves at least 20 bins."""
    first = next((n for n, count in enumerate(counts) if count), BINS // 2)
    lowest = min([first, *(int((finding.score + 1) * BINS / 2) for finding in findings)])
    return max(0, min(lowest, BINS - 20) // 5 * 5)


def _bar(
    n: int, count: int, x: float, base: float, step: float, height: float, noun: str = "pair"
) -> Bar:
    height = max(1.0, height)  # so that a single pair is visible
    low, high = (round(2 * k / BINS - 1, 2) for k in (n, n + 1))
    return Bar(
        round(x, 1),
        round(base - height, 1),
        round(step * 0.9, 1),
        round(height, 1),
        f"{low:.2f} to {high:.2f}: {counted(count, noun)}",
    )


def _dots(findings: Sequence[ScoredFinding], lowest: int, left: float, right: float) -> list[Dot]:
    """Place each finding above its score, in another row where dots would touch."""
    dots: list[Dot] = []
    ends: list[float] = []  # x of the last dot of each row, from the top
    low = 2 * lowest / BINS - 1
    for finding in sorted(findings, key=lambda f: (f.score, f.number)):
        x = left + (right - left) * (min(1.0, finding.score) - low) / (1 - low)
        row = next((n for n, end in enumerate(ends) if x - end >= ROW_HEIGHT), len(ends))
        row = min(row, MAX_DOT_ROWS - 1)  # where there are very many, they share the last row
        ends[row : row + 1] = [x]
        label = f"finding {finding.number}: {finding.verdict}, similarity {finding.score:.2f}"
        y = 6.0 + ROW_HEIGHT * row
        dots.append(Dot(round(x, 1), y, finding.anchor, label, finding.decision))
    return dots


def _found_bars(
    findings: Sequence[ScoredFinding], lowest: int, left: float, step: float
) -> list[Bar]:
    """Return bars of the numbers of findings, on a scale of their own above the others."""
    counts = Counter(
        min(BINS - 1, int((finding.score + 1) * BINS / 2 + 1e-5)) for finding in findings
    )
    most = max(counts.values())
    return [
        _bar(
            *(n, count, left + (n - lowest) * step, float(FOUND_HEIGHT), step),
            height=(FOUND_HEIGHT - 4) * count / most,
            noun="finding",
        )
        for n, count in sorted(counts.items())
    ]


def _in_words(counts: Sequence[int], total: int, findings: Sequence[ScoredFinding]) -> str:
    if not total:
        return "No two answers to compare."
    reached, below = 0, 0
    for n, count in enumerate(counts):
        reached += count
        if reached >= total / 2:
            below = n
            break
    middle = 2 * below / BINS - 1
    found = _found_in_words(len(findings))
    return (
        f"Similarity of the whole answers of {counted(total, 'pair')}, half of them below "
        f"{middle + 2 / BINS:.2f}; {found}."
    )


def _found_in_words(count: int) -> str:
    """Return how many findings are drawn, and as what."""
    if not count:
        return "no finding"
    if count > MAX_DOTS:
        return f"{counted(count, 'finding')} in the bars above"
    return f"{count} findings, a dot each" if count > 1 else "1 finding, the dot"

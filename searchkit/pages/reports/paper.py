"""What paper leaves out: the middle of long parts of a text, so that a finding fits on a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

from searchkit.pages.segments import Segment, TextRun

MAX_LINES = 62  # of one of two texts beside each other on a page
LINE_LENGTH = 52  # characters of such a line
# Characters that are kept at each end of a part: fewer until the text fits.
KEPT_CHARACTERS = (400, 200, 100, 40)


def shorten_for_paper(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments of a text, those marked as `screen_only` that don't fit on a page.

    What is shared with no other text is left out first, then the middle of shared passages, and in
    the end the rest of the text.
    """
    shortened = list(segments)
    for shared_too in (False, True):
        for kept in KEPT_CHARACTERS:
            if _count_lines(shortened) <= MAX_LINES:
                return shortened
            shortened = [
                part
                for segment in segments
                for part in (
                    _without_middle(segment, kept) if shared_too or not segment.kind else [segment]
                )
            ]
    return list(_first_lines(shortened))


def _count_lines(segments: Sequence[Segment]) -> int:
    text = "".join("[…]" if s.screen_only else _text(s) for s in segments)
    return sum(max(1, ceil(len(line) / LINE_LENGTH)) for line in text.split("\n"))


def _text(segment: Segment) -> str:
    return "".join(run.text for run in segment.runs)


def _without_middle(segment: Segment, kept: int) -> list[Segment]:
    """Return the head, the middle, which is left out, and the tail of a long segment."""
    length = len(_text(segment))
    if length <= 3 * kept:
        return [segment]
    head, rest = _split(segment.runs, kept)
    middle, tail = _split(rest, length - 2 * kept)
    return [
        replace(segment, runs=head, closes=()),
        replace(segment, runs=middle, opens=(), closes=(), screen_only=True),
        replace(segment, runs=tail, opens=()),
    ]


def _split(runs: Sequence[TextRun], length: int) -> tuple[tuple[TextRun, ...], tuple[TextRun, ...]]:
    """Cut runs after so many characters; a name or a sign is not cut and belongs to the second."""
    for n, run in enumerate(runs):
        if len(run.text) > length:
            if run.kind:
                return tuple(runs[:n]), tuple(runs[n:])
            head, tail = TextRun(run.text[:length]), TextRun(run.text[length:])
            return (*runs[:n], head), (tail, *runs[n + 1 :])
        length -= len(run.text)
    return tuple(runs), ()


def _first_lines(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Yield segments, from where the page is full on as left out."""
    shown: list[Segment] = []
    for segment in segments:
        shown.append(segment)
        is_full = _count_lines(shown) > MAX_LINES
        yield replace(segment, screen_only=True) if is_full else segment

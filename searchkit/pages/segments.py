"""Texts cut into segments that are displayed alike: highlights, names, invisible characters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from searchkit.core.records import Hit, Span
from searchkit.output.search import hit_spans
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.records import Overlap
from searchkit.text.code import code_blocks
from searchkit.text.folding import fold
from searchkit.text.mentions import Mention

# Characters that are invisible or change how others are displayed: control and bidi characters,
# lone surrogates, zero-width ones, fillers and tags. Joiners are left out, as emoji and some
# scripts need them.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)

# -- records ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an author or an answer, as it is displayed.

    Attributes:
        text: The name, or in an anonymous report the pseudonym.
        alias: The pseudonym that is displayed while names are hidden; empty if there is none.
    """

    text: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of characters that are displayed in one way.

    Attributes:
        text: The characters that are displayed.
        kind: `sign` for a character spelled out as its code point, `name` for the name of an author
            or answer, `pseudonym` for what is in its place, empty for other text.
        alias: What is displayed instead while names are hidden.
    """

    text: str
    kind: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A highlighted passage of a text.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last character.
        kind: `verbatim`, `reworded` or `hit`.
        number: The passage's number, the same in both answers, from 1; 0 displays no brackets.
        anchor: The id of its element in the page.
        target: The id of the passage's element in the other answer.
        title: A description for a tooltip.
    """

    start: int
    end: int
    kind: str
    number: int = 0
    anchor: str = ""
    target: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text between two neighbouring borders of highlights.

    Attributes:
        runs: Its text.
        kind: How it is highlighted: the first of `hit`, `verbatim` and `reworded` that covers it;
            empty if none does.
        opens: The highlights that begin before it, the outermost first.
        closes: The highlights that end after it, the innermost first.
        screen_only: Whether paper leaves it out.
        is_code: Whether it is shown as code.
    """

    runs: tuple[TextRun, ...]
    kind: str = ""
    opens: tuple[Highlight, ...] = ()
    closes: tuple[Highlight, ...] = ()
    screen_only: bool = False
    is_code: bool = False


# Runs that replace parts of a text, in order: (start, end, run).
Replacements = list[tuple[int, int, TextRun]]

# -- names and texts -------------------------------------------------------------------------------


def author_name(name: str, names: Pseudonyms | None = None) -> Name:
    """Return an author's name as it is displayed."""
    return _name(name, names.author(name), names) if names else Name(name)


def answer_name(name: str, names: Pseudonyms | None = None) -> Name:
    """Return an answer's id as it is displayed."""
    return _name(name, names.answer(name), names) if names else Name(name)


def question_name(name: str | None, names: Pseudonyms | None = None) -> Name:
    """Return a question's name as it is displayed; empty if there is none."""
    if not name or not names or (alias := names.question(name)) == name:
        return Name(name or "")
    return _name(name, alias, names)


def _name(name: str, alias: str, names: Pseudonyms) -> Name:
    return Name(alias) if names.replace else Name(name, alias)


def text_runs(message: str, names: Pseudonyms | None = None) -> tuple[TextRun, ...]:
    """Return a message of searchkit as runs, with the answers and authors in it as names."""
    mentions = names.mentions_in_message(message) if names else []
    replacements = _replacements(message, mentions, names)
    return tuple(_runs_between(message, 0, len(message), replacements))


def segments(
    text: str,
    highlights: Sequence[Highlight] = (),
    names: Pseudonyms | None = None,
    within: Span | None = None,
) -> list[Segment]:
    """Cut a text at the borders of its highlights, and of code.

    Args:
        text: The text of an answer.
        highlights: Passages within it, which may be nested or overlap; empty ones are ignored.
        names: Pseudonyms of the people and answers whose mentions are displayed as names.
        within: The part of the text that is shown; None for all of it.
    """
    first, last = within or (0, len(text))
    code = code_blocks(text)
    highlights = [highlight for highlight in highlights if highlight.start < highlight.end]
    replacements = _replacements(text, names.mentions(text) if names else [], names)
    borders = {first, last}.union(*code, *((mark.start, mark.end) for mark in highlights))
    shown = sorted(border for border in borders if first <= border <= last)
    cut = (_segment(text, start, end, highlights, replacements) for start, end in pairwise(shown))
    return [
        replace(segment, is_code=any(a <= start < b for a, b in code))
        for segment, start in zip(cut, shown, strict=False)
    ]


def _segment(
    text: str,
    start: int,
    end: int,
    highlights: Sequence[Highlight],
    replacements: Replacements,
) -> Segment:
    kinds = {h.kind for h in highlights if h.start <= start and end <= h.end}
    opens = [h for h in highlights if h.start == start]
    closes = [h for h in highlights if h.end == end]
    return Segment(
        runs=tuple(_runs_between(text, start, end, replacements)),
        kind=next((kind for kind in ("hit", "verbatim", "reworded") if kind in kinds), ""),
        opens=tuple(sorted(opens, key=lambda h: (-h.end, h.number))),
        closes=tuple(sorted(closes, key=lambda h: (-h.start, -h.number))),
    )


def hit_segments(
    hit: Hit, names: Pseudonyms | None = None, within: Span | None = None
) -> list[Segment]:
    """Cut a hit's text at what is marked in it: the best sentence and the words found."""
    highlights = [Highlight(start, end, "hit") for start, end in hit_spans(hit)]
    return segments(hit.answer.text, highlights, names, within)


def overlap_highlights(passages: Sequence[Overlap], side: str, anchor: str) -> list[Highlight]:
    """Return the highlights of one answer of a pair, numbered as `searchkit compare` does.

    Args:
        passages: The passages that both answers share.
        side: `left` or `right`.
        anchor: The prefix of all element ids of the pair.
    """
    other = "right" if side == "left" else "left"
    return [
        Highlight(
            *(passage.left if side == "left" else passage.right),
            kind=passage.kind,
            number=number,
            anchor=f"{anchor}-{side}-{number}",
            target=f"{anchor}-{other}-{number}",
            title=_overlap_title(number, passage),
        )
        for number, passage in enumerate(passages, 1)
    ]


def _overlap_title(number: int, passage: Overlap) -> str:
    if passage.kind == "verbatim":
        return f"passage {number}: the same words; to the other answer"
    return (
        f"passage {number}: the same in other words (similarity {passage.score:.2f}); to the other"
    )


def _replacements(text: str, mentions: Sequence[Mention], names: Pseudonyms | None) -> Replacements:
    """Return runs for mentioned names, and elsewhere for characters that have to be spelled out."""
    named: Replacements = []
    for mention in mentions:
        name = text[mention.start : mention.end]
        hide = names is not None and names.replace
        run = TextRun(mention.alias, "pseudonym") if hide else TextRun(name, "name", mention.alias)
        named.append((mention.start, mention.end, run))
    offsets = {match.start() for match in _INVISIBLE.finditer(text)} | set(fold(text).hidden)
    covered = {at for start, end, _ in named for at in range(start, end)}
    signs = [(at, at + 1, TextRun(_sign(text[at]), "sign")) for at in offsets - covered]
    return sorted([*named, *signs], key=lambda replacement: replacement[0])


def _sign(character: str) -> str:
    """Return a character's code point, after the character itself if it is visible."""
    code = f"U+{ord(character):04X}"
    is_invisible = _INVISIBLE.match(character) or not character.isprintable()
    return code if is_invisible else f"{character} {code}"


def _runs_between(text: str, start: int, end: int, replacements: Replacements) -> Iterator[TextRun]:
    """Yield the runs of a part of a text; of a name cut by a border, the first part has the alias.

    A run without an alias can't be cut, so it belongs to the part in which it begins.
    """
    at = start
    for first, after, run in replacements:
        if after <= start or first >= end:
            continue
        if at < first:
            yield TextRun(_with_newlines(text[at:first]))
        begins_here = start <= first
        if (begins_here and after <= end) or (begins_here and not run.alias):
            yield run
        elif run.alias:
            visible_part = text[max(start, first) : min(end, after)]
            yield TextRun(visible_part, run.kind, run.alias if begins_here else "")
        at = min(end, after)
    if at < end:
        yield TextRun(_with_newlines(text[at:end]))


def _with_newlines(text: str) -> str:
    """Return a text with a newline for every kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

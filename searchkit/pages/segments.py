"""Texts cut into what is drawn alike: marked stretches, names, signs for what cannot be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from searchkit.core.records import Hit
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.records import Overlap
from searchkit.text.folding import fold

# What acts or isn't seen: control and bidi characters, lone surrogates, zero-width ones, fillers
# and tags; not the joiners, of which emoji and some scripts are made.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)

# -- names and texts -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """Who or what is meant: `alias` stands there when names are hidden, if it isn't empty."""

    text: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is shown in one way.

    Attributes:
        text: What is shown.
        kind: `sign`: a character spelled out; `name`: of an author or answer; or nothing.
        alias: What stands there when names are hidden.
    """

    text: str
    kind: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A passage that is marked in a text.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last.
        kind: `verbatim`, `reworded` or `hit`.
        number: The same on both sides, from 1; 0: it has none, and no brackets.
        anchor: Its name in the page.
        target: The name of the passage on the other side.
        title: What it is, in words.
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
    """A stretch of a text between two borders.

    Attributes:
        pieces: Its text.
        kind: How it is marked: `verbatim` before `reworded`; or nothing.
        opens: The marks that begin before it, the outermost first.
        closes: The marks that end after it, the innermost first.
    """

    pieces: tuple[Piece, ...]
    kind: str = ""
    opens: tuple[Mark, ...] = ()
    closes: tuple[Mark, ...] = ()


def author_name(name: str, names: Pseudonyms | None = None) -> Name:
    """Return an author as a page shows one."""
    if names is None:
        return Name(name)
    alias = names.author(name)
    return Name(alias) if names.replace else Name(name, alias)


def answer_name(name: str, names: Pseudonyms | None = None) -> Name:
    """Return an answer's id as a page shows it."""
    if names is None:
        return Name(name)
    alias = names.answer(name)
    return Name(alias) if names.replace else Name(name, alias)


def pieces(text: str, names: Pseudonyms | None = None) -> tuple[Piece, ...]:
    """Return what searchkit says, with the answers and authors in it as names."""
    mentions = names.mentions_by_us(text) if names else []
    shown = [(m.start, m.end, _name_piece(text[m.start : m.end], m.alias, names)) for m in mentions]
    return tuple(_within(text, 0, len(text), _with_signs(text, shown)))


def segments(
    text: str, marks: Sequence[Mark] = (), names: Pseudonyms | None = None
) -> list[Segment]:
    """Cut a text at the borders of its marks, which may lie in each other or overlap.

    Args:
        text: Of an answer.
        marks: Within it; empty ones are left out.
        names: Whose mentions are shown as names, or replaced.
    """
    marks = [mark for mark in marks if mark.start < mark.end]
    mentions = names.mentions(text) if names else []
    shown = [(m.start, m.end, _name_piece(text[m.start : m.end], m.alias, names)) for m in mentions]
    special = _with_signs(text, shown)
    borders = sorted({0, len(text), *(at for mark in marks for at in (mark.start, mark.end))})
    found = []
    for start, end in pairwise(borders):
        kinds = {mark.kind for mark in marks if mark.start <= start and end <= mark.end}
        opens = [mark for mark in marks if mark.start == start]
        closes = [mark for mark in marks if mark.end == end]
        found.append(
            Segment(
                pieces=tuple(_within(text, start, end, special)),
                kind=next((k for k in ("hit", "verbatim", "reworded") if k in kinds), ""),
                opens=tuple(sorted(opens, key=lambda mark: (-mark.end, mark.number))),
                closes=tuple(sorted(closes, key=lambda mark: (-mark.start, -mark.number))),
            )
        )
    return found


def hit_segments(hit: Hit, names: Pseudonyms | None = None) -> list[Segment]:
    """Cut a hit's text at its passage; nothing is marked if that is the whole text."""
    text, passage = hit.answer.text, hit.passage
    whole = not text[: passage.start].strip() and not text[passage.end :].strip()
    marks = () if whole else (Mark(passage.start, passage.end, "hit"),)
    return segments(text, marks, names)


def overlap_marks(passages: Sequence[Overlap], side: str, anchor: str) -> list[Mark]:
    """Return the marks of one side, numbered as `compare` numbers them.

    Args:
        passages: What both share.
        side: `left` or `right`.
        anchor: What all names of the pair begin with.
    """
    other = "right" if side == "left" else "left"
    return [
        Mark(
            *(passage.left if side == "left" else passage.right),
            kind=passage.kind,
            number=number,
            anchor=f"{anchor}-{side}-{number}",
            target=f"{anchor}-{other}-{number}",
            title=_what_is_shared(number, passage),
        )
        for number, passage in enumerate(passages, 1)
    ]


def _what_is_shared(number: int, passage: Overlap) -> str:
    if passage.kind == "verbatim":
        return f"passage {number}: the same words; to the other answer"
    return f"passage {number}: the same in other words (cosine {passage.score:.2f}); to the other"


Special = list[tuple[int, int, Piece]]


def _name_piece(said: str, alias: str, names: Pseudonyms | None) -> Piece:
    return Piece(alias, "name") if names and names.replace else Piece(said, "name", alias)


def _with_signs(text: str, shown: Special) -> Special:
    """Add the characters that have to be spelled out, where no name stands."""
    places = {match.start() for match in _UNSEEN.finditer(text)} | set(fold(text).hidden)
    taken = {at for start, end, _ in shown for at in range(start, end)}
    signs = [(at, at + 1, Piece(_sign(text[at]), "sign")) for at in places - taken]
    return sorted([*shown, *signs], key=lambda one: one[0])


def _sign(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return (
        code if _UNSEEN.match(character) or not character.isprintable() else f"{character} {code}"
    )


def _within(text: str, start: int, end: int, special: Special) -> Iterable[Piece]:
    """Yield the pieces of a stretch; a name that a border cuts has its alias before the cut."""
    at = start
    for begin, after, piece in special:
        if after <= start or begin >= end:
            continue
        if at < begin:
            yield Piece(_plain(text[at:begin]))
        if start <= begin and after <= end:
            yield piece
        elif not piece.alias:
            if start <= begin:
                yield piece
        else:
            part = text[max(start, begin) : min(end, after)]
            yield Piece(part, piece.kind, piece.alias if start <= begin else "")
        at = min(end, after)
    if at < end:
        yield Piece(_plain(text[at:end]))


def _plain(text: str) -> str:
    """Return text with line ends as a page has them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

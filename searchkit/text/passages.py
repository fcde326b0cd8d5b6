"""Split texts into passages that fit the model's window.

Passages cover everything but white space, and no cut is inside a grapheme (what a reader sees as
one character). Each text is tokenized once, and cut by the offsets of its tokens.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from searchkit.core.arrays import Intp
from searchkit.core.records import Passage

if TYPE_CHECKING:
    import regex
    from tokenizers import Tokenizer


# Maximum number of characters that are tokenized in one call, to bound the memory.
BATCH_CHARACTERS = 1_000_000
# A longer text is tokenized in blocks of about this many characters, on all cores.
BLOCK_CHARACTERS = 50_000
MAX_WORD = 200  # characters before the end of a block in which white space is looked for
LONE_SURROGATES = re.compile("[\ud800-\udfff]")
WHITE_SPACE = re.compile(r"\s+")
LINE = re.compile(r"[\r\n]\s*")
BLANK_LINE = re.compile(r"(?:\r\n|\r(?!\n)|\n)[^\S\r\n]*[\r\n]\s*")
SENTENCE = re.compile(r"[.!?…\u061f\u06d4\u0964\u0965][\"'”’)\]]*\s+|[。！？][\"'”’」』）)\]]*\s*")  # noqa: RUF001
MARK = re.compile(r"[^\w\s]+")
# Where a passage may end, best first, and of how much of its even share of the text's tokens it
# must have at least for that.
BOUNDARIES = (
    (BLANK_LINE, 0.5),
    (LINE, 0.75),
    (SENTENCE, 0.75),
    (LINE, 0.5),
    (SENTENCE, 0.5),
    (WHITE_SPACE, 0.75),
    (WHITE_SPACE, 0),
    (MARK, 0.75),
)
# Alone, a passage may have more tokens than as a part of its text: so much of the window is left
# free for that with tokenizers of which it isn't known.
ROOM = 1 / 32


def split_passages(texts: Sequence[str], tokenizer: Tokenizer, window: int) -> list[list[Passage]]:
    """Split each text into passages of at most `window` tokens.

    Args:
        texts: The texts of the answers.
        tokenizer: The model's tokenizer, without truncation or padding.
        window: Maximum number of tokens in a passage, without special tokens; at least 1.

    Returns:
        The passages of each text, in order: none for a blank text, and one for a text that fits,
        from its first character to its last. The passages of a longer text begin and end with
        visible characters, and only white space is between them. Offsets count characters of
        Python's str.
    """
    texts = [well_formed(text) for text in texts]
    is_exact = _counts_add_up(tokenizer)
    limit = window if is_exact else max(1, window - round(window * ROOM))
    passages: list[list[Passage]] = [[] for _ in texts]
    uncounted: list[_Piece] = []
    for row, text in enumerate(texts):
        if text.isascii() and len(text) < window:  # has at most one token more than characters
            passages[row] = [Passage(0, len(text))] if text.strip() else []
        elif text.strip():
            uncounted.append(_Piece(row, text, 0, len(text)))
    while uncounted:
        pieces, uncounted = uncounted, []
        for piece, tokens in zip(pieces, _tokenize(pieces, tokenizer), strict=True):
            parts = piece.cut(tokens.starts, limit) if len(tokens.starts) > window else [piece]
            for part in parts:
                if part == piece or (is_exact and piece.is_cut_at_spaces(part, tokens.seams)):
                    passages[part.row].append(Passage(part.start, part.end))
                else:
                    uncounted.append(part)
    return [sorted(parts, key=lambda part: part.start) for parts in passages]


@cache
def _grapheme() -> regex.Pattern[str]:
    """Return the pattern of a grapheme, for which a query waits only if it is long."""
    import regex

    return regex.compile(r"\X")


def well_formed(text: str) -> str:
    """Return the text with U+FFFD for each lone surrogate, which tokenizers refuse.

    The length stays the same, and so do all offsets.
    """
    return LONE_SURROGATES.sub("\ufffd", text)


def _counts_add_up(tokenizer: Tokenizer) -> bool:
    """Whether a text has as many tokens as its parts together, if it is cut at white space."""
    return (
        type(tokenizer.pre_tokenizer).__name__ == "BertPreTokenizer"
        and type(tokenizer.normalizer).__name__ in ("BertNormalizer", "NoneType")
        and not any(
            WHITE_SPACE.search(token.content)
            for token in tokenizer.get_added_tokens_decoder().values()
        )
    )


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The tokens of a piece.

    Attributes:
        starts: The offset in the text at which each one starts, in order.
        seams: Offsets inside words at which the piece was divided to be tokenized.
    """

    starts: Intp
    seams: list[int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a text: `text[start:end]` of the text in a row of the batch."""

    row: int
    text: str
    start: int
    end: int

    def is_cut_at_spaces(self, part: _Piece, seams: list[int]) -> bool:
        """Whether a part begins and ends at white space or where the piece does, without seams."""
        edges = {part.start, part.end} - {self.start, self.end}
        at_spaces = all(
            self.text[edge - 1].isspace() or self.text[edge].isspace() for edge in edges
        )
        return at_spaces and not any(part.start < seam < part.end for seam in seams)

    def cut(self, starts: Intp, limit: int) -> list[_Piece]:
        """Return parts of at most `limit` tokens, without the white space around them.

        Args:
            starts: The offset in the text at which each of the piece's tokens starts, in order.
            limit: Maximum number of tokens in a part.
        """
        boundaries = _Boundaries(self)
        parts, start, first = [], self.start, 0
        while len(starts) - first > limit:
            end = boundaries.best(start, starts[first:], limit)
            parts.append((start, end))
            start, first = end, int(np.searchsorted(starts, end))
        parts.append((start, self.end))
        return [_Piece(self.row, self.text, *span) for span in self._stripped(parts)]

    def _stripped(self, parts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        for start, end in parts:
            part = self.text[start:end]
            if part.strip():
                yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())


class _Boundaries:
    """Where a piece may be cut, by kinds of boundaries, each searched when it is first needed."""

    def __init__(self, piece: _Piece) -> None:
        self._piece = piece
        self._ends: dict[re.Pattern[str], list[int]] = {}

    def best(self, start: int, starts: Intp, limit: int) -> int:
        """Return where the part should end that begins at `start`.

        Args:
            start: Offset in the text.
            starts: Where each token from there on starts; more than `limit`.
            limit: Maximum number of tokens in the part.
        """
        share = len(starts) / -(-len(starts) // limit)
        high = int(starts[limit])
        for pattern, least in BOUNDARIES:
            low = max(start, int(starts[int(share * least)]))
            if ends := self._between(pattern, low, high):
                sizes = np.searchsorted(starts, ends)
                return ends[int(np.argmin(abs(sizes - share)))]
        even = int(starts[round(share)])
        return self._between_graphemes(start, even, high)

    def _between_graphemes(self, start: int, even: int, high: int) -> int:
        """Return the last end of a grapheme up to `even` or else to `high`, or else `high`."""
        text = self._piece.text
        first: int = _grapheme().match(text, start).end()
        if first > high:
            return high if high > start else first
        ends = [match.end() for match in _grapheme().finditer(text, start, high + 1)]
        return max((end for end in ends if end <= even), default=first)

    def _between(self, pattern: re.Pattern[str], low: int, high: int) -> list[int]:
        """Return the boundaries after `low` and up to `high` that are in no grapheme."""
        if pattern not in self._ends:
            found = pattern.finditer(self._piece.text, self._piece.start, self._piece.end)
            self._ends[pattern] = [match.end() for match in found]
        ends = self._ends[pattern]
        between = ends[bisect_right(ends, low) : bisect_right(ends, high)]
        return [end for end in between if _grapheme().match(self._piece.text, end - 1).end() == end]


def _tokenize(pieces: Sequence[_Piece], tokenizer: Tokenizer) -> Iterator[_Tokens]:
    """Yield the tokens of each piece; long ones are tokenized in blocks, on all cores."""
    edges = [list(_block_edges(piece)) for piece in pieces]
    blocks = [
        (piece.text, *span)
        for piece, piece_edges in zip(pieces, edges, strict=True)
        for span in pairwise(piece_edges)
    ]
    block_starts = _block_token_starts(blocks, tokenizer)
    for piece, piece_edges in zip(pieces, edges, strict=True):
        starts = np.concatenate(list(islice(block_starts, len(piece_edges) - 1)))
        seams = [edge for edge in piece_edges[1:-1] if not piece.text[edge - 1].isspace()]
        yield _Tokens(np.maximum.accumulate(starts), seams)


def _block_token_starts(
    blocks: Sequence[tuple[str, int, int]], tokenizer: Tokenizer
) -> Iterator[Intp]:
    """Yield where each token of each block starts in its text; a block is (text, start, end)."""
    first = characters = 0
    for n, (_, start, end) in enumerate(blocks, 1):
        characters += end - start
        if characters >= BATCH_CHARACTERS or n == len(blocks):
            batch = blocks[first:n]
            spans = [text[start:end] for text, start, end in batch]
            encodings = tokenizer.encode_batch(spans, add_special_tokens=False)
            for (_, start, _), encoding in zip(batch, encodings, strict=True):
                yield start + np.array([token for token, _ in encoding.offsets], np.intp)
            first, characters = n, 0


def _block_edges(piece: _Piece) -> Iterator[int]:
    """Yield the offsets that divide a piece into blocks, at white space if there is some."""
    edge = piece.start
    while piece.end - edge > BLOCK_CHARACTERS:
        yield edge
        edge += BLOCK_CHARACTERS
        spaces = WHITE_SPACE.finditer(piece.text, edge - MAX_WORD, edge)
        edge = max((match.end() for match in spaces), default=edge)
    yield from (edge, piece.end)

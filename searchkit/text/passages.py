"""Split texts into passages that fit the model's window.

Passages cover everything but white space, and no cut is inside a grapheme (what a reader sees as
one character).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from searchkit.core.records import Passage

if TYPE_CHECKING:
    from semantic_text_splitter import TextSplitter
    from tokenizers import Tokenizer


# Maximum number of characters that are tokenized in one call, to bound the memory.
BATCH_CHARACTERS = 4_000_000
# The splitter's time is quadratic in the length of a text without white space (300,000 characters
# of "a.a.a." take 77 s), so a long text is first cut into blocks of this many characters for each
# token of the window.
BLOCK_CHARACTERS_PER_TOKEN = 32
# Passages of one text are made about equally long, so that the last one doesn't have only a few
# words. Their target length is a multiple of window / BALANCE_STEPS: few splitters are needed.
BALANCE_STEPS = 8
LONE_SURROGATES = re.compile("[\ud800-\udfff]")
JOINING_CATEGORIES = ("Mn", "Mc", "Me", "Cf")  # Unicode categories of marks and format characters
# Letters that form a grapheme with a neighbour: Thai and Lao am, Malayalam dot reph, Hangul jamo.
JOINING_LETTERS = frozenset("\u0e33\u0eb3\u0d4e").union(
    map(chr, (*range(0x1100, 0x1200), *range(0xA960, 0xA980)))
)
# Where a block may end, best first: after a blank line, a line, a sentence, a word.
BOUNDARIES = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"[\r\n]\s*"),
    re.compile(r"[.!?。！？…][\"'”’)\]]*\s+"),  # noqa: RUF001
    re.compile(r"\s+"),
)


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
    passages: list[list[Passage]] = []
    splitters = _Splitters(tokenizer, window)
    for batch in _batches([well_formed(text) for text in texts]):
        counts = splitters.count(batch)
        batch_passages = [[Passage(0, len(text))] if text.strip() else [] for text in batch]
        long_rows = [
            row for row, whole in enumerate(batch_passages) if whole and counts[row] > window
        ]
        split = splitters.split(
            [batch[row] for row in long_rows], [counts[row] for row in long_rows]
        )
        for row, row_passages in zip(long_rows, split, strict=True):
            batch_passages[row] = row_passages
        passages += batch_passages
    return passages


def well_formed(text: str) -> str:
    """Return the text with U+FFFD for each lone surrogate, which tokenizers refuse.

    The length stays the same, and so do all offsets.
    """
    return LONE_SURROGATES.sub("\ufffd", text)


class _Splitters:
    """The splitters for one tokenizer and window; each takes 18 ms to build, when first used."""

    def __init__(self, tokenizer: Tokenizer, window: int) -> None:
        self.tokenizer = tokenizer
        self.window = window
        self.block_size = BLOCK_CHARACTERS_PER_TOKEN * window
        self._splitters: dict[int, TextSplitter] = {}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, or an upper bound below the window.

        An ASCII text has at most as many tokens as characters; if it is shorter than the window,
        that is the bound, and the text isn't tokenized.
        """
        is_short = [text.isascii() and len(text) < self.window for text in texts]
        other_texts = [text for text, short in zip(texts, is_short, strict=True) if not short]
        encodings = self.tokenizer.encode_batch_fast(other_texts, add_special_tokens=False)
        counts = iter([len(encoding) for encoding in encodings])
        return [
            len(text) if short else next(counts)
            for text, short in zip(texts, is_short, strict=True)
        ]

    def split(self, texts: Sequence[str], counts: Sequence[int]) -> list[list[Passage]]:
        """Split texts that are longer than the window, on all cores.

        Args:
            texts: Texts that aren't blank.
            counts: The number of tokens of each text.
        """
        blocks = [
            (row, *block)
            for row, text in enumerate(texts)
            for block in _blocks(text, self.block_size)
        ]
        pieces = [texts[row][start:end] for row, start, end in blocks]
        # A text of a single block has been counted already.
        parts = [n for n, piece in enumerate(pieces) if len(piece) < len(texts[blocks[n][0]])]
        tokens = [counts[row] for row, _, _ in blocks]
        for n, count in zip(parts, self.count([pieces[n] for n in parts]), strict=True):
            tokens[n] = count
        passages: list[list[Passage]] = [[] for _ in texts]
        for (row, start, _), chunks in zip(blocks, self._chunks(pieces, tokens), strict=True):
            passages[row] += [
                Passage(start + offset, start + offset + len(text)) for offset, text in chunks
            ]
        return passages

    def _chunks(
        self, pieces: Sequence[str], tokens: Sequence[int]
    ) -> list[Sequence[tuple[int, str]]]:
        """Return the chunks of each piece, as offsets and texts without surrounding white space."""
        chunks: list[Sequence[tuple[int, str]]] = []
        long_pieces: list[tuple[int, TextSplitter, str]] = []
        for number, (piece, count) in enumerate(zip(pieces, tokens, strict=True)):
            text = piece.strip()
            chunks.append([(len(piece) - len(piece.lstrip()), text)] if text else [])
            if count > self.window:
                long_pieces.append((number, self._splitter(count), piece))
        # Not the splitter's own thread pool: it is never closed, and a forked child would wait for
        # its threads for ever.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            split = threads.map(lambda job: job[1].chunk_indices(job[2]), long_pieces)
            for (number, _, _), piece_chunks in zip(long_pieces, split, strict=True):
                chunks[number] = piece_chunks
        return chunks

    def _splitter(self, tokens: int) -> TextSplitter:
        """Return the splitter that divides `tokens` about evenly over as few passages as needed."""
        from semantic_text_splitter import TextSplitter

        share = -(-tokens // -(-tokens // self.window))
        step = max(1, self.window // BALANCE_STEPS)
        target = min(self.window, -(-share // step) * step)
        if target not in self._splitters:
            self._splitters[target] = TextSplitter.from_huggingface_tokenizer(
                self.tokenizer, (target, self.window)
            )
        return self._splitters[target]


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Yield the texts in batches of at most `BATCH_CHARACTERS`, or of a single longer text."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        if batch and characters + len(text) > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _blocks(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Yield the offsets (start, end) of blocks of about `size` characters that cover the text."""
    start = 0
    while len(text) - start > size:
        end = _block_end(text, start, size)
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _block_end(text: str, start: int, size: int) -> int:
    """Return the best boundary in the second half of the block, or the next safe one after it."""
    low, high = start + size // 2, start + size
    for boundary in BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(text, low, high)]
        if ends and unicodedata.category(text[ends[-1]]) not in JOINING_CATEGORIES:
            return ends[-1]
    return next((n for n in range(high, len(text)) if _cut_is_safe(text, n)), len(text))


def _cut_is_safe(text: str, offset: int) -> bool:
    """Return whether `offset` is certainly between two graphemes.

    Stricter than UAX 29: some cuts that it allows are refused.
    """
    pair = text[offset - 1 : offset + 1]
    return not any(
        unicodedata.category(character) in (*JOINING_CATEGORIES, "Cc", "Cn", "Co", "So", "Sk")
        or character > "\ud7a3"
        or character in JOINING_LETTERS
        for character in pair
    )

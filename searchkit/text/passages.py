"""Answer texts cut into passages that fit the model's window.

Nothing is lost, and nothing is split inside what a reader sees as one character.
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


# Texts counted in one call, in characters: bounds the memory for a million answers.
COUNT_CHARACTERS = 4_000_000
# The splitter's time grows with the square of a text without white space (300,000 characters of
# "a.a.a.": 77 s), so a long text is first cut into blocks of this many characters a window token.
BLOCK_PER_TOKEN = 32
# The steps in which passages are shortened so that the last one isn't a scrap of three words.
BALANCE_STEPS = 8
SURROGATES = re.compile("[\ud800-\udfff]")
JOINING = ("Mn", "Mc", "Me", "Cf")
# Letters that join a neighbour: Thai and Lao am, Malayalam dot reph, Hangul in parts.
JOINING_LETTERS = frozenset("\u0e33\u0eb3\u0d4e").union(
    map(chr, (*range(0x1100, 0x1200), *range(0xA960, 0xA980)))
)
# From the best place to cut at to the worst; a block ends after the match.
BOUNDARIES = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"[\r\n]\s*"),
    re.compile(r"[.!?。！？…][\"'”’)\]]*\s+"),  # noqa: RUF001
    re.compile(r"\s+"),
)


def split_passages(texts: Sequence[str], tokenizer: Tokenizer, window: int) -> list[list[Passage]]:
    """Cut each text into passages of at most `window` tokens.

    Args:
        texts: The answers' texts.
        tokenizer: The model's, without truncation or padding.
        window: Tokens that a passage may hold, special tokens not counted; at least 1.

    Returns:
        Per text its passages in order. None for a blank text; one, the whole text, if that fits;
        else several that begin and end with something visible and between which lies nothing but
        white space. Offsets count characters of Python's str.
    """
    passages: list[list[Passage]] = []
    splitters = _Splitters(tokenizer, window)
    for batch in _batches([well_formed(text) for text in texts]):
        counts = splitters.count(batch)
        whole = [[Passage(0, len(text))] if text.strip() else [] for text in batch]
        long = [row for row, found in enumerate(whole) if found and counts[row] > window]
        cut = splitters.split([batch[row] for row in long], [counts[row] for row in long])
        for row, found in zip(long, cut, strict=True):
            whole[row] = found
        passages += whole
    return passages


def well_formed(text: str) -> str:
    """Put U+FFFD for each lone surrogate, which no tokenizer takes; offsets stay the same."""
    return SURROGATES.sub("\ufffd", text)


class _Splitters:
    """Splitters for one tokenizer and window, made when they are needed (18 ms each)."""

    def __init__(self, tokenizer: Tokenizer, window: int) -> None:
        self.tokenizer = tokenizer
        self.window = window
        self.block = BLOCK_PER_TOKEN * window
        self._made: dict[int, TextSplitter] = {}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count tokens; a short ASCII text has at most as many as characters, so those do."""
        short = [text.isascii() and len(text) < self.window for text in texts]
        unsure = [text for text, known in zip(texts, short, strict=True) if not known]
        encodings = self.tokenizer.encode_batch_fast(unsure, add_special_tokens=False)
        counts = iter([len(encoding) for encoding in encodings])
        return [
            len(text) if known else next(counts) for text, known in zip(texts, short, strict=True)
        ]

    def split(self, texts: Sequence[str], counts: Sequence[int]) -> list[list[Passage]]:
        """Cut texts that are too long, all at once: that takes all cores.

        Args:
            texts: None is blank.
            counts: Their tokens.
        """
        blocks = [(row, *block) for row, t in enumerate(texts) for block in _blocks(t, self.block)]
        pieces = [texts[row][start:end] for row, start, end in blocks]
        parts = [n for n, piece in enumerate(pieces) if len(piece) < len(texts[blocks[n][0]])]
        tokens = [counts[row] for row, _, _ in blocks]
        for n, count in zip(parts, self.count([pieces[n] for n in parts]), strict=True):
            tokens[n] = count
        passages: list[list[Passage]] = [[] for _ in texts]
        for (row, start, _), found in zip(blocks, self._chunks(pieces, tokens), strict=True):
            passages[row] += [Passage(start + at, start + at + len(text)) for at, text in found]
        return passages

    def _chunks(
        self, pieces: Sequence[str], tokens: Sequence[int]
    ) -> list[Sequence[tuple[int, str]]]:
        """Return where each piece's chunks begin, and the chunks, without white space around."""
        chunks: list[Sequence[tuple[int, str]]] = []
        long: list[tuple[int, TextSplitter, str]] = []
        for number, (piece, count) in enumerate(zip(pieces, tokens, strict=True)):
            text = piece.strip()
            chunks.append([(len(piece) - len(piece.lstrip()), text)] if text else [])
            if count > self.window:
                long.append((number, self._splitter(count), piece))
        # The splitter's own threads would stay, and a process that forks later would wait for them.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = threads.map(lambda one: one[1].chunk_indices(one[2]), long)
            for (number, _, _), some in zip(long, found, strict=True):
                chunks[number] = some
        return chunks

    def _splitter(self, tokens: int) -> TextSplitter:
        """Return the splitter whose passages are full once `tokens` are shared out evenly."""
        from semantic_text_splitter import TextSplitter

        share = -(-tokens // -(-tokens // self.window))
        step = max(1, self.window // BALANCE_STEPS)
        full = min(self.window, -(-share // step) * step)
        if full not in self._made:
            self._made[full] = TextSplitter.from_huggingface_tokenizer(
                self.tokenizer, (full, self.window)
            )
        return self._made[full]


def _batches(texts: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for text in texts:
        if batch and characters + len(text) > COUNT_CHARACTERS:
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _blocks(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of blocks of about `size` characters that together are the text."""
    start = 0
    while len(text) - start > size:
        end = _block_end(text, start, size)
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _block_end(text: str, start: int, size: int) -> int:
    """Find the best place to cut in the block's second half, else the next that is safe."""
    low, high = start + size // 2, start + size
    for boundary in BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(text, low, high)]
        if ends and unicodedata.category(text[ends[-1]]) not in JOINING:
            return ends[-1]
    return next((at for at in range(high, len(text)) if _cut_is_safe(text, at)), len(text))


def _cut_is_safe(text: str, at: int) -> bool:
    """Return whether a cut before `at` surely lies between two graphemes (UAX 29, cautiously)."""
    pair = text[at - 1 : at + 1]
    return not any(
        unicodedata.category(character) in (*JOINING, "Cc", "Cn", "Co", "So", "Sk")
        or character > "\ud7a3"
        or character in JOINING_LETTERS
        for character in pair
    )

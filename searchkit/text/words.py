"""Words: a text as the sequence that is compared, prose by its words and code by its shape.

Prose is folded (see `folding`). In code every name is the same name and every literal the same
literal, and comments and white space are nothing: renaming and reformatting hide no copy.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Int64
from searchkit.text.folding import fold

Hashes = NDArray[np.uint64]
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_FENCE = re.compile(
    r"^[ \t]*+(```++|~~~++)[^\n]*+\n(.*?)(?:^[ \t]*+\1[ \t]*+$|\Z)", re.M | re.S
)  # possessive, so that a million backticks are read once
_LINE = re.compile(r"[^\n]+")
_CODE_LINE = re.compile(
    r"[;{}]\s*(?://.*)?$|^\s*[})\]]|=>|==|\+\+|\w\(.*\)\s*[;{:]?$|^\s*(?:const|let|var|import|from|"
    r"def|class|return|public|private|static|for|while|if|else|try|catch|function|package|#include|"
    r"//|/\*|\*)\b.*[;{(:=*/]|^\s*(?://|/\*|\*/|\* )|^\s*[\w.\[\]]+\s*[-+*/]?=\s*\S"
)
_CODE_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z)|(?m:^[ \t]*\#(?!include)[^\n]*))"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)"
    r"|(?P<number>\b\d[\w.]*)|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>=>|===?|!==?|<=|>=|&&|\|\||\+\+|--|[-+*/%]=|[^\s\w])",
    re.S,
)
_KEYWORDS = frozenset(
    "and as assert async await boolean break case catch char class const continue def default del "
    "delete do double elif else enum except extends false final finally float for from function "
    "global if implements import in instanceof int interface is lambda let long new none not null "
    "of or package pass private protected public raise return self short static string super "
    "switch this throw throws true try typeof undefined var void while with yield".split()
)
_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
SENTENCES = 400  # of a text, at most
LONGEST_LINE = 500  # characters of a line of code
NAME, TEXT, NUMBER = "\x01name", "\x01text", "\x01number"
CODE = "\x01"  # what every token of code begins with
# How many words of prose, and how many tokens of code, a sequence has.
Length = tuple[int, int]
_BASE = np.uint64(0x9E3779B97F4A7C15)  # of the rolling hash; odd, its bits well mixed


@dataclass(frozen=True, slots=True)
class Words:
    """A text as tokens.

    Attributes:
        tokens: Folded words; tokens of code begin with `CODE`.
        starts: `(n,)` offset of each token's first character in the text.
        ends: `(n,)` offset after its last.
        hashes: `(n,)` of each token; the same on every machine.
        code: `(n,)` whether it is a token of code.
        hidden: Offsets of characters that a reader does not see, or takes for others.
    """

    tokens: list[str]
    starts: Int64
    ends: Int64
    hashes: Hashes
    code: NDArray[np.bool_]
    hidden: list[int]

    def __len__(self) -> int:
        return len(self.tokens)

    def span(self, first: int, length: int) -> tuple[int, int]:
        """Return the (start, end) in the text of so many tokens."""
        return int(self.starts[first]), int(self.ends[first + length - 1])


def split_words(text: str) -> Words:
    """Split a text into what is compared."""
    hidden: list[int] = []
    found: list[tuple[str, int, int]] = []
    at = 0
    for start, end in code_spans(text):
        found += _prose(text, at, start, hidden)
        found += _code(text, start, end)
        at = end
    found += _prose(text, at, len(text), hidden)
    tokens = [sys.intern(token) for token, _, _ in found]
    return Words(
        tokens,
        np.array([start for _, start, _ in found], np.int64),
        np.array([end for _, _, end in found], np.int64),
        np.array([_hash(token) for token in tokens], np.uint64),
        np.array([token.startswith(CODE) for token in tokens], bool),
        hidden,
    )


def sequences(words: Words, length: Length) -> tuple[Hashes, Int64]:
    """Return every sequence of so many tokens, prose and code apart.

    Returns:
        `(m,)` hashes, and `(m,)` the first token of each.
    """
    hashes, firsts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for size, code in zip(length, (False, True), strict=True):
        count = len(words) - size + 1
        if count < 1 or not (words.code == code).any():
            continue
        rolled = np.zeros(count, np.uint64)
        alike = np.ones(count, bool)
        for k in range(size):
            rolled = rolled * _BASE + words.hashes[k : k + count]
            alike &= words.code[k : k + count] == code
        hashes.append(rolled[alike])
        firsts.append(np.flatnonzero(alike))
    return np.concatenate(hashes), np.concatenate(firsts)


@lru_cache(maxsize=1 << 18)
def _hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest())


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence; a stretch of code is one, whatever is in it.

    Of a text with more than `SENTENCES` several make one, so that two books can be compared.
    """
    spans: list[tuple[int, int]] = []
    at = 0
    for start, end in [*code_spans(text), (len(text), len(text))]:
        spans += _prose_sentences(text, at, start)
        if text[start:end].strip():
            spans.append((start, end))
        at = end
    size = -(-len(spans) // SENTENCES)
    if size < 2:
        return spans
    return [
        (some[0][0], some[-1][1])
        for some in (spans[n : n + size] for n in range(0, len(spans), size))
    ]


def code_spans(text: str) -> list[tuple[int, int]]:
    """Return the stretches of code: fenced ones, and runs of lines that are plainly code."""
    fenced = [match.span(2) for match in _FENCE.finditer(text)]
    spans: list[tuple[int, int]] = []
    at = 0
    for start, end in [*fenced, (len(text), len(text))]:
        spans += _plain_code(text, at, start)
        spans += [(start, end)] if start < end else []
        at = end
    return spans


def _plain_code(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of two lines or more that look like code; lines between them join in."""
    run: list[re.Match[str]] = []
    doubtful = 0
    for line in [*_LINE.finditer(text, start, end), None]:
        if line is not None and len(line[0]) <= LONGEST_LINE and _CODE_LINE.search(line[0]):
            run.append(line)
            doubtful = 0
        elif line is not None and run and doubtful < 2 and len(line[0].split()) < 6:
            doubtful += 1
        elif run:
            if len(run) > 1:
                yield run[0].start(), run[-1].end()
            run, doubtful = [], 0


def _prose(text: str, start: int, end: int, hidden: list[int]) -> Iterator[tuple[str, int, int]]:
    if start >= end:
        return
    folded = fold(text[start:end])
    hidden.extend(start + offset for offset in folded.hidden)
    for match in _WORD.finditer(folded.text):
        for first, last in _pieces(match):
            word = folded.text[first:last].replace("'", "")
            yield word, start + folded.original(first), start + folded.original(last - 1) + 1


def _pieces(word: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Cut what is written without spaces (Chinese, Japanese, Thai …) into its characters."""
    if word.group().isascii() or not _UNSPACED.search(word.group()):
        yield word.span()
        return
    at = word.start()
    for character in _UNSPACED.finditer(word.string, *word.span()):
        if at < character.start():
            yield at, character.start()
        yield character.span()
        at = character.end()
    if at < word.end():
        yield at, word.end()


def _code(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for match in _CODE_TOKEN.finditer(text, start, end):
        kind = match.lastgroup
        if kind == "comment":
            continue
        said = match.group().lower()
        token = {"text": TEXT, "number": NUMBER}.get(kind or "", CODE + said)
        yield NAME if kind == "name" and said not in _KEYWORDS else token, *match.span()


def _prose_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    borders = [start]
    for match in _SENTENCE_END.finditer(text, start, end):
        borders += [match.start(), match.end()]
    borders.append(end)
    for first, last in zip(borders[::2], borders[1::2], strict=True):
        if len(text[first:last].split()) > 2 or (first == start and last == end):
            stripped = text[first:last].strip()
            if _WORD.search(stripped) and not stripped.startswith(("```", "~~~")):
                begin = text.index(stripped, first)
                yield begin, begin + len(stripped)

"""Words: split a text into the tokens that are compared to find copies.

Tokens of prose are folded words (see `folding`). In code all names are replaced by one placeholder
and all literals of a kind by another, and comments and white space are left out, so that renaming
and reformatting don't hide a copy.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Bool, Int64
from searchkit.text.folding import fold

Hashes = NDArray[np.uint64]
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# The vowel signs of Indian scripts are parts of words, and no letters to Python.
_SIGN = (
    "[\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u09e2\u09e3"
    "\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71\u0a75\u0a81-\u0a83\u0abc-\u0acd\u0ae2\u0ae3\u0b01-\u0b03"
    "\u0b3c-\u0b57\u0b62\u0b63\u0b82\u0bbe-\u0bcd\u0bd7\u0c00-\u0c04\u0c3c-\u0c56\u0c62\u0c63"
    "\u0c81-\u0c83\u0cbc-\u0cd6\u0ce2\u0ce3\u0d00-\u0d03\u0d3b-\u0d4d\u0d57\u0d62\u0d63\u0d81-\u0df3]"
)
_HAS_SIGN = re.compile(_SIGN)
_WORD_WITH_SIGNS = re.compile(rf"[^\W_](?:[^\W_]|{_SIGN})*+(?:'[^\W_](?:[^\W_]|{_SIGN})*+)*+")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17dd\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
_FENCE = re.compile(
    r"^[ \t]*+(```++|~~~++)[^\n]*+\n(.*?)(?:^[ \t]*+\1[ \t]*+$|\Z)", re.M | re.S
)  # possessive quantifiers, so that a million backticks take linear time
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
# After full stops of many scripts (Latin, Arabic, Urdu, Hindi, Burmese, Amharic, Khmer, Chinese …);
# but not within and after abbreviations such as "z. B.". After some no space is needed. Thai and
# Lao have no full stop: there it is a space between long stretches of letters.
_STOP = "\u0964\u0965\u104b\u1362\u17d4\u17d5\u3002\uff01\uff1f\uff61"
_CLOSING = r"\u300b\u300d\u300f\u3011\u201d\u2019\uff09)"
_SENTENCE_END = re.compile(
    rf"(?<=[.!?;:\u2026\u061b\u061f\u06d4{_STOP}])(?<!\b[^\W\d_]\.\s[^\W\d_]\.)\s+"
    r"(?!(?<=\b[^\W\d_]\.\s)[^\W\d_]\.)"
    rf"|(?<=[{_STOP}])(?![{_CLOSING}])"
    rf"|(?<=[{_STOP}][{_CLOSING}])(?![{_CLOSING}])"
    rf"|(?<=[{_STOP}][{_CLOSING}]{{2}})"
    r"|(?<=[!?])(?=[\u3041-\u30ff\u3400-\u9fff])"
    r"|(?<=[\u0e01-\u0eff]{12}) +(?=[\u0e01-\u0eff]{12})|\n+"
)
MAX_SENTENCES = 400  # per text
MAX_CODE_LINE_LENGTH = 500  # characters; a longer line is taken for prose
CODE_PREFIX = "\x01"  # the first character of each token of code
NAME, TEXT, NUMBER = "\x01name", "\x01text", "\x01number"  # placeholders in code
SequenceLength = tuple[int, int]  # words in a sequence of prose, tokens in a sequence of code
_HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # of the rolling hash; 2**64 / golden ratio, odd


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Words:
    """A text as tokens.

    Attributes:
        tokens: The folded words, and the tokens of code, which begin with `CODE_PREFIX`.
        starts: `(n,)` offset of each token's first character in the text.
        ends: `(n,)` offset after each token's last character.
        hashes: `(n,)` hash of each token; the same on every machine.
        is_code: `(n,)` whether each token is code.
        hidden: Offsets of zero-width characters and look-alike letters, as in `Folded`.
    """

    tokens: list[str]
    starts: Int64
    ends: Int64
    hashes: Hashes
    is_code: Bool
    hidden: list[int]

    def __len__(self) -> int:
        return len(self.tokens)

    def span(self, first: int, length: int) -> tuple[int, int]:
        """Return the offsets (start, end) in the text of `length` tokens from token `first`."""
        return int(self.starts[first]), int(self.ends[first + length - 1])


def split_words(text: str) -> Words:
    """Split a text into the tokens that are compared."""
    hidden: list[int] = []
    spans: list[tuple[str, int, int]] = []  # token, start, end
    position = 0
    for start, end in code_spans(text):
        spans += _prose_tokens(text, position, start, hidden)
        spans += _code_tokens(text, start, end)
        position = end
    spans += _prose_tokens(text, position, len(text), hidden)
    return words_of_tokens(spans, hidden)


def unit_of(words: Words) -> str:
    """Return what most tokens are: "word", or "character" of a script without spaces."""
    characters = sum(bool(_UNSPACED.fullmatch(token)) for token in words.tokens)
    return "character" if 2 * characters > len(words) else "word"


def shared_words(text: str) -> Words:
    """Return `split_words` of a text: the same object for equal texts, while somebody holds it."""
    words = _SHARED.get(text)
    if words is None:
        words = _SHARED[text] = split_words(text)
    return words


def words_of_tokens(spans: Sequence[tuple[str, int, int]], hidden: Sequence[int] = ()) -> Words:
    """Return tokens, each with its start and end offsets, as words.

    Args:
        spans: The tokens; those of code begin with `CODE_PREFIX`.
        hidden: See `Words`.
    """
    tokens = [sys.intern(token) for token, _, _ in spans]
    return Words(
        tokens,
        np.array([start for _, start, _ in spans], np.int64),
        np.array([end for _, _, end in spans], np.int64),
        np.array([_hash(token) for token in tokens], np.uint64),
        np.array([token.startswith(CODE_PREFIX) for token in tokens], bool),
        list(hidden),
    )


def sequences(words: Words, length: SequenceLength) -> tuple[Hashes, Int64]:
    """Return all sequences (n-grams) of consecutive tokens that are all prose or all code.

    Args:
        words: The tokens.
        length: The number of words in a sequence of prose, and of tokens in one of code.

    Returns:
        The hash of each sequence, `(m,)`, and the position of its first token, `(m,)`.
    """
    hashes, firsts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for size, is_code in zip(length, (False, True), strict=True):
        count = len(words) - size + 1
        if count < 1 or not (words.is_code == is_code).any():
            continue
        rolled = np.zeros(count, np.uint64)
        same_kind = np.ones(count, bool)
        for k in range(size):
            rolled = rolled * _HASH_BASE + words.hashes[k : k + count]
            same_kind &= words.is_code[k : k + count] == is_code
        hashes.append(rolled[same_kind])
        firsts.append(np.flatnonzero(same_kind))
    return np.concatenate(hashes), np.concatenate(firsts)


def distinct_sequences(texts: Sequence[Words], length: SequenceLength) -> tuple[Int64, Hashes]:
    """Return the distinct sequences of each of many texts, much faster than one text at a time.

    Args:
        texts: The tokens of each text.
        length: See `sequences`.

    Returns:
        `(m,)` the number of the text, ascending, and `(m,)` the hash of the sequence, ascending
        within a text.
    """
    number = np.repeat(np.arange(len(texts)), [len(words) for words in texts])
    hashes = np.concatenate([np.empty(0, np.uint64), *(words.hashes for words in texts)])
    is_code = np.concatenate([np.empty(0, bool), *(words.is_code for words in texts)])
    found = [np.empty(0, np.uint64)]
    found_in = [np.empty(0, np.int64)]
    for size, kind in zip(length, (False, True), strict=True):
        count = len(hashes) - size + 1
        if count < 1:
            continue
        rolled = np.zeros(count, np.uint64)
        is_one = number[:count] == number[size - 1 :]
        for k in range(size):
            rolled = rolled * _HASH_BASE + hashes[k : k + count]
            is_one &= is_code[k : k + count] == kind
        found.append(rolled[is_one])
        found_in.append(number[:count][is_one])
    rows, values = np.concatenate(found_in), np.concatenate(found)
    order = np.lexsort((values, rows))
    rows, values = rows[order], values[order]
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (rows[1:] != rows[:-1]) | (values[1:] != values[:-1])
    return rows[is_new], values[is_new]


_SHARED: WeakValueDictionary[str, Words] = WeakValueDictionary()


@lru_cache(maxsize=1 << 18)
def _hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest())


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the offsets (start, end) of each sentence, in order; a stretch of code is one.

    In a text with more than `MAX_SENTENCES`, neighbouring sentences are joined until no more remain
    than that, so that the time to compare two long texts is bounded.
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for start, end in [*code_spans(text), (len(text), len(text))]:
        spans += _prose_sentences(text, position, start)
        if text[start:end].strip():
            spans.append((start, end))
        position = end
    size = -(-len(spans) // MAX_SENTENCES)
    if size < 2:
        return spans
    groups = (spans[n : n + size] for n in range(0, len(spans), size))
    return [(group[0][0], group[-1][1]) for group in groups]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the parts of an answer that are embedded: at least one."""
    return split_sentences(text) or [(0, len(text))]


def code_spans(text: str) -> list[tuple[int, int]]:
    """Return the offsets (start, end) of code: of fenced blocks, and of lines that look like code.

    The fences themselves are not included.
    """
    fenced = [match.span(2) for match in _FENCE.finditer(text)]
    spans: list[tuple[int, int]] = []
    position = 0
    for start, end in [*fenced, (len(text), len(text))]:
        spans += _unfenced_code(text, position, start)
        spans += [(start, end)] if start < end else []
        position = end
    return spans


def _unfenced_code(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of two or more lines of code, with up to two short other lines between them."""
    run: list[re.Match[str]] = []
    other_lines = 0  # since the last line of code
    for line in [*_LINE.finditer(text, start, end), None]:
        if line is not None and len(line[0]) <= MAX_CODE_LINE_LENGTH and _CODE_LINE.search(line[0]):
            run.append(line)
            other_lines = 0
        elif line is not None and run and other_lines < 2 and len(line[0].split()) < 6:
            other_lines += 1
        elif run:
            if len(run) > 1:
                yield run[0].start(), run[-1].end()
            run, other_lines = [], 0


def _prose_tokens(
    text: str, start: int, end: int, hidden: list[int]
) -> Iterator[tuple[str, int, int]]:
    """Yield each folded word with its offsets; append the offsets of hidden characters."""
    if start >= end:
        return
    folded = fold(text[start:end])
    hidden.extend(start + offset for offset in folded.hidden)
    has_signs = not folded.text.isascii() and _HAS_SIGN.search(folded.text)
    for match in (_WORD_WITH_SIGNS if has_signs else _WORD).finditer(folded.text):
        for first, last in _word_spans(match):
            word = folded.text[first:last].replace("'", "")
            stop = start + folded.original_offset(last - 1) + 1
            yield word, start + folded.original_offset(first), _after_marks(text, stop, end)


def _after_marks(text: str, position: int, end: int) -> int:
    """Return the offset after the accents, vowel signs and tones that follow a letter."""
    while position < end and unicodedata.category(text[position])[0] == "M":
        position += 1
    return position


def _word_spans(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the offsets of the words in a match of `_WORD`.

    In scripts that are written without spaces (Chinese, Japanese, Thai …) each character is a word.
    """
    if match.group().isascii() or not _UNSPACED.search(match.group()):
        yield match.span()
        return
    position = match.start()
    for character in _UNSPACED.finditer(match.string, *match.span()):
        if position < character.start():
            yield position, character.start()
        yield character.span()
        position = character.end()
    if position < match.end():
        yield position, match.end()


def _code_tokens(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for match in _CODE_TOKEN.finditer(text, start, end):
        kind = match.lastgroup
        if kind == "comment":
            continue
        symbol = match.group().lower()
        token = {"text": TEXT, "number": NUMBER}.get(kind or "", CODE_PREFIX + symbol)
        yield NAME if kind == "name" and symbol not in _KEYWORDS else token, *match.span()


def _prose_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the offsets of sentences; those of up to two words only if nothing else is there."""
    borders = [start]
    for match in _SENTENCE_END.finditer(text, start, end):
        borders += [match.start(), match.end()]
    borders.append(end)
    for first, last in zip(borders[::2], borders[1::2], strict=True):
        words = len(text[first:last].split()) + len(_UNSPACED.findall(text, first, last))
        if words > 2 or (first == start and last == end):
            stripped = text[first:last].strip()
            if _WORD.search(stripped) and not stripped.startswith(("```", "~~~")):
                begin = text.index(stripped, first)
                yield begin, begin + len(stripped)

"""Features: what two programs can share, in five channels that a copier changes one by one.

`literals` are texts and numbers, `names` the identifiers, `comments` runs of words, `layout` the
white space between tokens, and `structure` the winnowed sequences of tokens without names and
literals (Schleimer, Wilkerson and Aiken, Winnowing, SIGMOD 2003).

A feature is a tuple. Its last item is a choice, and those before it are where the choice was made:
how likely a feature is depends on how many programs have the same place, and chose otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from searchkit.core.arrays import Int64
from searchkit.plagiarism.code.programs import Program, Token
from searchkit.text.words import CODE_PREFIX, sequences, split_words, words_of_tokens

Feature = tuple[object, ...]
Features = frozenset[Feature]

STRUCTURE_LENGTH = 8  # tokens in a sequence
WINDOW = 4  # sequences of which winnowing chooses one: of 11 equal tokens in a row one is chosen
ALIKE_LENGTH = 4  # tokens in a sequence, of which the share is computed that two programs have
_WORD = re.compile(r"\w+")


def literals(program: Program) -> Features:
    """Return the words of texts, their capitals, how often each text stands there, and numbers."""
    features: set[Feature] = set()
    count: Counter[tuple[str, ...]] = Counter()
    for token in program.tokens:
        if token.kind == "number":
            features.add(("number", token.text))
        elif token.kind == "text":
            features |= of_text(token.text)
            count[words_of(token.text)] += 1
    return frozenset(features | {("times", words, times) for words, times in count.items()})


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text literal, folded; of one without words the text itself."""
    return tuple(word.lower() for word in _WORD.findall(text)) or (text,)


def of_text(text: str) -> set[Feature]:
    """Return the features of a text literal alone: its words, and how they are capitalized."""
    spelled = _WORD.findall(text) or [text]
    capitals = ("capitals", len(spelled), "".join(map(_capitals, spelled)))
    return _pairs(words_of(text)) | {capitals}


def names(program: Program) -> Features:
    """Return the identifiers."""
    return frozenset(("name", token.text) for token in program.tokens if token.kind == "name")


def comments(program: Program) -> Features:
    """Return the sequences of three words of the comments."""
    words = ["", "", *(word for word, _, _ in program.comment_words)]
    return frozenset(("comment", *words[n : n + 3]) for n in range(len(words) - 2))


def layout(program: Program) -> Features:
    """Return the white space between each two tokens that stand in one line."""

    def gap(left: Token, right: Token) -> str:
        between = program.text[left.end : right.start]
        return between if not between.strip() and "\n" not in between else "\n"

    tokens = program.tokens
    return frozenset(
        ("gap", left.normal, right.normal, gap(left, right)) for left, right in pairwise(tokens)
    )


def structure(program: Program) -> Features:
    """Return the winnowed sequences of tokens without names and literals."""
    hashes = _hashes(program, STRUCTURE_LENGTH)
    return frozenset(("tokens", hash_) for hash_ in hashes[winnow(hashes)].tolist())


CHANNELS: dict[str, Callable[[Program], Features]] = {
    "literals": literals,
    "names": names,
    "comments": comments,
    "layout": layout,
    "structure": structure,
}


def token_sequences(program: Program) -> frozenset[int]:
    """Return the hashes of the short sequences of tokens without names and literals."""
    return frozenset(_hashes(program, ALIKE_LENGTH).tolist())


def winnow(hashes: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Int64:
    """Return the places of the hashes that are the lowest of a window of `WINDOW` hashes."""
    if len(hashes) <= WINDOW:
        return np.arange(len(hashes))[hashes == hashes.min()] if len(hashes) else np.arange(0)
    windows = np.lib.stride_tricks.sliding_window_view(hashes, WINDOW)
    last_lowest = WINDOW - 1 - windows[:, ::-1].argmin(axis=1)
    return np.unique(np.arange(len(windows)) + last_lowest).astype(np.int64)


def boilerplate(texts: Iterable[str], programs: Sequence[Program]) -> dict[str, Features]:
    """Return the features that were handed out, by channel.

    Args:
        texts: The question, a template: what all authors were given.
        programs: The same texts, read as programs.
    """
    given = {
        name: frozenset[Feature]().union(*(read(program) for program in programs))
        for name, read in CHANNELS.items()
    }
    for text in texts:
        words = [token for token in split_words(text).tokens if not token.startswith(CODE_PREFIX)]
        given["literals"] |= _pairs(words)
    return given


def _pairs(words: Sequence[str]) -> set[Feature]:
    """Return each word of a text with the one before it."""
    framed = ["", *words, "\n"]
    return {("text", *framed[n : n + 2]) for n in range(len(framed) - 1)}


def _capitals(word: str) -> str:
    """Return a letter for how a word is capitalized."""
    if word.islower():
        return "l"
    if word.isupper():
        return "U" if len(word) > 1 else "T"
    return "T" if word.istitle() else "d" if word.isdigit() else "x"


def _hashes(program: Program, length: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    tokens = [(CODE_PREFIX + token, 0, 0) for token in program.normal]
    return sequences(words_of_tokens(tokens), (1, length))[0]

"""Programs: a text as tokens of code, and the words of its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from searchkit.plagiarism.code.languages import fenced_blocks
from searchkit.text.words import CODE_PREFIX, Words, words_of_tokens

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CHARACTERS = 100_000  # of a program that are read; what follows is left out
# Lexers take the square of a text's length where it is made for it, such as a thousand blank lines.
MAX_PIECE = 8_000  # characters that are read at once
_BLANK = re.compile(r"\s{200,}+")  # where a text is cut into pieces
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A token of code.

    Attributes:
        kind: `name`, `text`, `number`, or `mark` for keywords, operators and punctuation.
        text: As it is written.
        start: The offset of its first character.
    """

    kind: str
    text: str
    start: int

    @property
    def normal(self) -> str:
        """What is compared where names and literals don't count."""
        return self.text.lower() if self.kind == "mark" else self.kind.upper()

    @property
    def end(self) -> int:
        """The offset after its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Program:
    """A program.

    Attributes:
        text: The answer.
        tokens: Its tokens of code.
        comments: The start and end offsets of its comments, and of prose around the code.
    """

    text: str
    tokens: Sequence[Token]
    comments: Sequence[tuple[int, int]]

    @cached_property
    def normal(self) -> list[str]:
        """The tokens without names and literals."""
        return [token.normal for token in self.tokens]

    @cached_property
    def comment_words(self) -> list[tuple[str, int, int]]:
        """The words of the comments, folded, with their start and end offsets."""
        return [
            (match[0].lower(), match.start(), match.end())
            for start, end in self.comments
            for match in _WORD.finditer(self.text, start, end)
        ]

    @cached_property
    def code(self) -> Words:
        """The tokens without names and literals."""
        tokens = self.tokens
        return words_of_tokens([(CODE_PREFIX + t.normal, t.start, t.end) for t in tokens])

    @cached_property
    def prose(self) -> Words:
        """The words of the comments."""
        return words_of_tokens(self.comment_words)


def read_program(text: str, language: str) -> Program:
    """Split a program into tokens.

    Args:
        text: A program, or prose with programs in fenced blocks, which is compared like comments.
        language: The alias of a lexer of Pygments.
    """
    lexer = _lexer(language)
    text = text[:MAX_CHARACTERS]
    tokens: list[Token] = []
    comments: list[tuple[int, int]] = []
    position = 0
    for start, end in fenced_blocks(text) or [(0, len(text))]:
        comments.append((position, start))
        for kind, first, part in _read(lexer, text, start, end):
            if kind == "comment":
                comments.append((first, first + len(part)))
            else:
                _append(tokens, Token(kind, part, first))
        position = end
    comments.append((position, len(text)))
    return Program(text, tokens, [span for span in comments if text[slice(*span)].strip()])


def _append(tokens: list[Token], token: Token) -> None:
    """Append a token; the parts of a string literal are one."""
    last = tokens[-1] if tokens else None
    if last and last.kind == token.kind == "text" and last.end == token.start:
        tokens[-1] = Token("text", last.text + token.text, last.start)
    else:
        tokens.append(token)


def _read(lexer: Lexer, text: str, start: int, end: int) -> Iterator[tuple[str, int, str]]:
    """Yield the kind, the offset and the text of what a lexer finds in a part of a text."""
    borders = [start, *(match.end() for match in _BLANK.finditer(text, start, end)), end]
    for first, last in pairwise(borders):
        while first < last:
            cut = last
            if last - first > MAX_PIECE:  # at the end of a line, if there is one
                cut = text.rfind("\n", first + 1, first + MAX_PIECE) + 1 or first + MAX_PIECE
            for kind, at, part in _pieces(lexer, text[first:cut].rstrip()):
                yield kind, first + at, part
            first = cut


def _pieces(lexer: Lexer, text: str) -> Iterator[tuple[str, int, str]]:
    """Yield the kind, the offset and the text of what a lexer finds, without white space."""
    from pygments.token import Comment, Literal, Name, Punctuation, String

    for start, type_, value in lexer.get_tokens_unprocessed(text):
        if type_ in String and type_ not in String.Doc:
            yield "text", start, value  # with its white space, so that the parts of a literal touch
            continue
        stripped = value.strip()
        if not stripped:
            continue
        start += value.index(stripped)
        is_directive = type_ in Comment.Preproc or type_ in Comment.PreprocFile
        if type_ in String.Doc or (type_ in Comment and not is_directive):
            yield "comment", start, stripped
        elif type_ in Literal:
            yield "number", start, stripped
        elif type_ in Name:
            yield "name", start, stripped
        elif type_ in Punctuation:
            yield from (
                ("mark", start + n, sign) for n, sign in enumerate(stripped) if sign.strip()
            )
        else:
            yield "mark", start, stripped


@lru_cache
def _lexer(language: str) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(language)

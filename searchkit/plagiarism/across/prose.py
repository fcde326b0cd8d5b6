"""The prose of answers, without their code, which is the same in all languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32, Float64
from searchkit.plagiarism.preparation import Embed, PreparedAnswer
from searchkit.text.words import Words

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Prose:
    """The sentences of an answer that aren't code.

    Attributes:
        spans: The start and end offsets of each.
        lengths: `(s,)` the number of its words.
        places: The number of each among all sentences of the answer.
    """

    spans: list[Span]
    lengths: Float64
    places: list[int]

    @classmethod
    def of(cls, words: Words, spans: Sequence[Span]) -> Prose:
        """Choose the sentences most of whose tokens are words."""
        counts = [_count(words, span) for span in spans]
        places = [n for n, (prose, code) in enumerate(counts) if prose and prose >= code]
        lengths = np.array([counts[n][0] for n in places], np.float64)
        return cls([spans[n] for n in places], lengths, places)


def _count(words: Words, span: Span) -> tuple[int, int]:
    """Return the number of words, and of tokens of code, in a span."""
    first, last = np.searchsorted(words.starts, span)
    code = int(words.is_code[first:last].sum())
    return int(last - first) - code, code


def prose_of(text: PreparedAnswer, *, by_passages: bool = False) -> Prose:
    """Return the sentences of an answer that aren't code; or its passages."""
    return Prose.of(text.words, text.passages if by_passages else text.sentences)


def embed_prose(
    texts: Sequence[PreparedAnswer], prose: Sequence[Prose], embed: Embed | None
) -> list[Float32]:
    """Return `(s, d)` the unit vectors of each answer's prose.

    Args:
        texts: The answers.
        prose: Of each.
        embed: Returns the unit vectors of sentences; None for passages, which have theirs.
    """
    if embed is None:
        return [text.vectors[own.places] for text, own in zip(texts, prose, strict=True)]
    sentences = [
        text.answer.text[start:end]
        for text, own in zip(texts, prose, strict=True)
        for start, end in own.spans
    ]
    if not sentences:
        return []
    borders = np.cumsum([len(own.spans) for own in prose])[:-1]
    return np.split(embed(sentences), borders)

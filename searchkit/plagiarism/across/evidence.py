"""Evidence across languages: the sentences that say the same, beside each other.

Names, numbers and whatever else is written alike in both languages isn't counted. Without it, what
is left has to mean the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.messages import counted
from searchkit.plagiarism.across.likeness import MIN_COSINE
from searchkit.plagiarism.across.prose import prose_of
from searchkit.plagiarism.evidence.collect import first_of
from searchkit.plagiarism.preparation import Embed, PreparedAnswer
from searchkit.plagiarism.records import Finding, Overlap
from searchkit.text.languages.names import language_name

MIN_OWN_WORDS = 10  # in such sentences that aren't written alike in both
MIN_NAMELESS_COSINE = 0.3  # of what the sentences say without these


@dataclass(frozen=True, slots=True)
class Translation:
    """What two answers in two languages have in common.

    Attributes:
        passages: The sentences that say the same, in the order of the left answer.
        own_words: The words in them that aren't written alike in both answers, on the side with
            fewer.
        nameless: What they say on each side without the words that are written alike.
        semantic: The mean cosine of each sentence with the nearest one of the other answer.
    """

    passages: list[Overlap]
    own_words: int
    nameless: tuple[str, str]
    semantic: float

    def is_evident(self, embed: Embed) -> bool:
        """Whether a person can see it, and more than names are the same."""
        if self.own_words < MIN_OWN_WORDS:
            return False
        left, right = embed(self.nameless)
        return bool(left @ right >= MIN_NAMELESS_COSINE)


def translation_of(left: PreparedAnswer, right: PreparedAnswer, embed: Embed) -> Translation:
    """Return what two answers have in common, sentence by sentence."""
    prose = prose_of(left), prose_of(right)
    texts = [
        [text.answer.text[start:end] for start, end in own.spans]
        for text, own in zip((left, right), prose, strict=True)
    ]
    rows = embed([*texts[0], *texts[1]])
    cosines = rows[: len(texts[0])] @ rows[len(texts[0]) :].T
    passages = [
        Overlap(prose[0].spans[i], prose[1].spans[j], "reworded", score)
        for i, j, score in _align(cosines)
    ]
    alike = set(left.words.tokens) & set(right.words.tokens)
    spans = [passage.left for passage in passages], [passage.right for passage in passages]
    sides = [_nameless(text, own, alike) for text, own in zip((left, right), spans, strict=True)]
    weighted = zip((cosines.max(axis=1), cosines.max(axis=0)), prose, strict=True)
    return Translation(
        passages,
        min(count for _, count in sides),
        (sides[0][0], sides[1][0]),
        sum(float(np.average(best, weights=own.lengths)) for best, own in weighted) / 2,
    )


def _align(cosines: Float32) -> list[tuple[int, int, float]]:
    """Return the pairs of sentences that say the same, each in one pair, in order of the left."""
    free, pairs = cosines.copy(), []
    while free.size and free.max() >= MIN_COSINE:
        i, j = divmod(int(free.argmax()), free.shape[1])
        pairs.append((i, j, round(min(1.0, float(free[i, j])), 6)))
        free[i, :] = free[:, j] = -1
    return sorted(pairs)


def _nameless(
    text: PreparedAnswer, spans: Sequence[tuple[int, int]], alike: set[str]
) -> tuple[str, int]:
    """Return what some sentences say without words that are written alike, and their words."""
    kept, count = [], 0
    for start, end in spans:
        first, last = np.searchsorted(text.words.starts, (start, end))
        for n in range(first, last):
            at, stop = text.words.span(n, 1)
            if text.words.tokens[n] not in alike and not text.words.is_code[n]:
                kept.append(text.answer.text[at:stop])
                count += 1
    return " ".join(kept), count


def translated_finding(
    question: str | None,
    left: PreparedAnswer,
    right: PreparedAnswer,
    common: Translation,
    expected: float | None,
) -> Finding:
    """Return the finding of two answers in two languages."""
    sentences = counted(len(common.passages), "sentence")
    says = "says" if len(common.passages) == 1 else "say"
    languages = " and ".join(language_name(text.language or "") for text in (left, right))
    return Finding(
        left=left.answer.id,
        right=right.answer.id,
        question=question,
        verdict="translated",
        score=round(float(left.vector @ right.vector), 6),
        semantic=round(common.semantic, 6),
        verbatim=0.0,
        expected=None if expected is None else float(f"{expected:.3g}"),
        passages=tuple(common.passages),
        reason=(
            f"{sentences} {says} the same in {languages}; names, numbers and code aren't counted."
        ),
        remarks=(*left.remarks(), *right.remarks()),
        first=first_of(left.answer, right.answer),
    )

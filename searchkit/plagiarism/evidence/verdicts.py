"""The verdict on two answers, and the sentence that gives its reason.

How much of an answer stands in the other says little about how it was revised: a copy in which
every tenth word was replaced shares nine tenths of its words. How long the stretches are says more,
and of sentences that were reworded, how many of their words were kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.core.messages import counted
from searchkit.plagiarism.overlap import TokenRun
from searchkit.plagiarism.preparation import PreparedAnswer
from searchkit.plagiarism.records import NO_FINDING, Overlap
from searchkit.text.words import Words, unit_of

MIN_IDENTICAL = 8  # words of identical answers that are evidence; fewer are the same too easily
# Stretches that are the same are long from so many words on, or from such a share of a shorter
# answer's; of the stretches of two answers, their typical length counts.
LONG_STRETCH = 20
LONG_PART = 0.25
# The lowest shares of the shorter answer's words: in long stretches, and kept in all.
NEAR_COPY = 2 / 3
LIGHT_REVISION = 0.35
LIGHT_REVISION_KEPT = 0.5


def are_identical(left: Words, right: Words) -> bool:
    """Return whether two texts have the same words, and any."""
    return bool(left.tokens) and left.tokens == right.tokens


def same_words(texts: Sequence[PreparedAnswer], words: int) -> str:
    """Return in how many words answers are the same, and but for what."""
    same = f"Word for word the same, {counted(words, unit_of(texts[0].words))}"
    if len({" ".join(text.answer.text.split()) for text in texts}) == 1:
        return same
    code = ", names in code" if texts[0].words.is_code.any() else ""
    return f"{same} but for case, punctuation{code} or hidden characters"


def verdict_and_reason(
    left: PreparedAnswer,
    right: PreparedAnswer,
    runs: Sequence[TokenRun],
    share: float,
    passages: Sequence[Overlap],
) -> tuple[str, str]:
    """Return the verdict on two answers with other words, and a sentence that says why.

    Args:
        left: One answer.
        right: The other.
        runs: The words that they share.
        share: The share of the shorter answer's words that are in the runs.
        passages: From `align`.
    """
    shorter_words = min(left.words, right.words, key=len)
    words, noun = len(shorter_words), unit_of(shorter_words) + "s"
    reworded = sum(passage.kind == "reworded" for passage in passages)
    if not runs and not reworded:
        return NO_FINDING, "No stretch of words is shared, and no sentence says the same."
    # Two tokens of code are one word where words are counted; what is kept is no less than shared.
    kept = max(share, kept_share(left.words, right.words, runs, passages))
    in_all = f"in all, {kept:.0%} of the {noun} are kept"
    if not runs:
        verb = "says" if reworded == 1 else "say"
        sentences = f"{counted(reworded, 'sentence')} {verb} the same in other words"
        reason = f"No stretch of words is shared, but {sentences}; {in_all}."
        return _verdict(0, kept, is_long=False), reason
    typical = typical_length(left.words, runs)
    shorter = min(_sizes(left.words).sum(), _sizes(right.words).sum())
    is_long = typical >= min(LONG_STRETCH, LONG_PART * shorter)
    also = f"; {counted(reworded, 'sentence')} more in other words; {in_all}" if reworded else ""
    longest = max(run.length for run in runs)
    return _verdict(share, kept, is_long=is_long), (
        f"{share:.0%} of the shorter answer's {words:,} {noun} stand in the other in the same "
        f"order, typically {typical:.0f} at a stretch, the longest stretch {longest:,} {noun}"
        f"{also}."
    )


def _verdict(share: float, kept: float, *, is_long: bool) -> str:
    """Return the verdict on two answers that share something.

    Args:
        share: The share of the shorter answer's words in stretches that are the same.
        kept: The share of them that are kept in all.
        is_long: Whether the stretches are long.
    """
    if is_long and share >= NEAR_COPY:
        return "near copy"
    if kept >= LIGHT_REVISION_KEPT or (is_long and share >= LIGHT_REVISION):
        return "light revision"
    return "heavy revision"


def typical_length(left: Words, runs: Sequence[TokenRun]) -> float:
    """Return the length of the run in which a shared word stands, on average over these words.

    Args:
        left: The words of the left text.
        runs: What it shares with the other, at least one.
    """
    sizes = _sizes(left)
    lengths = np.array([sizes[run.left : run.left + run.length].sum() for run in runs])
    return float(np.average(lengths, weights=lengths))


def kept_share(
    left: Words, right: Words, runs: Sequence[TokenRun], passages: Sequence[Overlap]
) -> float:
    """Return the share of the shorter text's words that the other has in a passage that matches.

    Those are the words in the runs, and of a reworded sentence those that stand in the other one in
    the same order.

    Args:
        left: The words of one text.
        right: The words of the other.
        runs: The words that they share.
        passages: From `align`.
    """
    from difflib import SequenceMatcher  # not needed where there is no finding

    kept = np.zeros(len(left), bool), np.zeros(len(right), bool)
    for run in runs:
        kept[0][run.left : run.left + run.length] = True
        kept[1][run.right : run.right + run.length] = True
    for passage in passages:
        if passage.kind == "reworded":
            one, other = _places(left, passage.left), _places(right, passage.right)
            matcher = SequenceMatcher(None, left.tokens[one], right.tokens[other], autojunk=False)
            for match in matcher.get_matching_blocks():
                kept[0][one][match.a : match.a + match.size] = True
                kept[1][other][match.b : match.b + match.size] = True
    sizes = _sizes(left), _sizes(right)
    words = min(float(size[mask].sum()) for size, mask in zip(sizes, kept, strict=True))
    return words / max(1.0, min(float(size.sum()) for size in sizes))


def _sizes(words: Words) -> Float64:
    """Return `(n,)` as how many words each token counts; two tokens of code are one word."""
    return np.where(words.is_code, 0.5, 1.0)


def _places(words: Words, span: tuple[int, int]) -> slice:
    """Return the numbers of the tokens that begin in a span."""
    first, last = np.searchsorted(words.starts, span)
    return slice(int(first), int(last))

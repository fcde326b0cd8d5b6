"""The verdict on two answers, and the sentence that gives its reason."""

from __future__ import annotations

from collections.abc import Sequence

from searchkit.core.messages import counted
from searchkit.plagiarism.overlap import TokenRun
from searchkit.plagiarism.preparation import PreparedAnswer
from searchkit.plagiarism.records import NO_FINDING, Overlap

# The lowest shares of the shorter answer's words that stand in the other in the same order.
NEAR_COPY = 0.75
LIGHT_REVISION = 0.35


def same_words(texts: Sequence[PreparedAnswer], words: int) -> str:
    """Return in how many words answers are the same, and but for what."""
    same = f"Word for word the same, {counted(words, 'word')}"
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
    """Return the verdict on two answers, and a sentence that says why.

    Args:
        left: One answer.
        right: The other.
        runs: The words that they share.
        share: The share of the shorter answer's words that are in the runs.
        passages: From `align`.
    """
    words = min(len(left.words), len(right.words))
    if left.words.tokens == right.words.tokens:
        return "identical", f"{same_words([left, right], words)}."
    reworded = sum(passage.kind == "reworded" for passage in passages)
    if not runs and not reworded:
        return NO_FINDING, "No stretch of words is shared, and no sentence says the same."
    if not runs:
        verb = "says" if reworded == 1 else "say"
        sentences = f"{counted(reworded, 'sentence')} {verb} the same in other words"
        return "heavy revision", f"No stretch of words is shared, but {sentences}."
    verdict = (
        "near copy"
        if share >= NEAR_COPY
        else "light revision"
        if share >= LIGHT_REVISION
        else "heavy revision"
    )
    also = f"; {counted(reworded, 'sentence')} more in other words" if reworded else ""
    longest = max(run.length for run in runs)
    return verdict, (
        f"{share:.0%} of the shorter answer's {words:,} words stand in the other in the same "
        f"order, the longest stretch {longest:,} words{also}."
    )

"""What is expected by chance, in words and in figures that are no more precise than they can be."""

from __future__ import annotations

MIN_EXPECTED = 1e-6  # the fitted tail says nothing reliable about an `expected` below this
UNJUDGED = "can't be judged"
UNJUDGED_HEADING = "Chance can't be judged here: ranked by what they share"


def expected_in_words(expected: float | None, pairs: int | None = None) -> str:
    """Return a sentence that explains `expected`.

    Args:
        expected: The number of such pairs expected by chance in a question; None if chance can't be
            judged there.
        pairs: The number of pairs in a question like this; None leaves it out of the sentence.
    """
    questions = "questions like this" + (f", with {pairs:,} pairs each" if pairs else "")
    if expected is None:
        return "How many such pairs come up by chance can't be judged here."
    if expected >= 1:
        return f"By chance, {_round(expected)} pairs as much alike come up in such a question."
    if expected < MIN_EXPECTED:
        return f"By chance, not one such pair comes up in a million {questions}."
    return f"By chance, one such pair comes up in {_round(1 / expected)} {questions}."


def ring_expected_in_words(expected: float | None) -> str:
    """Return a sentence that explains the `expected` of a ring."""
    if expected is None:
        return "How many such pairs of authors come up by chance can't be judged here."
    if expected >= 1:
        return f"By chance, {_round(expected)} such pairs of authors come up in a course like this."
    if expected < MIN_EXPECTED:
        return "By chance, not one such pair of authors comes up in a million courses like this."
    return (
        f"By chance, one such pair of authors comes up in {_round(1 / expected)} courses like this."
    )


def format_expected(expected: float | None) -> str:
    """Return `expected` with two significant digits, or that it can't be judged."""
    if expected is None:
        return UNJUDGED
    if expected < MIN_EXPECTED:
        return f"< {MIN_EXPECTED:.0e}".replace("e-0", "e-")
    return _round(expected) if expected >= 1 else f"{expected:.2g}"


def _round(number: float) -> str:
    """Return a number of at least 1 with two significant digits, without an exponent."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")

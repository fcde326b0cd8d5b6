"""What is expected by chance, in words and in figures that are no more precise than they can be."""

from __future__ import annotations

from math import log

from searchkit.core.messages import counted
from searchkit.plagiarism.records import (
    CHANCE_UNKNOWN,
    NO_FINDING,
    Finding,
    PlagiarismResult,
    Ring,
    SourceFinding,
)

MIN_EXPECTED = 1e-6  # the fitted tail says nothing reliable about an `expected` below this
STRENGTHS = {1e-4: "very strong", 1e-3: "strong", 1e-2: "moderate"}  # of a lower `expected`
WEAK = "weak"
UNJUDGED = "can't be judged"
MAX_RANK, RANK_FACTOR = 12, 100.0  # of `rank`: its highest step, and how much rarer each step is
UNJUDGED_HEADING = "Chance can't be judged here: ranked by what they share"


def chance_facts(found: Finding | Ring | SourceFinding) -> list[str]:
    """Return what a teacher reads beside a finding or a ring: its strength and its odds.

    What is no finding is no weak evidence either: it has no strength.
    """
    if found.expected is None:
        return [UNJUDGED]
    if not isinstance(found, Ring) and found.verdict == NO_FINDING:
        return [odds(found.expected)]
    return [strength(found.expected), odds(found.expected)]


def split_remarks(found: Finding | SourceFinding) -> tuple[str, list[str]]:
    """Return why chance can't be judged, empty if it can, and the other remarks."""
    if found.expected is not None:
        return "", list(found.remarks)
    unknown = [remark for remark in found.remarks if remark.startswith(CHANCE_UNKNOWN)]
    others = [remark for remark in found.remarks if remark not in unknown]
    return "; ".join(unknown) or CHANCE_UNKNOWN, others


def exact_chance(finding: Finding | SourceFinding) -> str:
    """Return the numbers behind `chance_facts`; nothing where chance can't be judged."""
    if finding.expected is None:
        return ""
    expected = f"expected {finding.expected:.3g}"
    return expected if finding.q_value is None else f"{expected}, q-value {finding.q_value:.3g}"


def strength(expected: float) -> str:
    """Return how strong the evidence is, a word for `expected`: the lower, the stronger."""
    return next((word for bound, word in STRENGTHS.items() if expected < bound), WEAK)


def odds(expected: float) -> str:
    """Return `expected` as a teacher reads it, with two significant digits: 1 in 360,000."""
    if expected >= 1:
        return f"{_round(expected)} expected by chance"
    if expected < MIN_EXPECTED:
        return f"less than 1 in {1 / MIN_EXPECTED:,.0f}"
    return f"1 in {_round(1 / expected)}"


def rank(expected: float | None) -> int | None:
    """Return a step from 0 to `MAX_RANK`, for a bar that still orders where odds say no more.

    It is None where chance can't be judged.
    """
    if expected is None:
        return None
    lowest = RANK_FACTOR**-MAX_RANK
    return round(-log(min(1.0, max(lowest, expected)), RANK_FACTOR))


def by_chance_in_words(result: PlagiarismResult) -> str:
    """Return a sentence on how many findings are to be expected by chance.

    It is empty where there are none, and while questions are left: the number is that of all.
    """
    if not (findings := _count_judged(result)):
        return ""
    these = f"{counted(findings, 'finding')}{_where_judged(result)}"
    return f"{these}; by chance alone there would be about {format_expected(result.by_chance)}."


def number_by_chance(result: PlagiarismResult) -> str:
    """Return the same for a place that says how many findings there are; empty likewise."""
    if not _count_judged(result):
        return ""
    number = format_expected(result.by_chance)
    findings = f"{'finding' if number == '1' else 'findings'}{_where_judged(result)}"
    return f"by chance alone there would be about {number} {findings}"


def _count_judged(result: PlagiarismResult) -> int:
    """Return the number of findings where chance can be judged; 0 while questions are left."""
    if result.questions_left:
        return 0
    return sum(finding.expected is not None for finding in result.findings)


def _where_judged(result: PlagiarismResult) -> str:
    is_whole = _count_judged(result) == len(result.findings)
    return "" if is_whole else " where chance can be judged"


def expected_in_words(expected: float, pairs: int | None = None) -> str:
    """Return a sentence that explains `expected`.

    Args:
        expected: The number of such pairs expected by chance in a question.
        pairs: The number of pairs in a question like this; None leaves it out of the sentence.
    """
    questions = "questions like this" + (f", with {pairs:,} pairs each" if pairs else "")
    if expected >= 1:
        return f"By chance, {_round(expected)} pairs as much alike come up in such a question."
    if expected < MIN_EXPECTED:
        return f"By chance, not one such pair comes up in a million {questions}."
    return f"By chance, one such pair comes up in {_round(1 / expected)} {questions}."


def ring_expected_in_words(expected: float | None) -> str:
    """Return a sentence that explains the `expected` of a ring."""
    if expected is None:
        return "How many such pairs of students come up by chance can't be judged here."
    if expected >= 1:
        number = _round(expected)
        return f"By chance, {number} such pairs of students come up in a course like this."
    if expected < MIN_EXPECTED:
        return "By chance, not one such pair of students comes up in a million courses like this."
    number = _round(1 / expected)
    return f"By chance, one such pair of students comes up in {number} courses like this."


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

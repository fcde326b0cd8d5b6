"""Rates: what share of a list of findings is to be expected by chance, over all questions.

A corpus of many questions has some pairs by chance that a single question would hardly have. Every
question counts the same here, whatever its number of pairs: pairs of all questions are ranked by
`expected`, as findings are listed. In the terms of multiple testing these are p-values weighted by
question (Genovese, Roeder and Wasserman, Biometrika 93, 2006). The q-values are those of Benjamini
and Yekutieli (Annals of Statistics 29, 2001), for weighted p-values by Blanchard and Roquain
(Electronic Journal of Statistics 2, 2008): they hold however the pairs depend on each other, and
pairs with an answer in common do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from searchkit.core.arrays import Float64
from searchkit.plagiarism.records import Finding, PlagiarismOptions, SourceFinding

Found = TypeVar("Found", Finding, SourceFinding)

# With a false discovery rate, pairs up to this `expected` are looked at. A pair with more could
# only be listed among more than a hundred findings for each question, at a rate of 0.05.
MAX_CANDIDATE_EXPECTED = 1.0


@dataclass(frozen=True, slots=True)
class JudgedQuestions:
    """The questions in which chance can be judged.

    Attributes:
        questions: Their number.
        pairs: The number of all their pairs of answers.
    """

    questions: int
    pairs: int

    @classmethod
    def of(cls, findings: Sequence[Found], pairs: Mapping[str | None, int]) -> JudgedQuestions:
        """Count the questions with pairs, but not those with findings that aren't judged.

        Args:
            findings: Of all questions.
            pairs: The number of pairs of each question.
        """
        unjudged = {finding.question for finding in findings if finding.expected is None}
        counts = [n for question, n in pairs.items() if n and question not in unjudged]
        return cls(len(counts), sum(counts))

    def with_more(self, pairs: Collection[int]) -> JudgedQuestions:
        """Add families of pairs that are judged by themselves, each as a question."""
        return JudgedQuestions(self.questions + len(pairs), self.pairs + sum(pairs))

    def q_values(self, expected: Float64) -> Float64:
        """Return the q-values of findings.

        Args:
            expected: `(n,)` the `expected` of the findings, ascending; that of all other pairs is
                no lower than the last.
        """
        by_chance = self.questions * _harmonic(self.pairs) * expected
        ratios = by_chance / np.arange(1, len(expected) + 1)
        lowest = np.minimum.accumulate(ratios[::-1])[::-1]
        return np.minimum(1.0, lowest)


def with_q_values(
    findings: Sequence[Found], judged: JudgedQuestions, fdr: float | None
) -> list[Found]:
    """Return findings with their q-values; those that aren't judged have none.

    Args:
        findings: As they are listed: all with an `expected` up to a bound, in ascending order.
        judged: The questions in which chance can be judged.
        fdr: The highest q-value of a finding that is returned; None for all.
    """
    expected = [finding.expected for finding in findings if finding.expected is not None]
    q_values = judged.q_values(np.array(expected, np.float64)).tolist()
    return [
        replace(finding, q_value=float(f"{q_value:.3g}"))
        for finding, q_value in zip(findings, q_values, strict=False)
        if fdr is None or q_value <= fdr
    ] + list(findings[len(expected) :])


def count_by_chance(
    findings: Sequence[Finding], judged: JudgedQuestions, options: PlagiarismOptions
) -> float:
    """Return the number of findings to be expected by chance.

    Numbers expected in each question add up, however the pairs depend on each other.
    """
    if options.fdr is None:
        return round(judged.questions * options.max_expected, 6)
    return round(options.fdr * sum(finding.q_value is not None for finding in findings), 6)


def _harmonic(count: int) -> float:
    """Return the sum of 1, 1/2, … 1/count, or up to 1/(12 count²) more; 1 for none."""
    return float(np.log(count) + np.euler_gamma + 1 / (2 * count)) if count else 1.0

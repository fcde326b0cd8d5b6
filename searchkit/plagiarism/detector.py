"""Detection: which pairs of answers to a question chance does not explain.

The answers to a question are measured pair by pair (`likeness`), the measures are compared with
their distribution over the question's other pairs (`significance`), and for the pairs that remain
the evidence is collected (`evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.core.messages import counted
from searchkit.plagiarism.code.detector import compare_code, find_in_code, is_code, judge_code
from searchkit.plagiarism.evidence.collect import (
    SuspectPair,
    collect_evidence,
    has_evidence,
    one_for_two_authors,
)
from searchkit.plagiarism.likeness.measures import (
    Background,
)
from searchkit.plagiarism.likeness.significance import (
    MIN_PAIRS,
    TYPICAL_TAILS,
    VERBATIM,
    NullDistribution,
)
from searchkit.plagiarism.measurer import PairMeasurer
from searchkit.plagiarism.preparation import Embed, QuestionAnswers
from searchkit.plagiarism.records import NO_FINDING, Finding


@dataclass(frozen=True, slots=True)
class PairSignificance:
    """Pairs of a question's answers with their significance, `(p,)` each.

    Attributes:
        left: The number of one answer.
        right: The number of the other, higher.
        measures: Their likeness, under the measure's name.
        expected: The number of the question's pairs at least as much alike that are expected by
            chance.
    """

    left: Int64
    right: Int64
    measures: dict[str, Float64]
    expected: Float64


class Detector:
    """Finds the pairs of a question that chance does not explain.

    Questions with few answers say little about chance: they are set aside, and judged together.
    """

    def __init__(
        self,
        embed: Embed,
        background: Background,
        *,
        max_expected: float,
        max_common: int | None = None,
        by_passages: bool = False,
        wanted: set[str] | None = None,
    ) -> None:
        """Set what counts as a finding.

        Args:
            embed: Returns the unit vectors of sentences.
            background: Of the whole corpus.
            max_expected: The upper bound of a finding's `expected`.
            max_common: The number of answers to a question above which a sequence of words that
                they share is no evidence; None: half of the answers, at least 5.
            by_passages: Whether passages, which are embedded already, are compared in place of
                sentences.
            wanted: Ids: a finding has at least one of these answers. None: all answers.
        """
        self._embed = embed
        self._background = background
        self._max_expected = max_expected
        self._max_common = max_common
        self._by_passages = by_passages
        self._wanted = wanted
        self._programs: list[QuestionAnswers] = []  # set aside, but judged by themselves
        self._set_aside: list[tuple[QuestionAnswers, PairMeasurer, dict[str, Float64]]] = []

    def find(self, group: QuestionAnswers) -> list[Finding]:
        """Return the findings of a question that is judged by itself, in no order."""
        if not group.count_pairs():
            return []
        if is_code(group):
            return find_in_code(group, self._max_expected, self._wanted)
        measurer = self._measurer(group)
        null = NullDistribution.fit(measurer.unrelated())
        return self._findings(group, measurer, null)

    def set_aside(self, group: QuestionAnswers) -> None:
        """Keep a question with few answers for `find_set_aside`."""
        if is_code(group):
            self._programs.append(group)
        elif group.count_pairs():
            measurer = self._measurer(group)
            self._set_aside.append((group, measurer, measurer.unrelated()))

    def find_set_aside(self) -> list[Finding]:
        """Return the findings of all questions that were set aside, in no order."""
        null = self._pooled_null()
        findings = [finding for group in self._programs for finding in self.find(group)]
        for group, measurer, _ in self._set_aside:
            findings += self._findings(group, measurer, null)
        return findings

    def judge(self, group: QuestionAnswers) -> PairSignificance:
        """Return the significance of every pair of a question, or of a sample if it has many."""
        if is_code(group):
            return PairSignificance(*judge_code(group))
        measurer = self._measurer(group)
        left, right, measures = measurer.sampled
        p_value = NullDistribution.fit(measurer.unrelated()).p_value(measures)
        return PairSignificance(left, right, measures, p_value * group.count_pairs())

    def compare(self, group: QuestionAnswers, left: int, right: int) -> Finding:
        """Return the finding of two answers, by number, whether it is significant or not.

        A question with few answers is judged together with those that were set aside.
        """
        if is_code(group):
            return compare_code(group, left, right, self._max_expected)
        measurer = self._measurer(group, always=(left, right))
        unrelated = measurer.unrelated()
        null = self._pooled_null(unrelated) if group.is_small else NullDistribution.fit(unrelated)
        measures = measurer.measure(np.array([left]), np.array([right]))
        p_value = float(null.p_value(measures)[0])
        chances = int(group.count_chances(np.array([left]), np.array([right]))[0])
        expected = p_value * chances * max(1, group.count_pairs())
        suspect = SuspectPair(left, right, expected if null.is_known else None)
        (finding,) = self._collect_evidence(group, measurer, [suspect], null)
        insignificant = (
            expected > self._max_expected and finding.verdict != "identical"
        ) or not has_evidence(finding, group.texts[left], group.texts[right], measurer.leave_out)
        return replace(finding, verdict=NO_FINDING) if insignificant else finding

    def _measurer(self, group: QuestionAnswers, always: tuple[int, ...] = ()) -> PairMeasurer:
        embed = None if self._by_passages else self._embed
        return PairMeasurer(group, self._background, self._max_common, embed, always)

    def _pooled_null(self, *more: dict[str, Float64]) -> NullDistribution:
        """Fit to the pairs of all questions that were set aside, and to more."""
        pooled = [*(measures for *_, measures in self._set_aside), *more]
        return NullDistribution.fit(
            {
                name: np.concatenate([np.empty(0), *(measures[name] for measures in pooled)])
                for name in (*TYPICAL_TAILS, VERBATIM)
            }
        )

    def _findings(
        self, group: QuestionAnswers, measurer: PairMeasurer, null: NullDistribution
    ) -> list[Finding]:
        suspects: list[SuspectPair] = []
        pair_count = group.count_pairs()
        for left, right, measures in measurer.pairs():
            expected = null.p_value(measures) * pair_count * group.count_chances(left, right)
            suspects += (
                SuspectPair(
                    int(left[at]), int(right[at]), float(expected[at]) if null.is_known else None
                )
                for at in np.flatnonzero(expected <= self._max_expected).tolist()
            )
        wanted = [self._wanted is None or t.answer.id in self._wanted for t in group.texts]
        suspects = [
            pair
            for pair in measurer.with_equal_texts(suspects)
            if wanted[pair.left] or wanted[pair.right]
        ]
        findings = self._collect_evidence(group, measurer, suspects, null)
        evident = [
            (finding, group.texts[pair.left], group.texts[pair.right])
            for finding, pair in zip(findings, suspects, strict=True)
            if has_evidence(
                finding, group.texts[pair.left], group.texts[pair.right], measurer.leave_out
            )
        ]
        return one_for_two_authors(evident)

    def _collect_evidence(
        self,
        group: QuestionAnswers,
        measurer: PairMeasurer,
        suspects: Sequence[SuspectPair],
        null: NullDistribution,
    ) -> list[Finding]:
        """Return the finding of each pair; its remarks say how well chance is known."""
        if not suspects:
            return []
        findings = collect_evidence(
            group.texts,
            suspects,
            question=group.question,
            leave_out=measurer.leave_out,
            embed=self._embed,
        )
        remark = _remark_on_chance(group, null)
        return [replace(finding, remarks=(*finding.remarks, *remark)) for finding in findings]


def _remark_on_chance(group: QuestionAnswers, null: NullDistribution) -> list[str]:
    """Return what a reader should know about the pairs that a question is judged against."""
    if not null.is_known:
        return [
            f"chance can't be judged here: {counted(null.pairs, 'unrelated pair')} of answers to "
            f"compare with, and {MIN_PAIRS} are needed"
        ]
    if group.is_small:
        return [
            f"few answers: judged against {null.pairs:,} pairs of all questions with few, a rough "
            "estimate"
        ]
    return []

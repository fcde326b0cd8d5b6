"""Detection: which pairs of answers to a question chance does not explain.

The answers to a question are measured pair by pair (`likeness`), the measures are compared with
their distribution over the question's other pairs (`significance`), and for the pairs that remain
the evidence is collected (`evidence`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from searchkit.core.arrays import Float64, Int64
from searchkit.core.messages import counted
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.across.languages import languages_of
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
    MEASURES,
    MIN_UNRELATED,
    NullDistribution,
)
from searchkit.plagiarism.measurer import PairMeasurer
from searchkit.plagiarism.preparation import MIN_WORDS, Embed, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import NO_FINDING, Finding, chance_unknown


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
        across: AcrossDetector | None = None,
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
            across: Judges the pairs of answers in two languages. None: no languages are told apart.
        """
        self._across = across
        self._embed = embed
        self._background = background
        self._max_expected = max_expected
        self._max_common = max_common
        self._by_passages = by_passages
        self._wanted = wanted
        self._programs: list[QuestionAnswers] = []  # set aside, but judged by themselves
        self._beside: list[Mapping[str, Float64]] = []
        self._set_aside: list[tuple[QuestionAnswers, PairMeasurer, dict[str, Float64]]] = []

    def find(self, group: QuestionAnswers) -> list[Finding]:
        """Return the findings of a question that is judged by itself, in no order."""
        if not group.count_pairs():
            return []
        if is_code(group):
            return find_in_code(group, self._max_expected, self._wanted)
        measurer = self._measurer(group)
        null = NullDistribution.fit(measurer.unrelated())
        across = self._across.find(group) if self._across else []
        return self._findings(group, measurer, null) + across

    def set_aside(self, group: QuestionAnswers) -> None:
        """Keep a question with few answers for `find_set_aside`."""
        if is_code(group):
            self._programs.append(group)
        elif group.count_pairs():
            measurer = self._measurer(group)
            self._set_aside.append((group, measurer, measurer.unrelated()))

    def measure_unrelated(self, group: QuestionAnswers) -> dict[str, Float64]:
        """Return the measures of a question's unrelated pairs; empty for programs, and no pairs."""
        if is_code(group) or not group.count_pairs():
            return {}
        return self._measurer(group).unrelated()

    def judge_beside(self, pooled: Iterable[Mapping[str, Float64]]) -> None:
        """Judge what `compare` is given together with these, the unrelated pairs of questions."""
        self._beside += pooled

    def find_set_aside(self) -> list[Finding]:
        """Return the findings of all questions that were set aside, in no order."""
        null = self._pooled_null()
        findings = [finding for group in self._programs for finding in self.find(group)]
        for group, measurer, _ in self._set_aside:
            findings += self._findings(group, measurer, null)
            findings += self._across.find(group) if self._across else []
        return findings

    def judge(self, group: QuestionAnswers) -> PairSignificance:
        """Return the significance of every pair of a question, or of a sample if it has many."""
        if is_code(group):
            return PairSignificance(*judge_code(group))
        measurer = self._measurer(group)
        left, right, measures = measurer.sampled
        p_value = NullDistribution.fit(measurer.unrelated()).p_value(measures)
        return PairSignificance(left, right, measures, p_value * group.count_pairs())

    def chance(self, group: QuestionAnswers) -> NullDistribution | None:
        """Return what chance does in a question; None for programs, and with no pair to judge."""
        if is_code(group) or len(group.texts) < 2:
            return None
        return self._chance(group, self._measurer(group))

    def compare(
        self,
        group: QuestionAnswers,
        left: PreparedAnswer,
        right: PreparedAnswer,
        chance: NullDistribution | None = None,
    ) -> Finding:
        """Return the finding of two answers, whether it is significant or not.

        It is the one that `find` returns, if it is among those. A question with few answers is
        judged together with those given to `judge_beside`; what is too short isn't judged.

        Args:
            group: The answers to their question.
            left: One of the two.
            right: The other.
            chance: From `chance`; None: it is computed.
        """
        pair = _numbers_of(group, left, right)
        if pair is None:
            return self._describe_short(group, left, right)
        if is_code(group):
            return compare_code(group, *pair, self._max_expected)
        if self._across and self._across.differ(group, *pair):
            return self._across.compare(group, *pair)
        measurer = self._measurer(group)
        null = chance or self._chance(group, measurer)
        suspects = self._suspects(group, measurer, null, about=pair)
        suspect = next((s for s in suspects if (s.left, s.right) == pair), None)
        if suspect is None:
            measured = np.array([measurer.measured_as(*pair), pair])
            measures = measurer.measure(measured[:1, 0], measured[:1, 1])
            expected = self._expected(group, null, measured[1:, 0], measured[1:, 1], measures)
            suspect = SuspectPair(*pair, float(expected[0]) if null.is_known else None)
            is_suspect = bool(expected[0] <= self._max_expected)
        else:
            is_suspect = True
        (finding,) = self._collect_evidence(group, measurer, [suspect], suspects, null)
        is_shown = is_suspect or finding.verdict == "identical"
        if not (is_shown and has_evidence(finding, left, right, measurer.leave_out)):
            return replace(finding, verdict=NO_FINDING)
        return finding

    def count_pairs(
        self, group: QuestionAnswers, left: PreparedAnswer, right: PreparedAnswer
    ) -> int:
        """Count the pairs among which two answers are judged."""
        pair = _numbers_of(group, left, right)
        if pair and self._across and not is_code(group) and self._across.differ(group, *pair):
            return self._across.count_pairs(group)
        return group.count_pairs()

    def _describe_short(
        self, group: QuestionAnswers, left: PreparedAnswer, right: PreparedAnswer
    ) -> Finding:
        """Return what two answers share, of which one is too short to be judged."""
        leave_out = set(group.boilerplate.sequences["seed"].tolist())
        (finding,) = collect_evidence(
            [left, right],
            [SuspectPair(0, 1, None)],
            group=group,
            leave_out=leave_out,
            embed=self._embed,
        )
        short = {text.answer.id for text in group.short}
        remarks = (
            f"{text.answer.id} has fewer than {MIN_WORDS} words of its own, too few to tell"
            for text in (left, right)
            if text.answer.id in short
        )
        is_equal = finding.verdict == "identical" and has_evidence(finding, left, right, leave_out)
        verdict = "identical" if is_equal else NO_FINDING
        return replace(finding, verdict=verdict, remarks=(*finding.remarks, *remarks))

    def _measurer(self, group: QuestionAnswers) -> PairMeasurer:
        embed = None if self._by_passages else self._embed
        known = languages_of(self._across.model) if self._across else None
        return PairMeasurer(group, self._background, self._max_common, embed, known)

    def _chance(self, group: QuestionAnswers, measurer: PairMeasurer) -> NullDistribution:
        unrelated = measurer.unrelated()
        return self._pooled_null(unrelated) if group.is_small else NullDistribution.fit(unrelated)

    def _pooled_null(self, *more: dict[str, Float64]) -> NullDistribution:
        """Fit to the pairs of all questions that were set aside, and to more."""
        pooled = [*self._beside, *(measures for *_, measures in self._set_aside), *more]
        return NullDistribution.fit(
            {
                name: np.concatenate([np.empty(0), *(measures[name] for measures in pooled)])
                for name in MEASURES
            }
        )

    def _findings(
        self, group: QuestionAnswers, measurer: PairMeasurer, null: NullDistribution
    ) -> list[Finding]:
        suspects = self._suspects(group, measurer, null)
        wanted = [self._wanted is None or t.answer.id in self._wanted for t in group.texts]
        chosen = [pair for pair in suspects if wanted[pair.left] or wanted[pair.right]]
        findings = self._collect_evidence(group, measurer, chosen, suspects, null)
        evident = [
            (finding, group.texts[pair.left], group.texts[pair.right])
            for finding, pair in zip(findings, chosen, strict=True)
            if has_evidence(
                finding, group.texts[pair.left], group.texts[pair.right], measurer.leave_out
            )
        ]
        return one_for_two_authors(evident)

    def _suspects(
        self,
        group: QuestionAnswers,
        measurer: PairMeasurer,
        null: NullDistribution,
        about: tuple[int, ...] = (),
    ) -> list[SuspectPair]:
        """Return the pairs that chance doesn't explain; at least those with one of `about`."""
        suspects: list[SuspectPair] = []
        for left, right, measures in measurer.pairs(about):
            expected = self._expected(group, null, left, right, measures)
            suspects += (
                SuspectPair(
                    int(left[at]), int(right[at]), float(expected[at]) if null.is_known else None
                )
                for at in np.flatnonzero(expected <= self._max_expected).tolist()
            )
        return measurer.with_equal_texts(suspects)

    @staticmethod
    def _expected(
        group: QuestionAnswers,
        null: NullDistribution,
        left: Int64,
        right: Int64,
        measures: dict[str, Float64],
    ) -> Float64:
        """Return `(p,)` how many pairs as much alike as each of these are expected by chance."""
        pairs = max(1, group.count_pairs())
        expected: Float64 = null.p_value(measures) * pairs * group.count_chances(left, right)
        return expected

    def _collect_evidence(
        self,
        group: QuestionAnswers,
        measurer: PairMeasurer,
        pairs: Sequence[SuspectPair],
        suspects: Sequence[SuspectPair],
        null: NullDistribution,
    ) -> list[Finding]:
        """Return the finding of each pair; its remarks say how well chance is known.

        Args:
            group: The answers.
            measurer: Of the question.
            pairs: The pairs.
            suspects: All suspects, among which are those with a third answer, a shared source.
            null: Of the question.
        """
        if not pairs:
            return []
        members = {n for pair in pairs for n in (pair.left, pair.right)}
        known = set(pairs)
        with_third = [s for s in suspects if s not in known and members & {s.left, s.right}]
        findings = collect_evidence(
            group.texts,
            [*pairs, *with_third],
            group=group,
            leave_out=measurer.leave_out,
            embed=self._embed,
        )
        remark = _remark_on_chance(group, null)
        return [
            replace(finding, remarks=(*finding.remarks, *remark))
            for finding in findings[: len(pairs)]
        ]


def _numbers_of(
    group: QuestionAnswers, left: PreparedAnswer, right: PreparedAnswer
) -> tuple[int, int] | None:
    """Return the numbers of two answers in a group; None if one of them is too short."""
    number_of = {text.answer.id: n for n, text in enumerate(group.texts)}
    one, other = (number_of.get(text.answer.id) for text in (left, right))
    return None if one is None or other is None else (one, other)


def _remark_on_chance(group: QuestionAnswers, null: NullDistribution) -> list[str]:
    """Return what a reader should know about the pairs that a question is judged against."""
    if not null.is_known:
        return [
            chance_unknown(
                f"{counted(null.pairs, 'unrelated pair')} of answers to compare with, and "
                f"{MIN_UNRELATED} are needed"
            )
        ]
    if group.is_small:
        return [
            f"few answers: judged against {null.pairs:,} pairs of all questions with few, a rough "
            "estimate"
        ]
    return []

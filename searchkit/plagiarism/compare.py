"""Comparing two answers, whoever wrote them: the evidence, and what chance says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from searchkit.core.errors import BadInput
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import counting, decisions
from searchkit.plagiarism.across.detector import AcrossDetector
from searchkit.plagiarism.cohorts import read_cohorts
from searchkit.plagiarism.detector import Detector
from searchkit.plagiarism.kept.background import background_of, cached_background
from searchkit.plagiarism.kept.pooled import PooledMeasures, cached_pooled
from searchkit.plagiarism.likeness.significance import NullDistribution
from searchkit.plagiarism.preparation import (
    Embed,
    PreparedAnswer,
    QuestionAnswers,
    embed_in,
    embed_with,
    group_by_question,
    make_group,
)
from searchkit.plagiarism.records import MAX_EXPECTED, MAX_SENTENCES, Comparison


def compare(
    index: BaseIndex,
    left: str,
    right: str,
    *,
    template: str = "",
    reference_was_given: bool = False,
    against: BaseIndex | None = None,
) -> Comparison:
    """Compare two answers, whoever wrote them.

    `expected` refers to the answers to their question, or to all if they answer two questions.

    Args:
        index: Open for reading or writing.
        left: The id of one answer.
        right: The id of the other; NAME:ID for an earlier one.
        template: Text that was handed out, and may be in every answer.
        reference_was_given: Whether the authors had the reference answers, too.
        against: An index of earlier answers.

    Raises:
        BadInput: if there is no answer with one of the ids, both ids are equal, or an answer is
            blank.
        IndexMismatch: if `against` was made with another model.
    """
    return PairToCompare.read(
        index,
        left,
        right,
        template=template,
        reference_was_given=reference_was_given,
        against=against,
    ).compared()


@dataclass(frozen=True, slots=True)
class PairToCompare:
    """Two answers with all that they are judged by.

    Attributes:
        index: Of the newer answers.
        pair: The two.
        group: The answers to their question.
        detector: Judges them.
    """

    index: BaseIndex
    pair: tuple[PreparedAnswer, PreparedAnswer]
    group: QuestionAnswers
    detector: Detector

    @classmethod
    def read(
        cls,
        index: BaseIndex,
        left: str,
        right: str,
        *,
        template: str = "",
        reference_was_given: bool = False,
        against: BaseIndex | None = None,
    ) -> PairToCompare:
        """Read two answers and what they are judged by; see `compare`."""
        if left == right:
            raise BadInput(f"{left!r} and {right!r} are one answer; name two")
        question = common_question(index, against, left, right)
        among = read_cohorts(index, against, question=question)
        text_of = {text.answer.id: text for text in among}
        for name in (left, right):
            if name not in text_of:
                raise BadInput(f"{name!r} is blank; there is nothing to compare")
        pair = text_of[left], text_of[right]
        if all(text.answer.question is None for text in pair):
            among = [text for text in among if text.answer.question is None]
        group = make_group(
            question,
            among,
            template,
            always={text.answer.id for text in pair if text.answer.is_reference},
            reference_was_given=reference_was_given,
        )
        read_all = cache(lambda: among if question is None else read_cohorts(index, against))
        is_pooled = question is not None and group.is_small
        embed = embed_in(index, against, read_all() if is_pooled and against else among)
        by_passages = group.count_sentences() > MAX_SENTENCES
        detector = Detector(
            embed,
            cached_background(index, against, lambda: background_of(read_all())),
            max_expected=MAX_EXPECTED,
            by_passages=by_passages,
            across=_across(index, embed, by_passages=by_passages),
        )
        if is_pooled:
            options = template, reference_was_given
            pooled = cached_pooled(
                index, against, options, lambda: _measure_small(detector, read_all(), *options)
            )
            detector.judge_beside(part for name, part in pooled.items() if name != question)
        return cls(index, pair, group, detector)

    def chance(self) -> NullDistribution | None:
        """Return what chance does in their question, for every pair in it; None for programs.

        A reference answer is no part of that, so it is None for a pair with one, too.
        """
        has_reference = any(text.answer.is_reference for text in self.pair)
        return None if has_reference else self.detector.chance(self.group)

    def compared(self, chance: NullDistribution | None = None) -> Comparison:
        """Compare them.

        Args:
            chance: From `chance` of any pair with the same question; None: it is computed.
        """
        text_of = {text.answer.id: text.answer for text in self.pair}
        ordered = sorted(self.pair, key=lambda text: (text.is_earlier, text.answer.id))
        finding = self.detector.compare(self.group, ordered[0], ordered[1], chance)
        made = counting(decisions(self.index))
        one, other = sorted(text_of)
        answers = text_of[finding.left], text_of[finding.right]
        pairs = self.detector.count_pairs(self.group, *ordered)
        return Comparison(finding, *answers, pairs, made.get((one, other)))


def common_question(
    index: BaseIndex, against: BaseIndex | None, left: str, right: str
) -> str | None:
    """Return the question that two answers answer; None if they answer two, or none.

    Raises:
        NotFound: if there is no answer with one of the ids.
    """
    answers = index.get_existing([left, right])
    for id_ in (left, right):
        if id_ in answers:
            continue
        name = id_.removeprefix(f"{against.name}:") if against else id_
        earlier = against.get_existing([name]) if against and name != id_ else {}
        answers[id_] = earlier[name] if earlier else index.get([id_])[0]  # which raises
    questions = {answer.question for answer in answers.values()}
    return questions.pop() if len(questions) == 1 else None


def _across(index: BaseIndex, embed: Embed, *, by_passages: bool = False) -> AcrossDetector:
    """Return what judges answers in two languages."""
    embed_new = embed_with(lambda: index.encoder)
    return AcrossDetector(index.model.name, embed, embed_new, MAX_EXPECTED, by_passages)


def prepare_comparing(index: BaseIndex) -> None:
    """Keep what `compare` needs of all answers, so that no comparison has to compute it."""
    read_all = cache(lambda: read_cohorts(index, None))
    background = cached_background(index, None, lambda: background_of(read_all()))
    embed = embed_in(index, None, ())
    across = _across(index, embed)
    detector = Detector(embed, background, max_expected=MAX_EXPECTED, across=across)
    options = "", False
    cached_pooled(index, None, options, lambda: _measure_small(detector, read_all(), *options))


def _measure_small(
    detector: Detector,
    texts: Sequence[PreparedAnswer],
    template: str,
    reference_was_given: bool,
) -> PooledMeasures:
    """Return the measures of all questions with few answers."""
    groups = group_by_question(texts, "question", template, reference_was_given=reference_was_given)
    measured = (
        (group.question, detector.measure_unrelated(group))
        for group in groups
        if group.question is not None and group.is_small
    )
    return {question: measures for question, measures in measured if measures}

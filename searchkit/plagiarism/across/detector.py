"""Detection across languages: which pairs of answers in two languages chance does not explain.

Such a pair is judged by its meaning (`likeness`), against the question's other pairs in two
languages (`significance`). It is a finding if sentences can be shown that say the same, and not
only name the same (`evidence`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from searchkit.core.arrays import Bool, Float64, Int64
from searchkit.core.messages import counted
from searchkit.mining.exact import mine_blocks
from searchkit.plagiarism.across.evidence import translated_finding, translation_of
from searchkit.plagiarism.across.languages import NOT_TOLD, AnswerLanguages, languages_of
from searchkit.plagiarism.across.likeness import MeaningLikeness
from searchkit.plagiarism.across.prose import embed_prose, prose_of
from searchkit.plagiarism.across.significance import MIN_PAIRS, AcrossNull
from searchkit.plagiarism.evidence.collect import one_for_two_authors
from searchkit.plagiarism.preparation import MIN_WORDS, Embed, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import NO_FINDING, Finding, chance_unknown
from searchkit.text.languages.names import language_name

MAX_EXHAUSTIVE = 600  # answers whose pairs are all measured; among more, only candidate pairs are
MIN_CANDIDATE_COSINE = 0.35  # of the whole answers, centred; of ten copies nine are above


class AcrossPairs:
    """The pairs of a question's answers in two languages, and how much they are alike."""

    def __init__(
        self, group: QuestionAnswers, known: Collection[str] | None, embed: Embed | None
    ) -> None:
        """Choose the answers: in a language that the model knows, with enough prose.

        Args:
            group: The answers.
            known: The languages that the model can compare; None for none.
            embed: Returns the unit vectors of sentences; None: passages are compared.
        """
        self.group = group
        self._embed = embed
        languages = AnswerLanguages(group.texts, known)
        self._languages = languages
        told = np.flatnonzero(languages.codes != NOT_TOLD) if languages.are_mixed else ()
        prose = {
            int(n): prose_of(group.texts[n], by_passages=embed is None)
            for n in told
            if group.texts[n].language in (known or ())
        }
        chosen = [n for n, own in prose.items() if own.lengths.sum() >= MIN_WORDS]
        self._prose = [prose[n] for n in chosen]
        self._numbers = np.array(chosen, np.int64)
        texts = [group.texts[n] for n in chosen]
        self._is_draft = np.array([text.is_draft for text in texts], bool)
        self._is_earlier = np.array([text.is_earlier for text in texts], bool)
        names = {name: n for n, name in enumerate(dict.fromkeys(text.author for text in texts))}
        self._authors = np.array([-1 if t.author is None else names[t.author] for t in texts])
        self._codes = languages.codes[self._numbers]

    def count(self) -> int:
        """Count the pairs that may be findings, without looking at each of them, and drafts."""

        def in_two(codes: Int64) -> int:
            return (
                (len(codes) ** 2 - int((np.bincount(codes) ** 2).sum())) // 2 if len(codes) else 0
            )

        own = ~self._is_draft
        return in_two(self._codes[own]) - in_two(self._codes[own & self._is_earlier])

    def place(self, number: int) -> int | None:
        """Return the place of an answer among those that are compared; None if it isn't one."""
        at = int(np.searchsorted(self._numbers, number))
        return at if at < len(self._numbers) and self._numbers[at] == number else None

    @cached_property
    def null(self) -> AcrossNull:
        """The distribution of the likeness over the pairs of a sample."""
        sample = self._sample()
        left, right = np.array(np.triu_indices(len(sample), 1))
        left, right = self._allowed(sample[left], sample[right])
        answers = len(np.unique(np.concatenate([left, right])))
        return AcrossNull.fit(self._likeness.measure(left, right), answers)

    def expected(self, left: Int64, right: Int64) -> Float64:
        """Return `(p,)` the number of pairs as much alike by chance; `left` is ascending."""
        chances = self.group.count_chances(self._numbers[left], self._numbers[right])
        p_value = self.null.p_value(self._likeness.measure(left, right))
        expected: Float64 = p_value * max(1, self.count()) * chances
        return expected

    def suspects(self, max_expected: float) -> Iterator[tuple[int, int, float]]:
        """Yield the numbers of the pairs that chance doesn't explain, and their `expected`."""
        for left, right in self._candidates():
            expected = self.expected(left, right)
            for at in np.flatnonzero(expected <= max_expected).tolist():
                numbers = self._numbers[[left[at], right[at]]].tolist()
                yield *numbers, float(expected[at])

    def _sample(self) -> Int64:
        """Return answers, ascending: all, or as many of each language, new and earlier ones."""
        own = np.random.default_rng(0).permutation(np.flatnonzero(~self._is_draft))
        kinds = 2 * self._codes[own] + self._is_earlier[own]
        ranks = np.zeros(len(own), np.int64)
        for kind in np.unique(kinds):
            ranks[kinds == kind] = np.arange((kinds == kind).sum())
        return np.sort(own[np.argsort(ranks, kind="stable")[:MAX_EXHAUSTIVE]])

    @cached_property
    def _likeness(self) -> MeaningLikeness:
        texts = [self.group.texts[n] for n in self._numbers]
        return MeaningLikeness(
            embed_prose(texts, self._prose, self._embed),
            [own.lengths for own in self._prose],
            self._codes,
            np.flatnonzero(~self._is_draft),
            by_sentences=len(texts) > MAX_EXHAUSTIVE,
        )

    def _candidates(self) -> Iterator[tuple[Int64, Int64]]:
        """Yield the places of pairs in two languages: all, or among many answers the near ones."""
        if len(self._numbers) <= MAX_EXHAUSTIVE:
            left, right = np.array(np.triu_indices(len(self._numbers), 1))
            yield self._allowed(left, right)
            return
        for block in mine_blocks(self._likeness.whole, MIN_CANDIDATE_COSINE):
            low, high = np.minimum(block.left, block.right), np.maximum(block.left, block.right)
            order = np.lexsort((high, low))
            yield self._allowed(low[order], high[order])

    def _allowed(self, left: Int64, right: Int64) -> tuple[Int64, Int64]:
        """Return the pairs, by place, in two languages, of two authors and with a new answer."""
        is_usable: Bool = self._codes[left] != self._codes[right]
        is_usable &= ~(self._is_earlier[left] & self._is_earlier[right])
        is_usable &= (self._authors[left] < 0) | (self._authors[left] != self._authors[right])
        is_usable &= self._likeness.has_rivals[left] | self._likeness.has_rivals[right]
        left, right = left[is_usable], right[is_usable]
        differ = self._languages.differ(self._numbers[left], self._numbers[right])
        return left[differ], right[differ]


@dataclass(frozen=True, slots=True)
class AcrossDetector:
    """Finds the pairs of answers in two languages that chance does not explain.

    Attributes:
        model: The name of the model of the vectors.
        embed: Returns the unit vectors of sentences of the answers.
        embed_new: Returns those of other texts; they aren't kept.
        max_expected: The upper bound of a finding's `expected`.
        by_passages: Whether passages are compared in place of sentences.
        wanted: Ids: a finding has at least one of these answers. None: all answers.
    """

    model: str
    embed: Embed
    embed_new: Embed
    max_expected: float
    by_passages: bool = False
    wanted: Collection[str] | None = None

    def suspects(self, group: QuestionAnswers) -> Iterator[tuple[int, int, float]]:
        """Yield the numbers of the pairs that chance doesn't explain, and their `expected`."""
        pairs = self._pairs(group)
        if pairs.count() >= MIN_PAIRS and pairs.null.is_known:
            yield from pairs.suspects(self.max_expected)

    def find(self, group: QuestionAnswers) -> list[Finding]:
        """Return the findings of a question, in no order."""
        found = {}
        for i, j, expected in self.suspects(group):
            left, right = group.texts[i], group.texts[j]
            ids = left.answer.id, right.answer.id
            if self.wanted is None or any(id_ in self.wanted for id_ in ids):
                finding = self._finding(group, left, right, expected)
                if finding.verdict != NO_FINDING:
                    found[i, j] = finding
        findings = one_for_two_authors(
            [(finding, group.texts[i], group.texts[j]) for (i, j), finding in found.items()]
        )
        return findings

    def differ(self, group: QuestionAnswers, left: int, right: int) -> bool:
        """Return whether two answers, by their numbers, are written in two languages."""
        languages = AnswerLanguages(group.texts, languages_of(self.model))
        return bool(languages.differ(np.array([left]), np.array([right]))[0])

    def count_pairs(self, group: QuestionAnswers) -> int:
        """Count a question's pairs in two languages that may be findings."""
        return self._pairs(group).count()

    def compare(self, group: QuestionAnswers, left: int, right: int) -> Finding:
        """Return the finding of two answers in two languages, whether it is significant or not."""
        texts = group.texts[left], group.texts[right]
        pairs = self._pairs(group)
        places = pairs.place(left), pairs.place(right)
        if places[0] is None or places[1] is None:
            return self._not_judged(group, *texts, self._why_not(*texts))
        if not pairs.null.is_known:
            why = f"{counted(pairs.null.pairs, 'pair')} of answers in two languages"
            return self._not_judged(group, *texts, f"{why} to compare with, {MIN_PAIRS} are needed")
        expected = float(pairs.expected(np.array([places[0]]), np.array([places[1]]))[0])
        finding = self._finding(group, *texts, expected)
        is_finding = expected <= self.max_expected
        return finding if is_finding else replace(finding, verdict=NO_FINDING)

    def _pairs(self, group: QuestionAnswers) -> AcrossPairs:
        known = languages_of(self.model)
        compared = known if known is None or len(known) > 1 else frozenset[str]()
        return AcrossPairs(group, compared, None if self.by_passages else self.embed)

    def _finding(
        self, group: QuestionAnswers, left: PreparedAnswer, right: PreparedAnswer, expected: float
    ) -> Finding:
        common = translation_of(left, right, self.embed)
        finding = translated_finding(group.question, left, right, common, expected)
        if common.is_evident(self.embed_new):
            return finding
        return replace(finding, verdict=NO_FINDING)

    def _why_not(self, left: PreparedAnswer, right: PreparedAnswer) -> str:
        known = languages_of(self.model) or frozenset[str]()
        foreign = {text.language for text in (left, right)} - known
        if len(known) < 2 or foreign:
            languages = " and ".join(language_name(t.language or "") for t in (left, right))
            return f"they are in {languages}, and {self.model} doesn't know both"
        return f"one of them has fewer than {MIN_WORDS} words of prose"

    @staticmethod
    def _not_judged(
        group: QuestionAnswers, left: PreparedAnswer, right: PreparedAnswer, why: str
    ) -> Finding:
        return Finding(
            left=left.answer.id,
            right=right.answer.id,
            question=group.question,
            verdict=NO_FINDING,
            score=round(float(left.vector @ right.vector), 6),
            semantic=None,
            verbatim=0.0,
            expected=None,
            passages=(),
            reason="Answers in two languages are compared by their meaning alone.",
            remarks=(*left.remarks(), *right.remarks(), chance_unknown(why)),
        )

"""Measuring: how much alike the pairs of answers to a question are, by every measure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64, centred
from searchkit.mining.exact import mine_blocks
from searchkit.plagiarism.across.languages import AnswerLanguages
from searchkit.plagiarism.evidence.collect import (
    SuspectPair,
    common_sequences,
)
from searchkit.plagiarism.likeness.measures import (
    MIN_COMPARABLE,
    SEQUENCE_LENGTHS,
    Background,
    LexicalLikeness,
    SentenceLikeness,
    SequenceMatrix,
    answer_weights,
    find_near_duplicates,
)
from searchkit.plagiarism.likeness.significance import VERBATIM
from searchkit.plagiarism.preparation import Embed, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.verbatim.language_model import LanguageModel
from searchkit.plagiarism.verbatim.likeness import VerbatimLikeness

MAX_EXHAUSTIVE = 600  # answers whose pairs are all measured; among more, only candidate pairs are
MIN_CANDIDATE_COSINE = 0.6  # of candidate pairs, centred
# Candidate pairs also share so many long sequences that no more than so many answers hold.
MIN_RARE_SHARED, MAX_RARE_ANSWERS = 3, 10
MAX_EQUAL = 5  # answers with the same words that are all measured; of more, two are
BLOCK_PAIRS = 500_000  # that are measured at a time

MeasuredPairs = tuple[Int64, Int64, dict[str, Float64]]  # left, right, and measures, `(p,)` each


class PairMeasurer:
    """Measures pairs of a question's answers.

    Of many answers with the same words two are measured. Answers are given by their numbers in the
    group; their places among the measured ones are internal.

    Attributes:
        leave_out: The sequences of words that are no evidence.
    """

    def __init__(
        self,
        group: QuestionAnswers,
        background: Background,
        max_common: int | None,
        embed: Embed | None,
        known: Collection[str] | None = None,
    ) -> None:
        """Prepare all measures.

        Args:
            group: The answers.
            background: Of the whole corpus.
            max_common: See `Detector`.
            embed: Returns the unit vectors of sentences; None: passages are compared.
            known: The codes of the languages that the model knows. Answers in two languages are
                then no pair here, but in `plagiarism.across`. None: that is unknown.
        """
        self._languages = AnswerLanguages(group.texts, known)
        self._texts = group.texts
        self._equal = _equal_texts(group.texts)
        self._equal_of = {n: numbers for numbers in self._equal for n in numbers[2:]}
        self._chosen = np.setdiff1d(np.arange(len(group.texts)), list(self._equal_of))
        self._place = {int(n): at for at, n in enumerate(self._chosen)}
        texts = [group.texts[n] for n in self._chosen]
        is_draft = np.array([text.is_draft for text in texts], bool)
        copies = (~is_draft).astype(np.int64)
        for numbers in self._equal:
            copies[self._place[numbers[0]]] += sum(
                not group.texts[number].is_draft for number in numbers[2:]
            )
        self._drafts = np.flatnonzero(is_draft)
        self._sample = np.flatnonzero(~is_draft)[_sample(int((~is_draft).sum()), MAX_EXHAUSTIVE)]
        self._authors = _author_numbers(group.texts)
        self._is_earlier = np.array([text.is_earlier for text in group.texts])
        words = [text.words for text in texts]
        matrices = {
            kind: SequenceMatrix(words, kind, group.boilerplate.sequences[kind])
            for kind in SEQUENCE_LENGTHS
        }
        self._long_sequences = matrices["long"]
        self._near_duplicates = find_near_duplicates(self._long_sequences)
        weights = answer_weights(self._near_duplicates, copies)
        common = float(max(5, weights.sum() // 2)), weights
        if max_common is not None:  # the user's limit is a number of answers, near-duplicates too
            common = max_common, copies.astype(np.float64)
        references = [text.words for text in group.references]
        self._lexical = {
            kind: LexicalLikeness(matrix, weights, background, common, references)
            for kind, matrix in matrices.items()
        }
        model = LanguageModel(words, copies, weights, background, references)
        self._verbatim = VerbatimLikeness(
            words,
            model,
            self._long_sequences.matrix,
            self._near_duplicates,
            group.boilerplate.sequences["seed"],
        )
        rows = np.stack([text.vector for text in texts])
        comparable = len(texts) >= MIN_COMPARABLE
        self._centred = centred(rows, weights) if comparable else np.zeros_like(rows)
        self._sentences = SentenceLikeness(
            *_units(texts, embed), self._sample, self._near_duplicates
        )
        self.leave_out = common_sequences(words, *common, group.boilerplate.sequences["seed"])

    def measure(self, left: Int64, right: Int64) -> dict[str, Float64]:
        """Return the five measures `(p,)` of pairs of answers; `left` is ascending."""
        left, right = self._places(left), self._places(right)
        whole = np.einsum("pd,pd->p", self._centred[left], self._centred[right])
        measures = {
            "whole": np.maximum(whole, 0).astype(np.float64),
            "sentences": self._sentences.likeness(left, right),
            **{kind: lexical.likeness(left, right) for kind, lexical in self._lexical.items()},
            VERBATIM: self._verbatim.likeness(left, right),
        }
        # Rounded like scores, so that a sum is 0 in any order where nothing is in common.
        return {name: np.round(values, 6) for name, values in measures.items()}

    @cached_property
    def sampled(self) -> MeasuredPairs:
        """All pairs that may be findings, or those among a sample of the answers, measured."""
        i, j = np.triu_indices(len(self._sample), 1)
        left, right = self._allowed(self._sample[i], self._sample[j])
        return left, right, self.measure(left, right)

    def unrelated(self) -> dict[str, Float64]:
        """Return the measures of pairs that are no near-duplicates, for the null distribution."""
        left, right, measures = self.sampled
        if not len(left):
            return measures
        near = self._near_duplicates[self._places(left), self._places(right)]
        apart = np.asarray(near).ravel() == 0
        return {name: values[apart] for name, values in measures.items()}

    def measured_as(self, left: int, right: int) -> tuple[int, int]:
        """Return the numbers of two measured answers with the same words as these."""
        one, other = self._equal_of.get(left, [left]), self._equal_of.get(right, [right])
        if one[0] != other[0]:
            return one[0], other[0]
        return max(one, other, key=len)[0], max(one, other, key=len)[1]

    def pairs(self, about: tuple[int, ...] = ()) -> Iterator[MeasuredPairs]:
        """Yield all pairs that may be findings, measured; among many answers the candidates.

        Args:
            about: Numbers: only the pairs with one of these; none for all.
        """
        if len(self._chosen) <= MAX_EXHAUSTIVE and not about:
            yield self.sampled
            yield self._with_drafts()
            return
        seen: set[int] = set()
        for left, right in self._pairs_with(about) if about else self._candidates():
            key = left * len(self._chosen) + right
            new = np.array([k not in seen for k in key.tolist()], bool)
            seen.update(key[new].tolist())
            order = np.lexsort((right[new], left[new]))
            allowed = self._allowed(left[new][order], right[new][order])
            yield *allowed, self.measure(*allowed)

    def _with_drafts(self) -> MeasuredPairs:
        """Return the pairs with at least one draft, measured."""
        i, j = np.triu_indices(len(self._chosen) if len(self._drafts) else 0, 1)
        has_draft = np.isin(i, self._drafts) | np.isin(j, self._drafts)
        left, right = self._allowed(i[has_draft], j[has_draft])
        return left, right, self.measure(left, right)

    def with_equal_texts(self, suspects: list[SuspectPair]) -> list[SuspectPair]:
        """Add pairs with the equal answers that were not measured: each with the first of them."""
        expected = {(pair.left, pair.right): pair.expected for pair in suspects}
        added = [
            SuspectPair(numbers[0], n, expected[numbers[0], numbers[1]])
            for numbers in self._equal
            if (numbers[0], numbers[1]) in expected
            for n in numbers[2:]
            if self._texts[numbers[0]].may_pair_with(self._texts[n])
        ]
        return suspects + added

    def _places(self, numbers: Int64) -> Int64:
        """Return the place of each answer among the measured ones."""
        return np.array([self._place[n] for n in numbers.tolist()], np.int64)

    def _pairs_with(self, about: tuple[int, ...]) -> Iterator[tuple[Int64, Int64]]:
        """Yield the places of all pairs with one of these answers, by number."""
        for number in about:
            place = self._place[self._equal_of.get(number, [number])[0]]
            others = np.delete(np.arange(len(self._chosen)), place)
            yield from _split_pairs(np.full(len(others), place), others)

    def _candidates(self) -> Iterator[tuple[Int64, Int64]]:
        """Yield the places of pairs that are near in meaning or share rare sequences.

        A pair may be yielded twice.
        """
        rows, norms = self._centred, np.linalg.norm(self._centred, axis=1)
        inside = np.flatnonzero(norms > 0)
        for block in mine_blocks(rows[inside], MIN_CANDIDATE_COSINE):
            yield from _split_pairs(inside[block.left], inside[block.right])
        for left, right, _ in self._long_sequences.sharing(MIN_RARE_SHARED, MAX_RARE_ANSWERS):
            yield from _split_pairs(left, right)

    def _allowed(self, left: Int64, right: Int64) -> tuple[Int64, Int64]:
        """Return the numbers of the pairs, by place, that may be findings.

        They are of two authors, not both earlier, and in one language.
        """
        left, right = self._chosen[left], self._chosen[right]
        allowed = ~(self._is_earlier[left] & self._is_earlier[right])
        allowed &= (self._authors[left] < 0) | (self._authors[left] != self._authors[right])
        left, right = left[allowed], right[allowed]
        if self._languages.are_mixed:
            in_one = ~self._languages.differ(left, right)
            return left[in_one], right[in_one]
        return left, right


def _author_numbers(texts: Sequence[PreparedAnswer]) -> Int64:
    """Return a number for the author of each text; -1 for an unknown author."""
    names = [text.author for text in texts]
    number_of = {name: n for n, name in enumerate(dict.fromkeys(names))}
    return np.array([-1 if name is None else number_of[name] for name in names], np.int64)


def _split_pairs(left: Int64, right: Int64) -> Iterator[tuple[Int64, Int64]]:
    """Yield pairs in blocks, the lower place of each on the left."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    for at in range(0, len(low), BLOCK_PAIRS):
        yield low[at : at + BLOCK_PAIRS], high[at : at + BLOCK_PAIRS]


def _units(
    texts: Sequence[PreparedAnswer], embed: Embed | None
) -> tuple[list[Float32], list[Float32]]:
    """Return the vectors and the numbers of words of each text's sentences, or of its passages."""
    spans = [text.passages if embed is None else text.sentences for text in texts]
    units = [
        [text.answer.text[start:end] for start, end in inside]
        for text, inside in zip(texts, spans, strict=True)
    ]
    lengths = [
        np.array([max(1, len(unit.split())) for unit in inside], np.float32) for inside in units
    ]
    if embed is None:
        return [text.vectors for text in texts], lengths
    rows = embed([unit for inside in units for unit in inside])
    return np.split(rows, np.cumsum([len(inside) for inside in units])[:-1]), lengths


def _equal_texts(texts: Sequence[PreparedAnswer]) -> list[list[int]]:
    """Return the numbers of the texts with the same words, where they are more than `MAX_EQUAL`."""
    same: dict[bytes, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        same[text.words.hashes.tobytes()].append(number)
    for numbers in same.values():
        numbers.sort(key=lambda number: texts[number].is_draft)  # the others represent them
    return [_pair_first(numbers, texts) for numbers in same.values() if len(numbers) > MAX_EQUAL]


def _pair_first(numbers: list[int], texts: Sequence[PreparedAnswer]) -> list[int]:
    """Move two texts that may be a finding to the front, if there are any."""
    first = numbers[0]
    for other in numbers[1:]:
        if texts[first].may_pair_with(texts[other]):
            return [first, other, *(n for n in numbers[1:] if n != other)]
    return numbers


def _sample(count: int, max_count: int) -> Int64:
    """Return at most `max_count` of the numbers below `count`, ascending; always the same ones."""
    if count <= max_count:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, max_count, replace=False))

"""Detection: which pairs of answers chance does not explain.

The answers to a question are measured pair by pair (`likeness`), the measures judged against
those of the question's other pairs (`surprise`), and what is left shown with what a person can
read in it (`evidence`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from searchkit.core.arrays import Float32, Float64, Int64, centred
from searchkit.mining.exact import mine_blocks
from searchkit.plagiarism.evidence import Embed, Suspect, Written, common_sequences, gather, tells
from searchkit.plagiarism.likeness import (
    ENOUGH,
    LENGTHS,
    Background,
    Held,
    SentenceMeaning,
    Wording,
    counting,
    find_kin,
)
from searchkit.plagiarism.overlap import SEED
from searchkit.plagiarism.records import NO_FINDING, Finding
from searchkit.plagiarism.significance import USUAL, Null
from searchkit.text.words import Hashes, sequences, split_words

SHORTEST = 10  # words; a shorter answer can't tell
FEW = 20  # answers; with fewer a question is judged together with the others that have few
MANY = 600  # answers that are compared each with each; above it candidates are sought first
CANDIDATE = 0.6  # centred cosine of the candidates in a question with many answers
RARE, SHARED = 10, 3  # answers that may have a sequence, and such sequences, to be candidates
EQUALS = 5  # answers with the same words; of more only two are measured
SENTENCES = 250_000  # that are embedded at most; with more, passages stand for them
BLOCK = 500_000  # pairs that are measured in one step


class Given:
    """What everybody had before them, and what therefore counts for nothing."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take the sequences of words of these texts."""
        words = [split_words(text) for text in texts if text.strip()]
        lengths = LENGTHS | {"seed": SEED}
        empty = np.empty(0, np.uint64)
        self.sequences: dict[str, Hashes] = {
            kind: np.unique(np.concatenate([empty, *(sequences(w, length)[0] for w in words)]))
            for kind, length in lengths.items()
        }

    def own_words(self, text: Written) -> int:
        """Count the words of a text that it was not given; two tokens of code are one."""
        words = text.words
        own = np.ones(len(words))
        hashes, firsts = sequences(words, SEED)
        for first in firsts[np.isin(hashes, self.sequences["seed"])].tolist():
            own[first : first + SEED[int(words.code[first])]] = 0
        own[words.code] /= 2
        return int(own.sum())


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that are compared with each other: those to a question.

    Attributes:
        question: The question; None where all answers are compared.
        texts: The answers that are long enough.
        given: What they were given.
    """

    question: str | None
    texts: list[Written]
    given: Given

    @property
    def has_few(self) -> bool:
        """Whether it is judged together with others."""
        return len(self.texts) < FEW


@dataclass(frozen=True, slots=True)
class Judged:
    """Pairs of a group's answers, `(p,)` each.

    Attributes:
        left: The number of one answer.
        right: That of the other, higher.
        measures: Their likeness, by the measure's name.
        expected: How many of the group's pairs would by chance be so much alike.
    """

    left: Int64
    right: Int64
    measures: dict[str, Float64]
    expected: Float64


class Detector:
    """Goes through the questions; those with few answers wait until all were seen.

    Attributes:
        findings: What was found so far, in no order.
        pairs: How many pairs each question has.
        pooled: The questions with few answers.
        background: As it was given; so are the others.
        max_expected: Of findings.
        max_common: Of sequences.
        by_passages: Instead of sentences.
        wanted: Ids.
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
        """Prepare.

        Args:
            embed: Gives unit vectors of sentences.
            background: Of the whole corpus.
            max_expected: What a finding's `expected` is at most.
            max_common: A sequence of words that more answers to a question have is no evidence;
                None: half of the answers, at least 5.
            by_passages: Take the passages for the sentences, as they are embedded already.
            wanted: Ids: a finding has at least one of them; None: of all.
        """
        self.findings: list[Finding] = []
        self.pairs: dict[str | None, int] = {}
        self.pooled: list[str | None] = []
        self._embed = embed
        self.background = background
        self.max_expected = max_expected
        self.max_common = max_common
        self.by_passages = by_passages
        self.wanted = wanted
        self._waiting: list[tuple[Group, _Measurer, dict[str, Float64]]] = []

    def look_at(self, group: Group) -> None:
        """Find what is surprising in a question, or put it aside if it has few answers."""
        self.pairs[group.question] = _count_pairs(group.texts)
        if not self.pairs[group.question]:
            return
        measurer = self._measurer(group)
        if len(group.texts) < FEW:
            self.pooled.append(group.question)
            self._waiting.append((group, measurer, measurer.unrelated()))
        else:
            self._keep(group, measurer, Null.fit(measurer.unrelated()))

    def take(self, group: Group, findings: Iterable[Finding]) -> None:
        """Take what another detector has found in a question that has enough answers."""
        self.pairs[group.question] = _count_pairs(group.texts)
        self.findings += findings

    def finish(self) -> None:
        """Judge the questions with few answers, all together."""
        null = self._pooled()
        for group, measurer, _ in self._waiting:
            self._keep(group, measurer, null, pooled=True)
        self._waiting = []

    def judge(self, group: Group) -> Judged:
        """Judge every pair of a question, or of a sample of it if it has many answers."""
        measurer = self._measurer(group)
        left, right, measures = measurer.sampled
        expected = Null.fit(measurer.unrelated()).chance(measures) * _count_pairs(group.texts)
        return Judged(left, right, measures, expected)

    def compare(self, group: Group, left: int, right: int) -> Finding:
        """Return the finding of two answers by their numbers, surprising or not.

        If the question has few answers, it is judged with those that wait.
        """
        measurer = self._measurer(group, always=(left, right))
        few = len(group.texts) < FEW
        null = self._pooled(measurer.unrelated()) if few else Null.fit(measurer.unrelated())
        chance = float(null.chance(measurer.measure(np.array([left]), np.array([right])))[0])
        suspect = Suspect(left, right, chance * max(1, _count_pairs(group.texts)))
        (finding,) = self._gathered(group, measurer, [suspect])
        usual = finding.expected > self.max_expected and finding.verdict != "identical"
        if usual or not tells(finding, group.texts[left], group.texts[right]):
            finding = replace(finding, verdict=NO_FINDING)
        return replace(finding, remarks=(*finding.remarks, _rough(null.pairs))) if few else finding

    def _pooled(self, *more: dict[str, Float64]) -> Null:
        every = [*(measures for *_, measures in self._waiting), *more]
        return Null.fit(
            {
                name: np.concatenate([np.empty(0), *(measures[name] for measures in every)])
                for name in USUAL
            }
        )

    def _measurer(self, group: Group, always: tuple[int, ...] = ()) -> _Measurer:
        embed = None if self.by_passages else self._embed
        return _Measurer(group, self.background, self.max_common, embed, always)

    def _keep(self, group: Group, measurer: _Measurer, null: Null, *, pooled: bool = False) -> None:
        suspects: list[Suspect] = []
        pairs = self.pairs[group.question]
        for left, right, measures in measurer.pairs():
            expected = null.chance(measures) * pairs
            for at in np.flatnonzero(expected <= self.max_expected).tolist():
                suspects.append(Suspect(int(left[at]), int(right[at]), float(expected[at])))
        wanted = [self.wanted is None or t.answer.id in self.wanted for t in group.texts]
        suspects = [
            pair
            for pair in measurer.with_equals(suspects)
            if wanted[pair.left] or wanted[pair.right]
        ]
        remarks = (_rough(null.pairs),) if pooled else ()
        findings = self._gathered(group, measurer, suspects)
        for finding, pair in zip(findings, suspects, strict=True):
            if tells(finding, group.texts[pair.left], group.texts[pair.right]):
                self.findings.append(replace(finding, remarks=(*finding.remarks, *remarks)))

    def _gathered(
        self, group: Group, measurer: _Measurer, suspects: Sequence[Suspect]
    ) -> list[Finding]:
        if not suspects:
            return []
        return gather(
            group.texts,
            suspects,
            question=group.question,
            leave_out=measurer.leave_out,
            embed=self._embed,
        )


class _Measurer:
    """Measures pairs of a group's answers; of many equal answers two stand for all."""

    def __init__(
        self,
        group: Group,
        background: Background,
        max_common: int | None,
        embed: Embed | None,
        always: tuple[int, ...] = (),
    ) -> None:
        self._texts = group.texts
        self._equal = _equal_texts(group.texts)
        left_out = {n for same in self._equal for n in same[2:]} - set(always)
        self._chosen = np.array([n for n in range(len(group.texts)) if n not in left_out], np.int64)
        self._place = {int(n): at for at, n in enumerate(self._chosen)}
        texts = [group.texts[n] for n in self._chosen]
        copies = np.ones(len(texts), np.int64)
        for same in self._equal:
            copies[self._place[same[0]]] += len(same) - 2
        self._sample = _sample(len(texts), MANY)
        names = [text.answer.author for text in group.texts]
        numbers = {name: n for n, name in enumerate(dict.fromkeys(names))}
        self._authors = np.array([-1 if name is None else numbers[name] for name in names])
        self._earlier = np.array([text.earlier for text in group.texts])
        words = [text.words for text in texts]
        held = {kind: Held(words, kind, group.given.sequences[kind]) for kind in LENGTHS}
        self._kin = find_kin(held["long"])
        counts = counting(self._kin, copies)
        most, counted = max(5, counts.sum() // 2), counts
        if max_common is not None:  # then whoever asks for it counts heads
            most, counted = max_common, copies.astype(np.float64)
        common = most, counted
        self._rare = held["long"]
        self._wording = {kind: Wording(held[kind], counts, background, common) for kind in LENGTHS}
        rows = np.stack([text.vector for text in texts])
        self._centred = centred(rows, counts) if len(texts) >= ENOUGH else np.zeros_like(rows)
        self._meaning = SentenceMeaning(*_units(texts, embed), self._sample, self._kin)
        self.leave_out = common_sequences(words, *common, group.given.sequences["seed"])

    def measure(self, left: Int64, right: Int64) -> dict[str, Float64]:
        """Return the four measures of pairs of answers; `left` ascending."""
        left = np.array([self._place[n] for n in left.tolist()], np.int64)
        right = np.array([self._place[n] for n in right.tolist()], np.int64)
        whole = np.einsum("pd,pd->p", self._centred[left], self._centred[right])
        measures = {
            "whole": np.maximum(whole, 0).astype(np.float64),
            "sentences": self._meaning.likeness(left, right),
            **{kind: wording.likeness(left, right) for kind, wording in self._wording.items()},
        }
        # To six places, as scores: what is 0 but for the order of a sum is nothing in common.
        return {name: np.round(values, 6) for name, values in measures.items()}

    @cached_property
    def sampled(self) -> tuple[Int64, Int64, dict[str, Float64]]:
        """All pairs that may be findings, or those among a sample of the answers, measured."""
        i, j = np.triu_indices(len(self._sample), 1)
        left, right = self._allowed(self._sample[i], self._sample[j])
        return left, right, self.measure(left, right)

    def unrelated(self) -> dict[str, Float64]:
        """Return the measures of the pairs that say what chance does: those that are not kin."""
        left, right, measures = self.sampled
        if not len(left):
            return measures
        places = [np.array([self._place[n] for n in side.tolist()]) for side in (left, right)]
        apart = np.asarray(self._kin[places[0], places[1]]).ravel() == 0
        return {name: values[apart] for name, values in measures.items()}

    def pairs(self) -> Iterator[tuple[Int64, Int64, dict[str, Float64]]]:
        """Yield all pairs that may be findings, measured; among many answers the candidates."""
        if len(self._chosen) <= MANY:
            yield self.sampled
            return
        seen: set[int] = set()
        for left, right in self._candidates():
            key = left * len(self._chosen) + right
            new = np.array([k not in seen for k in key.tolist()], bool)
            seen.update(key[new].tolist())
            order = np.lexsort((right[new], left[new]))
            allowed = self._allowed(left[new][order], right[new][order])
            yield *allowed, self.measure(*allowed)

    def with_equals(self, suspects: list[Suspect]) -> list[Suspect]:
        """Add, where many answers are equal, a pair of the first with each of the others."""
        found = {(pair.left, pair.right): pair.expected for pair in suspects}
        more = [
            Suspect(same[0], n, found[same[0], same[1]])
            for same in self._equal
            if (same[0], same[1]) in found
            for n in same[2:]
            if _may_pair(self._texts[same[0]], self._texts[n])
        ]
        return suspects + more

    def _candidates(self) -> Iterator[tuple[Int64, Int64]]:
        """Yield the pairs that are near in meaning or share rare sequences; each perhaps twice."""
        rows, norms = self._centred, np.linalg.norm(self._centred, axis=1)
        inside = np.flatnonzero(norms > 0)
        for block in mine_blocks(rows[inside], CANDIDATE):
            yield from _cut(inside[block.left], inside[block.right])
        for left, right, _ in self._rare.sharing(SHARED, most=RARE):
            yield from _cut(left, right)

    def _allowed(self, left: Int64, right: Int64) -> tuple[Int64, Int64]:
        """Leave out the pairs of an author with themselves, and of two earlier answers."""
        left, right = self._chosen[left], self._chosen[right]
        kept = ~(self._earlier[left] & self._earlier[right])
        kept &= (self._authors[left] < 0) | (self._authors[left] != self._authors[right])
        return left[kept], right[kept]


def _cut(left: Int64, right: Int64) -> Iterator[tuple[Int64, Int64]]:
    low, high = np.minimum(left, right), np.maximum(left, right)
    for at in range(0, len(low), BLOCK):
        yield low[at : at + BLOCK], high[at : at + BLOCK]


def _units(texts: Sequence[Written], embed: Embed | None) -> tuple[list[Float32], list[Float32]]:
    """Return the vectors and the words of each text's sentences, or of its passages."""
    spans = [text.passages if embed is None else text.sentences for text in texts]
    written = [
        [text.answer.text[start:end] for start, end in inside]
        for text, inside in zip(texts, spans, strict=True)
    ]
    lengths = [
        np.array([max(1, len(unit.split())) for unit in units], np.float32) for units in written
    ]
    if embed is None:
        return [text.vectors for text in texts], lengths
    rows = embed([unit for units in written for unit in units])
    return np.split(rows, np.cumsum([len(units) for units in written])[:-1]), lengths


def _equal_texts(texts: Sequence[Written]) -> list[list[int]]:
    """Return the numbers of those that have the same words, where they are more than a few."""
    same: dict[bytes, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        same[text.words.hashes.tobytes()].append(number)
    return [_spread(numbers, texts) for numbers in same.values() if len(numbers) > EQUALS]


def _spread(numbers: list[int], texts: Sequence[Written]) -> list[int]:
    """Put two that may be a pair first, if there are any."""
    first = numbers[0]
    for other in numbers[1:]:
        if _may_pair(texts[first], texts[other]):
            return [first, other, *(n for n in numbers[1:] if n != other)]
    return numbers


def _may_pair(one: Written, other: Written) -> bool:
    """Return whether both may be a finding: other authors, and not both from before."""
    if one.earlier and other.earlier:
        return False
    author = one.answer.author
    return author is None or author != other.answer.author


def _count_pairs(texts: Sequence[Written]) -> int:
    """Count the pairs that `_may_pair` allows, without looking at each."""
    new, old = (
        [text.answer.author for text in texts if text.earlier == earlier]
        for earlier in (False, True)
    )
    count = len(new) * (len(new) - 1) // 2 + len(new) * len(old)
    news, olds = _tally(new), _tally(old)
    return count - sum(n * (n - 1) // 2 + n * olds.get(name, 0) for name, n in news.items())


def _tally(authors: Iterable[str | None]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for author in authors:
        if author is not None:
            counts[author] += 1
    return counts


def _sample(count: int, most: int) -> Int64:
    """Choose at most so many of `count`, always the same ones; ascending."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _rough(pairs: int) -> str:
    return (
        f"few answers: judged against {pairs:,} pairs of all questions with few, a rough estimate"
    )

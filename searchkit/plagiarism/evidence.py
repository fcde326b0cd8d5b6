"""Evidence: what a person can read in two answers that are too much alike, and how to call it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np

from searchkit.core.arrays import Float32, Float64, unit_rows
from searchkit.core.records import Answer
from searchkit.core.wording import counted
from searchkit.encoding.encoder import Encoder
from searchkit.plagiarism import overlap
from searchkit.plagiarism.overlap import SEED, Run, coverage, shared_runs
from searchkit.plagiarism.records import NO_FINDING, Finding, Overlap
from searchkit.text.words import Hashes, Words, sequences, split_sentences, split_words

Embed = Callable[[Sequence[str]], Float32]
NEAR, LIGHT = 0.75, 0.35  # of the shorter answer's words: near copy, light revision
EXPLAINED = 0.8  # of what two answers share: a third text that has so much of it explains it
TELLING = 10  # words that are the same and rare; two in other words, or of code, are one of them


def embed_with(encoder: Callable[[], Encoder]) -> Embed:
    """Return a function that embeds each distinct text once."""

    def embed(texts: Sequence[str]) -> Float32:
        distinct = {text: n for n, text in enumerate(dict.fromkeys(texts))}
        rows = unit_rows(encoder().encode(list(distinct)), list(distinct))
        return rows[[distinct[text] for text in texts]]

    return embed


@dataclass(frozen=True)
class Written:
    """An answer prepared for comparison.

    Attributes:
        answer: The answer.
        vector: `(d,)` unit vector of the whole.
        passages: The (start, end) of its passages.
        vectors: `(p, d)` unit vectors of these.
        earlier: Whether it is of an earlier cohort, and can't have copied from the others.
    """

    answer: Answer
    vector: Float32
    passages: Sequence[tuple[int, int]]
    vectors: Float32
    earlier: bool = False

    @cached_property
    def words(self) -> Words:
        """What is compared."""
        return split_words(self.answer.text)

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """The (start, end) of each sentence; at least one."""
        return split_sentences(self.answer.text) or [(0, len(self.answer.text))]

    def sentence_texts(self) -> list[str]:
        """Return the text of each sentence."""
        return [self.answer.text[start:end] for start, end in self.sentences]


@dataclass(frozen=True, slots=True)
class Suspect:
    """Two answers of a list, by number, `left` below `right`, and how many such are expected."""

    left: int
    right: int
    expected: float


def common_sequences(
    texts: Sequence[Words], most: float, counts: Float64, given: Hashes
) -> set[int]:
    """Return the sequences of `SEED` that are no evidence: given, or in too many texts.

    Args:
        texts: The words of each answer.
        most: How many may have a sequence.
        counts: `(n,)` as how many answers each counts.
        given: Sequences that everybody was given.
    """
    every = [np.unique(sequences(words, SEED)[0]) for words in texts]
    weights = np.repeat(counts, [len(hashes) for hashes in every])
    known, at = np.unique(np.concatenate([np.empty(0, np.uint64), *every]), return_inverse=True)
    having = np.bincount(at, weights=weights, minlength=len(known))
    return {*known[having > most].tolist(), *given.tolist()}


def gather(
    texts: Sequence[Written],
    suspects: Sequence[Suspect],
    *,
    question: str | None,
    leave_out: set[int],
    embed: Embed,
) -> list[Finding]:
    """Return the finding of each pair, with what a person can read in it; in the same order.

    Args:
        texts: The answers to a question.
        suspects: Pairs of them.
        question: What the findings say.
        leave_out: From `common_sequences`.
        embed: Gives unit vectors of sentences.
    """
    sentences = _embedded(texts, {n for pair in suspects for n in (pair.left, pair.right)}, embed)
    runs = {
        (pair.left, pair.right): shared_runs(
            texts[pair.left].words, texts[pair.right].words, leave_out
        )
        for pair in suspects
    }
    findings = []
    for pair in suspects:
        left, right = texts[pair.left], texts[pair.right]
        cosines = sentences[pair.left] @ sentences[pair.right].T
        shared = runs[pair.left, pair.right]
        passages = overlap.align(
            left.words, right.words, shared, (left.sentences, right.sentences), cosines, leave_out
        )
        share = min(1.0, coverage(shared, left.words, right.words))
        verdict, reason = _verdict(left, right, shared, share, passages)
        findings.append(
            Finding(
                left=left.answer.id,
                right=right.answer.id,
                question=question,
                verdict=verdict,
                score=round(float(left.vector @ right.vector), 6),
                semantic=round(_sentence_cosine(left, right, cosines), 6),
                verbatim=round(share, 6),
                expected=float(f"{pair.expected:.3g}"),
                passages=tuple(passages),
                reason=reason,
                remarks=tuple(_remarks(left, right)),
                first=_first(left.answer, right.answer),
            )
        )
    return _with_sources(findings, suspects, texts, runs)


def tells(finding: Finding, left: Written, right: Written) -> bool:
    """Return whether a finding shows enough that a person can judge it."""
    words = 0.0
    for passage in finding.passages:
        length = min(_weight(left, passage.left), _weight(right, passage.right))
        words += length if passage.kind == "verbatim" else length / 2
    return words >= TELLING


def _weight(text: Written, span: tuple[int, int]) -> float:
    """Count the words of a stretch; two tokens of code are one."""
    inside = (text.words.starts >= span[0]) & (text.words.starts < span[1])
    return float(inside.sum() - text.words.code[inside].sum() / 2)


def _embedded(texts: Sequence[Written], numbers: set[int], embed: Embed) -> dict[int, Float32]:
    """Embed the sentences of some texts: `(sentences, d)` of each."""
    order = sorted(numbers)
    written = [texts[n].sentence_texts() for n in order]
    flat = [sentence for sentences in written for sentence in sentences]
    if not flat:
        return {}
    rows = embed(flat)
    borders = np.cumsum([len(sentences) for sentences in written])[:-1]
    return dict(zip(order, np.split(rows, borders), strict=True))


def _verdict(
    left: Written, right: Written, runs: Sequence[Run], share: float, passages: Sequence[Overlap]
) -> tuple[str, str]:
    words = min(len(left.words), len(right.words))
    if left.words.tokens == right.words.tokens:
        same = left.answer.text.split() == right.answer.text.split()
        but = "" if same else ", but for case, punctuation, names in code or hidden characters"
        return "identical", f"Word for word the same, {words:,} words{but}."
    reworded = sum(passage.kind == "reworded" for passage in passages)
    if not runs and not reworded:
        return NO_FINDING, "No stretch of words is shared, and no sentence says the same."
    if not runs:
        verb = "says" if reworded == 1 else "say"
        said = f"{counted(reworded, 'sentence')} {verb} the same in other words"
        return "heavy revision", f"No stretch of words is shared, but {said}."
    verdict = (
        "near copy" if share >= NEAR else "light revision" if share >= LIGHT else "heavy revision"
    )
    also = f"; {counted(reworded, 'sentence')} more in other words" if reworded else ""
    longest = max(run.length for run in runs)
    return verdict, (
        f"{share:.0%} of the shorter answer's {words:,} words stand in the other in the same "
        f"order, the longest stretch {longest:,} words{also}."
    )


def _sentence_cosine(left: Written, right: Written, cosines: Float32) -> float:
    """Return the mean over both answers' words of each sentence's cosine with the nearest."""

    def side(text: Written, best: Float32) -> float:
        lengths = [max(1, len(sentence.split())) for sentence in text.sentence_texts()]
        return float(np.average(best, weights=lengths))

    return (side(left, cosines.max(axis=1)) + side(right, cosines.max(axis=0))) / 2


def _remarks(left: Written, right: Written) -> Iterator[str]:
    for text in (left, right):
        if hidden := len(text.words.hidden):
            what = counted(hidden, "character")
            yield f"{text.answer.id} holds {what} that no reader sees, or takes for another letter"
        if text.earlier:
            yield f"{text.answer.id} is one of the earlier answers"


def _first(left: Answer, right: Answer) -> str | None:
    """Return the id of the answer that was handed in first, if both say when."""
    times = []
    for answer in (left, right):
        try:
            times.append(datetime.fromisoformat(answer.submitted_at or ""))
        except ValueError:
            return None
    if times[0].tzinfo is None or times[1].tzinfo is None:
        times = [time.replace(tzinfo=None) for time in times]
    if times[0] == times[1]:
        return None
    return left.id if times[0] < times[1] else right.id


# -- shared sources ------------------------------------------------------------------------------

Runs = dict[tuple[int, int], list[Run]]


def _with_sources(
    findings: list[Finding], suspects: Sequence[Suspect], texts: Sequence[Written], runs: Runs
) -> list[Finding]:
    """Say where a third answer explains what two share."""
    expected = {(pair.left, pair.right): pair.expected for pair in suspects}
    beside: dict[int, set[int]] = defaultdict(set)
    for i, j in expected:
        beside[i].add(j)
        beside[j].add(i)

    def explained(finding: Finding, i: int, j: int) -> Finding:
        for third in sorted(beside[i] & beside[j]):
            sides = [(min(third, n), max(third, n)) for n in (i, j)]
            if all(expected[side] < expected[i, j] for side in sides) and all(
                _within(runs, (i, j), n, third) for n in (i, j)
            ):
                source = texts[third].answer.id
                reason = f"What both share stands in {source} as well, and more of it there."
                return replace(finding, verdict="shared source", reason=reason)
        return finding

    return [
        finding if finding.verdict == "identical" else explained(finding, pair.left, pair.right)
        for finding, pair in zip(findings, suspects, strict=True)
    ]


def _within(runs: Runs, pair: tuple[int, int], number: int, third: int) -> bool:
    """Return whether a third text shares with one of a pair nearly all that the pair shares."""

    def places(one: int, other: int) -> set[int]:
        """Return the words of `one` that are shared with `other`."""
        key = (min(one, other), max(one, other))
        at = [run.left if key[0] == one else run.right for run in runs[key]]
        return {a + k for a, run in zip(at, runs[key], strict=True) for k in range(run.length)}

    other = pair[1] if number == pair[0] else pair[0]
    shared = places(number, other)
    return bool(shared) and len(shared & places(number, third)) >= EXPLAINED * len(shared)

"""Evidence: what a person can read in two answers that are too much alike, and the verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from searchkit.core.arrays import Float32, Float64
from searchkit.core.records import Answer
from searchkit.plagiarism import overlap
from searchkit.plagiarism.evidence.verdicts import (
    MIN_IDENTICAL,
    are_identical,
    same_words,
    verdict_and_reason,
)
from searchkit.plagiarism.overlap import SEED_LENGTH, TokenRun, coverage, shared_runs
from searchkit.plagiarism.preparation import (
    Boilerplate,
    Embed,
    PreparedAnswer,
    QuestionAnswers,
)
from searchkit.plagiarism.records import Finding
from searchkit.text.times import read_times
from searchkit.text.words import Hashes, Words, distinct_sequences

MIN_EXPLAINED = 0.8  # share of what two answers have in common that a third one explains
MIN_EVIDENCE = 10  # equal and rare words; two reworded words, or tokens of code, count as one


@dataclass(frozen=True, slots=True)
class SuspectPair:
    """Two answers of a list that are more alike than chance explains.

    Attributes:
        left: The number of one answer.
        right: The number of the other, higher.
        expected: The number of pairs at least as much alike that are expected by chance; None
            where chance can't be judged.
    """

    left: int
    right: int
    expected: float | None


def common_sequences(
    texts: Sequence[Words], max_frequency: float, weights: Float64, boilerplate: Hashes
) -> set[int]:
    """Return the sequences of `SEED_LENGTH` that are no evidence.

    Args:
        texts: The words of each answer.
        max_frequency: The document frequency above which a sequence is no evidence.
        weights: `(n,)` the number of answers as which each answer counts for that.
        boilerplate: Sequences that are no evidence anyway.
    """
    rows, hashes = distinct_sequences(texts, SEED_LENGTH)
    known, at = np.unique(hashes, return_inverse=True)
    frequency = np.bincount(at, weights=weights[rows], minlength=len(known))
    return {*known[frequency > max_frequency].tolist(), *boilerplate.tolist()}


def collect_evidence(
    texts: Sequence[PreparedAnswer],
    suspects: Sequence[SuspectPair],
    *,
    group: QuestionAnswers,
    leave_out: set[int],
    embed: Embed,
) -> list[Finding]:
    """Return the finding of each pair, with what a person can read in it, in the same order.

    Args:
        texts: The answers to a question.
        suspects: Pairs of them.
        group: The question of the findings, and what its authors were given.
        leave_out: From `common_sequences`.
        embed: Returns the unit vectors of sentences.
    """
    sentences = _embed_sentences(
        texts, {n for pair in suspects for n in (pair.left, pair.right)}, embed
    )
    runs = {
        (pair.left, pair.right): _all_runs(
            texts[pair.left], texts[pair.right], leave_out, group.boilerplate
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
        if are_identical(left.words, right.words):
            own = group.boilerplate.count_own_words(left)
            passages = [passage for passage in passages if passage.kind == "verbatim"]
            share, verdict, reason = 1.0, "identical", f"{same_words([left, right], own)}."
        else:
            share = min(1.0, coverage(shared, left.words, right.words))
            verdict, reason = verdict_and_reason(left, right, shared, share, passages)
        findings.append(
            Finding(
                left=left.answer.id,
                right=right.answer.id,
                question=group.question,
                verdict=verdict,
                score=round(float(left.vector @ right.vector), 6),
                semantic=round(_sentence_cosine(left, right, cosines), 6),
                verbatim=round(share, 6),
                expected=None if pair.expected is None else float(f"{pair.expected:.3g}"),
                passages=tuple(passages),
                reason=reason,
                remarks=(*left.remarks(), *right.remarks()),
                first=first_of(left.answer, right.answer),
            )
        )
    return _with_sources(findings, suspects, texts, runs)


def _all_runs(
    left: PreparedAnswer, right: PreparedAnswer, leave_out: set[int], boilerplate: Boilerplate
) -> list[TokenRun]:
    """Return the runs that two answers share; of identical ones all but the boilerplate."""
    if not are_identical(left.words, right.words):
        return shared_runs(left.words, right.words, leave_out)
    is_own = np.concatenate([[False], boilerplate.own_words(left) > 0, [False]])
    borders = np.flatnonzero(is_own[1:] != is_own[:-1]).reshape(-1, 2).tolist()
    return [TokenRun(first, first, after - first) for first, after in borders]


def has_evidence(
    finding: Finding, left: PreparedAnswer, right: PreparedAnswer, leave_out: Collection[int] = ()
) -> bool:
    """Return whether a finding shows enough for a person to judge it.

    Args:
        finding: The finding.
        left: Its left answer.
        right: Its right answer.
        leave_out: From `common_sequences`.
    """
    if finding.verdict == "identical":
        runs = shared_runs(left.words, right.words, leave_out)
        spans = [left.words.span(run.left, run.length) for run in runs]
        return sum(_count_words(left, span) for span in spans) >= MIN_IDENTICAL
    words = 0.0
    for passage in finding.passages:
        length = min(_count_words(left, passage.left), _count_words(right, passage.right))
        words += length if passage.kind == "verbatim" else length / 2
    return words >= MIN_EVIDENCE


def one_for_two_authors(
    findings: Sequence[tuple[Finding, PreparedAnswer, PreparedAnswer]],
) -> list[Finding]:
    """Return the findings, but of those between the attempts of two authors only one.

    That is the one of the attempts that count, or else the most significant.

    Args:
        findings: Findings of one question, each with its left and its right answer.
    """
    answers = [text for _, *texts in findings for text in texts]
    with_drafts = {text.answer.slot for text in answers if text.is_draft and text.author}
    chosen: dict[object, tuple[tuple[object, ...], Finding]] = {}
    for finding, left, right in findings:
        slots = frozenset({left.answer.slot, right.answer.slot})
        pair = slots if slots & with_drafts else (finding.left, finding.right)
        rank = (left.is_draft + right.is_draft > 0, *finding.rank(), finding.left, finding.right)
        if pair not in chosen or rank < chosen[pair][0]:
            chosen[pair] = (rank, finding)
    return [finding for _, finding in chosen.values()]


def _count_words(text: PreparedAnswer, span: tuple[int, int]) -> float:
    """Count the words in a span; two tokens of code are one word."""
    inside = (text.words.starts >= span[0]) & (text.words.starts < span[1])
    return float(inside.sum() - text.words.is_code[inside].sum() / 2)


def _embed_sentences(
    texts: Sequence[PreparedAnswer], numbers: set[int], embed: Embed
) -> dict[int, Float32]:
    """Return `(s, d)` the vectors of the sentences of each of these texts, by its number."""
    order = sorted(numbers)
    sentences = [texts[n].sentence_texts() for n in order]
    flat = [sentence for inside in sentences for sentence in inside]
    if not flat:
        return {}
    rows = embed(flat)
    borders = np.cumsum([len(inside) for inside in sentences])[:-1]
    return dict(zip(order, np.split(rows, borders), strict=True))


def _sentence_cosine(left: PreparedAnswer, right: PreparedAnswer, cosines: Float32) -> float:
    """Return the mean cosine of a sentence with the nearest one of the other answer.

    The mean is over the words of both answers.
    """

    def side(text: PreparedAnswer, best: Float32) -> float:
        lengths = [max(1, len(sentence.split())) for sentence in text.sentence_texts()]
        return float(np.average(best, weights=lengths))

    return (side(left, cosines.max(axis=1)) + side(right, cosines.max(axis=0))) / 2


def first_of(left: Answer, right: Answer) -> str | None:
    """Return the id of the answer that was handed in first, if both times are known."""
    times = read_times((left.submitted_at, right.submitted_at))
    if times is None or times[0] == times[1]:
        return None
    return left.id if times[0] < times[1] else right.id


# -- shared sources ------------------------------------------------------------------------------

Runs = dict[tuple[int, int], list[TokenRun]]  # of each suspect pair


def _with_sources(
    findings: list[Finding],
    suspects: Sequence[SuspectPair],
    texts: Sequence[PreparedAnswer],
    runs: Runs,
) -> list[Finding]:
    """Change the verdict where a third answer, more like both, has what two answers share."""
    rank = {
        (pair.left, pair.right): finding.rank()[:3]
        for pair, finding in zip(suspects, findings, strict=True)
    }
    partners: dict[int, set[int]] = defaultdict(set)
    for i, j in rank:
        partners[i].add(j)
        partners[j].add(i)

    def explained(finding: Finding, i: int, j: int) -> Finding:
        for third in sorted(partners[i] & partners[j]):
            sides = [(min(third, n), max(third, n)) for n in (i, j)]
            if all(rank[side] < rank[i, j] for side in sides) and all(
                _has_most_of(runs, (i, j), n, third) for n in (i, j)
            ):
                source = texts[third].answer.id
                reason = f"What both share stands in {source} as well, and more of it there."
                return replace(finding, verdict="shared source", reason=reason)
        return finding

    return [
        finding if finding.verdict == "identical" else explained(finding, pair.left, pair.right)
        for finding, pair in zip(findings, suspects, strict=True)
    ]


def _has_most_of(runs: Runs, pair: tuple[int, int], number: int, third: int) -> bool:
    """Return whether a third text has most of what a pair shares.

    Args:
        runs: Of all suspect pairs.
        pair: The pair.
        number: The text of the pair with which the third one is compared.
        third: The third text.
    """

    def places(one: int, other: int) -> set[int]:
        """Return the numbers of the words of `one` that are shared with `other`."""
        key = (min(one, other), max(one, other))
        firsts = [run.left if key[0] == one else run.right for run in runs[key]]
        return {f + k for f, run in zip(firsts, runs[key], strict=True) for k in range(run.length)}

    other = pair[1] if number == pair[0] else pair[0]
    shared = places(number, other)
    return bool(shared) and len(shared & places(number, third)) >= MIN_EXPLAINED * len(shared)

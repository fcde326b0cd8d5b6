"""Audit: marks that don't go together, before they go out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from searchkit.clustering.methods import choose_threshold, communities
from searchkit.core.arrays import Int64
from searchkit.core.progress import Progress
from searchkit.core.results import Results, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.corpus import Corpus, Learned, check_tolerance, chosen, load
from searchkit.grading.marks import Kind, Marks
from searchkit.grading.records import Conflict, Mark, Outlier
from searchkit.index.base import BaseIndex
from searchkit.mining.exact import mine_blocks
from searchkit.mining.pairs import check_threshold
from searchkit.plagiarism.overlap import coverage, shared_runs
from searchkit.text.words import Words, split_words

NEAR = 0.8  # answers so alike should have like marks
CODE_NEAR = 0.6  # below it programs aren't compared token by token
FLOOR = 0.05  # a distance below it is no difference in meaning
SOME = 3  # other graded answers of a cluster before a mark stands out in it
AGREED = 2 / 3  # of the others of a cluster have the same label
FAR, AGREEING_FAR = 1.75, 1.25  # usual errors from what is expected: alone, if the cluster agrees
UNLIKE, AGREEING_UNLIKE = 0.9, 0.7  # from the label's estimate to 1: alone, if the cluster agrees


@dataclass(frozen=True, slots=True)
class Audit(Table):
    """What `audit_grades` found.

    Attributes:
        conflicts: Near-equal answers with different marks, worst first.
        outliers: Marks that stand out from those of like answers, worst first.
        marks: The column's marks.
        tolerance: Numbers that differ by no more than this are no difference.
        answers: How many graded answers were looked at.
        pairs: How many pairs of them are near-equal.
    """

    conflicts: Results[Conflict]
    outliers: Results[Outlier]
    marks: Marks
    tolerance: float
    answers: int
    pairs: int

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield the conflicts, then the outliers; `kind` is `pair` or `mark`."""
        yield from self.conflicts.iter_records()
        yield from self.outliers.iter_records()


def audit_grades(
    index: BaseIndex,
    column: str,
    *,
    kind: Kind | None = None,
    threshold: float = NEAR,
    tolerance: float | None = None,
    where: Where = EVERYTHING,
    progress: Progress | None = None,
) -> Audit:
    """Look for marks that a second reader would question.

    Pairs are ranked by the difference of the marks over the distance of the answers: that like
    cases be treated alike, as a Lipschitz condition (Dwork et al., Fairness through awareness,
    2012). Programs are also compared by their tokens, whatever the names in them. A mark stands out
    where the question's other marks lead one to expect another, the sooner if those of its cluster
    are all another.

    Args:
        index: Open for reading or writing.
        column: Where the marks stand.
        kind: `numbers` or `labels`; None: numbers if all marks are.
        threshold: Answers that score at least this are near-equal; -1 to 1.
        tolerance: Numbers may differ by so much; None: a tenth of the range.
        where: At least one answer of each pair, and each mark that stands out, passes it.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if the column can't be used (see `read_marks`), a number is out of range, or the
            filter can't be read.
    """
    check_threshold(threshold)
    corpus = load(index, column, kind)
    tolerance = check_tolerance(corpus.marks, tolerance)
    wanted = chosen(index, corpus, where)
    conflicts: list[Conflict] = []
    clusters: dict[int, tuple[Mark, int]] = {}
    near = 0
    questions = np.unique(corpus.questions[corpus.marks.graded]).tolist()
    for done, question in enumerate(questions, 1):
        rows = np.flatnonzero(corpus.marks.graded & (corpus.questions == question))
        for left, right, score in _near(corpus, rows, threshold):
            near += 1
            if wanted[left] or wanted[right]:
                conflicts += _conflict(corpus, left, right, score, tolerance)
        clusters |= _apart_in_cluster(corpus, rows, tolerance)
        if progress:
            progress(done, len(questions))
    conflicts.sort(key=lambda one: (-one.steepness, one.left, one.right))
    outliers = [one for row, one in _unexpected(corpus, tolerance, clusters) if wanted[row]]
    outliers.sort(key=lambda one: (-one.surprise, one.id))
    count = int(corpus.marks.graded.sum())
    return Audit(Results(conflicts), Results(outliers), corpus.marks, tolerance, count, near)


def _near(corpus: Corpus, rows: Int64, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of these answers that are near-equal, by meaning or by their code."""
    words: dict[int, Words] = {}

    def coded(row: int) -> Words:
        if row not in words:
            words[row] = split_words(corpus.answers[row].text)
        return words[row]

    for block in mine_blocks(corpus.vectors[rows], min(threshold, CODE_NEAR)):
        columns = (block.left.tolist(), block.right.tolist(), block.scores.tolist())
        for i, j, cosine in zip(*columns, strict=True):
            left, right = int(rows[i]), int(rows[j])
            score = round(cosine, 6)
            if score < threshold:
                one, other = coded(left), coded(right)
                if not (one.code.any() and other.code.any()):
                    continue
                score = round(coverage(shared_runs(one, other), one, other), 6)
            if score >= threshold:
                yield left, right, min(1.0, score)


def _conflict(
    corpus: Corpus, left: int, right: int, score: float, tolerance: float
) -> Iterator[Conflict]:
    one, other = corpus.marks.of(left), corpus.marks.of(right)
    difference = _difference(one, other)
    if one is not None and other is not None and difference > tolerance + 1e-9:
        steepness = difference / corpus.marks.range / max(1 - score, FLOOR)
        yield Conflict(
            corpus.answers[left].id,
            corpus.answers[right].id,
            corpus.names[int(corpus.questions[left])],
            (one, other),
            round(difference, 6),
            score,
            round(steepness, 4),
        )


def _apart_in_cluster(corpus: Corpus, rows: Int64, tolerance: float) -> dict[int, tuple[Mark, int]]:
    """Return the rows whose marks stand out in their cluster: its typical mark, of how many."""
    vectors = corpus.vectors[rows]
    found = communities(vectors, choose_threshold(vectors).value)
    apart = {}
    for label in range(len(found.centres)):
        members = rows[found.labels == label]
        for row in members.tolist() if len(members) > SOME else []:
            codes = corpus.marks.codes[members[members != row]]
            others = [corpus.marks.scale[code] for code in codes.tolist()]
            usual = _usual(others)
            if usual is not None:
                least = max(tolerance, FAR * _spread(others, usual)) + 1e-9
                if _difference(corpus.marks.of(row), usual) > least:
                    apart[row] = usual, len(others)
    return apart


def _unexpected(
    corpus: Corpus, tolerance: float, clusters: dict[int, tuple[Mark, int]]
) -> Iterator[tuple[int, Outlier]]:
    """Yield the rows whose marks the question's other marks don't lead one to expect."""
    learned = Learned(corpus, corpus.marks, tolerance)
    numbers = corpus.marks.kind == "numbers"
    for rows, suggested, estimates in learned.left_out():
        codes = corpus.marks.codes[rows]
        given = [corpus.marks.scale[code] for code in codes.tolist()]
        if numbers:
            errors = np.abs(np.array(given, np.float64) - estimates.values[:, 0])
            surprise = errors / max(float(np.sqrt(np.mean(errors**2))), 1e-9)
            alone, agreeing = FAR, AGREEING_FAR
        else:
            surprise = 1 - estimates.values[np.arange(len(rows)), codes]
            alone, agreeing = UNLIKE, AGREEING_UNLIKE
        for n, row in enumerate(rows.tolist()):
            usual, others = clusters.get(row, (None, 0))
            if not numbers and usual != suggested[n]:
                usual, others = None, 0
            enough = surprise[n] >= (alone if usual is None else agreeing)
            if enough and _difference(given[n], suggested[n]) > tolerance + 1e-9:
                answer, name = corpus.answers[row], corpus.names[int(corpus.questions[row])]
                seen = round(float(surprise[n]), 4)
                yield row, Outlier(answer.id, name, given[n], suggested[n], seen, usual, others)


def _difference(one: Mark | None, other: Mark | None) -> float:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other)
    return float(one != other)


def _usual(marks: Sequence[Mark]) -> Mark | None:
    """Return the median number, or the label that most have; None if no label is that common."""
    if isinstance(marks[0], float):
        return float(np.median(np.array(marks, np.float64)))
    best = max(sorted(set(map(str, marks))), key=marks.count)
    return best if marks.count(best) >= AGREED * len(marks) else None


def _spread(marks: Sequence[Mark], usual: Mark) -> float:
    """Return the usual distance from the median (MAD, as a standard deviation)."""
    if not isinstance(usual, float):
        return 0.0
    return 1.4826 * float(np.median(np.abs(np.array(marks, np.float64) - usual)))

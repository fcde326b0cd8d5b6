"""Audit marks: find those that are inconsistent with the marks of similar answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from searchkit.clustering.methods import choose_threshold, communities
from searchkit.core.arrays import Float64, Int64
from searchkit.core.progress import Progress
from searchkit.core.results import Results, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus, matching_rows
from searchkit.grading.learning.grader import Estimates
from searchkit.grading.marks import MarkKind, Marks, check_tolerance
from searchkit.grading.records import Conflict, Mark, Outlier
from searchkit.index.base import BaseIndex
from searchkit.mining.exact import mine_blocks
from searchkit.mining.pairs import check_threshold
from searchkit.plagiarism.overlap import coverage, shared_runs
from searchkit.text.words import Words, split_words

THRESHOLD = 0.8  # answers with this score should have similar marks
MIN_CODE_COSINE = 0.6  # programs are compared by their tokens from this cosine on
MIN_DISTANCE = 0.05  # smaller distances do not make a conflict steeper
MIN_OTHERS = 3  # other graded answers that a cluster needs to have a typical mark
MIN_MAJORITY = 2 / 3  # share of a cluster that needs to have the same label
# The least `surprise` of an outlier: by itself, and if its cluster agrees.
NUMBER_SURPRISE, CLUSTER_NUMBER_SURPRISE = 1.75, 1.25
LABEL_SURPRISE, CLUSTER_LABEL_SURPRISE = 0.9, 0.7
MAD_TO_DEVIATION = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True)
class Audit(Table):
    """The result of `audit_grades`.

    Attributes:
        conflicts: Near-equal answers with different marks, steepest first.
        outliers: Marks that differ from those of similar answers, most surprising first.
        marks: The marks of the column.
        tolerance: Numbers that differ by no more than this count as equal.
        answers: How many graded answers were looked at.
        pairs: How many pairs of these are near-equal.
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
    kind: MarkKind | None = None,
    threshold: float = THRESHOLD,
    tolerance: float | None = None,
    where: Where = EVERYTHING,
    progress: Progress | None = None,
) -> Audit:
    """Find marks that a second reader would question.

    Conflicts are ranked by the difference of the marks over the distance of the answers: similar
    answers should be treated similarly, as a Lipschitz condition (Dwork et al., Fairness through
    awareness, 2012). Programs are also compared by their tokens, whatever their names are. A mark
    is an outlier if the question's other marks lead to another one; less difference is enough if
    the marks of its cluster differ from it, too.

    Args:
        index: Open for reading or writing.
        column: The column with the marks.
        kind: `numbers` or `labels`; None: numbers if all marks are numbers.
        threshold: Answers that score at least this are near-equal; -1 to 1.
        tolerance: Numbers that differ by no more count as equal; None: a tenth of the range.
        where: A filter that at least one answer of each pair, and the answer of each outlier, has
            to pass.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if the column can't be used (see `read_marks`), a number is out of range, or the
            filter can't be read.
    """
    check_threshold(threshold)
    corpus = load_corpus(index, column, kind, where)
    tolerance = check_tolerance(corpus.marks, tolerance)
    selected = matching_rows(index, corpus, where)
    conflicts: list[Conflict] = []
    cluster_marks: dict[int, tuple[Mark, int]] = {}
    pairs = 0
    questions = np.unique(corpus.questions[corpus.marks.graded]).tolist()
    for done, question in enumerate(questions, 1):
        rows = np.flatnonzero(corpus.marks.graded & (corpus.questions == question))
        for left, right, score in _near_equal_pairs(corpus, rows, threshold):
            pairs += 1
            if selected[left] or selected[right]:
                conflicts += _conflict(corpus, left, right, score, tolerance)
        cluster_marks |= _deviating_cluster_marks(corpus, rows, tolerance)
        if progress:
            progress(done, len(questions))
    conflicts.sort(key=lambda conflict: (-conflict.steepness, conflict.left, conflict.right))
    outliers = [
        outlier for row, outlier in _outliers(corpus, tolerance, cluster_marks) if selected[row]
    ]
    outliers.sort(key=lambda outlier: (-outlier.surprise, outlier.id))
    graded = int(corpus.marks.graded.sum())
    return Audit(Results(conflicts), Results(outliers), corpus.marks, tolerance, graded, pairs)


def _near_equal_pairs(
    corpus: Corpus, rows: Int64, threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield (left row, right row, score) of near-equal answers, by meaning or by their code."""
    words: dict[int, Words] = {}

    def words_of(row: int) -> Words:
        if row not in words:
            words[row] = split_words(corpus.answers[row].text)
        return words[row]

    for block in mine_blocks(corpus.vectors[rows], min(threshold, MIN_CODE_COSINE)):
        columns = (block.left.tolist(), block.right.tolist(), block.scores.tolist())
        for i, j, cosine in zip(*columns, strict=True):
            left, right = int(rows[i]), int(rows[j])
            score = round(cosine, 6)
            if score < threshold:
                left_words, right_words = words_of(left), words_of(right)
                if not (left_words.is_code.any() and right_words.is_code.any()):
                    continue
                runs = shared_runs(left_words, right_words)
                score = round(coverage(runs, left_words, right_words), 6)
            if score >= threshold:
                yield left, right, min(1.0, score)


def _conflict(
    corpus: Corpus, left: int, right: int, score: float, tolerance: float
) -> Iterator[Conflict]:
    """Yield the conflict of two near-equal answers, if their marks differ."""
    question = int(corpus.questions[left])
    left_mark, right_mark = corpus.marks.of(left), corpus.marks.of(right)
    difference = _difference(left_mark, right_mark)
    if left_mark is not None and right_mark is not None and difference > tolerance + 1e-9:
        in_points = corpus.points(question, left_mark), corpus.points(question, right_mark)
        steepness = difference / corpus.marks.range / max(1 - score, MIN_DISTANCE)
        yield Conflict(
            corpus.answers[left].id,
            corpus.answers[right].id,
            corpus.names[question],
            in_points,
            round(_difference(*in_points), 6),
            score,
            round(steepness, 4),
        )


def _deviating_cluster_marks(
    corpus: Corpus, rows: Int64, tolerance: float
) -> dict[int, tuple[Mark, int]]:
    """Return the rows whose marks differ from their cluster's: (its typical mark, its size - 1)."""
    vectors = corpus.vectors[rows]
    clustering = communities(vectors, choose_threshold(vectors).value)
    deviating = {}
    for label in range(len(clustering.centres)):
        members = rows[clustering.labels == label]
        for row in members.tolist() if len(members) > MIN_OTHERS else []:
            codes = corpus.marks.codes[members[members != row]]
            others = [corpus.marks.scale[code] for code in codes.tolist()]
            typical = _typical_mark(others)
            if typical is not None:
                deviation = NUMBER_SURPRISE * _robust_deviation(others, typical)
                limit = max(tolerance, deviation) + 1e-9
                if _difference(corpus.marks.of(row), typical) > limit:
                    deviating[row] = typical, len(others)
    return deviating


def _outliers(
    corpus: Corpus, tolerance: float, cluster_marks: dict[int, tuple[Mark, int]]
) -> Iterator[tuple[int, Outlier]]:
    """Yield (row, outlier) for the marks that the question's other marks do not lead to."""
    calibrated = CalibratedGrader(corpus, corpus.marks, tolerance)
    is_label = corpus.marks.kind == "labels"
    alone, with_cluster = (
        (LABEL_SURPRISE, CLUSTER_LABEL_SURPRISE)
        if is_label
        else (NUMBER_SURPRISE, CLUSTER_NUMBER_SURPRISE)
    )
    for rows, expected, estimates in calibrated.leave_one_out():
        question, codes = int(corpus.questions[rows[0]]), corpus.marks.codes[rows]
        surprise = _surprise(corpus.marks, codes, estimates)
        for n, row in enumerate(rows.tolist()):
            mark = corpus.marks.scale[int(codes[n])]
            cluster_mark, others = cluster_marks.get(row, (None, 0))
            if is_label and cluster_mark != expected[n]:
                cluster_mark, others = None, 0
            min_surprise = alone if cluster_mark is None else with_cluster
            if surprise[n] >= min_surprise and _difference(mark, expected[n]) > tolerance + 1e-9:
                yield (
                    row,
                    Outlier(
                        corpus.answers[row].id,
                        corpus.names[question],
                        corpus.points(question, mark),
                        corpus.points(question, expected[n]),
                        round(float(surprise[n]), 4),
                        None if cluster_mark is None else corpus.points(question, cluster_mark),
                        others,
                    ),
                )


def _surprise(marks: Marks, codes: Int64, estimates: Estimates) -> Float64:
    """Return `(m,)` the surprise of each mark; see `Outlier.surprise`."""
    if marks.kind == "labels":
        surprise: Float64 = 1 - estimates.values[np.arange(len(codes)), codes]
        return surprise
    numbers = np.array([marks.scale[code] for code in codes.tolist()], np.float64)
    errors = np.abs(numbers - estimates.values[:, 0])
    return errors / max(float(np.sqrt(np.mean(errors**2))), 1e-9)


def _difference(left: Mark | None, right: Mark | None) -> float:
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right)
    return float(left != right)


def _typical_mark(marks: Sequence[Mark]) -> Mark | None:
    """Return the median number, or the majority label; None if there is no such majority."""
    if isinstance(marks[0], float):
        return float(np.median(np.array(marks, np.float64)))
    label = max(sorted(set(map(str, marks))), key=marks.count)
    return label if marks.count(label) >= MIN_MAJORITY * len(marks) else None


def _robust_deviation(marks: Sequence[Mark], median: Mark) -> float:
    """Return a standard deviation from the median absolute deviation; 0 for labels."""
    if not isinstance(median, float):
        return 0.0
    differences = np.abs(np.array(marks, np.float64) - median)
    return MAD_TO_DEVIATION * float(np.median(differences))

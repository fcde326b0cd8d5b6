"""Grades of an index: marks for the ungraded answers, from the graded ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from searchkit.core.arrays import Int64
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.core.results import Results, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.corpus import Corpus, Learned, check_tolerance, chosen, load
from searchkit.grading.grader import Candidate, nearest
from searchkit.grading.marks import Kind, Marks, mark_text
from searchkit.grading.records import Mark, Neighbour, Suggestion
from searchkit.index.base import BaseIndex

MIN_CONFIDENCE = 0.5
REASONS = 3  # neighbours of a suggestion


@dataclass(frozen=True, slots=True)
class GradingResult(Table):
    """What `grade` found.

    Attributes:
        suggestions: For each ungraded answer, by question and id.
        marks: The column's marks.
        tolerance: How far from the grader's mark a suggested number counts as right; 0 for labels.
        chosen: How it learned from a question's own marks; None where only other questions taught.
        blank: How many ungraded answers are blank, and got nothing.
        unknown: The questions for which there was nothing to learn from, with their number of
            ungraded answers.
    """

    suggestions: Results[Suggestion]
    marks: Marks
    tolerance: float
    chosen: Candidate | None
    blank: int
    unknown: dict[str | None, int]

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield each suggestion with its neighbours."""
        return self.suggestions.iter_records()


def grade(
    index: BaseIndex,
    column: str,
    *,
    kind: Kind | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    tolerance: float | None = None,
    where: Where = EVERYTHING,
    progress: Progress | None = None,
) -> GradingResult:
    """Suggest a mark for each ungraded answer from the graded ones; nothing is written.

    Args:
        index: Open for reading or writing.
        column: Where the marks stand; an empty cell is an ungraded answer.
        kind: `numbers` or `labels`; None: numbers if all marks are.
        min_confidence: From 0 to 1; below it nothing is suggested.
        tolerance: How far off a suggested number still counts as right; None: a tenth of the range.
        where: Which answers to suggest marks for; all graded ones teach.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if the column can't be used (see `read_marks`), a number is out of range, or the
            filter can't be read.
    """
    if not 0 <= min_confidence <= 1:
        raise BadInput(f"--min-confidence must be from 0 to 1, not {min_confidence}")
    corpus = load(index, column, kind)
    tolerance = check_tolerance(corpus.marks, tolerance)
    learned = Learned(corpus, corpus.marks, tolerance)
    asked = chosen(index, corpus, where) & ~corpus.marks.graded & ~corpus.references
    suggestions: list[Suggestion] = []
    unknown: dict[str | None, int] = {}
    questions = np.unique(corpus.questions[asked]).tolist()
    for done, question in enumerate(questions, 1):
        rows = np.flatnonzero(asked & (corpus.questions == question))
        if learned.grader.can_judge(question):
            suggestions += _suggestions(corpus, learned, question, rows, min_confidence)
        else:
            unknown[corpus.names[question]] = len(rows)
        if progress:
            progress(done, len(questions))
    there = {answer.id for answer in corpus.answers}
    blank = sum(
        answer.id not in there and not answer.meta.get(column, "").strip()
        for answer in index.answers(where)
    )
    return GradingResult(
        Results(suggestions), corpus.marks, tolerance, learned.grader.chosen, blank, unknown
    )


def write_marks(
    index: BaseIndex,
    column: str,
    marks: Mapping[str, Mark | None],
    *,
    beside: str,
    overwrite: bool = False,
) -> int:
    """Write marks into a column of their own; no text is embedded again.

    Args:
        index: Open for writing.
        column: Its name; made if it isn't there.
        marks: By the answers' ids; None leaves the cell empty. Other answers are left alone.
        beside: The column with the graders' own marks, which is never written to.
        overwrite: Replace what these answers have in the column.

    Returns:
        How many were written.

    Raises:
        BadInput: if one of these answers has something in the column already and `overwrite` is
            not said, or the column is none for this.
    """
    if column in (*Answer.__slots__, beside) or not column.strip():
        why = "holds the graders' own marks" if column == beside else "is no column for marks"
        raise BadInput(f"--write: {column!r} {why}; name a new one, such as suggested_{beside}")
    answers = index.get(list(marks))
    filled = [answer.id for answer in answers if answer.meta.get(column, "").strip()]
    if filled and not overwrite:
        raise BadInput(
            f"--write: {len(filled):,} of these answers, such as {filled[0]}, have something in "
            f"{column!r} already; name another column, or say --overwrite"
        )
    index.update_columns(
        {name: {column: None if mark is None else mark_text(mark)} for name, mark in marks.items()}
    )
    return sum(mark is not None for mark in marks.values())


def _suggestions(
    corpus: Corpus, learned: Learned, question: int, rows: Int64, least: float
) -> Iterator[Suggestion]:
    marks, confidences, found = learned.suggest(question, rows)
    reasons, scores = learned.rows[found.nearest], found.scores
    if not found.own:
        few = np.flatnonzero(
            (corpus.questions == question) & (corpus.references | corpus.marks.graded)
        )
        reasons, scores = nearest(corpus.vectors[rows], corpus.vectors[few], REASONS)
        reasons = few[reasons]
    for n, row in enumerate(rows.tolist()):
        confidence = round(float(confidences[n]), 4)
        yield Suggestion(
            corpus.answers[row].id,
            corpus.names[question],
            marks[n] if confidence >= least else None,
            confidence,
            tuple(
                Neighbour(corpus.answers[other].id, corpus.marks.of(other), round(score, 6))
                for other, score in zip(
                    reasons[n, :REASONS].tolist(), scores[n, :REASONS].tolist(), strict=True
                )
            ),
        )

"""Suggest marks for the ungraded answers of an index, from the graded ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Int64
from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.progress import Progress
from searchkit.core.records import FILE_FIELDS
from searchkit.core.results import Results, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus, matching_rows
from searchkit.grading.learning.grader import Candidate, nearest
from searchkit.grading.marks import MarkKind, Marks, check_tolerance, mark_text
from searchkit.grading.promise.ranges import Range, Ranges
from searchkit.grading.records import Mark, Neighbour, Suggestion
from searchkit.index.base import BaseIndex

MIN_CONFIDENCE = 0.5
SHOWN_NEIGHBOURS = 3  # of each suggestion


@dataclass(frozen=True, slots=True)
class GradingResult(Table):
    """The result of `grade`.

    Attributes:
        suggestions: One for each ungraded answer, in order of question and id.
        marks: The marks of the column.
        tolerance: The difference up to which a suggested number counts as right; 0 for labels.
        method: How a question's own marks were learned from; None if no question had enough.
        blank: How many ungraded answers are blank; they have no suggestion.
        unknown: The questions without marks to learn from, with the number of their ungraded
            answers, which have no suggestion.
        earlier: How many of the graded answers are from earlier indexes.
    """

    suggestions: Results[Suggestion]
    marks: Marks
    tolerance: float
    method: Candidate | None
    blank: int
    unknown: dict[str | None, int]
    earlier: int = 0

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield each suggestion with its neighbours."""
        return self.suggestions.iter_records()


def grade(
    index: BaseIndex,
    column: str,
    *,
    kind: MarkKind | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    tolerance: float | None = None,
    where: Where = EVERYTHING,
    earlier: Sequence[BaseIndex] = (),
    progress: Progress | None = None,
) -> GradingResult:
    """Suggest a mark for each ungraded answer from the graded ones; nothing is written.

    Args:
        index: Open for reading or writing.
        column: The column with the marks; an answer whose cell is empty is ungraded.
        kind: `numbers` or `labels`; None: numbers if all marks are numbers.
        min_confidence: From 0 to 1; nothing is suggested where the confidence is lower.
        tolerance: The difference up to which a suggested number counts as right; None: a tenth of
            the range.
        where: Which answers to suggest marks for; all graded answers are learned from. Of an
            author's attempts at a question, the latest counts, unless it says another.
        earlier: Indexes with graded answers to the same or like questions, made with the same
            model, which are learned from, too. Their answers have NAME:ID for their ids.
        progress: Called with how many questions are done, and of how many.

    Raises:
        BadInput: if the column can't be used (see `read_marks`), a number is out of range, or the
            filter can't be read.
        IndexMismatch: if an earlier index was made with another model.
    """
    if not 0 <= min_confidence <= 1:
        raise BadInput(
            Message("`min_confidence` must be from 0 to 1, not {number}", number=min_confidence)
        )
    corpus = load_corpus(index, column, kind, where, earlier=earlier)
    tolerance = check_tolerance(corpus.marks, tolerance)
    calibrated = CalibratedGrader(corpus, corpus.marks, tolerance)
    selected = matching_rows(index, corpus, where)
    suggestions, unknown = suggest_marks(calibrated, selected, min_confidence, progress)
    not_blank = {answer.id for answer in corpus.answers}
    blank = sum(
        answer.id not in not_blank and not answer.value(column).strip()
        for answer in index.answers(where.with_attempts())
    )
    return GradingResult(
        Results(suggestions),
        corpus.marks,
        tolerance,
        calibrated.grader.best,
        blank,
        unknown,
        int((corpus.marks.graded & corpus.earlier).sum()),
    )


def suggest_marks(
    calibrated: CalibratedGrader,
    selected: NDArray[np.bool_],
    min_confidence: float = MIN_CONFIDENCE,
    progress: Progress | None = None,
) -> tuple[list[Suggestion], dict[str | None, int]]:
    """Suggest a mark for each of some answers of a corpus that has none; see `grade`.

    Args:
        calibrated: A grader that has learned from the corpus.
        selected: `(n,)` whether an answer is one of them.
        min_confidence: As for `grade`.
        progress: As for `grade`.

    Returns:
        The suggestions, and the questions without marks to learn from with the number of their
        answers.
    """
    corpus, ranges = calibrated.corpus, Ranges.fit(calibrated)
    ungraded = selected & ~corpus.marks.graded & ~corpus.references
    suggestions: list[Suggestion] = []
    unknown: dict[str | None, int] = {}
    questions = np.unique(corpus.questions[ungraded]).tolist()
    for done, question in enumerate(questions, 1):
        rows = np.flatnonzero(ungraded & (corpus.questions == question))
        if calibrated.grader.can_estimate(question):
            suggestions += _suggestions(calibrated, ranges, question, rows, min_confidence)
        else:
            unknown[corpus.names[question]] = len(rows)
        if progress:
            progress(done, len(questions))
    return suggestions, unknown


def write_marks(
    index: BaseIndex,
    column: str,
    marks: Mapping[str, Mark | None],
    *,
    beside: str,
    overwrite: bool = False,
) -> int:
    """Write marks into a column of their own, without embedding any text again.

    Args:
        index: Open for writing.
        column: The name of the column; it need not exist.
        marks: Marks by the answers' ids; None leaves the cell empty. Other answers do not change.
        beside: The column with the graders' own marks, which is never written to.
        overwrite: Replace what these answers have in the column.

    Returns:
        How many marks were written.

    Raises:
        BadInput: if one of these answers has a value in the column and `overwrite` is False, or
            the column must not hold suggested marks.
    """
    is_own = column.lower() == beside.lower()  # in any case, as columns are found
    if is_own or column.lower() in FILE_FIELDS or not column.strip():
        why = "holds the graders' own marks" if is_own else "is no column for marks"
        raise BadInput(
            Message(
                "`write`: {column!r} {why}; name a new one, such as suggested_{beside}",
                column=column,
                why=why,
                beside=beside,
            )
        )
    answers = index.get(list(marks))
    filled = [answer.id for answer in answers if answer.value(column).strip()]
    if filled and not overwrite:
        raise BadInput(
            Message(
                "`write`: {count:,} of these answers, such as {first}, have something in "
                "{column!r} already; name another column, or say `overwrite=True`",
                count=len(filled),
                first=filled[0],
                column=column,
            )
        )
    index.update_columns(
        {name: {column: None if mark is None else mark_text(mark)} for name, mark in marks.items()}
    )
    return sum(mark is not None for mark in marks.values())


def _suggestions(
    calibrated: CalibratedGrader,
    ranges: Ranges,
    question: int,
    rows: Int64,
    min_confidence: float,
) -> Iterator[Suggestion]:
    corpus = calibrated.corpus
    marks, confidences, estimates = calibrated.suggest(question, rows)
    spans = ranges.of(marks, confidences, estimates, calibrated.grid(question))
    neighbours, scores = calibrated.rows[estimates.nearest], estimates.scores
    if not estimates.own:  # the references and the few graded answers, if there are any
        known = np.flatnonzero(
            (corpus.questions == question) & (corpus.references | corpus.marks.graded)
        )
        neighbours, scores = nearest(corpus.vectors[rows], corpus.vectors[known], SHOWN_NEIGHBOURS)
        neighbours = known[neighbours]
    for n, row in enumerate(rows.tolist()):
        confidence = round(float(confidences[n]), 4)
        yield Suggestion(
            corpus.answers[row].id,
            corpus.names[question],
            corpus.points(question, marks[n]) if confidence >= min_confidence else None,
            confidence,
            tuple(
                Neighbour(corpus.answers[other].id, corpus.mark(other), round(score, 6))
                for other, score in zip(
                    neighbours[n, :SHOWN_NEIGHBOURS].tolist(),
                    scores[n, :SHOWN_NEIGHBOURS].tolist(),
                    strict=True,
                )
            ),
            *_span_in_points(spans[n], corpus, question),
        )


def _span_in_points(span: Range, corpus: Corpus, question: int) -> Range:
    """Return a range on the scale of its question."""
    if span.low is None or span.high is None:
        return span
    unit = float(corpus.units[question])
    return Range(round(span.low * unit, 6), round(span.high * unit, 6), None)

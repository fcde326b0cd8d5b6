"""Evaluate suggested marks by cross-validation: how near they come to the graders' marks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput, check_seed
from searchkit.core.metrics import accuracy, macro_f1, pearson, rmse, weighted_kappa
from searchkit.core.progress import Counter, Progress
from searchkit.core.results import Record, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus, matching_rows
from searchkit.grading.learning.grader import (
    MIN_GRADED_ANSWERS,
    Candidate,
    Estimates,
    Grader,
)
from searchkit.grading.learning.shared import MIN_GRADED_QUESTIONS
from searchkit.grading.marking.settings import Settings
from searchkit.grading.marks import (
    UNGRADED,
    MarkKind,
    Marks,
    check_tolerance,
    read_marks,
    within_tolerance,
)
from searchkit.grading.records import Mark
from searchkit.index.base import BaseIndex

FOLDS = 10
CONFIDENCE_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class MethodScore(Record):
    """The agreement of one method of grading with the graders.

    Attributes:
        name: `suggested`, or the name of a baseline.
        figures: For numbers `pearson`, `rmse`, `qwk` and `right`, the share within the tolerance;
            for labels `accuracy` and `macro_f1`.
    """

    name: str
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Coverage(Record):
    """The suggestions that reach a confidence.

    Attributes:
        confidence: The minimum confidence.
        answers: The share of the answers that reach it.
        right: The share of these whose suggestion is right; 0 if there are none.
    """

    confidence: float
    answers: float
    right: float

    def to_record(self) -> dict[str, Any]:
        """Return the fields by name, shares rounded to four places."""
        return {
            "confidence": self.confidence,
            "answers": round(self.answers, 4),
            "right": round(self.right, 4),
        }


@dataclass(frozen=True, slots=True)
class CrossValidation(Record):
    """The result of one cross-validation.

    Attributes:
        unseen: What was held out. `answers`: other answers to the same question were graded;
            `questions`: no answer to the same question was.
        answers: How many answers were judged.
        questions: How many questions these belong to.
        scores: The score of the suggestions, then those of the baselines.
        coverage: The coverage at each level of confidence, ascending.
        calibration_error: Expected calibration error: the mean difference between confidence and
            share right, over ten bins of confidence.
    """

    unseen: str
    answers: int
    questions: int
    scores: list[MethodScore]
    coverage: list[Coverage]
    calibration_error: float

    def to_record(self) -> dict[str, Any]:
        """Return the figures rounded to four places, scores by the name of the method."""
        return {
            "unseen": self.unseen,
            "answers": self.answers,
            "questions": self.questions,
            "scores": {
                score.name: {name: round(value, 4) for name, value in score.figures.items()}
                for score in self.scores
            },
            "coverage": [coverage.to_record() for coverage in self.coverage],
            "calibration_error": round(self.calibration_error, 4),
        }


@dataclass(frozen=True, slots=True)
class ItemAccuracy(Record):
    """How often the suggested tick of an item of a rubric is the teacher's.

    Attributes:
        question: The question that has the rubric; None for answers without one.
        item: The item's name.
        column: The column with its ticks.
        answers: How many answers the item was decided about.
        accuracy: The share of suggestions that are right, on held-out answers; None if too few
            answers were decided about, or all of them alike.
        majority: The same for the more frequent tick.
    """

    question: str | None
    item: str
    column: str
    answers: int
    accuracy: float | None
    majority: float | None


@dataclass(frozen=True, slots=True)
class GradingEvaluation(Table):
    """The result of `evaluate_grades`.

    Attributes:
        marks: The marks of the column.
        tolerance: The difference up to which a suggested number counts as right; 0 for labels.
        method: How a question's own marks are learned from when all graded answers are used; None
            if no question has enough.
        cross_validations: One for unseen answers and one for unseen questions, if there are enough
            graded answers and questions.
        rubric: One for each item of the rubric of each question that was judged.
    """

    marks: Marks
    tolerance: float
    method: Candidate | None
    cross_validations: list[CrossValidation]
    rubric: list[ItemAccuracy] = field(default_factory=list)

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each method in each cross-validation, with its figures."""
        for validation in self.cross_validations:
            for score in validation.scores:
                yield {
                    "unseen": validation.unseen,
                    "answers": validation.answers,
                    "questions": validation.questions,
                    "marks": score.name,
                    **score.figures,
                }
        for item in self.rubric:
            yield {
                "unseen": "answers",
                "answers": item.answers,
                "questions": 1,
                "marks": f"{item.question or ''} {item.column}".strip(),
                "accuracy": item.accuracy,
            }

    def to_record(self) -> dict[str, Any]:
        """Return all figures as one JSON object."""
        best = self.method
        return {
            "column": self.marks.column,
            "kind": self.marks.kind,
            "graded": int(self.marks.graded.sum()),
            "tolerance": self.tolerance,
            "method": best and {"name": best.method, "size": best.size, "shared": best.shared},
            "trials": [validation.to_record() for validation in self.cross_validations],
            "rubric": [item.to_record() for item in self.rubric],
        }


def evaluate_grades(
    index: BaseIndex,
    column: str,
    *,
    kind: MarkKind | None = None,
    tolerance: float | None = None,
    where: Where = EVERYTHING,
    earlier: Sequence[BaseIndex] = (),
    folds: int = FOLDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> GradingEvaluation:
    """Compare suggested marks with the graders' marks, on held-out answers.

    For each fold everything is learned from the other folds: the method, its strength, and the
    calibration of the confidence.

    Args:
        index: Open for reading or writing.
        column: The column with the marks.
        kind: As for `grade`.
        tolerance: As for `grade`.
        where: Which graded answers to judge; all graded answers are learned from.
        earlier: As for `grade`; these answers are learned from in every fold, also where their
            question is held out.
        folds: Into how many parts the graded answers of a question, or the questions, are divided.
        seed: Seed of the random division.
        progress: Called with how many folds are done, and of how many.

    Raises:
        BadInput: as for `grade`, or if there are too few graded answers.
        IndexMismatch: as for `grade`.
    """
    check_seed(seed)
    if folds < 2:
        raise BadInput(f"folds must be 2 or more, not {folds}")
    corpus = load_corpus(index, column, kind, where, earlier=earlier)
    tolerance = check_tolerance(corpus.marks, tolerance)
    judged = matching_rows(index, corpus, where) & corpus.marks.graded
    all_folds = {
        "answers": _answer_folds(corpus, folds, seed),
        "questions": _question_folds(corpus, folds, seed),
    }
    fold_of = {unseen: np.where(judged, fold, -1) for unseen, fold in all_folds.items()}
    fold_of = {unseen: fold for unseen, fold in fold_of.items() if (fold >= 0).any()}
    if not fold_of:
        raise BadInput(
            f"{column}: no question has {MIN_GRADED_ANSWERS + 1} graded answers, and fewer than "
            f"{MIN_GRADED_QUESTIONS + 1} have any; grade some more"
        )
    total = sum(len(np.unique(fold[fold >= 0])) for fold in fold_of.values())
    counter = Counter(progress, total)
    validations = [
        _cross_validate(corpus, unseen, fold, tolerance, counter)
        for unseen, fold in fold_of.items()
    ]
    best = Grader.fit(corpus.examples(np.flatnonzero(corpus.marks.graded))).best
    chosen = {corpus.names[code] for code in np.unique(corpus.questions[judged]).tolist()}
    rubric = list(_item_accuracies(index, corpus, chosen, folds, seed))
    return GradingEvaluation(corpus.marks, tolerance, best, validations, rubric)


def _item_accuracies(
    index: BaseIndex, corpus: Corpus, questions: Collection[str | None], folds: int, seed: int
) -> Iterator[ItemAccuracy]:
    """Yield how well the ticks of each item are suggested, for questions with a rubric."""
    stored = index.grading.settings() if index.grading else {}
    for name in sorted(questions, key=lambda name: name or ""):
        code = corpus.names.index(name)
        for item in Settings.from_json(stored.get(name or ""), name or "").rubric:
            try:
                ticks = read_marks(corpus.answers, item.key, "labels")
            except BadInput:  # nothing is ticked
                yield ItemAccuracy(name, item.name, item.key, 0, None, None)
                continue
            of_question = np.where(corpus.questions == code, ticks.codes, UNGRADED)
            of_item = replace(corpus, marks=replace(ticks, codes=of_question))
            accuracy, majority = _item_accuracy(of_item, folds, seed)
            count = int(of_item.marks.graded.sum())
            yield ItemAccuracy(name, item.name, item.key, count, accuracy, majority)


def _item_accuracy(corpus: Corpus, folds: int, seed: int) -> tuple[float | None, float | None]:
    """Return the accuracy of suggested labels and of the majority; None if it can't be told."""
    fold_of = _answer_folds(corpus, folds, seed)
    if len(np.unique(corpus.marks.codes[corpus.marks.graded])) < 2 or not (fold_of >= 0).any():
        return None, None
    validation = _cross_validate(corpus, "answers", fold_of, 0.0, Counter(None, 0))
    accuracies = [round(score.figures["accuracy"], 4) for score in validation.scores[:2]]
    return accuracies[0], accuracies[1]


def _answer_folds(corpus: Corpus, folds: int, seed: int) -> Int64:
    """Return `(n,)` the fold of each graded answer; -1 where too few answers would remain.

    The answers of each question are divided.
    """
    fold_of = np.full(len(corpus.answers), -1, np.int64)
    rng = np.random.default_rng(seed)
    for question in range(len(corpus.names)):
        rows = np.flatnonzero((corpus.questions == question) & corpus.marks.graded)
        if len(rows) - ceil(len(rows) / folds) >= MIN_GRADED_ANSWERS:
            fold_of[rows] = rng.permutation(len(rows)) % folds
    return fold_of


def _question_folds(corpus: Corpus, folds: int, seed: int) -> Int64:
    """Return `(n,)` the fold of each graded answer; -1 where too few questions would remain.

    The questions are divided.
    """
    fold_of = np.full(len(corpus.answers), -1, np.int64)
    graded = np.unique(corpus.questions[corpus.marks.graded])
    if len(graded) - ceil(len(graded) / folds) >= MIN_GRADED_QUESTIONS:
        question_folds = np.full(len(corpus.names), -1, np.int64)
        question_folds[graded] = np.random.default_rng(seed).permutation(len(graded)) % folds
        fold_of[corpus.marks.graded] = question_folds[corpus.questions[corpus.marks.graded]]
    return fold_of


def _cross_validate(
    corpus: Corpus, unseen: str, fold_of: Int64, tolerance: float, counter: Counter
) -> CrossValidation:
    """Suggest a mark for every answer from the answers that are not in its fold."""
    true_marks: list[Mark] = []
    marks_by_method: dict[str, list[Mark]] = {}
    confidences: list[Float64] = []
    for fold in np.unique(fold_of[fold_of >= 0]).tolist():
        held_out = fold_of == fold
        codes = np.where(held_out, UNGRADED, corpus.marks.codes)
        seen_marks = replace(corpus.marks, codes=codes)
        calibrated = CalibratedGrader(corpus, seen_marks, tolerance)
        for question in np.unique(corpus.questions[held_out]).tolist():
            rows = np.flatnonzero(held_out & (corpus.questions == question))
            suggested, confidence, estimates = calibrated.suggest(question, rows)
            true_marks += [corpus.marks.scale[code] for code in corpus.marks.codes[rows].tolist()]
            confidences.append(confidence)
            marks_by_method.setdefault("suggested", []).extend(suggested)
            for name, marks in _baselines(seen_marks, corpus, question, estimates):
                marks_by_method.setdefault(name, []).extend(marks)
        counter.advance()
    confidence = np.concatenate(confidences)
    right = within_tolerance(true_marks, marks_by_method["suggested"], tolerance)
    return CrossValidation(
        unseen,
        len(true_marks),
        len(np.unique(corpus.questions[fold_of >= 0])),
        [
            MethodScore(name, _figures(true_marks, marks, tolerance))
            for name, marks in marks_by_method.items()
        ],
        [_coverage(level, confidence, right) for level in CONFIDENCE_LEVELS],
        _calibration_error(confidence, right),
    )


def _baselines(
    marks: Marks, corpus: Corpus, question: int, estimates: Estimates
) -> Iterator[tuple[str, list[Mark]]]:
    """Yield what needs no model: the typical mark, and the mark of the nearest graded answer."""
    rows = np.flatnonzero(marks.graded & (corpus.questions == question))
    source = "of the question" if len(rows) else "of all questions"
    codes = marks.codes[rows if len(rows) else marks.graded]
    if marks.kind == "numbers":
        mean = float(np.mean([float(marks.scale[code]) for code in codes]))
        yield f"mean {source}", [mean] * len(estimates.values)
    else:
        majority = marks.scale[int(np.bincount(codes).argmax())]
        yield f"majority {source}", [majority] * len(estimates.values)
    if estimates.own:
        graded = np.flatnonzero(marks.graded)
        yield (
            "nearest graded answer",
            [marks.scale[marks.codes[row]] for row in graded[estimates.nearest[:, 0]].tolist()],
        )


def _figures(true_marks: list[Mark], marks: list[Mark], tolerance: float) -> dict[str, float]:
    if isinstance(true_marks[0], str):
        labels = [str(mark) for mark in true_marks], [str(mark) for mark in marks]
        return {"accuracy": accuracy(*labels), "macro_f1": macro_f1(*labels)}
    numbers = np.array(true_marks, np.float64), np.array(marks, np.float64)
    return {
        "pearson": pearson(*numbers),
        "rmse": rmse(*numbers),
        "qwk": weighted_kappa(*numbers),
        "right": float(within_tolerance(true_marks, marks, tolerance).mean()),
    }


def _coverage(level: float, confidence: Float64, right: NDArray[np.bool_]) -> Coverage:
    reached = confidence >= level
    share_right = float(right[reached].mean()) if reached.any() else 0.0
    return Coverage(level, float(reached.mean()), share_right)


def _calibration_error(confidence: Float64, right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error (Guo et al., 2017) over ten bins of equal width."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    return float(
        sum(
            abs(confidence[bins == n].mean() - right[bins == n].mean()) * (bins == n).mean()
            for n in np.unique(bins)
        )
    )

"""Trials: how good suggested marks are, on answers that were held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Float64, Int64
from searchkit.core.errors import BadInput
from searchkit.core.metrics import accuracy, macro_f1, pearson, rmse, weighted_kappa
from searchkit.core.progress import Progress
from searchkit.core.results import Record, Table
from searchkit.core.where import EVERYTHING, Where
from searchkit.grading.corpus import Corpus, Learned, check_tolerance, chosen, load, right
from searchkit.grading.grader import OTHERS, OWN, Candidate, Estimates, Grader
from searchkit.grading.marks import UNGRADED, Kind, Marks
from searchkit.grading.records import Mark
from searchkit.index.base import BaseIndex

FOLDS = 10
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Score:
    """How near a way to grade came to the graders.

    Attributes:
        name: `suggested`, or a baseline.
        figures: By name: `pearson`, `rmse`, `qwk` of numbers, `accuracy`, `macro_f1` of labels,
            and of both `right`, the share within the tolerance.
    """

    name: str
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trial(Record):
    """A cross-validation.

    Attributes:
        unseen: `answers`: other answers to the same question were graded; `questions`: none was.
        answers: How many were judged.
        questions: Of how many questions.
        scores: The suggestions first, then the baselines.
        coverage: (confidence, share of the answers with at least that, share of these right).
        off: Mean difference between confidence and share right, over ten bins of confidence.
    """

    unseen: str
    answers: int
    questions: int
    scores: list[Score]
    coverage: list[tuple[float, float, float]]
    off: float

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
            "coverage": [
                {"confidence": level, "answers": round(share, 4), "right": round(right, 4)}
                for level, share, right in self.coverage
            ],
            "calibration_error": round(self.off, 4),
        }


@dataclass(frozen=True, slots=True)
class GradingEvaluation(Table):
    """What `evaluate_grades` found.

    Attributes:
        marks: The column's marks.
        tolerance: As in `Graded`.
        chosen: As in `Graded`, learned from all graded answers.
        trials: One for unseen answers, and one for unseen questions; what there is enough for.
    """

    marks: Marks
    tolerance: float
    chosen: Candidate | None
    trials: list[Trial]

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each method in each cross-validation, with its figures."""
        for trial in self.trials:
            for score in trial.scores:
                yield {
                    "unseen": trial.unseen,
                    "answers": trial.answers,
                    "questions": trial.questions,
                    "marks": score.name,
                    **score.figures,
                }

    def to_record(self) -> dict[str, Any]:
        """Return all figures as one JSON object."""
        best = self.chosen
        return {
            "column": self.marks.column,
            "kind": self.marks.kind,
            "graded": int(self.marks.graded.sum()),
            "tolerance": self.tolerance,
            "method": best and {"name": best.method, "size": best.size, "shared": best.shared},
            "trials": [trial.to_record() for trial in self.trials],
        }


def evaluate_grades(
    index: BaseIndex,
    column: str,
    *,
    kind: Kind | None = None,
    tolerance: float | None = None,
    where: Where = EVERYTHING,
    folds: int = FOLDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> GradingEvaluation:
    """Measure the suggestions where the graders' marks are known, on answers that were held out.

    Everything is learned anew for each fold from what is not in it: the method, its strength, and
    what a confidence means.

    Args:
        index: Open for reading or writing.
        column: Where the marks stand.
        kind: As for `grade`.
        tolerance: As for `grade`.
        where: Which graded answers to judge; the others teach all the same.
        folds: Into how many parts the graded answers of a question, or the questions, are cut.
        seed: Of the cut.
        progress: Called with how many folds are done, and of how many.

    Raises:
        BadInput: as for `grade`, or if there are too few graded answers.
    """
    if folds < 2:
        raise BadInput(f"folds must be 2 or more, not {folds}")
    corpus = load(index, column, kind)
    tolerance = check_tolerance(corpus.marks, tolerance)
    judged = chosen(index, corpus, where) & corpus.marks.graded
    cuts = {
        "answers": _cut_answers(corpus, folds, seed),
        "questions": _cut_questions(corpus, folds, seed),
    }
    cuts = {name: np.where(judged, cut, -1) for name, cut in cuts.items()}
    cuts = {name: cut for name, cut in cuts.items() if (cut >= 0).any()}
    if not cuts:
        raise BadInput(
            f"{column}: no question has {OWN + 1} graded answers, and fewer than {OTHERS + 1} have "
            f"any; grade some more"
        )
    total = sum(len(np.unique(cut[cut >= 0])) for cut in cuts.values())
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    trials = [_trial(corpus, name, cut, tolerance, advance) for name, cut in cuts.items()]
    best = Grader.fit(corpus.examples(np.flatnonzero(corpus.marks.graded))).chosen
    return GradingEvaluation(corpus.marks, tolerance, best, trials)


def _cut_answers(corpus: Corpus, folds: int, seed: int) -> Int64:
    """Return the fold of each graded answer, cutting each question; -1 where too few would stay."""
    cut = np.full(len(corpus.answers), -1, np.int64)
    random = np.random.default_rng(seed)
    for question in range(len(corpus.names)):
        rows = np.flatnonzero((corpus.questions == question) & corpus.marks.graded)
        if len(rows) - ceil(len(rows) / folds) >= OWN:
            cut[rows] = random.permutation(len(rows)) % folds
    return cut


def _cut_questions(corpus: Corpus, folds: int, seed: int) -> Int64:
    """Return the fold of each graded answer, cutting by question; -1 where too few would stay."""
    cut = np.full(len(corpus.answers), -1, np.int64)
    graded = np.unique(corpus.questions[corpus.marks.graded])
    if len(graded) - ceil(len(graded) / folds) >= OTHERS:
        fold_of = np.full(len(corpus.names), -1, np.int64)
        fold_of[graded] = np.random.default_rng(seed).permutation(len(graded)) % folds
        cut[corpus.marks.graded] = fold_of[corpus.questions[corpus.marks.graded]]
    return cut


def _trial(
    corpus: Corpus, unseen: str, cut: Int64, tolerance: float, advance: Callable[[], None]
) -> Trial:
    """Suggest a mark for every answer from those that are not in its fold."""
    given: list[Mark] = []
    ways: dict[str, list[Mark]] = {}
    sure: list[Float64] = []
    for fold in np.unique(cut[cut >= 0]).tolist():
        held = cut == fold
        left = replace(corpus.marks, codes=np.where(held, UNGRADED, corpus.marks.codes))
        learned = Learned(corpus, left, tolerance)
        for question in np.unique(corpus.questions[held]).tolist():
            rows = np.flatnonzero(held & (corpus.questions == question))
            marks, confidence, found = learned.suggest(question, rows)
            given += [corpus.marks.scale[code] for code in corpus.marks.codes[rows].tolist()]
            sure.append(confidence)
            ways.setdefault("suggested", []).extend(marks)
            for name, marks in _baselines(left, corpus, question, found):
                ways.setdefault(name, []).extend(marks)
        advance()
    judged = cut >= 0
    confidence = np.concatenate(sure)
    hit = right(given, ways["suggested"], tolerance)
    return Trial(
        unseen,
        len(given),
        len(np.unique(corpus.questions[judged])),
        [Score(name, _figures(given, marks, tolerance)) for name, marks in ways.items()],
        [
            (
                level,
                float((confidence >= level).mean()),
                float(hit[confidence >= level].mean()) if (confidence >= level).any() else 0.0,
            )
            for level in LEVELS
        ],
        _off(confidence, hit),
    )


def _baselines(
    marks: Marks, corpus: Corpus, question: int, found: Estimates
) -> Iterator[tuple[str, list[Mark]]]:
    """Yield what needs no model: the usual mark, and that of the nearest graded answer."""
    rows = np.flatnonzero(marks.graded & (corpus.questions == question))
    whole = not len(rows)
    codes = marks.codes[marks.graded if whole else rows]
    where = "of all questions" if whole else "of the question"
    if marks.kind == "numbers":
        usual: Mark = float(np.mean([float(marks.scale[code]) for code in codes]))
    else:
        usual = marks.scale[int(np.bincount(codes).argmax())]
    yield (
        f"{'mean' if marks.kind == 'numbers' else 'majority'} {where}",
        [usual] * len(found.values),
    )
    if found.own:
        graded = np.flatnonzero(marks.graded)
        yield (
            "nearest graded answer",
            [marks.scale[marks.codes[row]] for row in graded[found.nearest[:, 0]].tolist()],
        )


def _figures(given: list[Mark], suggested: list[Mark], tolerance: float) -> dict[str, float]:
    hit = float(right(given, suggested, tolerance).mean())
    if isinstance(given[0], str):
        names = [str(mark) for mark in given], [str(mark) for mark in suggested]
        return {"accuracy": accuracy(*names), "macro_f1": macro_f1(*names)}
    one, other = np.array(given, np.float64), np.array(suggested, np.float64)
    return {
        "pearson": pearson(one, other),
        "rmse": rmse(one, other),
        "qwk": weighted_kappa(one, other),
        "right": hit,
    }


def _off(confidence: Float64, right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error (Guo et al., 2017) over ten bins of equal width."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    return float(
        sum(
            abs(confidence[bins == n].mean() - right[bins == n].mean()) * (bins == n).mean()
            for n in np.unique(bins)
        )
    )

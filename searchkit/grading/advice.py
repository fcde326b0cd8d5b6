"""Advice for a question that is being graded: suggested marks and ticks, and what to mark next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.where import Where
from searchkit.grading.learning.calibration import CalibratedGrader
from searchkit.grading.learning.corpus import Corpus, load_corpus, matching_rows
from searchkit.grading.marking.settings import ChosenSettings
from searchkit.grading.marks import check_learnable, read_marks
from searchkit.grading.promise.plan import plan_corpus
from searchkit.grading.promise.records import Goal, GradingPlan
from searchkit.grading.records import Suggestion
from searchkit.grading.suggest import suggest_marks
from searchkit.index.base import BaseIndex


@dataclass(frozen=True, slots=True)
class Advice:
    """What is suggested for a question.

    Attributes:
        suggestions: Suggested marks, by the ids of the answers without one.
        ticks: Suggested ticks, by the ids of the answers and the keys of the rubric's items.
        plan: What to mark next, and what is promised of the others; None if that can't be told.
        message: Why no marks are suggested; empty if some are.
    """

    suggestions: Mapping[str, Suggestion]
    ticks: Mapping[str, Mapping[str, Suggestion]]
    plan: GradingPlan | None
    message: str


def advise(
    index: BaseIndex, question: str, settings: ChosenSettings, progress: Progress | None = None
) -> Advice:
    """Suggest marks and ticks for a question's answers, and plan which of them to mark next.

    Args:
        index: Open for reading or writing.
        question: The question's name; empty for the answers without one.
        settings: The settings that count.
        progress: Called with how many columns are done, and of how many.
    """
    column, scale = settings.mark_column, settings.scale
    try:
        where = Where(question)
        corpus = load_corpus(index, column, scale.kind, where, may_be_empty=True)
        selected = matching_rows(index, corpus, where) & ~corpus.references
        unit = corpus.units[corpus.questions[selected]].max(initial=0.0) or 1.0
        tolerance = None if scale.tolerance is None else round(scale.tolerance / unit, 6)
        plan = plan_corpus(corpus, selected, tolerance, Goal(), unit)
    except BadInput as error:  # marks that can't be read, or no text at all
        return Advice({}, {}, None, str(error))
    message, suggestions = "", dict[str, Suggestion]()
    try:
        suggestions = _suggest(corpus, selected, tolerance or 0.0)
    except BadInput as error:  # too few marks, or all of them alike
        message = str(error)
    ticks: dict[str, dict[str, Suggestion]] = {}
    for done, item in enumerate(settings.rubric, 1):
        if progress:
            progress(done, len(settings.columns))
        for id_, tick in _suggest_ticks(corpus, selected, item.key).items():
            ticks.setdefault(id_, {})[item.key] = tick
    return Advice(suggestions, ticks, plan, message)


def _suggest_ticks(corpus: Corpus, selected: NDArray[np.bool_], key: str) -> dict[str, Suggestion]:
    """Return the suggested ticks of an item; none where too few are known."""
    ticks = read_marks(corpus.answers, key, "labels", may_be_empty=True)
    if len(ticks.scale) < 2:
        return {}
    return _suggest(replace(corpus, marks=ticks), selected, 0.0)


def _suggest(
    corpus: Corpus, selected: NDArray[np.bool_], tolerance: float
) -> dict[str, Suggestion]:
    if not corpus.marks.scale:
        raise BadInput("no answer has a mark yet; mark a few first")
    check_learnable(corpus.marks)
    calibrated = CalibratedGrader(corpus, corpus.marks, tolerance)
    suggestions, _ = suggest_marks(calibrated, selected)
    return {s.id: s for s in suggestions if s.suggested is not None}

"""Suggested marks by REST, computed in the background while a question is graded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.where import Where
from searchkit.grading.marking.conflicts import find_conflicts
from searchkit.grading.marking.records import Sheet
from searchkit.grading.marking.scale import Scale
from searchkit.grading.marks import MarkKind
from searchkit.grading.promise.plan import plan_grading
from searchkit.grading.records import Mark, Suggestion
from searchkit.grading.suggest import grade
from searchkit.index.folder import Index
from searchkit.web.api import DEFAULT_WAIT, Wait, json_response
from searchkit.web.grading.questions import (
    QuestionName,
    grouped_job,
    read_question_name,
    sheet_of,
    suggestions_key,
)
from searchkit.web.grading.rendering import Names
from searchkit.web.index_pool import pool_of
from searchkit.web.jobs import Job
from searchkit.web.rendering import pseudonyms
from searchkit.web.schemas import grading as schemas
from searchkit.web.schemas.requests import NOT_YET, PROBLEMS

TOLERANCE = 0.1  # of the range of the scale, where nothing is suggested
suggestions = APIRouter(prefix="/api/grading", responses=PROBLEMS, tags=["grading"])


@dataclass(frozen=True)
class Suggested:
    """What is suggested for a question.

    Attributes:
        suggestions: The suggestions with a mark, by the answers' ids.
        tolerance: The difference up to which two marks agree; None if nothing is suggested.
        message: Why nothing is suggested; empty if something is.
        next: The ids of the answers to mark next, in order.
        promise: What holds for the suggestions for the others, in words.
    """

    suggestions: Mapping[str, Suggestion]
    tolerance: float | None
    message: str
    next: tuple[str, ...]
    promise: str


@suggestions.get("/suggestions", response_model=schemas.GradingSuggestions, responses=NOT_YET)
def read_suggestions(
    request: Request, name: QuestionName = "", wait: Wait = DEFAULT_WAIT
) -> Response:
    """Suggest marks for the answers without one, and name marks that contradict each other."""
    pool, question = pool_of(request), read_question_name(request, name)
    grouped = grouped_job(request, question)
    if not pool.wait(grouped, wait):
        return _not_yet(grouped)
    with pool.reading() as index:
        sheet = sheet_of(index, question, grouped.get())
    column, kind = sheet.settings.mark_column, sheet.settings.scale.kind
    marks = pool.job(
        ("marks", column), lambda index, _: _hash_marks(index, column), "anything changes"
    )
    if not pool.wait(marks, wait):
        return _not_yet(marks)
    version = (column, kind, marks.get())

    def compute(index: Index, progress: Progress) -> Suggested:
        return _suggest(index, column, kind, question, progress)

    job = pool.job(suggestions_key(question), compute, version=version)
    if not pool.wait(job, wait) or job.version != version:
        return _not_yet(job)
    return json_response(_as_record(sheet, job.get(), Names(pseudonyms(request))))


def _suggest(
    index: Index, column: str, kind: MarkKind, question: str, progress: Progress
) -> Suggested:
    where = Where(question, attempts="latest")
    plan = plan_grading(index, column, kind=kind, where=where)
    planned = tuple(answer.id for answer in plan.answers), plan.promise.text
    try:
        found = grade(index, column, kind=kind, where=where, progress=progress)
    except BadInput as error:  # too few marks, or all the same
        return Suggested({}, None, str(error), *planned)
    with_mark = {s.id: s for s in found.suggestions if s.suggested is not None}
    return Suggested(with_mark, found.tolerance, "", *planned)


def _not_yet(job: Job[Any]) -> Response:
    return JSONResponse({"done": job.done, "total": job.total}, 202)


def _hash_marks(index: Index, column: str) -> bytes:
    """Return a hash of all that suggestions are learned from."""
    digest = hashlib.sha256()
    for answer in index.answers(Where(attempts="latest")):
        if value := answer.value(column):
            digest.update(repr((answer.id, value)).encode())
    return digest.digest()


def _as_record(sheet: Sheet, found: Suggested, names: Names) -> dict[str, Any]:
    scale, shown, marks = sheet.settings.scale, {}, dict[str, Mark]()
    texts = {answer.id: answer.text for answer in (*sheet.answers, *sheet.references)}
    for id_, suggestion in found.suggestions.items():
        answer = sheet.by_id.get(id_)
        mark = None if suggestion.suggested is None else scale.nearest(suggestion.suggested)
        if answer and mark is not None and not sheet.settings.mark_of(answer):
            shown[names.answer(id_)] = _suggestion_as_record(suggestion, mark, scale, texts, names)
            marks[id_] = suggestion.suggested or 0.0
    tolerance = found.tolerance
    if tolerance is None:
        tolerance = TOLERANCE * (scale.high - scale.low)
    return {
        "suggestions": shown,
        "conflicts": [
            {
                "kind": conflict.kind,
                "group": conflict.group,
                "ids": names.answers(conflict.ids),
                "marks": [scale.nearest(mark) or str(mark) for mark in conflict.marks],
            }
            for conflict in find_conflicts(sheet, marks, tolerance)
        ],
        "next": names.answers(found.next),
        "promise": found.promise,
        "message": found.message,
    }


def _suggestion_as_record(
    suggestion: Suggestion, mark: str, scale: Scale, texts: Mapping[str, str], names: Names
) -> dict[str, Any]:
    return {
        "mark": mark,
        "low": None if suggestion.low is None else scale.nearest(suggestion.low),
        "high": None if suggestion.high is None else scale.nearest(suggestion.high),
        "labels": suggestion.labels,
        "confidence": suggestion.confidence,
        "neighbours": [
            {
                "id": names.answer(neighbour.id),
                "mark": None if neighbour.mark is None else scale.nearest(neighbour.mark),
                "score": neighbour.score,
                "text": names.text(texts.get(neighbour.id, "")),
            }
            for neighbour in suggestion.neighbours
        ],
    }

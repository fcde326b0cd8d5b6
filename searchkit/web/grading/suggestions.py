"""Suggested marks by REST, computed in the background while a question is graded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from searchkit.core.progress import Progress
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.grading.advice import Advice, advise
from searchkit.grading.marking.conflicts import find_conflicts
from searchkit.grading.marking.records import Sheet
from searchkit.grading.marking.rubric import TICKED
from searchkit.grading.marking.scale import Scale
from searchkit.grading.marking.settings import ChosenSettings
from searchkit.grading.records import Suggestion
from searchkit.index.folder import Index
from searchkit.web.api import DEFAULT_WAIT, Wait, json_response
from searchkit.web.grading.questions import (
    QuestionName,
    grouped_job,
    read_question_name,
    sheet_of,
    suggestions_key,
)
from searchkit.web.grading.rendering import Names, text_as_record
from searchkit.web.index_pool import pool_of
from searchkit.web.jobs import Job
from searchkit.web.rendering import pseudonyms
from searchkit.web.schemas import grading as schemas
from searchkit.web.schemas.requests import NOT_YET, PROBLEMS

suggestions = APIRouter(prefix="/api/grading", responses=PROBLEMS, tags=["grading"])


@suggestions.get("/suggestions", response_model=schemas.GradingSuggestions, responses=NOT_YET)
def read_suggestions(
    request: Request, name: QuestionName = "", wait: Wait = DEFAULT_WAIT
) -> Response:
    """Suggest marks and ticks, and what to mark next; name marks that contradict each other."""
    pool, question = pool_of(request), read_question_name(request, name)
    grouped = grouped_job(pool_of(request), question)
    if not pool.wait(grouped, wait):
        return _not_yet(grouped)
    with pool.reading() as index:
        sheet = sheet_of(index, question, grouped.get())
    settings = sheet.settings
    marks = pool.job(
        ("marks", *settings.columns),
        lambda index, _: _hash_marks(index, settings),
        "anything changes",
    )
    if not pool.wait(marks, wait):
        return _not_yet(marks)
    version = (settings, marks.get())

    def compute(index: Index, progress: Progress) -> Advice:
        return advise(index, question, settings, progress)

    job = pool.job(suggestions_key(question), compute, version=version)
    if not pool.wait(job, wait) or job.version != version:
        return _not_yet(job)
    return json_response(_as_record(sheet, job.get(), Names(pseudonyms(request))))


def _not_yet(job: Job[Any]) -> Response:
    return JSONResponse({"done": job.done, "total": job.total}, 202)


def _hash_marks(index: Index, settings: ChosenSettings) -> bytes:
    """Return a hash of all that suggestions are learned from."""
    digest = hashlib.sha256()
    for answer in index.answers(Where(attempts="latest")):
        values = [answer.value(column) for column in settings.columns]
        if any(values):
            digest.update(repr((answer.id, values)).encode())
    return digest.digest()


def _as_record(sheet: Sheet, advice: Advice, names: Names) -> dict[str, Any]:
    scale = sheet.settings.scale
    waiting = {a.id for a in sheet.answers if not sheet.settings.mark_of(a)}
    found = {id_: s for id_, s in advice.suggestions.items() if id_ in waiting}
    marks = {id_: s.suggested for id_, s in found.items() if s.suggested is not None}
    answers = {answer.id: answer for answer in (*sheet.answers, *sheet.references)}
    return {
        "suggestions": {
            names.answer(id_): _suggestion_as_record(suggestion, mark, scale, answers, names)
            for id_, suggestion in found.items()
            if (mark := scale.nearest(marks[id_])) is not None
        },
        "ticks": {
            names.answer(id_): {
                key: {"ticked": tick.suggested == TICKED, "confidence": tick.confidence}
                for key, tick in ticks.items()
            }
            for id_, ticks in advice.ticks.items()
        },
        "conflicts": [
            {
                "kind": conflict.kind,
                "group": conflict.group,
                "ids": names.answers(conflict.ids),
                "marks": [scale.nearest(mark) or str(mark) for mark in conflict.marks],
            }
            for conflict in find_conflicts(sheet, marks, scale.tolerance or 0.0)
        ],
        "next": names.answers(a.id for a in advice.plan.answers if a.id in waiting)
        if advice.plan
        else [],
        "promise": advice.plan.promise.text if advice.plan else "",
        "message": advice.message,
    }


def _suggestion_as_record(
    suggestion: Suggestion,
    mark: str,
    scale: Scale,
    answers: Mapping[str, Answer],
    names: Names,
) -> dict[str, Any]:
    low, high, labels = suggestion.low, suggestion.high, suggestion.labels
    return {
        "mark": mark,
        "low": None if low is None else scale.nearest(low),
        "high": None if high is None else scale.nearest(high),
        "labels": None if labels is None else list(labels),
        "confidence": suggestion.confidence,
        "neighbours": [
            {
                "id": names.answer(neighbour.id),
                "mark": None if neighbour.mark is None else scale.nearest(neighbour.mark),
                "score": neighbour.score,
                **text_as_record(answers.get(neighbour.id) or Answer(neighbour.id, ""), names),
            }
            for neighbour in suggestion.neighbours
        ],
    }

"""Grading by REST: a question with its groups, every change of it, undo, redo and history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from searchkit.core.messages import counted
from searchkit.grading.marking.changes import (
    change,
    need_history,
    redo,
    undo,
)
from searchkit.grading.marking.progress import comment_bank
from searchkit.grading.marking.records import (
    Action,
    Move,
    OverwriteRefused,
    Rename,
    Sheet,
    Split,
    Tick,
    WriteComment,
    WriteMarks,
)
from searchkit.index.folder import Index
from searchkit.index.records import GradingChange
from searchkit.web.api import DEFAULT_WAIT, Wait, json_response, when_done
from searchkit.web.grading.questions import (
    Grouped,
    QuestionName,
    grouped_job,
    last_suggested,
    read_question_name,
    sheet_of,
)
from searchkit.web.grading.rendering import (
    Names,
    answers_as_records,
    change_with_names,
    overwrites_as_records,
    sheet_as_record,
    state_as_record,
)
from searchkit.web.index_pool import pool_of
from searchkit.web.rendering import original, pseudonyms
from searchkit.web.schemas import grading as schemas
from searchkit.web.schemas.requests import NOT_YET, PROBLEMS

grading = APIRouter(prefix="/api/grading", responses=PROBLEMS, tags=["grading"])
Level = Annotated[
    int | None, Query(ge=0, lt=1_000, description="Position of the slider to look at.")
]
Revert = Callable[..., tuple[GradingChange, int]]


@grading.get("", response_model=schemas.GradingSheet, responses=NOT_YET)
def read_question(
    request: Request, name: QuestionName = "", level: Level = None, wait: Wait = DEFAULT_WAIT
) -> Response:
    """Return a question with everything that is needed for grading it."""
    question = read_question_name(request, name)

    def as_record(grouped: Grouped) -> dict[str, Any]:
        names = Names(pseudonyms(request))
        with pool_of(request).reading() as index:
            sheet = sheet_of(index, question, grouped)
            if level is not None:
                sheet = replace(sheet, stored=replace(sheet.stored, level=level))
            state = state_as_record(
                sheet, need_history(index), last_suggested(pool_of(request), question), names
            )
        return sheet_as_record(sheet, names) | state

    return when_done(request, grouped_job(pool_of(request), question), wait, as_record)


@grading.post(
    "/changes",
    response_model=schemas.GradingChanged,
    responses={
        409: {"model": schemas.WouldOverwrite, "description": "Something is there already."}
    },
)
def add_change(request: Request, new: schemas.NewChange) -> Response:
    """Change marks, comments, ticks, groups or settings; it is on the disk when this returns.

    Nothing is written if a mark isn't on the scale (422), or if marks or comments would be replaced
    without `overwrite` (409).
    """
    real = partial(original, request, "answer")
    action = _with_real_ids(new.action.action(), real)
    question = read_question_name(request, new.question)
    try:
        return _changed(
            request,
            question,
            lambda index, sheet: _note(
                change(
                    index,
                    sheet,
                    _with_real_texts(action, sheet, Names(pseudonyms(request))),
                    by=new.by,
                    overwrite=new.overwrite,
                )
            ),
        )
    except OverwriteRefused as refused:
        overwrites = overwrites_as_records(refused, Names(pseudonyms(request)))
        return JSONResponse({"error": str(refused), "overwrites": overwrites}, 409)


@grading.post("/undo", response_model=schemas.GradingChanged)
def undo_change(request: Request, step: schemas.QuestionStep) -> Response:
    """Undo the question's last change; what was changed since then stays as it is."""
    return _reverted(request, step, undo)


@grading.post("/redo", response_model=schemas.GradingChanged)
def redo_change(request: Request, step: schemas.QuestionStep) -> Response:
    """Do again what was undone last; what was changed since then stays as it is."""
    return _reverted(request, step, redo)


@grading.get("/history", response_model=schemas.GradingHistory)
def read_history(request: Request, name: QuestionName = "") -> Response:
    """Return all changes of a question, oldest first: by whom, when, and each value before."""
    question, names = read_question_name(request, name), Names(pseudonyms(request))
    with pool_of(request).reading() as index:
        changes = need_history(index).changes(question)
    return json_response({"changes": [change_with_names(one, names) for one in changes]})


# -- what the endpoints share ----------------------------------------------------------------------


def _reverted(request: Request, step: schemas.QuestionStep, revert: Revert) -> Response:
    question = read_question_name(request, step.question)

    def run(index: Index, _: Sheet) -> str:
        return _note(*revert(index, question, by=step.by))

    return _changed(request, question, run)


def _changed(request: Request, question: str, run: Callable[[Index, Sheet], str]) -> Response:
    """Change a question, and return the answers that are others now, and all groups."""
    job, names = grouped_job(pool_of(request), question), Names(pseudonyms(request))
    pool_of(request).wait(job, DEFAULT_WAIT)
    grouped, suggested = job.get(), last_suggested(pool_of(request), question)
    with pool_of(request).writing() as index:
        before = sheet_of(index, question, grouped)
        note = run(index, before)
        after = sheet_of(index, question, grouped)
        state = state_as_record(after, need_history(index), suggested, names)
    former = answers_as_records(before, names)
    state["answers"] = [
        new for old, new in zip(former, state["answers"], strict=True) if new != old
    ]
    return json_response(state | {"note": note})


def _note(_: GradingChange | None, skipped: int = 0) -> str:
    changed = counted(skipped, "answer was", "answers were")
    return f"{changed} changed since; what is there now stays" if skipped else ""


def _with_real_texts(action: Action, sheet: Sheet, names: Names) -> Action:
    """Return an action with the comment or the name of a group that was shown with pseudonyms."""
    match action:
        case WriteComment(comment=str(shown)):
            return replace(
                action, comment=names.real_text(shown, comment_bank(sheet.answers, sheet.settings))
            )
        case Rename(name=shown):
            return replace(
                action, name=names.real_text(shown, (card.name for card in sheet.cards.cards))
            )
        case _:
            return action


def _with_real_ids(action: Action, real: Callable[[str], str]) -> Action:
    """Return an action with the ids that pseudonyms stand for."""
    match action:
        case WriteMarks():
            return replace(action, marks={real(id_): mark for id_, mark in action.marks.items()})
        case WriteComment() | Tick() | Move():
            return replace(action, ids=[real(id_) for id_ in action.ids])
        case Split():
            return replace(action, ids=action.ids and [real(id_) for id_ in action.ids])
        case _:
            return action

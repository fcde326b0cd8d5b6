"""The page on which a question is graded. Its script reads and writes through `/api/grading`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from searchkit.core.errors import NotFound
from searchkit.core.where import Where
from searchkit.output.platforms.formats import MarksFormat
from searchkit.pages.segments import question_name
from searchkit.web.index_pool import pool_of
from searchkit.web.rendering import hide_in_address, original, pseudonyms, render_page

DOWNLOADS: dict[MarksFormat, str] = {
    "csv": "CSV",
    "xlsx": "Excel (XLSX)",
    "moodle-worksheet": "Moodle grading worksheet",
    "canvas": "Canvas gradebook",
    "prairielearn": "PrairieLearn",
    "nbgrader": "nbgrader",
}
grading_pages = APIRouter(include_in_schema=False, dependencies=[Depends(hide_in_address)])


@grading_pages.get("/grade")
def grade_page(request: Request, question: Annotated[str | None, Query()] = None) -> HTMLResponse:
    """Grade one question: its groups and answers with fields for marks."""
    name = question and original(request, "question", question)
    with pool_of(request).reading() as index:
        where = index.resolve(Where(name or ""))
        if not index.answers_page(where, 0, 1)[1]:
            raise NotFound("each answer has a question")
    return render_page(
        request,
        "grade.html",
        name=question_name(where.question, pseudonyms(request)).text or None,
        platforms=DOWNLOADS.items(),
    )

"""The page of a question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from searchkit.core.errors import NotFound
from searchkit.core.where import Where
from searchkit.pages.drawings import histogram
from searchkit.pages.scores import index_score_counts
from searchkit.pages.segments import question_name, text_runs
from searchkit.plagiarism.preparation import prompt_of
from searchkit.text.languages.locales import identified_locale
from searchkit.web.index_pool import pool_of
from searchkit.web.pages.views import current_findings, finding_views, side_views
from searchkit.web.rendering import (
    original,
    progress_page,
    pseudonyms,
    render_page,
)

ANSWERS_PER_PAGE = 50
OptionalText = Annotated[str | None, Query()]
question_pages = APIRouter()


@question_pages.get("/question")
def question_page(
    request: Request, name: OptionalText = None, page: Annotated[int, Query(ge=1, le=2**31)] = 1
) -> HTMLResponse:
    """Show one question: its map, its scores, its answers."""
    pool = pool_of(request)
    name = name and original(request, "question", name)
    with pool.reading() as index:
        where = index.resolve(Where(name or ""))
        start, stop = (page - 1) * ANSWERS_PER_PAGE, page * ANSWERS_PER_PAGE
        answers, count = index.answers_page(where, start, stop)
    if not count:
        raise NotFound("each answer has a question")
    name = where.question
    scores = pool.job(("scores", where), lambda index, _: index_score_counts(index, where))
    if progress := progress_page(request, scores, "Comparing the answers"):
        return progress
    names, prompt = pseudonyms(request), prompt_of(answers[0]) if answers else ""
    result, findings_progress = current_findings(request)
    findings = finding_views(result, lambda finding: finding.question == (name or None), names)
    return render_page(
        request,
        "question.html",
        name=question_name(name, names).text or None,
        count=count,
        page=page,
        pages=-(-count // ANSWERS_PER_PAGE),
        answers=side_views(answers, names),
        histogram=histogram(scores.get(), findings),
        findings=findings,
        progress=findings_progress,
        prompt=text_runs(prompt, names) if prompt else (),
        prompt_locale=identified_locale(prompt),
    )

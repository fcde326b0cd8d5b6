"""The start page: what is in the index, what is open, what to do next."""

from __future__ import annotations

import shlex
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from searchkit.index.incoming.languages import KNOWN_LANGUAGES
from searchkit.index.upkeep.status import status
from searchkit.pages.segments import question_name
from searchkit.web.index_pool import pool_of
from searchkit.web.pages.corpus.overview import (
    count_findings,
    grading_progress,
    hidden_text,
    read_overview,
)
from searchkit.web.pages.corpus.steps import OpenWork
from searchkit.web.pages.search import SearchQuery
from searchkit.web.pages.views import current_findings
from searchkit.web.rendering import pseudonyms, render_page

start_pages = APIRouter()


@start_pages.get("/")
def start_page(request: Request) -> Response:
    """Show what is in the index and what to do; an address of a search leads to the search."""
    if not SearchQuery.model_fields.keys().isdisjoint(request.query_params):
        return RedirectResponse(f"/search?{request.url.query}", 307)
    with pool_of(request).reading() as index:
        known = status(index)
    if not known["answers"]:
        return _render_empty(request, known["model"]["name"])
    names, (result, search) = pseudonyms(request), current_findings(request)
    progress = grading_progress(request, [row["question"] or "" for row in known["by_question"]])
    overview = read_overview(request)
    work = OpenWork(
        count_findings(result),
        progress
        and {question_name(name or None, names).text: one for name, one in progress.items()},
    )
    return render_page(
        request,
        "start.html",
        known=known,
        overview=overview,
        examples=[hidden_text(text, names) for text in overview.examples] if overview else [],
        work=work,
        search=search,
        is_pending=search.state == "running" or None in (overview, work.progress),
    )


def _render_empty(request: Request, model: str) -> Response:
    """Show how to begin, with commands that name the index, as it was named to the server."""
    folder = pool_of(request).folder
    return render_page(
        request,
        "start_empty.html",
        is_english=KNOWN_LANGUAGES.get(model, frozenset()) == frozenset({"en"}),
        at="" if folder == Path("index") else f" -i {shlex.quote(str(folder))}",
    )

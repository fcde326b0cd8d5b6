"""All pages as one router, with those that read nothing of the index."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from searchkit.sources.platforms.formats import NAMES
from searchkit.web.pages.answers import answer_pages
from searchkit.web.pages.corpus.questions import question_list
from searchkit.web.pages.corpus.start import start_pages
from searchkit.web.pages.groups import group_pages
from searchkit.web.pages.question import question_pages
from searchkit.web.pages.review import pair_pages
from searchkit.web.pages.search import search_pages
from searchkit.web.rendering import hide_in_address, render_page
from searchkit.web.schemas import describe

pages = APIRouter(include_in_schema=False, dependencies=[Depends(hide_in_address)])
for router in (
    start_pages,
    search_pages,
    pair_pages,
    group_pages,
    question_list,
    question_pages,
    answer_pages,
):
    pages.include_router(router)


@pages.get("/upload")
def upload_page(request: Request) -> HTMLResponse:
    """Send a file, confirm its columns, watch it being indexed."""
    return render_page(request, "upload.html", platforms=[(name, name) for name in NAMES])


@pages.get("/docs")
def docs_page(request: Request) -> HTMLResponse:
    """Describe the REST interface, from its OpenAPI document."""
    document = request.app.openapi()
    return render_page(
        request,
        "docs.html",
        document=document,
        calls=describe.calls(document),
        records=describe.records(document),
    )

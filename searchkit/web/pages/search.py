"""The search page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from searchkit.core.errors import NotFound
from searchkit.core.where import Where
from searchkit.index.query import Mode
from searchkit.index.upkeep.status import status
from searchkit.output.search import count_close
from searchkit.pages.segments import question_name
from searchkit.web.index_pool import pool_of
from searchkit.web.pages.facets import column_condition, facets_job, suggested_facets
from searchkit.web.pages.views import answer_views, hit_views
from searchkit.web.rendering import (
    original,
    progress_page,
    pseudonyms,
    render_page,
    without_names,
)

DEFAULT_HITS = 20
MAX_HITS = 200
search_pages = APIRouter()


class SearchQuery(BaseModel):
    """The fields of the search form, as the query of an address has them.

    Attributes:
        q: What to look for; blank for an empty form, or to read what the filters leave.
        mode: How to search.
        question: Only answers to this question; empty: to all.
        author: Only answers by this author; empty: by all.
        column: Only answers with this value of a column, `name: value`; empty: with any.
        n: Number of hits to show.
    """

    q: str = ""
    mode: Mode = "semantic"
    question: str | None = None
    author: str | None = None
    column: str = ""
    n: int = Field(DEFAULT_HITS, ge=1, le=MAX_HITS)


@search_pages.get("/search")
def search_page(request: Request, search: Annotated[SearchQuery, Query()]) -> HTMLResponse:
    """Search with filters."""
    pool = pool_of(request)
    if search.column.strip() and (
        progress := progress_page(request, facets_job(pool), "Counting the columns")
    ):
        return progress
    with pool.reading() as index:
        known = status(index)
    return render_page(
        request,
        "search.html",
        known=known,
        facets=suggested_facets(request),
        **_search(request, search),
    )


@search_pages.get("/hits")
def hits_fragment(request: Request, search: Annotated[SearchQuery, Query()]) -> HTMLResponse:
    """Return only the hits, for the search page's script, which searches while the user types."""
    return render_page(request, "hits.html", **_search(request, search))


def _search(request: Request, search: SearchQuery) -> dict[str, Any]:
    """Return what `hits.html` shows; a name that isn't there may be typed still: no error."""
    names = pseudonyms(request)
    shown: dict[str, Any] = search.model_dump() | {
        "question": question_name(search.question, names).text,
        "author": question_name(search.author, names).text,
        "hits": None, "close": 0, "more": False, "problem": "",
    }  # fmt: skip
    question, author, column = search.question or None, search.author or None, search.column.strip()
    if not (search.q.strip() or question or author or column):
        return shown
    try:
        where = Where(
            question and original(request, "question", question),
            author and original(request, "author", author),
            column_condition(request, column),
        )
        hits, close = _found(request, search, where)
    except NotFound as error:
        return shown | {"hits": [], "problem": without_names(request, str(error))}
    return shown | {"hits": hits[: search.n], "close": close, "more": len(hits) > search.n}


def _found(request: Request, search: SearchQuery, where: Where) -> tuple[list[dict[str, Any]], int]:
    """Return one hit more than asked for, and how many are close to the query."""
    if search.q.strip():
        hits = pool_of(request).search(search.q, search.n + 1, search.mode, where)
        return hit_views(request, hits, search.mode), count_close(hits[: search.n])
    with pool_of(request).reading() as index:
        answers, _ = index.answers_page(index.resolve(where), 0, search.n + 1)
    return answer_views(request, answers), search.n

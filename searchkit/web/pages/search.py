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
from searchkit.pages.segments import question_name
from searchkit.web.index_pool import pool_of
from searchkit.web.pages.views import hit_views
from searchkit.web.rendering import original, pseudonyms, render_page, without_names

DEFAULT_HITS = 20
MAX_HITS = 200
SUGGESTED_QUESTIONS = 500  # that the search form proposes
search_pages = APIRouter()


class SearchQuery(BaseModel):
    """The fields of the search form, as the query of an address has them.

    Attributes:
        q: What to look for; blank for an empty form.
        mode: How to search.
        question: Only answers to this question; empty: to all.
        author: Only answers by this author; empty: by all.
        n: Number of hits to show.
    """

    q: str = ""
    mode: Mode = "semantic"
    question: str | None = None
    author: str | None = None
    n: int = Field(DEFAULT_HITS, ge=1, le=MAX_HITS)


@search_pages.get("/")
def search_page(request: Request, search: Annotated[SearchQuery, Query()]) -> HTMLResponse:
    """Search with filters."""
    names = pseudonyms(request)
    with pool_of(request).reading() as index:
        known = status(index)
    questions = [row["question"] for row in known["by_question"] if row["question"]]
    return render_page(
        request,
        "search.html",
        q=search.q,
        mode=search.mode,
        question=question_name(search.question, names).text,
        author=question_name(search.author, names).text,
        known=known,
        questions=[question_name(one, names).text for one in questions[:SUGGESTED_QUESTIONS]],
        **_search(request, search),
    )


@search_pages.get("/hits")
def hits_fragment(request: Request, search: Annotated[SearchQuery, Query()]) -> HTMLResponse:
    """Return only the hits, for the search page's script, which searches while the user types."""
    shown = _search(request, search)
    return render_page(request, "hits.html", q=search.q, mode=search.mode, **shown)


def _search(request: Request, search: SearchQuery) -> dict[str, Any]:
    """Return what `hits.html` shows; a name that isn't there may be typed still: no error."""
    shown: dict[str, Any] = {"hits": None, "more": False, "n": search.n, "problem": ""}
    if not search.q.strip():
        return shown
    where = Where(
        original(request, "question", search.question or "") or None,
        original(request, "author", search.author or "") or None,
    )
    try:
        hits = pool_of(request).search(search.q, search.n + 1, search.mode, where)
    except NotFound as error:
        return shown | {"hits": [], "problem": without_names(request, str(error))}
    views = hit_views(request, hits[: search.n])
    return shown | {"hits": views, "more": len(hits) > search.n}

"""The page about groups of students who are found together."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from searchkit.pages.drawings import ring_view
from searchkit.web.index_pool import findings_job, pool_of
from searchkit.web.pages.views import numbered_view
from searchkit.web.rendering import progress_page, pseudonyms, render_page

group_pages = APIRouter()


@group_pages.get("/rings")
def former_page() -> RedirectResponse:
    """Lead to the page that was called so once."""
    return RedirectResponse("/groups", 301)


@group_pages.get("/groups")
def groups_page(request: Request) -> HTMLResponse:
    """Show the students whose answers are found together in several questions."""
    job = findings_job(pool_of(request))
    if progress := progress_page(request, job, "Looking for findings"):
        return progress
    result = pool_of(request).with_decisions(job.get())
    names = pseudonyms(request)
    numbers = {(finding.left, finding.right): n for n, finding in enumerate(result.findings, 1)}
    anchors = {pair: f"finding-{n}" for pair, n in numbers.items()}
    groups = [
        (
            ring_view(ring, result.texts, number=number, anchors=anchors, names=names),
            [
                numbered_view(result, result.findings[numbers[pair] - 1], numbers[pair], names)
                for pair in ring.findings
            ],
        )
        for number, ring in enumerate(result.rings, 1)
    ]
    return render_page(request, "groups.html", groups=groups)

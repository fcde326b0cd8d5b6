"""Two answers side by side, and the report."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from searchkit.pages.reports.make import make_report
from searchkit.pages.reports.page import report_as_page
from searchkit.pages.views import finding_view
from searchkit.plagiarism.records import PlagiarismOptions
from searchkit.web.background.comparison import chance_job, compare_in
from searchkit.web.index_pool import findings_job, pool_of
from searchkit.web.rendering import original, progress_page, pseudonyms, render_page

pair_pages = APIRouter()


@pair_pages.get("/compare")
def compare_page(request: Request, left: str, right: str) -> HTMLResponse:
    """Show any two answers side by side."""
    left, right = (original(request, "answer", name) for name in (left, right))
    job = chance_job(pool_of(request), left, right)
    if progress := progress_page(request, job, "Comparing two answers"):
        return progress
    comparison = compare_in(pool_of(request), left, right, job)
    view = finding_view(
        comparison.finding,
        comparison.left,
        comparison.right,
        number=0,
        pairs=comparison.pairs,
        decision=comparison.decision,
        names=pseudonyms(request),
    )
    return render_page(request, "compare.html", view=view)


@pair_pages.get("/report")
def report_file(request: Request, anonymous: bool = False, clusters: bool = False) -> Response:
    """Return the report as a file to save; while names are hidden it is anonymous."""
    anonymous = anonymous or pseudonyms(request) is not None
    findings = findings_job(pool_of(request))  # which the report then takes from the cache
    if progress := progress_page(request, findings, "Looking for findings"):
        return progress
    job = pool_of(request).job(
        ("report", anonymous, clusters),
        lambda index, progress: report_as_page(
            make_report(
                index,
                PlagiarismOptions(),
                anonymous=anonymous,
                with_clusters=clusters,
                progress=progress,
            )
        ),
        keep_until="anything changes",
    )
    if progress := progress_page(request, job, "Writing the report"):
        return progress
    name = "report-anonymous.html" if anonymous else "report.html"
    return HTMLResponse(
        job.get(), headers={"content-disposition": f'attachment; filename="{name}"'}
    )

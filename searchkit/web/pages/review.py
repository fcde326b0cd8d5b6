"""The pages about findings: the queue, a pair, the report."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from searchkit.core.errors import NotFound
from searchkit.index.records import DecisionStatus
from searchkit.output.plagiarism.chance import by_chance_in_words
from searchkit.output.plagiarism.findings import describe_compared_answers
from searchkit.pages.reports.make import make_report
from searchkit.pages.reports.page import report_as_page
from searchkit.pages.views import FindingView, equal_views, finding_view
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult
from searchkit.web.background.comparison import chance_job, compare_in
from searchkit.web.index_pool import findings_job, pool_of
from searchkit.web.pages.views import numbered_view
from searchkit.web.rendering import (
    JOB_TIMEOUT,
    hidden_pair,
    original,
    progress_page,
    pseudonyms,
    render_page,
)

OptionalText = Annotated[str | None, Query()]
Decided = DecisionStatus | Literal["all"]
review_pages = APIRouter()


@review_pages.get("/review")
def review_page(
    request: Request,
    show: Decided = "open",
    left: OptionalText = None,
    right: OptionalText = None,
) -> HTMLResponse:
    """Show the findings as a queue, one at a time."""
    job = findings_job(pool_of(request))
    if progress := progress_page(request, job, "Looking for findings"):
        return progress
    given = [original(request, "answer", id_) for id_ in (left, right) if id_ is not None]
    with pool_of(request).reading() as index:
        index.get(given)  # raises, if one isn't there
    result = pool_of(request).with_decisions(job.get())
    queue = [
        {"left": finding.left, "right": finding.right, "decision": result.decision(finding)}
        for finding in result.findings
        if show in ("all", result.decision(finding))
    ]
    at = next((n for n, e in enumerate(queue) if [e["left"], e["right"]] == given), 0)
    view = _finding_view(request, result, queue[at]["left"], queue[at]["right"]) if queue else None
    names = pseudonyms(request)
    return render_page(
        request,
        "review.html",
        show=show,
        view=view,
        at=at,
        counts=Counter(result.decision(finding) for finding in result.findings),
        result=result,
        queue=[hidden_pair(pair, names) for pair in queue],
        total=len(queue),
        compared=list(describe_compared_answers(result)),
        by_chance=by_chance_in_words(result),
        equal=equal_views(result, names),
    )


@review_pages.get("/review/finding")
def finding_fragment(request: Request, left: str, right: str) -> HTMLResponse:
    """Return a single finding, for the review page's script."""
    job = findings_job(pool_of(request))
    pool_of(request).wait(job, JOB_TIMEOUT)
    result = pool_of(request).with_decisions(job.get())
    left, right = (original(request, "answer", name) for name in (left, right))
    return render_page(request, "finding.html", view=_finding_view(request, result, left, right))


def _finding_view(request: Request, result: PlagiarismResult, left: str, right: str) -> FindingView:
    for number, finding in enumerate(result.findings, 1):
        if (finding.left, finding.right) == (left, right):
            return numbered_view(result, finding, number, pseudonyms(request))
    raise NotFound("there is no such finding any more; load the page again")


@review_pages.get("/compare")
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


@review_pages.get("/report")
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

"""The review page, and the fragments that its script asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from searchkit.core.errors import NotFound
from searchkit.core.where import Where
from searchkit.output.plagiarism.chance import number_by_chance
from searchkit.output.plagiarism.findings import describe_compared_answers
from searchkit.pages.drawings import histogram
from searchkit.pages.scores import all_score_counts, index_score_counts
from searchkit.pages.segments import author_name, question_name
from searchkit.pages.views import FindingView, equal_views, source_views
from searchkit.plagiarism.records import PlagiarismResult
from searchkit.web.index_pool import pool_of
from searchkit.web.pages.views import current_findings, numbered_view
from searchkit.web.rendering import hide_in_address, original, pseudonyms, render_page
from searchkit.web.review.filters import MAX_TEXT_LENGTH, ReviewAddress
from searchkit.web.review.rows import finding_rows, findings_table, matching_numbers

HISTOGRAM_TIMEOUT = 0.5  # seconds that a request waits for the histogram; the script asks again
review_pages = APIRouter(include_in_schema=False, dependencies=[Depends(hide_in_address)])


@review_pages.get("/review")
def review_page(request: Request, address: Annotated[ReviewAddress, Query()]) -> HTMLResponse:
    """Show all findings as a table, and one of them with its evidence."""
    result, progress = current_findings(request)
    names = pseudonyms(request)
    address = _displayed(request, address)
    table = findings_table(result, address, names)
    row = table.find(address.left, address.right) or table.first_to_decide()
    return render_page(
        request,
        "review/page.html",
        address=address,
        table=table,
        current=row,
        view=_numbered_finding(request, result, row.number) if row else None,
        result=result,
        progress=progress,
        compared=list(describe_compared_answers(result)),
        by_chance=number_by_chance(result),
        equal=sum(not result.is_dismissed(group) for group in result.equal),
    )


def _displayed(request: Request, address: ReviewAddress) -> ReviewAddress:
    """Return an address with the names of questions, authors and answers as they are displayed.

    Raises:
        NotFound: if there is no such question, author or answer in the index.
    """
    names = pseudonyms(request)
    question = address.question and original(request, "question", address.question)
    author = address.author and original(request, "author", address.author)
    ids = [original(request, "answer", id_) for id_ in (address.left, address.right) if id_]
    with pool_of(request).reading() as index:
        where = index.resolve(Where(question, author or None))
        index.get(ids)
    return address.model_copy(
        update={
            "question": where.question and question_name(where.question, names).text,
            "author": where.author and author_name(where.author, names).text,
        }
    )


@review_pages.get("/review/finding")
def finding_fragment(request: Request, left: str, right: str) -> HTMLResponse:
    """Return a single finding."""
    result, _ = current_findings(request)
    pair = tuple(original(request, "answer", name) for name in (left, right))
    numbers = {(one.left, one.right): n for n, one in enumerate(result.findings, 1)}
    if pair not in numbers:
        raise NotFound("there is no such finding any more; load the page again")
    view = _numbered_finding(request, result, numbers[pair])
    return render_page(request, "review/finding.html", view=view)


@review_pages.get("/review/matches")
def matches(
    request: Request, text: Annotated[str, Query(max_length=MAX_TEXT_LENGTH)] = ""
) -> Response:
    """Return both answers of each finding in which each word of a text occurs."""
    result, _ = current_findings(request)
    rows = finding_rows(result, pseudonyms(request))
    numbers = matching_numbers(result, rows, text)
    found = [(row.left, row.right) for row in rows if numbers is None or row.number in numbers]
    return JSONResponse({"findings": found})


@review_pages.get("/review/histogram")
def histogram_fragment(
    request: Request, question: Annotated[str | None, Query()] = None
) -> Response:
    """Return the histogram of all pairs, or those of a question; 202 while it is computed."""
    result, pool = current_findings(request)[0], pool_of(request)
    name = question and original(request, "question", question)
    if name is None:
        job = pool.job("scores", all_score_counts)
    else:
        with pool.reading() as index:
            where = index.resolve(Where(name))
        job = pool.job(("scores", where), lambda index, _: index_score_counts(index, where))
    if not pool.wait(job, HISTOGRAM_TIMEOUT):
        return JSONResponse({"done": job.done, "total": job.total}, 202)
    shown = None if name is None else question_name(where.question, pseudonyms(request)).text
    rows = [row for row in finding_rows(result, None) if shown in (None, row.question)]
    return render_page(request, "review/histogram.html", view=histogram(job.get(), rows))


@review_pages.get("/review/equal")
def equal_fragment(request: Request) -> HTMLResponse:
    """Return the groups of answers that are word for word the same."""
    equal = equal_views(current_findings(request)[0], pseudonyms(request))
    return render_page(request, "review/equal.html", equal=equal)


@review_pages.get("/review/sources")
def sources_fragment(request: Request) -> HTMLResponse:
    """Return the answers that are near to a known source."""
    sources = source_views(current_findings(request)[0], pseudonyms(request))
    return render_page(request, "review/sources.html", sources=sources)


def _numbered_finding(request: Request, result: PlagiarismResult, number: int) -> FindingView:
    return numbered_view(result, result.findings[number - 1], number, pseudonyms(request))

"""The pages, rendered on the server. They only read; changes go through the REST interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from searchkit.core.errors import NotFound
from searchkit.core.records import Answer, Hit
from searchkit.core.where import Where
from searchkit.grading.marking.progress import Progress, progress_by_question
from searchkit.index.query import Mode
from searchkit.index.records import DecisionStatus
from searchkit.index.upkeep.status import status
from searchkit.output.plagiarism.chance import by_chance_in_words
from searchkit.output.plagiarism.findings import describe_compared_answers
from searchkit.pages.drawings import histogram, ring_view
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.report import make_report, report_as_page
from searchkit.pages.scores import index_score_counts
from searchkit.pages.segments import hit_segments, question_name, text_runs
from searchkit.pages.views import (
    FindingView,
    SideView,
    cluster_view,
    column_views,
    equal_views,
    finding_view,
    side_view,
)
from searchkit.plagiarism.find import compare
from searchkit.plagiarism.preparation import prompt_of
from searchkit.plagiarism.records import Finding, PlagiarismOptions, PlagiarismResult
from searchkit.sources.platforms.formats import NAMES
from searchkit.web.grading.questions import last_suggested
from searchkit.web.index_pool import clusters_job, findings_job, pool_of
from searchkit.web.rendering import (
    JOB_TIMEOUT,
    hidden_pair,
    hide_in_address,
    original,
    progress_page,
    pseudonyms,
    render_page,
    without_names,
)
from searchkit.web.schemas import describe

DEFAULT_HITS = 20
MAX_HITS = 200
SIMILAR_ANSWERS = 8  # shown for an answer
ANSWERS_PER_PAGE = 50
SUGGESTED_QUESTIONS = 500  # that the search form proposes
pages = APIRouter(include_in_schema=False, dependencies=[Depends(hide_in_address)])
OptionalText = Annotated[str | None, Query()]
Decided = DecisionStatus | Literal["all"]

# -- search ----------------------------------------------------------------------------------------


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


@pages.get("/")
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


@pages.get("/hits")
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
    views = _hit_views(request, hits[: search.n])
    return shown | {"hits": views, "more": len(hits) > search.n}


def _hit_views(request: Request, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    names = pseudonyms(request)
    return [
        {
            "hit": hit,
            "question": question_name(hit.answer.question, names),
            "segments": hit_segments(hit, names),
            "side": side_view(hit.answer, (), names),
        }
        for hit in hits
    ]


# -- review ----------------------------------------------------------------------------------------


@pages.get("/review")
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


@pages.get("/review/finding")
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
            return _numbered_view(result, finding, number, pseudonyms(request))
    raise NotFound("there is no such finding any more; load the page again")


@pages.get("/compare")
def compare_page(request: Request, left: str, right: str) -> HTMLResponse:
    """Show any two answers side by side."""
    left, right = (original(request, "answer", name) for name in (left, right))
    with pool_of(request).reading() as index:
        comparison = compare(index, left, right)
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


@pages.get("/rings")
def rings_page(request: Request) -> HTMLResponse:
    """Show the authors whose answers are found together in several questions."""
    job = findings_job(pool_of(request))
    if progress := progress_page(request, job, "Looking for findings"):
        return progress
    result = pool_of(request).with_decisions(job.get())
    names = pseudonyms(request)
    numbers = {(finding.left, finding.right): n for n, finding in enumerate(result.findings, 1)}
    anchors = {pair: f"finding-{n}" for pair, n in numbers.items()}
    rings = [
        (
            ring_view(ring, result.texts, number=number, anchors=anchors, names=names),
            [
                _numbered_view(result, result.findings[numbers[pair] - 1], numbers[pair], names)
                for pair in ring.findings
            ],
        )
        for number, ring in enumerate(result.rings, 1)
    ]
    return render_page(request, "rings.html", rings=rings)


@pages.get("/report")
def report_file(request: Request, anonymous: bool = False) -> Response:
    """Return the report as a file to save; while names are hidden it is anonymous."""
    anonymous = anonymous or pseudonyms(request) is not None
    job = pool_of(request).job(
        ("report", anonymous),
        lambda index, progress: report_as_page(
            make_report(index, PlagiarismOptions(), anonymous=anonymous, progress=progress)
        ),
        keep_until="anything changes",
    )
    if progress := progress_page(request, job, "Writing the report"):
        return progress
    name = "report-anonymous.html" if anonymous else "report.html"
    return HTMLResponse(
        job.get(), headers={"content-disposition": f'attachment; filename="{name}"'}
    )


# -- questions -------------------------------------------------------------------------------------


@pages.get("/questions")
def questions_page(request: Request) -> HTMLResponse:
    """List the questions, with how far they are graded and their findings."""
    names = pseudonyms(request)
    with pool_of(request).reading() as index:
        rows = [
            row | {"name": question_name(row["question"], names)} for row in index.by_question()
        ]
    result = _findings_if_ready(request)
    findings = result.findings if result else []
    counts = Counter(finding.question for finding in findings)
    left = Counter(
        finding.question for finding in findings if result and result.decision(finding) == "open"
    )
    pool = pool_of(request)
    suggested = {row["question"] or "": last_suggested(pool, row["question"] or "") for row in rows}
    progress = pool.job(
        "grading progress",
        lambda index, _: progress_by_question(index, suggested),
        "anything changes",
        version=tuple(map(tuple, suggested.values())),
    )
    graded = progress.get() if pool.wait(progress, JOB_TIMEOUT) else None
    return render_page(
        request,
        "questions.html",
        rows=rows,
        counts=counts,
        left=left,
        done=result is not None,
        graded=graded,
        ungraded=Progress(0, 0, 0),
    )


@pages.get("/question")
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
    names = pseudonyms(request)
    findings = _finding_views(
        _findings_if_ready(request), lambda finding: finding.question == (name or None), names
    )
    return render_page(
        request,
        "question.html",
        name=question_name(name, names).text or None,
        count=count,
        page=page,
        pages=-(-count // ANSWERS_PER_PAGE),
        answers=_side_views(answers, names),
        histogram=histogram(scores.get(), findings),
        findings=findings,
        prompt=text_runs(prompt_of(answers[0]), names) if answers else (),
    )


def _side_views(answers: Sequence[Answer], names: Pseudonyms | None) -> list[SideView]:
    return [side_view(answer, (), names) for answer in answers]


def _findings_if_ready(request: Request) -> PlagiarismResult | None:
    """Return the findings with their decisions; None while they are computed, or on an error."""
    pool = pool_of(request)
    job = findings_job(pool)
    is_ready = pool.wait(job, JOB_TIMEOUT) and not job.has_failed
    return pool.with_decisions(job.get()) if is_ready else None


def _finding_views(
    result: PlagiarismResult | None,
    is_wanted: Callable[[Finding], bool],
    names: Pseudonyms | None,
) -> list[FindingView]:
    """Return views of some findings, which keep their numbers among all findings."""
    if result is None:
        return []
    return [
        _numbered_view(result, finding, number, names)
        for number, finding in enumerate(result.findings, 1)
        if is_wanted(finding)
    ]


def _numbered_view(
    result: PlagiarismResult, finding: Finding, number: int, names: Pseudonyms | None
) -> FindingView:
    return finding_view(
        finding,
        result.texts[finding.left],
        result.texts[finding.right],
        number=number,
        names=names,
        decision=result.decision_about(finding.left, finding.right),
    )


# -- answer, upload, REST --------------------------------------------------------------------------


@pages.get("/answer")
def answer_page(request: Request, id: str) -> HTMLResponse:
    """Show one answer: its passages, similar answers, its findings and its group."""
    id = original(request, "answer", id)
    pool = pool_of(request)
    with pool.reading() as index:
        stored = index.get_stored(id)
        similar = index.search_like(id, SIMILAR_ANSWERS)
    names, result = pseudonyms(request), _findings_if_ready(request)
    answer = stored.answer
    clusters = clusters_job(pool, Where(answer.question or ""), "all")
    cluster = None
    if pool.wait(clusters, JOB_TIMEOUT) and not clusters.has_failed:
        with_answer = (
            cluster
            for cluster in clusters.get().clusters
            if any(member.id == id for member in cluster.members)
        )
        cluster = next(with_answer, None)
    return render_page(
        request,
        "answer.html",
        question=question_name(answer.question, names),
        columns=column_views(answer, names),
        source=f"{answer.source}:{answer.line or ''}".rstrip(":") if answer.source else "",
        view=side_view(answer, (), names),
        passages=[(passage.start, passage.end) for passage in stored.passages],
        near=_hit_views(request, similar),
        findings=_finding_views(result, lambda f: id in (f.left, f.right), names),
        done=result is not None,
        cluster=cluster_view(cluster, None, names=names) if cluster else None,
    )


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

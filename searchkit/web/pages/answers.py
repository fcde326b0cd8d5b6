"""The pages of an answer and of an author."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from searchkit.core.errors import NotFound
from searchkit.core.identity import author_key
from searchkit.core.where import Where
from searchkit.pages.cluster_views import cluster_view
from searchkit.pages.segments import author_name, question_name
from searchkit.pages.views import column_views, side_view
from searchkit.plagiarism.records import Finding
from searchkit.web.index_pool import clusters_job, pool_of
from searchkit.web.pages.views import answer_views, current_findings, finding_views, hit_views
from searchkit.web.rendering import job_progress, original, pseudonyms, render_page

ANSWERS_PER_PAGE = 50  # of an author
SIMILAR_ANSWERS = 8  # shown for an answer
answer_pages = APIRouter()


@answer_pages.get("/author")
def author_page(
    request: Request, name: str, page: Annotated[int, Query(ge=1, le=2**31)] = 1
) -> HTMLResponse:
    """Show one author: all answers with question and mark, and the findings."""
    name = original(request, "author", name)
    with pool_of(request).reading() as index:
        where = index.resolve(Where(author=name))
        start, stop = (page - 1) * ANSWERS_PER_PAGE, page * ANSWERS_PER_PAGE
        answers, count = index.answers_page(where, start, stop)
    if not count or not name:
        raise NotFound("each answer has an author")
    if not answers:
        raise NotFound(f"there is no page {page}; the last one is {-(-count // ANSWERS_PER_PAGE)}")
    names, (result, progress) = pseudonyms(request), current_findings(request)
    key = author_key(name)

    def is_theirs(finding: Finding) -> bool:
        return key in {result.texts[id_].author_key for id_ in (finding.left, finding.right)}

    return render_page(
        request,
        "author.html",
        author=author_name(answers[0].author or name, names),
        count=count,
        page=page,
        pages=-(-count // ANSWERS_PER_PAGE),
        answers=answer_views(request, answers),
        findings=finding_views(result, is_theirs, names),
        progress=progress,
    )


@answer_pages.get("/answer")
def answer_page(request: Request, id: str) -> HTMLResponse:
    """Show one answer: its passages, similar answers, its findings and its group."""
    id = original(request, "answer", id)
    pool = pool_of(request)
    with pool.reading() as index:
        stored = index.get_stored(id)
        similar = index.search_like(id, SIMILAR_ANSWERS)
    names, (result, progress) = pseudonyms(request), current_findings(request)
    answer = stored.answer
    clusters = clusters_job(pool, Where(answer.question or ""), "all")
    cluster = None
    if pool.wait(clusters, pool.page_timeout) and not clusters.has_failed:
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
        near=hit_views(request, similar),
        findings=finding_views(result, lambda f: id in (f.left, f.right), names),
        progress=progress,
        grouping=job_progress(request, clusters),
        cluster=cluster_view(cluster, None, names=names) if cluster else None,
    )

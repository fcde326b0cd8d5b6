"""The page of an answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from searchkit.core.where import Where
from searchkit.pages.segments import question_name
from searchkit.pages.views import cluster_view, column_views, side_view
from searchkit.web.index_pool import clusters_job, pool_of
from searchkit.web.pages.views import finding_views, findings_if_ready, hit_views
from searchkit.web.rendering import JOB_TIMEOUT, original, pseudonyms, render_page

SIMILAR_ANSWERS = 8  # shown for an answer
answer_pages = APIRouter()


@answer_pages.get("/answer")
def answer_page(request: Request, id: str) -> HTMLResponse:
    """Show one answer: its passages, similar answers, its findings and its group."""
    id = original(request, "answer", id)
    pool = pool_of(request)
    with pool.reading() as index:
        stored = index.get_stored(id)
        similar = index.search_like(id, SIMILAR_ANSWERS)
    names, result = pseudonyms(request), findings_if_ready(request)
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
        near=hit_views(request, similar),
        findings=finding_views(result, lambda f: id in (f.left, f.right), names),
        done=result is not None,
        cluster=cluster_view(cluster, None, names=names) if cluster else None,
    )

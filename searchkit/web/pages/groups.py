"""The pages about groups of students: the graph of all, and one group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from searchkit.core.errors import NotFound
from searchkit.core.identity import author_key
from searchkit.pages.groups.graph import graph_view, network_layout, slider_steps
from searchkit.pages.groups.layout import Layout
from searchkit.pages.groups.pairs import StudentPair, spellings, student_pairs
from searchkit.pages.groups.views import (
    displayed_names,
    group_details,
    group_numbers,
    group_view,
    pair_views,
)
from searchkit.pages.segments import Name
from searchkit.plagiarism.records import Finding, PlagiarismResult
from searchkit.web.index_pool import IndexPool, findings_job, pool_of
from searchkit.web.jobs import Job
from searchkit.web.pages.views import numbered_view
from searchkit.web.rendering import (
    original,
    progress_page,
    pseudonyms,
    render_page,
)

MAX_LISTED_PAIRS = 100  # below the graph, unless all are asked for
OptionalText = Annotated[str | None, Query()]
group_pages = APIRouter()


@group_pages.get("/rings")
def former_page() -> RedirectResponse:
    """Lead to the page that was called so once."""
    return RedirectResponse("/groups", 301)


@group_pages.get("/groups")
def groups_page(
    request: Request,
    author: OptionalText = None,
    other: OptionalText = None,
    pairs: Literal["all"] | None = None,
) -> HTMLResponse:
    """Show the students with findings as a graph, the groups, and the pairs."""
    pool = pool_of(request)
    job = findings_job(pool)
    if progress := progress_page(request, job, "Looking for findings"):
        return progress
    result = pool.with_decisions(job.get())
    places = _layout_job(pool, result)
    if progress := progress_page(request, places, "Drawing the graph of students"):
        return progress
    names = pseudonyms(request)
    drawn = _drawn_findings(result)
    students = displayed_names(spellings(result.rings, result.texts.values()), names)
    groups, all_pairs = group_numbers(result.rings), _pairs(result, drawn)
    listed = all_pairs if pairs else all_pairs[:MAX_LISTED_PAIRS]
    return render_page(
        request,
        "groups.html",
        graph=graph_view(all_pairs, places.get(), students, groups),
        steps=slider_steps(),
        groups=[group_view(ring, number, names) for number, ring in enumerate(result.rings, 1)],
        pairs=pair_views(listed, students, groups, names=names),
        total=len(all_pairs),
        dismissed=len(result.findings) - len(drawn),
        **_chosen(request, all_pairs, students, author, other),
    )


@group_pages.get("/groups/pairs")
def pairs_fragment(request: Request, author: str, other: OptionalText = None) -> HTMLResponse:
    """Return the pairs of a student, or of two, for the graph's script."""
    pool = pool_of(request)
    job = findings_job(pool)
    pool.wait(job, pool.page_timeout)
    result = pool.with_decisions(job.get())
    pairs = _pairs(result, _drawn_findings(result))
    students = displayed_names(spellings(result.rings, result.texts.values()), pseudonyms(request))
    chosen = _chosen(request, pairs, students, author, other)
    return render_page(request, "pairs.html", **chosen)


@group_pages.get("/group")
def group_page(request: Request, number: Annotated[int, Query(ge=1)]) -> HTMLResponse:
    """Show one group: its graph, its matrix, its pairs and its findings."""
    job = findings_job(pool_of(request))
    if progress := progress_page(request, job, "Looking for findings"):
        return progress
    result, names = pool_of(request).with_decisions(job.get()), pseudonyms(request)
    if number > len(result.rings):
        raise NotFound(f"there is no group {number} any more; see the page Groups")
    ring = result.rings[number - 1]
    positions = {(finding.left, finding.right): n for n, finding in enumerate(result.findings, 1)}
    details = group_details(ring, result.findings, result.texts, number=number, names=names)
    return render_page(
        request,
        "group.html",
        view=details.group,
        details=details,
        total=len(result.rings),
        findings=[
            numbered_view(result, result.findings[positions[ids] - 1], positions[ids], names)
            for ids in ring.findings
        ],
    )


def _drawn_findings(result: PlagiarismResult) -> list[Finding]:
    return [f for f in result.findings if result.decision(f) != "dismissed"]


def _pairs(result: PlagiarismResult, findings: Sequence[Finding]) -> list[StudentPair]:
    return student_pairs(findings, result.rings, result.texts)


def layout_ahead(pool: IndexPool) -> Job[Any]:
    """Return the job that places all students; that of the findings while there are none."""
    findings = findings_job(pool)
    is_there = findings.has_finished and not findings.has_failed
    return _layout_job(pool, findings.get()) if is_there else findings


def _layout_job(pool: IndexPool, result: PlagiarismResult) -> Job[Layout]:
    """Return the job that places all students with findings, whatever was dismissed."""
    findings = hash(tuple((finding.left, finding.right) for finding in result.findings))
    spelled = spellings(result.rings, result.texts.values())
    groups = group_numbers(result.rings)
    return pool.job(
        ("places of students", findings),
        lambda index, progress: network_layout(_pairs(result, result.findings), spelled, groups),
    )


def _chosen(
    request: Request,
    pairs: Sequence[StudentPair],
    students: dict[str, Name],
    author: str | None,
    other: str | None,
) -> dict[str, Any]:
    """Return what `pairs.html` shows of a chosen student, or of two."""
    keys = [author_key(original(request, "author", name)) for name in (author, other) if name]
    found = [pair for pair in pairs if keys and {pair.one, pair.other}.issuperset(keys)]
    names = [students.get(key or "") for key in keys] + [None, None]
    if keys and names[0] is None:
        raise NotFound("each student in a graph has findings; load the page again")
    groups: dict[str, int] = {}
    views = pair_views(found, students, groups, prefix="chosen-", names=pseudonyms(request))
    return {"chosen": names[0], "other": names[1], "chosen_pairs": views}

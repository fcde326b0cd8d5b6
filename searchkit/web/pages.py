"""The pages: server-rendered, read-only; what changes something goes through the REST interface."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from markupsafe import Markup

from searchkit._version import __version__
from searchkit.core.errors import MissingExtra, NoSuchThing
from searchkit.core.records import Hit
from searchkit.core.where import Where
from searchkit.core.wording import counted
from searchkit.index.decisions import Verdict
from searchkit.index.folder import Index
from searchkit.index.query import Mode
from searchkit.index.upkeep.status import status
from searchkit.output.findings import what_was_compared
from searchkit.pages.drawings import histogram, ring_view
from searchkit.pages.environment import environment
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.report import make_report, report_as_page
from searchkit.pages.scores import BINS, score_counts
from searchkit.pages.segments import hit_segments
from searchkit.pages.views import FindingView, cluster_view, finding_view, side_view
from searchkit.plagiarism.find import PlagiarismResult, compare, prompt_of
from searchkit.plagiarism.records import Finding
from searchkit.web.api import clusters_job, findings_job, served_by
from searchkit.web.jobs import Job

HITS = 20
NEAR = 8  # answers like one
ROWS = 50  # answers of a question on one page
NAMING = 60.0  # seconds that a page waits for pseudonyms: without them it would show names
PATIENCE = 2.0  # seconds that a page waits for what is computed, before it shows how far it is
SUGGESTED = 500  # questions that a field proposes
pages = APIRouter(include_in_schema=False)
Name = Annotated[str | None, Query()]

# -- frame -----------------------------------------------------------------------------------------


def link(path: str, **parameters: object) -> str:
    """Return an address with its parameters; None leaves one out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return path + ("?" + urlencode(given) if given else "")


def script_json(value: object) -> Markup:
    """Return JSON that can stand in a script element, whatever texts are in it."""
    return Markup(json.dumps(value).replace("<", "\\u003c").replace("&", "\\u0026"))


@cache
def _templates() -> Any:  # noqa: ANN401
    made = environment()
    made.globals.update(link=link, counted=counted, script_json=script_json, version=__version__)
    return made


def _page(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    name = served_by(request).folder.resolve().name
    html = (
        _templates()
        .get_template(template)
        .render(here=request.url.path, corpus=name, names_hidden=_hides_names(request), **values)
    )
    return HTMLResponse(html, status_code, headers={"cache-control": "no-store"})


def error_page(request: Request, status_code: int, why: str) -> Response:
    """Say what is wrong."""
    return _page(request, "error.html", status_code, why=why)


def _not_yet(request: Request, job: Job[Any], what: str) -> HTMLResponse | None:
    """Show how far a job is, on a page that looks again by itself; None when it is done."""
    if served_by(request).wait(job, PATIENCE):
        return None
    page = _page(request, "computing.html", 200, job=job, what=what)
    page.headers["refresh"] = "2"
    return page


def _hides_names(request: Request) -> bool:
    return request.cookies.get("names") == "hidden"


def _names(request: Request) -> Pseudonyms | None:
    """Return what authors and answers are called, if who looks wants names hidden."""
    if not _hides_names(request):
        return None
    served = served_by(request)
    job = served.job("names", lambda index, _: Pseudonyms(index.answers()))
    served.wait(job, NAMING)
    return job.get()


@cache
def _plotly_path() -> Path:
    try:
        import plotly
    except ImportError:
        raise MissingExtra(
            "the map needs plotly, which isn't installed: pip install 'searchkit[web]'"
        ) from None
    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def plotly_script() -> FileResponse:
    """Return the script that draws the map, as its package brings it."""
    return FileResponse(_plotly_path(), headers={"cache-control": "max-age=86400"})


# -- search ----------------------------------------------------------------------------------------


@pages.get("/")
def search_page(
    request: Request,
    q: str = "",
    mode: Mode = "semantic",
    question: Name = None,
    author: Name = None,
    n: Annotated[int, Query(ge=1, le=200)] = HITS,
) -> HTMLResponse:
    """Search, with filters."""
    with served_by(request).reading() as index:
        known = status(index)
    names = [row["question"] for row in known["by_question"] if row["question"] is not None]
    return _page(
        request,
        "search.html",
        q=q,
        mode=mode,
        question=question or "",
        author=author or "",
        known=known,
        questions=names[:SUGGESTED],
        **_found(request, q, n, mode, question, author),
    )


@pages.get("/hits")
def hits_fragment(
    request: Request,
    q: str = "",
    mode: Mode = "semantic",
    question: Name = None,
    author: Name = None,
    n: Annotated[int, Query(ge=1, le=200)] = HITS,
) -> HTMLResponse:
    """Return the hits alone, for a page that searches while one types."""
    found = _found(request, q, n, mode, question, author)
    return _page(request, "hits.html", q=q, mode=mode, **found)


def _found(
    request: Request, q: str, n: int, mode: Mode, question: str | None, author: str | None
) -> dict[str, Any]:
    if not q.strip():
        return {"hits": None, "more": False, "n": n}
    where = Where(question or None, author or None)
    found = served_by(request).search(q, n + 1, mode, where)
    return {"hits": _hit_views(request, found[:n]), "more": len(found) > n, "n": n}


def _hit_views(request: Request, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    names = _names(request)
    return [
        {
            "hit": hit,
            "segments": hit_segments(hit, names),
            "side": side_view(hit.answer, (), names),
        }
        for hit in hits
    ]


# -- review ----------------------------------------------------------------------------------------


@pages.get("/review")
def review_page(
    request: Request,
    show: Verdict | Literal["all"] = "open",
    left: Name = None,
    right: Name = None,
) -> HTMLResponse:
    """Show the findings as a queue, one at a time."""
    job = findings_job(served_by(request))
    if waiting := _not_yet(request, job, "Looking for findings"):
        return waiting
    found = served_by(request).with_decisions(job.get())
    queue = [
        {"left": one.left, "right": one.right, "decision": found.decision(one)}
        for one in found.findings
        if show in ("all", found.decision(one))
    ]
    at = next((n for n, one in enumerate(queue) if (one["left"], one["right"]) == (left, right)), 0)
    counts = Counter(found.decision(one) for one in found.findings)
    view = _finding_view(request, found, queue[at]["left"], queue[at]["right"]) if queue else None
    return _page(
        request,
        "review.html",
        show=show,
        view=view,
        at=at,
        counts=counts,
        found=found,
        queue=queue,
        total=len(queue),
        compared=list(what_was_compared(found)),
    )


@pages.get("/review/finding")
def finding_fragment(request: Request, left: str, right: str) -> HTMLResponse:
    """Return one finding alone."""
    job = findings_job(served_by(request))
    served_by(request).wait(job, PATIENCE)
    found = served_by(request).with_decisions(job.get())
    return _page(request, "finding.html", view=_finding_view(request, found, left, right))


def _finding_view(request: Request, found: PlagiarismResult, left: str, right: str) -> FindingView:
    for number, one in enumerate(found.findings, 1):
        if (one.left, one.right) == (left, right):
            return _viewed(found, one, number, _names(request))
    raise NoSuchThing("there is no such finding any more; load the page again")


@pages.get("/compare")
def compare_page(request: Request, left: str, right: str) -> HTMLResponse:
    """Put any two answers side by side."""
    with served_by(request).reading() as index:
        both = compare(index, left, right)
    view = finding_view(
        both.finding,
        both.left,
        both.right,
        number=0,
        pairs=both.pairs,
        decision=both.decision,
        names=_names(request),
    )
    return _page(request, "compare.html", view=view)


@pages.get("/rings")
def rings_page(request: Request) -> HTMLResponse:
    """Show the authors who are found together in several questions."""
    job = findings_job(served_by(request))
    if waiting := _not_yet(request, job, "Looking for findings"):
        return waiting
    found = served_by(request).with_decisions(job.get())
    numbers = {(one.left, one.right): n for n, one in enumerate(found.findings, 1)}
    anchors = {pair: f"finding-{n}" for pair, n in numbers.items()}
    names = _names(request)
    rings = [
        (
            ring_view(ring, found.texts, number=number, anchors=anchors, names=names),
            [
                _viewed(found, found.findings[numbers[pair] - 1], numbers[pair], names)
                for pair in ring.findings
            ],
        )
        for number, ring in enumerate(found.rings, 1)
    ]
    return _page(request, "rings.html", rings=rings)


@pages.get("/report")
def report_file(request: Request, anonymous: bool = False) -> Response:
    """Return the report as a file to hand on, as `searchkit report` writes it."""
    job = served_by(request).job(
        ("report", anonymous),
        lambda index, progress: report_as_page(
            make_report(index, anonymous=anonymous, progress=progress)
        ),
        kept="change",
    )
    if waiting := _not_yet(request, job, "Writing the report"):
        return waiting
    name = "report-anonymous.html" if anonymous else "report.html"
    return HTMLResponse(
        job.get(), headers={"content-disposition": f'attachment; filename="{name}"'}
    )


# -- questions -------------------------------------------------------------------------------------


@pages.get("/questions")
def questions_page(request: Request) -> HTMLResponse:
    """List the questions."""
    served = served_by(request)
    with served.reading() as index:
        rows = index.store.by_question()
    found = _findings(request)
    findings = found.findings if found else []
    counts = Counter(one.question for one in findings)
    left = Counter(one.question for one in findings if found and found.decision(one) == "open")
    done = found is not None
    return _page(request, "questions.html", rows=rows, counts=counts, left=left, done=done)


@pages.get("/question")
def question_page(
    request: Request, name: Name = None, page: Annotated[int, Query(ge=1, le=2**31)] = 1
) -> HTMLResponse:
    """Show one question: its scores, its clusters to be marked as groups, its answers."""
    served = served_by(request)
    where = Where(name or "")
    with served.reading() as index:
        keys = index.store.matching(where).tolist()
        some = keys[(page - 1) * ROWS : page * ROWS]
        stored = index.store.get_keys(some)
    if not keys:
        raise NoSuchThing(f"no answer to the question {name!r}" if name else "each answer has one")
    clusters = clusters_job(served, where, "all")
    scores = served.job(("scores", where), lambda index, _: _score_counts(index, where))
    if waiting := _not_yet(request, clusters, "Grouping the answers"):
        return waiting
    if waiting := _not_yet(request, scores, "Comparing the answers"):
        return waiting
    groups = [one for one in clusters.get().clusters if one.kind == "cluster"]
    alone = [
        member.id
        for one in clusters.get().clusters
        if one.kind != "cluster"
        for member in one.members
    ]
    with served.reading() as index:
        members = {
            answer.id: answer for answer in index.get([m.id for g in groups for m in g.members])
        }
        lonely = index.get(alone[:ROWS])
    names = _names(request)
    found = _views_of(_findings(request), lambda one: one.question == (name or None), names)
    return _page(
        request,
        "question.html",
        name=name or None,
        count=len(keys),
        page=page,
        pages=-(-len(keys) // ROWS),
        answers=[side_view(stored[key], (), names) for key in some],
        histogram=histogram(scores.get(), found),
        findings=found,
        groups=[
            (
                cluster_view(
                    g, members.get(str(g.center)), anchor=f"group-{g.cluster}", names=names
                ),
                {m.id: dict(members[m.id].meta) for m in g.members},
                [side_view(members[m.id], (), names) for m in g.members[:ROWS]],
            )
            for g in groups
        ],
        lonely=[side_view(one, (), names) for one in lonely],
        alone=len(alone),
        prompt=prompt_of(stored[some[0]]) if some else "",
    )


def _score_counts(index: Index, where: Where) -> Any:  # noqa: ANN401
    whole = list(index.iter_vectors(where))
    if not whole:
        return [0] * BINS
    return score_counts(np.stack([row for _, row in whole]), [a.author for a, _ in whole])


def _findings(request: Request) -> PlagiarismResult | None:
    """Return the findings with what was decided, if they are there already."""
    served = served_by(request)
    job = findings_job(served)
    done = served.wait(job, PATIENCE) and job.error is None
    return served.with_decisions(job.get()) if done else None


def _views_of(
    found: PlagiarismResult | None, wanted: Callable[[Finding], bool], names: Pseudonyms | None
) -> list[FindingView]:
    """Return those findings that are wanted, numbered as among all."""
    return [
        _viewed(found, one, number, names)
        for number, one in enumerate(found.findings if found else [], 1)
        if found and wanted(one)
    ]


def _viewed(
    found: PlagiarismResult, one: Finding, number: int, names: Pseudonyms | None
) -> FindingView:
    return finding_view(
        one,
        found.texts[one.left],
        found.texts[one.right],
        number=number,
        names=names,
        decision=found.decisions.get((one.left, one.right)),
    )


# -- answer, upload, REST --------------------------------------------------------------------------


@pages.get("/answer")
def answer_page(request: Request, id: str) -> HTMLResponse:
    """Show one answer: its passages, what is near it, its findings, its cluster."""
    served = served_by(request)
    with served.reading() as index:
        (answer,) = index.get([id])
        key = index.store.get([id])[id].key
        passages = [(start, end) for _, start, end, _ in index.store.passages_of([key])]
        near = index.search_like(id, NEAR)
    names, found = _names(request), _findings(request)
    mine = _views_of(found, lambda one: id in (one.left, one.right), names)
    clusters = clusters_job(served, Where(answer.question or ""), "all")
    cluster = None
    if served.wait(clusters, PATIENCE) and clusters.error is None:
        cluster = next(
            (one for one in clusters.get().clusters if any(m.id == id for m in one.members)), None
        )
    return _page(
        request,
        "answer.html",
        answer=answer,
        view=side_view(answer, (), names),
        passages=passages,
        near=_hit_views(request, near),
        findings=mine,
        done=found is not None,
        cluster=cluster,
    )


@pages.get("/upload")
def upload_page(request: Request) -> HTMLResponse:
    """Send a file, confirm its columns, watch it being indexed."""
    return _page(request, "upload.html")


@pages.get("/docs")
def docs_page(request: Request) -> HTMLResponse:
    """Describe the REST interface, from its OpenAPI document."""
    document = request.app.openapi()

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        found: Any = document
        for part in schema["$ref"].split("/")[1:] if "$ref" in schema else []:
            found = found[part]
        return found if "$ref" in schema else schema

    calls = [
        {"path": path, "method": method.upper(), **about}
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    ]
    return _page(
        request, "docs.html", calls=calls, document=document, resolve=resolved, type_of=_type_of
    )


def _type_of(schema: dict[str, Any]) -> str:
    """Say a schema's type in a few words."""
    if "anyOf" in schema:
        return " or ".join(_type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    limits = [
        f"{sign} {schema[key]:,}"
        for key, sign in [("minimum", "from"), ("maximum", "to")]
        if key in schema
    ]
    of = f" of {_type_of(schema['items'])}" if "items" in schema else ""
    return " ".join([str(schema.get("type", "anything")) + of, *limits])

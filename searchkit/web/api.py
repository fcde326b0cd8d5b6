"""The REST interface: the queries of the command line as JSON, uploads and review decisions.

Endpoints return their JSON directly, so that a large result isn't validated again; their
`response_model` describes it in `/openapi.json`, and the tests compare both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import TypeAdapter

from searchkit.clustering.clusters import cluster, map_points
from searchkit.clustering.methods import ClusterMethod
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import FILE_FIELDS, By
from searchkit.core.where import Attempts, Where
from searchkit.grading.audit import audit_grades
from searchkit.grading.evaluate import evaluate_grades
from searchkit.grading.suggest import grade
from searchkit.index.decisions import decide, decide_all, decisions, take_back
from searchkit.index.folder import Index
from searchkit.index.query import Mode
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify
from searchkit.mining.pairs import mine
from searchkit.output.grades import describe_learning
from searchkit.output.plagiarism import findings
from searchkit.output.search import answer_as_record, hits_as_records
from searchkit.web.background.comparison import chance_job, compare_in
from searchkit.web.index_pool import clusters_job, findings_job, pool_of
from searchkit.web.jobs import Job, Result
from searchkit.web.rendering import (
    hidden_pair,
    hidden_point,
    map_point,
    original,
    original_note,
    pseudonyms,
)
from searchkit.web.schemas import analysis, corpus
from searchkit.web.schemas.requests import (
    NOT_YET,
    PROBLEMS,
    NewColumns,
    NewDecision,
    NewDecisions,
)

MAX_HITS = 1_000
MAX_ANSWERS = 1_000
MAX_PAIRS = 10_000
MAX_COLUMN_NAME = 200  # characters
DEFAULT_WAIT = 25.0  # seconds that a request waits for a result before it is answered "not yet"

api = APIRouter(prefix="/api", responses=PROBLEMS)

QueryText = Annotated[str, Query(description="What to look for.")]
Question = Annotated[str | None, Query(description="Only answers to this question; empty: none.")]
Author = Annotated[str | None, Query(description="Only answers by this author; empty: by none.")]
Sql = Annotated[
    str | None, Query(alias="where", description="Only answers for which this SQL holds.")
]
WhichAttempts = Annotated[Attempts | None, Query(description="Which attempts count; the latest.")]
AnswerId = Annotated[str, Query(description="An answer's id.")]
HitCount = Annotated[int, Query(ge=1, le=MAX_HITS, description="Number of hits.")]
MarkColumn = Annotated[str, Query(description="The column with the marks.")]
Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait before “not yet”.")]
_RECORD: TypeAdapter[Any] = TypeAdapter(Any)


async def read_filters(
    question: Question = None, author: Author = None, where: Sql = None
) -> Where:
    """Return which answers a query means; `async`, so that it takes no thread."""
    return Where(question, author, where)


Filters = Annotated[Where, Depends(read_filters)]


async def read_attempt_filters(filters: Filters, attempts: WhichAttempts = None) -> Where:
    """Return which answers a query means, and which of their attempts."""
    return replace(filters, attempts=attempts)


AttemptFilters = Annotated[Where, Depends(read_attempt_filters)]


def json_response(record: object) -> Response:
    """Return a record of plain JSON types as a response."""
    return Response(_RECORD.dump_json(record), media_type="application/json")


def when_done(
    request: Request, job: Job[Result], wait: float, as_record: Callable[[Result], object]
) -> Response:
    """Return a job's result as JSON, or its progress if it hasn't finished after `wait` seconds."""
    if not pool_of(request).wait(job, wait):
        return JSONResponse({"done": job.done, "total": job.total}, 202)
    return json_response(as_record(job.get()))


# -- searching and reading -------------------------------------------------------------------------


@api.get("/status", tags=["index"], response_model=corpus.Status)
def read_status(request: Request) -> Response:
    """Describe what the index holds, in numbers."""
    with pool_of(request).reading() as index:
        return json_response(
            status(index) | {"index": index.path.resolve().name, "revision": index.revision}
        )


@api.get("/verify", tags=["index"], response_model=corpus.Verification, responses=NOT_YET)
def read_verify(request: Request, wait: Wait = DEFAULT_WAIT) -> Response:
    """Check everything but the full text, which `searchkit verify` checks."""
    job = pool_of(request).job("verify", lambda index, _: verify(index), "delivered")
    return when_done(
        request, job, wait, lambda problems: {"sound": not problems, "problems": problems}
    )


@api.get("/search", tags=["answers"], response_model=corpus.SearchResult)
def search(
    request: Request,
    q: QueryText,
    filters: Filters,
    n: HitCount = 10,
    mode: Mode = "semantic",
) -> Response:
    """Find the nearest answers: by meaning, by words, or by both."""
    hits = pool_of(request).search(q, n, mode, filters)
    return json_response(hits_as_records([q], [hits])[0])


@api.get("/answers", tags=["answers"], response_model=corpus.AnswerPage)
def read_answers(
    request: Request,
    filters: Filters,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_ANSWERS)] = 100,
) -> Response:
    """Return answers, in the order in which they were added."""
    with pool_of(request).reading() as index:
        answers = islice(index.answers(filters), offset, offset + limit + 1)
        rows = [answer_as_record(answer) for answer in answers]
        del answers  # it holds a statement of the reader open
    return json_response({"answers": rows[:limit], "more": len(rows) > limit})


@api.get("/answer", tags=["answers"], response_model=corpus.AnswerWithPassages)
def read_answer(request: Request, id: AnswerId) -> Response:
    """Return one answer, and the passages into which it was cut."""
    with pool_of(request).reading() as index:
        stored = index.get_stored(id)
    passages = [[passage.start, passage.end] for passage in stored.passages]
    return json_response(answer_as_record(stored.answer) | {"passages": passages})


@api.get("/like", tags=["answers"], response_model=corpus.SimilarAnswers)
def read_like(request: Request, id: AnswerId, filters: Filters, n: HitCount = 10) -> Response:
    """Find the answers nearest to one that is in the index."""
    with pool_of(request).reading() as index:
        hits = index.search_like(id, n, filters)
    return json_response({"id": id, "hits": hits_as_records([""], [hits])[0]["hits"]})


# -- pairs, findings, clusters, grades -------------------------------------------------------------


@api.get("/pairs", tags=["analysis"], response_model=analysis.Pairs, responses=NOT_YET)
def read_pairs(
    request: Request,
    filters: AttemptFilters,
    threshold: Annotated[float, Query(ge=-1, le=1)] = 0.8,
    by: By | None = None,
    max_pairs: Annotated[int, Query(ge=0, le=MAX_PAIRS)] = 1_000,
    wait: Wait = DEFAULT_WAIT,
) -> Response:
    """Find the pairs of similar answers, best first; `total` is the number of all such pairs."""

    def compute(index: Index, progress: Progress) -> dict[str, Any]:
        mined = mine(index, threshold, by=by, where=filters, max_pairs=max_pairs, progress=progress)
        pairs = [
            {"left": pair.left, "right": pair.right, "score": pair.score} for pair in mined.pairs()
        ]
        return {"equal": mined.equal, "pairs": pairs, "total": mined.total}

    job = pool_of(request).job(("pairs", threshold, by, max_pairs, filters), compute)
    return when_done(request, job, wait, lambda pairs: pairs)


@api.get("/findings", tags=["review"], response_model=analysis.Findings, responses=NOT_YET)
def read_findings(
    request: Request,
    fdr: Annotated[float | None, Query(gt=0, le=1)] = None,
    wait: Wait = DEFAULT_WAIT,
) -> Response:
    """Find the pairs that chance doesn't explain, and groups of students, with their decisions.

    With `fdr`, as many pairs are listed as keep the share of those by chance at most so high.
    """
    pool = pool_of(request)
    job = findings_job(pool, fdr)
    return when_done(request, job, wait, lambda found: pool.with_decisions(found).to_record())


@api.get("/compare", tags=["review"], response_model=analysis.ComparedPair)
def read_compare(request: Request, left: AnswerId, right: AnswerId) -> Response:
    """Compare two answers: what they share, and how many such pairs chance would produce."""
    pool = pool_of(request)
    job = chance_job(pool, left, right)
    pool.wait(job, DEFAULT_WAIT)
    comparison = compare_in(pool, left, right, job)
    return json_response(comparison.to_record() | {"pairs": comparison.pairs})


@api.get("/clusters", tags=["analysis"], response_model=analysis.Clusters, responses=NOT_YET)
def read_clusters(
    request: Request,
    filters: AttemptFilters,
    by: By | None = None,
    method: ClusterMethod = "communities",
    wait: Wait = DEFAULT_WAIT,
) -> Response:
    """Group the answers that say the same."""
    job = clusters_job(pool_of(request), filters, by, method)
    return when_done(
        request,
        job,
        wait,
        lambda found: {
            "clusters": found.to_records(),
            "answers": found.answers,
            "blank": found.blank,
        },
    )


@api.get("/map", tags=["analysis"], response_model=analysis.Map, responses=NOT_YET)
def read_map(request: Request, question: Question = None, wait: Wait = DEFAULT_WAIT) -> Response:
    """Place answers on a plane, similar ones side by side, with the names of their clusters."""
    where = Where(question and original(request, "question", question))
    names = pseudonyms(request)

    def compute(index: Index, progress: Progress) -> list[dict[str, Any]]:
        clusters = cluster(index, by="all", where=where, progress=progress)
        answers, places, names = map_points(index, clusters, where=where)
        return [
            map_point(answer, (float(x), float(y)), name)
            for answer, (x, y), name in zip(answers, places, names, strict=True)
        ]

    job = pool_of(request).job(("map", where), compute)
    return when_done(
        request, job, wait, lambda points: {"points": [hidden_point(p, names) for p in points]}
    )


@api.get("/grades", tags=["analysis"], response_model=analysis.Suggestions, responses=NOT_YET)
def read_grades(
    request: Request, column: MarkColumn, filters: AttemptFilters, wait: Wait = DEFAULT_WAIT
) -> Response:
    """Suggest marks for the ungraded answers from the graded ones."""
    job = pool_of(request).job(
        ("grades", column, filters),
        lambda index, progress: grade(index, column, where=filters, progress=progress),
        "anything changes",
    )
    return when_done(
        request,
        job,
        wait,
        lambda graded: {
            "suggestions": graded.to_records(),
            "said": list(describe_learning(graded)),
        },
    )


@api.get(
    "/grades/evaluation", tags=["analysis"], response_model=analysis.Evaluation, responses=NOT_YET
)
def read_evaluation(request: Request, column: MarkColumn, wait: Wait = DEFAULT_WAIT) -> Response:
    """Measure suggested marks on held-out answers."""
    job = pool_of(request).job(
        ("evaluation", column),
        lambda index, progress: evaluate_grades(index, column, progress=progress),
        "anything changes",
    )
    return when_done(request, job, wait, lambda found: found.to_record())


@api.get("/grades/audit", tags=["analysis"], response_model=analysis.Audit, responses=NOT_YET)
def read_audit(request: Request, column: MarkColumn, wait: Wait = DEFAULT_WAIT) -> Response:
    """Look for inconsistent marks: similar answers with different ones, and outliers."""
    job = pool_of(request).job(
        ("audit", column),
        lambda index, progress: audit_grades(index, column, progress=progress),
        "anything changes",
    )
    return when_done(request, job, wait, lambda audit: {"found": audit.to_records()})


# -- writing ---------------------------------------------------------------------------------------


@api.get("/decisions", tags=["review"], response_model=analysis.Decisions)
def read_decisions(request: Request) -> Response:
    """Return the last decision about each pair, oldest first."""
    with pool_of(request).reading() as index:
        records = [findings.decision_as_record(decision) for decision in decisions(index).values()]
    return json_response({"decisions": records})


@api.post("/decisions", tags=["review"], response_model=analysis.Decision)
def add_decision(request: Request, new: NewDecision) -> Response:
    """Decide about two answers; the decision is on the disk when this returns."""
    left, right = (original(request, "answer", name) for name in (new.left, new.right))
    with pool_of(request).writing() as index:
        note = original_note(request, new.reason, _stored_notes(index))
        decision = decide(index, left, right, new.decision, note)
    return json_response(hidden_pair(findings.decision_as_record(decision), pseudonyms(request)))


@api.post("/decisions/group", tags=["review"], response_model=analysis.Decisions)
def add_decisions(request: Request, new: NewDecisions) -> Response:
    """Decide about several pairs, such as those of a group of students: about all, or none."""
    real = partial(original, request, "answer")
    pairs = [(real(left), real(right)) for left, right in new.pairs]
    with pool_of(request).writing() as index:
        note = original_note(request, new.reason, _stored_notes(index))
        stored = decide_all(index, pairs, new.decision, note)
    names = pseudonyms(request)
    records = (hidden_pair(findings.decision_as_record(decision), names) for decision in stored)
    return json_response({"decisions": list(records)})


def _stored_notes(index: Index) -> list[str]:
    return [decision.reason for decision in decisions(index).values()]


@api.delete("/decisions", tags=["review"], response_model=analysis.TakenBack)
def drop_decision(
    request: Request,
    number: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    through: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Take back a decision, by default the last one; the pair's earlier decision counts again.

    With `through`, all decisions from `number` to that one: those of a group.
    """
    with pool_of(request).writing() as index:
        pair = take_back(index, number, through)
    taken = pair and hidden_pair({"left": pair[0], "right": pair[1]}, pseudonyms(request))
    return json_response({"taken_back": taken})


@api.post("/notes", tags=["answers"], response_model=corpus.Changed)
def add_notes(request: Request, notes: NewColumns) -> Response:
    """Write into columns of some answers, such as a mark and a comment for a whole group."""
    for name in notes.columns:
        is_taken = name.strip().lower() in {*FILE_FIELDS, "key"}
        if not name.strip() or is_taken or not name.isprintable() or len(name) > MAX_COLUMN_NAME:
            raise BadInput(f"{name!r} is no column to write into; name one of its own")
    ids = [original(request, "answer", name) for name in notes.ids]
    with pool_of(request).writing() as index:
        changed = index.update_columns(dict.fromkeys(ids, notes.columns))
    return json_response({"changed": changed})

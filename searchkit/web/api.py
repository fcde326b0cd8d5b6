"""The REST interface: what the command line reads, as JSON, and what people decide."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from searchkit.clustering.clusters import ClusterResult, cluster, map_points
from searchkit.clustering.methods import ClusterMethod
from searchkit.core.errors import BadInput
from searchkit.core.progress import Progress
from searchkit.core.records import Answer, By
from searchkit.core.where import Where
from searchkit.grading.audit import audit_grades
from searchkit.grading.evaluate import evaluate_grades
from searchkit.grading.suggest import grade
from searchkit.index.decisions import decide, decisions, take_back
from searchkit.index.folder import Index
from searchkit.index.query import Mode
from searchkit.index.upkeep.status import status
from searchkit.index.upkeep.verify import verify
from searchkit.mining.pairs import mine
from searchkit.output import findings
from searchkit.output.grades import (
    what_was_learned,
)
from searchkit.output.search import answer_as_record, hits_as_records
from searchkit.plagiarism.find import PlagiarismResult, compare, find_plagiarism
from searchkit.web.jobs import Job
from searchkit.web.schemas import NOT_YET, PROBLEMS, Computing, FileColumns, NewDecision, Notes
from searchkit.web.served import Served
from searchkit.web.uploads import Reading, Upload, Uploads

MOST_HITS = 1_000
MOST_ROWS = 1_000
HOVER = 300  # characters of an answer on the map
LONGEST_NAME = 200  # characters of a column's name
WAIT = 25.0  # seconds that an answer may take before it is "not yet"
api = APIRouter(prefix="/api", responses=PROBLEMS)
Text = Annotated[str, Query(description="What to look for.")]
Question = Annotated[
    str | None, Query(description="Only answers to this question; empty: to none.")
]
Author = Annotated[str | None, Query(description="Only answers by this author; empty: by none.")]
Sql = Annotated[str | None, Query(alias="where", description="Only answers for which this holds.")]
Ident = Annotated[str, Query(description="An answer's id.")]
Column = Annotated[str, Query(description="The column with the marks.")]
Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait before “not yet”.")]


def served_by(request: Request) -> Served:
    """Return the index behind a request."""
    return cast(Served, request.app.state.served)


def _uploads(request: Request) -> Uploads:
    return cast(Uploads, request.app.state.uploads)


# -- searching and reading -------------------------------------------------------------------------


@api.get("/status", tags=["index"])
def read_status(request: Request) -> dict[str, Any]:
    """Say what the index holds, in numbers."""
    with served_by(request).reading() as index:
        return status(index) | {"index": index.path.resolve().name, "revision": index.revision}


@api.get("/verify", tags=["index"], responses=NOT_YET)
def read_verify(request: Request, wait: Wait = WAIT) -> Any:  # noqa: ANN401
    """Check everything but the full text, for which `searchkit verify` is there."""
    job = served_by(request).job("verify", lambda index, _: verify(index), "telling")
    return _when_done(request, job, wait, lambda found: {"sound": not found, "problems": found})


@api.get("/search", tags=["answers"])
def search(
    request: Request,
    q: Text,
    n: Annotated[int, Query(ge=1, le=MOST_HITS)] = 10,
    mode: Mode = "semantic",
    question: Question = None,
    author: Author = None,
    where: Sql = None,
) -> dict[str, Any]:
    """Find the nearest answers: by meaning, by words, or by both."""
    hits = served_by(request).search(q, n, mode, Where(question, author, where))
    return hits_as_records([q], [hits])[0]


@api.get("/answers", tags=["answers"])
def read_answers(
    request: Request,
    question: Question = None,
    author: Author = None,
    where: Sql = None,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
) -> dict[str, Any]:
    """Return answers, in the order in which they came."""
    asked = Where(question, author, where)
    with served_by(request).reading() as index:
        found = islice(index.answers(asked), offset, offset + limit + 1)
        rows = [answer_as_record(one) for one in found]
        del found  # it holds the reader's statement open
    return {"answers": rows[:limit], "more": len(rows) > limit}


@api.get("/answer", tags=["answers"])
def read_answer(request: Request, id: Ident) -> dict[str, Any]:
    """Return one answer, and the passages that it was cut into."""
    with served_by(request).reading() as index:
        (answer,) = index.get([id])
        key = index.store.get([id])[id].key
        passages = [[start, end] for _, start, end, _ in index.store.passages_of([key])]
    return answer_as_record(answer) | {"passages": passages}


@api.get("/like", tags=["answers"])
def read_like(
    request: Request,
    id: Ident,
    n: Annotated[int, Query(ge=1, le=MOST_HITS)] = 10,
    question: Question = None,
    author: Author = None,
    where: Sql = None,
) -> dict[str, Any]:
    """Find the answers nearest to one that is in the index."""
    with served_by(request).reading() as index:
        hits = index.search_like(id, n, Where(question, author, where))
    return {"id": id} | {"hits": hits_as_records([""], [hits])[0]["hits"]}


# -- pairs, findings, clusters, grades -------------------------------------------------------------


@api.get("/pairs", tags=["analysis"], responses=NOT_YET)
def read_pairs(
    request: Request, threshold: Annotated[float, Query(ge=-1, le=1)] = 0.8, by: By | None = None,
    max_pairs: Annotated[int, Query(ge=0, le=10_000)] = 1_000, question: Question = None,
    author: Author = None, where: Sql = None, wait: Wait = WAIT,
) -> Any:  # fmt: skip  # noqa: ANN401
    """Find the pairs of answers that say the same, best first; `total` says how many there are."""
    asked = Where(question, author, where)

    def compute(index: Index, progress: Progress) -> dict[str, Any]:
        found = mine(index, threshold, by=by, where=asked, max_pairs=max_pairs, progress=progress)
        pairs = [{"left": p.left, "right": p.right, "score": p.score} for p in found.pairs()]
        return {"equal": found.equal, "pairs": pairs, "total": found.total}

    job = served_by(request).job(("pairs", threshold, by, max_pairs, asked), compute)
    return _when_done(request, job, wait, lambda found: found)


def findings_job(served: Served) -> Job[PlagiarismResult]:
    """Return the findings of the whole index, or how far they are."""
    return served.job("findings", lambda index, progress: find_plagiarism(index, progress=progress))


@api.get("/findings", tags=["review"], responses=NOT_YET)
def read_findings(request: Request, wait: Wait = WAIT) -> Any:  # noqa: ANN401
    """Find the pairs that chance doesn't explain, and the rings; with what was decided."""
    served = served_by(request)
    job = findings_job(served)
    return _when_done(
        request,
        job,
        wait,
        lambda found: served.with_decisions(found).to_record(),
    )


@api.get("/compare", tags=["review"])
def read_compare(request: Request, left: Ident, right: Ident) -> dict[str, Any]:
    """Put two answers side by side: what they share, and how surprising that is."""
    with served_by(request).reading() as index:
        compared = compare(index, left, right)
    return compared.to_record() | {"pairs": compared.pairs}


def clusters_job(
    served: Served, where: Where, by: By | None = None, method: ClusterMethod = "communities"
) -> Job[ClusterResult]:
    """Return the clusters of some answers, or how far they are."""
    return served.job(
        ("clusters", where, by, method),
        lambda index, progress: cluster(
            index, by=by, method=method, where=where, progress=progress
        ),
    )


@api.get("/clusters", tags=["analysis"], responses=NOT_YET)
def read_clusters(
    request: Request, by: By | None = None, method: ClusterMethod = "communities",
    question: Question = None, author: Author = None, where: Sql = None, wait: Wait = WAIT,
) -> Any:  # fmt: skip  # noqa: ANN401
    """Group the answers that say the same."""
    job = clusters_job(served_by(request), Where(question, author, where), by, method)
    return _when_done(
        request,
        job,
        wait,
        lambda found: {
            "clusters": found.to_records(),
            "answers": found.answers,
            "blank": found.blank,
        },
    )


@api.get("/map", tags=["analysis"], responses=NOT_YET)
def read_map(request: Request, question: Question = None, wait: Wait = WAIT) -> Any:  # noqa: ANN401
    """Place answers on a plane, near ones side by side; clusters by their names."""
    served, where = served_by(request), Where(question)

    def compute(index: Index, progress: Progress) -> list[dict[str, Any]]:
        found = cluster(index, by="all", where=where, progress=progress)
        answers, places, names = map_points(index, found, where=where)
        return [
            {
                "id": answer.id,
                "author": answer.author,
                "text": answer.text[:HOVER],
                "x": round(float(x), 4),
                "y": round(float(y), 4),
                "cluster": name,
            }
            for answer, (x, y), name in zip(answers, places, names, strict=True)
        ]

    return _when_done(
        request, served.job(("map", where), compute), wait, lambda points: {"points": points}
    )


@api.get("/grades", tags=["analysis"], responses=NOT_YET)
def read_grades(
    request: Request, column: Column, question: Question = None, author: Author = None,
    where: Sql = None, wait: Wait = WAIT,
) -> Any:  # fmt: skip  # noqa: ANN401
    """Suggest marks for the ungraded answers from the graded ones."""
    asked = Where(question, author, where)
    job = served_by(request).job(
        ("grades", column, asked),
        lambda index, progress: grade(index, column, where=asked, progress=progress),
        "change",
    )
    return _when_done(
        request,
        job,
        wait,
        lambda found: {
            "suggestions": found.to_records(),
            "said": list(what_was_learned(found)),
        },
    )


@api.get("/grades/evaluation", tags=["analysis"], responses=NOT_YET)
def read_evaluation(request: Request, column: Column, wait: Wait = WAIT) -> Any:  # noqa: ANN401
    """Measure suggested marks on held-out answers."""
    job = served_by(request).job(
        ("evaluation", column),
        lambda index, progress: evaluate_grades(index, column, progress=progress),
        "change",
    )
    return _when_done(request, job, wait, lambda found: found.to_record())


@api.get("/grades/audit", tags=["analysis"], responses=NOT_YET)
def read_audit(request: Request, column: Column, wait: Wait = WAIT) -> Any:  # noqa: ANN401
    """Look for marks that don't go together."""
    job = served_by(request).job(
        ("audit", column),
        lambda index, progress: audit_grades(index, column, progress=progress),
        "change",
    )
    return _when_done(request, job, wait, lambda found: {"found": found.to_records()})


# -- writing ---------------------------------------------------------------------------------------


@api.get("/decisions", tags=["review"])
def read_decisions(request: Request) -> dict[str, Any]:
    """Return what was decided last about each pair, in the order of deciding."""
    with served_by(request).reading() as index:
        return {
            "decisions": [findings.decision_as_record(one) for one in decisions(index).values()]
        }


@api.post("/decisions", tags=["review"])
def add_decision(request: Request, new: NewDecision) -> dict[str, Any]:
    """Decide about two answers; it is kept when this answers."""
    with served_by(request).writing() as index:
        return findings.decision_as_record(
            decide(index, new.left, new.right, new.decision, new.reason)
        )


@api.delete("/decisions", tags=["review"])
def drop_decision(
    request: Request, number: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> dict[str, Any]:
    """Take a decision back, or the last one; what the pair had before counts again."""
    with served_by(request).writing() as index:
        pair = take_back(index, number)
    return {"taken_back": pair and {"left": pair[0], "right": pair[1]}}


@api.post("/notes", tags=["answers"])
def add_notes(request: Request, notes: Notes) -> dict[str, int]:
    """Write into columns of some answers, such as a mark and a comment for a whole group."""
    for name in notes.columns:
        is_taken = name.strip().lower() in {*Answer.__slots__, "key"}
        if not name.strip() or is_taken or not name.isprintable() or len(name) > LONGEST_NAME:
            raise BadInput(f"{name!r} is no column to write into; name one of its own")
    with served_by(request).writing() as index:
        return {"changed": index.update_columns(dict.fromkeys(notes.ids, notes.columns))}


@api.put(
    "/uploads",
    tags=["index"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def receive_upload(request: Request, name: Annotated[str, Query()]) -> dict[str, Any]:
    """Take a file, as the body, and give what its columns are taken for; nothing is added yet."""
    uploads = _uploads(request)
    upload = await uploads.receive(name, request.stream())
    return await run_in_threadpool(_looked_at, uploads, upload, Reading())


@api.post("/uploads/{key}/look", tags=["index"])
def look_at_upload(request: Request, key: str, said: FileColumns) -> dict[str, Any]:
    """Say what the file's answers are when its columns are taken for these."""
    uploads = _uploads(request)
    return _looked_at(uploads, uploads.get(key), said.reading())


@api.post("/uploads/{key}", tags=["index"], status_code=202)
def ingest_upload(request: Request, key: str, said: FileColumns) -> Computing:
    """Begin to put the file into the index."""
    uploads = _uploads(request)
    job = uploads.ingest(
        uploads.get(key),
        served_by(request),
        said.reading(),
        said.on_duplicate,
        keep_going=said.keep_going,
    )
    return Computing(done=job.done, total=job.total)


@api.get("/uploads/{key}", tags=["index"], responses=NOT_YET)
def read_upload(request: Request, key: str, wait: Wait = 0) -> Any:  # noqa: ANN401
    """Say how far a file is, or what became of it."""
    upload = _uploads(request).get(key)
    if upload.job is None:
        raise BadInput(f"{upload.name} waits to be confirmed")
    return _when_done(request, upload.job, wait, lambda done: done)


def _looked_at(uploads: Uploads, upload: Upload, reading: Reading) -> dict[str, Any]:
    seen = uploads.look(upload, reading)
    return {
        "id": upload.id,
        "name": upload.name,
        "bytes": upload.size,
        "columns": list(seen.names),
        "roles": seen.roles,
        "answers": [answer_as_record(answer) for answer in seen.answers],
        "problem": seen.problem,
    }


def _when_done(request: Request, job: Job[Any], wait: float, record: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """Return what a job gave as a record, or after so many seconds how far it is."""
    if not served_by(request).wait(job, wait):
        return JSONResponse({"done": job.done, "total": job.total}, 202)
    return record(job.get())

"""Uploads in the REST interface: a file is sent, looked at, checked, and its answers are added."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from searchkit.core.errors import BadInput
from searchkit.output.search import answer_as_record
from searchkit.sources.files import FileOptions
from searchkit.web.api import DEFAULT_WAIT, Wait, json_response, when_done
from searchkit.web.index_pool import pool_of
from searchkit.web.schemas import corpus
from searchkit.web.schemas.requests import NOT_YET, PROBLEMS, Computing, UploadOptions
from searchkit.web.uploads.store import Upload, Uploads

uploads_api = APIRouter(prefix="/api", responses=PROBLEMS)


def _uploads(request: Request) -> Uploads:
    return cast(Uploads, request.app.state.uploads)


@uploads_api.put(
    "/uploads",
    tags=["index"],
    response_model=corpus.UploadPreview,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def receive_upload(request: Request, name: Annotated[str, Query()]) -> Response:
    """Receive a file, as the body, and return how its columns are read; nothing is added yet."""
    uploads = _uploads(request)
    upload = await uploads.receive(name, request.stream())
    return await run_in_threadpool(_preview, request, upload, FileOptions())


@uploads_api.post("/uploads/{key}/look", tags=["index"], response_model=corpus.UploadPreview)
def look_at_upload(request: Request, key: str, options: UploadOptions) -> Response:
    """Return the file's first answers when it is read with these options."""
    return _preview(request, _uploads(request).get(key), options.file_options())


@uploads_api.post(
    "/uploads/{key}/check", tags=["index"], response_model=corpus.IngestReport, responses=NOT_YET
)
def check_upload(
    request: Request, key: str, options: UploadOptions, wait: Wait = DEFAULT_WAIT
) -> Response:
    """Return what adding the file's answers would do; nothing is written."""
    uploads = _uploads(request)
    job = uploads.check(
        uploads.get(key), pool_of(request), options.file_options(), options.choices()
    )
    return when_done(request, job, wait, lambda report: report)


@uploads_api.post("/uploads/{key}", tags=["index"], status_code=202)
def ingest_upload(request: Request, key: str, options: UploadOptions) -> Computing:
    """Start adding the file's answers to the index."""
    uploads = _uploads(request)
    job = uploads.ingest(
        uploads.get(key),
        pool_of(request),
        options.file_options(),
        options.choices(),
        keep_going=options.keep_going,
    )
    return Computing(done=job.done, total=job.total)


@uploads_api.get(
    "/uploads/{key}", tags=["index"], response_model=corpus.IngestReport, responses=NOT_YET
)
def read_upload(request: Request, key: str, wait: Wait = 0) -> Response:
    """Return the progress of adding a file, or its result."""
    upload = _uploads(request).get(key)
    if upload.job is None:
        raise BadInput(f"{upload.name} hasn't been confirmed yet")
    return when_done(request, upload.job, wait, lambda report: report)


def _preview(request: Request, upload: Upload, options: FileOptions) -> Response:
    preview = _uploads(request).preview(upload, pool_of(request), options)
    return json_response(
        {
            "id": upload.id,
            "name": upload.name,
            "bytes": upload.size,
            "columns": list(preview.names),
            "roles": preview.roles,
            "layout": preview.layout,
            "answers": [answer_as_record(answer) for answer in preview.answers],
            "problem": preview.problem,
        }
    )

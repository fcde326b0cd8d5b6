"""The local web application: pages and REST interface over one index, behind the guard."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from searchkit._version import __version__
from searchkit.core.errors import (
    BadInput,
    IndexBusy,
    IndexNotFound,
    MissingExtra,
    NotFound,
    SearchkitError,
    StorageFailed,
)
from searchkit.core.messages import printable
from searchkit.grading.marking.scale import MarkRefused
from searchkit.plagiarism.compare import prepare_comparing
from searchkit.web.api import api
from searchkit.web.background.ahead import Task, WorkAhead
from searchkit.web.background.api import jobs_api
from searchkit.web.background.traffic import TrafficCounter
from searchkit.web.downloads.marks import downloads
from searchkit.web.grading.api import grading
from searchkit.web.grading.pages import grading_pages
from searchkit.web.grading.questions import prepare_grouping
from searchkit.web.grading.suggestions import suggestions
from searchkit.web.guard import IDLE_TIMEOUT, SECURITY_HEADERS, Guard
from searchkit.web.index_pool import IndexPool, findings_job
from searchkit.web.jobs import describe_error
from searchkit.web.messages import with_fields
from searchkit.web.pages.facets import facets_job
from searchkit.web.pages.groups import layout_ahead
from searchkit.web.pages.routes import pages
from searchkit.web.rendering import error_page, names_job, plotly_script, without_names
from searchkit.web.review.pages import review_pages
from searchkit.web.static import STATIC_FOLDER, KeptFiles, kept_address
from searchkit.web.uploads.api import uploads_api
from searchkit.web.uploads.store import Uploads

log = logging.getLogger("searchkit")
REST = (api, jobs_api, uploads_api, downloads, grading, suggestions)  # what is offered as JSON
MAX_UPLOAD_BYTES = 200_000_000
UPLOAD_PATH = "/api/uploads"
AHEAD: list[Task] = [
    facets_job,
    names_job,
    prepare_grouping,  # loads much, which takes three times as long beside the search
    findings_job,
    layout_ahead,
    lambda pool: pool.job("comparing", lambda index, _: prepare_comparing(index)),
]
STATUS_CODES: list[tuple[type[SearchkitError], int]] = [
    (NotFound, 404),
    (MarkRefused, 422),
    (BadInput, 400),
    (MissingExtra, 400),
    (IndexBusy, 503),
    (IndexNotFound, 503),
    (StorageFailed, 507),
]


def create_app(
    folder: str | Path,
    *,
    token: str | None = None,
    max_upload_bytes: int = MAX_UPLOAD_BYTES,
    idle_timeout: float = IDLE_TIMEOUT,
    works_ahead: bool = False,
) -> FastAPI:
    """Return the application over an index.

    Args:
        folder: Folder of the index.
        token: The token that requests must carry; None: only this machine may send requests.
        max_upload_bytes: Largest size of an upload.
        idle_timeout: Seconds without a byte after which the body of a request is given up.
        works_ahead: Whether findings and what lists need are computed before anybody asks, from the
            start on and after every change.

    Raises:
        SearchkitError: as `Index.open`.
    """
    pool, uploads = IndexPool.open(Path(folder)), Uploads()
    ahead = WorkAhead(pool, AHEAD if works_ahead else ())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ahead.start()
        yield
        ahead.stop()
        uploads.close()
        pool.close()

    app = FastAPI(
        title="searchkit",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        description="The queries of the command line as JSON, uploads and review decisions.",
    )
    app.state.pool = pool
    app.state.uploads = uploads
    app.state.is_local = token is None
    for router in (*REST, pages, review_pages, grading_pages):
        app.include_router(router)
    app.add_api_route("/static/plotly.js", plotly_script, include_in_schema=False)
    app.mount(kept_address(), KeptFiles(directory=STATIC_FOLDER))
    app.mount("/static", StaticFiles(directory=STATIC_FOLDER))
    app.add_exception_handler(SearchkitError, _on_searchkit_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_internal_error)
    app.add_middleware(TrafficCounter, traffic=pool.traffic)
    app.add_middleware(
        Guard,
        token=token,
        upload_path=UPLOAD_PATH,
        max_upload_bytes=max_upload_bytes,
        idle_timeout=idle_timeout,
    )
    return app


# -- errors: one line, never a traceback -----------------------------------------------------------


def _error_response(request: Request, status: int, reason: str) -> Response:
    """Return an error as JSON, or as a page where a page was requested."""
    reason = printable(reason.encode("utf-8", "replace").decode())  # it may quote what was sent
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": without_names(request, reason)}, status)
    return error_page(request, status, without_names(request, reason))


def _on_searchkit_error(request: Request, error: Exception) -> Response:
    codes = (code for kind, code in STATUS_CODES if isinstance(error, kind))
    assert isinstance(error, SearchkitError)
    return _error_response(request, next(codes, 503), with_fields(error.message))


def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    field = "the body" if first["type"] == "json_invalid" or not field else field
    return _error_response(request, 422, f"{field}: {first['msg'].removeprefix('Value error, ')}")


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _error_response(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _on_internal_error(request: Request, error: Exception) -> Response:
    log.error(
        "internal error at %s; please report it: %s",
        request.url.path,
        describe_error(error),
        exc_info=error,
    )
    response = _error_response(
        request, 500, "internal error; please report it; the server's log says where"
    )
    response.headers.update(SECURITY_HEADERS)  # this response doesn't pass through the guard
    return response

"""The local web application: pages and REST over one index, behind the guard."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
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
    NoSuchThing,
    SearchkitError,
    StorageFailed,
)
from searchkit.web.api import api
from searchkit.web.guard import HEADERS, Guard
from searchkit.web.jobs import where_it_went_wrong
from searchkit.web.pages import error_page, pages, plotly_script
from searchkit.web.served import Served
from searchkit.web.uploads import Uploads

log = logging.getLogger("searchkit")
MOST_BYTES = 200_000_000  # of an upload
STATIC = Path(str(resources.files("searchkit.pages"))) / "static"
UPLOADS = "/api/uploads"


def create_app(
    folder: str | Path, *, token: str | None = None, most_bytes: int = MOST_BYTES
) -> FastAPI:
    """Make the application over an index.

    Args:
        folder: The index's.
        token: What requests must know; None: answer this machine only.
        most_bytes: Of an upload.

    Raises:
        SearchkitError: as `Index.open`.
    """
    served, uploads = Served.open(Path(folder)), Uploads()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        uploads.close()
        served.close()

    app = FastAPI(
        title="searchkit",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        description="Everything that the command line reads, as JSON, and what people decide.",
    )
    app.state.served = served
    app.state.uploads = uploads
    app.include_router(api)
    app.include_router(pages)
    app.add_api_route("/static/plotly.js", plotly_script, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(SearchkitError, _for_the_user)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _our_mistake)
    app.add_middleware(Guard, token=token, upload_path=UPLOADS, most=most_bytes)
    return app


# -- errors: one line, never a traceback -----------------------------------------------------------


def _answer(request: Request, status: int, why: str) -> Response:
    why = why.encode("utf-8", "replace").decode()  # a name that was sent may hold a lone surrogate
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return error_page(request, status, why)


def _for_the_user(request: Request, error: Exception) -> Response:
    kinds: list[tuple[type[Exception], int]] = [
        (NoSuchThing, 404),
        (BadInput, 400),
        (MissingExtra, 400),
        (IndexBusy, 503),
        (IndexNotFound, 503),
        (StorageFailed, 507),
    ]
    status = next((status for kind, status in kinds if isinstance(error, kind)), 503)
    return _answer(request, status, str(error))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    where = "the body" if first["type"] == "json_invalid" or not where else where
    return _answer(request, 422, f"{where}: {first['msg'].removeprefix('Value error, ')}")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _answer(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _our_mistake(request: Request, error: Exception) -> Response:
    told = where_it_went_wrong(error)
    log.error("a mistake of ours at %s: %s", request.url.path, told, exc_info=error)
    # This answer doesn't pass the guard any more.
    answer = _answer(request, 500, "a mistake of ours; the server's log says where")
    answer.headers.update(HEADERS)
    return answer

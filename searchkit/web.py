"""The local web application: pages and REST over one index, behind the guard."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from searchkit._version import __version__
from searchkit.errors import (
    BadInput,
    IndexBusy,
    IndexNotFound,
    MissingExtra,
    SearchkitError,
    StorageFailed,
)
from searchkit.guard import LOOPBACK, Guard
from searchkit.served import Served
from searchkit.uploads import Uploads
from searchkit.webapi import api
from searchkit.webpages import error_page, pages, plotly_script

log = logging.getLogger("searchkit")

MOST_BYTES = 200_000_000  # of an upload
STATIC = Path(__file__).parent / "pages" / "static"
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
    served = Served.open(Path(folder))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        served.close()
        app.state.uploads.close()

    app = FastAPI(
        title="searchkit", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan,
        description="Everything that the command line reads, as JSON, and what people decide.",
    )  # fmt: skip
    app.state.served = served
    app.state.uploads = Uploads()
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


def serve(
    folder: Path, *, host: str | None, port: int, most_bytes: int, open_browser: bool,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """Serve until interrupted.

    Args:
        folder: The index's.
        host: The address to listen on; None for this machine alone. Any other needs the token that
            is in the address which `say` gets.
        port: To listen on; 0 takes a free one.
        most_bytes: Of an upload.
        open_browser: Whether to open the page.
        say: Gets the address.

    Raises:
        BadInput: if the address can't be listened on.
        SearchkitError: as `Index.open`.
    """
    import uvicorn

    host = host or LOOPBACK[0]
    token = None if host in LOOPBACK else secrets.token_urlsafe(24)
    listening = _listening(host, port)
    port = listening.getsockname()[1]
    app = create_app(folder, token=token, most_bytes=most_bytes)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/" + (f"?token={quote(token)}" if token else "")
    say(f"serving {folder} at {address}; stop with Ctrl+C")
    if open_browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    settings = uvicorn.Config(
        app, log_level="error", access_log=False, server_header=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    uvicorn.Server(settings).run([listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By the protocol asyncio knows what may be sent at once, without waiting for more (40 ms)
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{host}:{port}: can't be listened on ({reason}); say another --port, or --port 0"
        ) from error
    return listening


# -- errors: one line, never a traceback -----------------------------------------------------------


def _answer(request: Request, status: int, why: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return error_page(request, status, why)


def _for_the_user(request: Request, error: Exception) -> Response:
    kinds: list[tuple[type[Exception], int]] = [
        (BadInput, 400), (MissingExtra, 400), (IndexBusy, 503), (IndexNotFound, 503),
        (StorageFailed, 507),
    ]  # fmt: skip
    status = next((status for kind, status in kinds if isinstance(error, kind)), 503)
    return _answer(request, status, str(error))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    return _answer(request, 422, f"{where}: {first['msg']}")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _answer(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _our_mistake(request: Request, error: Exception) -> Response:
    log.error("a mistake of ours at %s", request.url.path, exc_info=error)
    return _answer(request, 500, "a mistake of ours; the server's log says where")

"""The local web application: pages and REST over one index, behind the guard."""

from __future__ import annotations

import errno
import logging
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from searchkit._version import __version__
from searchkit.connection import Punctual
from searchkit.errors import (
    BadInput,
    IndexBusy,
    IndexNotFound,
    MissingExtra,
    NoSuchThing,
    SearchkitError,
    StorageFailed,
)
from searchkit.guard import HEADERS, LOOPBACK, Guard
from searchkit.served import Served, where_it_went_wrong
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
    served, uploads = Served.open(Path(folder)), Uploads()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        uploads.close()
        served.close()

    app = FastAPI(
        title="searchkit", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan,
        description="Everything that the command line reads, as JSON, and what people decide.",
    )  # fmt: skip
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
    host = host or LOOPBACK[0]
    token = None if host in LOOPBACK else secrets.token_urlsafe(24)
    with _listening(host, port) as listening:
        app = create_app(folder, token=token, most_bytes=most_bytes)
        address = _address(host, listening.getsockname()[1], token)
        say(f"serving {folder} at {address}; stop with Ctrl+C")
        if token:
            say("other machines reach it by this machine's name; who has the token may do all")
        if open_browser:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        settings = uvicorn.Config(  # critical: our own log says what goes wrong, and stopping isn't
            app, http=Punctual, ws="none", log_level="critical", access_log=False,
            server_header=False, proxy_headers=False, timeout_keep_alive=30,
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        with suppress(KeyboardInterrupt):  # it has shut down by then
            uvicorn.Server(settings).run([listening])


def _listening(host: str, port: int) -> socket.socket:
    # By the protocol asyncio knows what may be sent at once, without waiting for more (40 ms)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it lets another process take the port over
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)  # so that whoever reads the address can connect
    except (OSError, OverflowError, UnicodeError) as error:
        listening.close()
        taken = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        mend = "another --port, or --port 0" if taken else "an address of this machine with --host"
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"{host}:{port}: can't be listened on ({reason}); say {mend}") from error
    return listening


def _address(host: str, port: int, token: str | None) -> str:
    """Give the address to open here; a host that means all of them can't be opened everywhere."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    shown = f"[{shown}]" if ":" in shown else shown
    return f"http://{shown}:{port}/" + (f"?token={quote(token)}" if token else "")


# -- errors: one line, never a traceback -----------------------------------------------------------


def _answer(request: Request, status: int, why: str) -> Response:
    why = why.encode("utf-8", "replace").decode()  # a name that was sent may hold a lone surrogate
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return error_page(request, status, why)


def _for_the_user(request: Request, error: Exception) -> Response:
    kinds: list[tuple[type[Exception], int]] = [
        (NoSuchThing, 404), (BadInput, 400), (MissingExtra, 400), (IndexBusy, 503),
        (IndexNotFound, 503), (StorageFailed, 507),
    ]  # fmt: skip
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

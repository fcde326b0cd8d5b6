"""Requests of every kind to the web application, over a real socket.

Each must be answered, soon and without an internal error; only accepted ones change the index.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from breaking import where
from breaking.shared.calls import HOSTILE, TAG, Maker, Request
from breaking.shared.common import Report, contents, numbered
from fastapi import FastAPI
from helpers.serving import listening, make_index, toy_encoder, until
from starlette.types import Receive, Scope, Send

from searchkit import Answer, Index
from searchkit.index.filters.matching import matching_keys
from searchkit.index.upkeep.verify import verify
from searchkit.sources.reader import read_rows
from searchkit.web.app import create_app
from searchkit.web.guard import SECURITY_HEADERS

FILTER_LIMIT = 0.5  # seconds that a filter may take here, so that many slow ones can be tried
LIMIT = 10.0  # seconds that an answer may take here, on a machine that does other things meanwhile
IDLE = 1.0  # seconds without a byte after which the server gives a client up
GROUPS_PER_SERVER = 60  # of requests, after which there are another index and another server
UPLOAD_LIMIT = 2_000_000  # bytes
TOKEN = "a-token-that-nobody-can-guess"


@dataclass
class Response:
    """What came back; a status of 0 is a connection that was closed without an answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


def send(port: int, request: Request) -> Response:
    """Send a request and return the answer, or hang up."""
    data, start = request.to_bytes(), time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT * 3) as connection:
        try:
            connection.sendall(data[: request.left_at])
            if request.left_at is not None:
                return Response()
            answer = http.client.HTTPResponse(connection, method=request.method.upper())
            answer.begin()
            body = answer.read()
        except TimeoutError:
            return Response(-1, seconds=time.monotonic() - start)
        except (OSError, http.client.HTTPException):
            return Response(seconds=time.monotonic() - start)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, headers, body, time.monotonic() - start)


# -- what is checked -------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Notices what a text has put into a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = [value or "" for name, value in attrs if name in ("href", "src", "action")]
        is_script = any(value.strip().lower().startswith("javascript:") for value in values)
        if tag == TAG or is_script or any(TAG in name for name, _ in attrs):
            self.found = self.get_starttag_text() or tag


def problem_of(request: Request, response: Response) -> str:
    """Return which promise an answer breaks, or nothing."""
    if request.left_at is not None:
        return ""
    if response.status == -1 or response.seconds > LIMIT:
        return f"took {response.seconds:.1f} s"
    if response.status == 0:  # refused and closed before all of it was sent, the answer can be lost
        return "" if request.is_cut or len(request.to_bytes()) > 60_000 else "no answer"
    kind = response.headers.get("content-type", "")
    if response.status == 400 and kind.startswith("text/plain"):  # not even a request, or a range
        is_known = response.body in (b"", b"Invalid HTTP request received.")
        return "" if is_known or request.path.startswith(b"/static/") else "a plain text"
    if response.status >= 500:
        return f"status {response.status}: {response.body[:300]!r}"
    if request.must_be_refused() and response.status < 400:
        return f"another site's request got {response.status}"
    if missing := [name for name in SECURITY_HEADERS if name not in response.headers]:
        return f"no header {missing[0]}"
    if "x-injected" in response.headers or response.headers.get("location", "/")[:2] == "//":
        return f"the headers {response.headers}"
    return _problem_of_body(request, response)


def _problem_of_body(request: Request, response: Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0]
    if request.method == "HEAD" or not response.body:
        return ""
    if kind == "application/json":
        return _problem_of_json(response)
    if response.status >= 400 and (request.path.startswith(b"/api/") or kind != "text/html"):
        return f"an error as {kind or 'nothing'}"
    if kind == "text/html":
        text = response.body.decode()
        if found := _Page(text).found:
            return f"a text became part of the page: {found}"
        if response.status >= 400 and 'role="alert"' not in text:
            return "an error page without an error"
        if re.search(r"Traceback|internal error", text):
            return "a page with an internal error"
    return ""


def _problem_of_json(response: Response) -> str:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        value = json.loads(response.body, parse_constant=refuse)
        response.body.decode()
    except ValueError as error:
        return f"no JSON: {error}"
    if response.status < 400:
        return ""
    is_error = (
        isinstance(value, dict) and list(value) == ["error"] and isinstance(value["error"], str)
    )
    if not is_error or "\n" in value["error"] or not value["error"].strip():
        return f"no error in one line: {response.body[:300]!r}"
    return "internal" if re.search(r"Traceback|internal error", value["error"]) else ""


# -- the run ---------------------------------------------------------------------------------------


class _Log(logging.Handler):
    """Keeps what is logged as an error, and errors that nobody can catch."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self._loggers = [logging.getLogger(), logging.getLogger("uvicorn")]

    def __enter__(self) -> None:
        self._hook, sys.unraisablehook = sys.unraisablehook, self._take
        for logger in self._loggers:
            logger.addHandler(self)

    def __exit__(self, *_: object) -> None:
        for logger in self._loggers:
            logger.removeHandler(self)
        sys.unraisablehook = self._hook

    def _take(self, error: Any) -> None:
        self.lines.append(f"{error.err_msg or 'ignored'} {error.object!r}: {error.exc_value!r}")

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record)[-700:])

    def taken(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


class Server:
    """A server of a new index, and what is known about it."""

    def __init__(self, random: Random, app: FastAPI, folder: Path, token: str | None) -> None:
        self._random, self._app, self.folder = random, app, folder
        self._token, self._active = token, 0
        self.maker: Maker
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the requests that are being answered, also those whose clients have left."""
        counts = scope["type"] == "http"
        self._active += counts
        try:
            await self._app(scope, receive, send)
        finally:
            self._active -= counts

    def run_group(self, report: Report, log: _Log) -> None:
        """Send one request, or some at the same time; check the answers and the index."""
        size = self._random.choice([1, 1, 1, 1, 2, 8])
        headers = [(b"authorization", f"Bearer {self._token}".encode())] if self._token else []
        requests = [self.maker.request(list(headers)) for _ in range(size)]
        before = contents(self.folder)
        with ThreadPoolExecutor(size) as threads:
            responses = list(threads.map(partial(send, self.port), requests))
        for request, response in zip(requests, responses, strict=True):
            if problem := problem_of(request, response):
                report.failures.append(f"{problem}: {request}")
        problems = list(self._wait(requests))
        may_write = any(map(_may_have_changed, requests, responses))
        problems += [f"logged {line}" for line in log.taken()]
        if not may_write and contents(self.folder) != before:
            problems.append("the index has changed")
        if (status := self._ask("/api/status").status) != 200:
            problems.append(f"the status is {status} afterwards")
        shown = " | ".join(map(str, requests))
        report.failures += [f"{problem}: {shown:.3000}" for problem in problems]
        report.cases += size
        report.longest = max(report.longest, *(response.seconds for response in responses))
        report.outcomes.update(map(_outcome, requests, responses))
        self.maker.keys += [
            json.loads(response.body)["id"]
            for request, response in zip(requests, responses, strict=True)
            if request.method == "PUT" and response.status == 200
        ]

    def _ask(self, path: str) -> Response:
        host = f"127.0.0.1:{self.port}"
        headers = [(b"host", host.encode()), (b"authorization", f"Bearer {self._token}".encode())]
        return send(self.port, Request("GET", path.encode(), [], headers))

    def _wait(self, requests: list[Request]) -> Iterator[str]:
        """Wait until nothing is done for the requests any more; yield what went wrong."""
        keys = {request.key for request in requests if request.method == "POST"}
        paths = [f"/api/uploads/{key}?wait=5" for key in keys]
        try:
            until(lambda: self._active == 0, 3 * LIMIT)
            until(lambda: all(self._ask(path).status != 202 for path in paths), 3 * LIMIT)
        except AssertionError:
            yield "no end"


def _may_have_changed(request: Request, response: Response) -> bool:
    has_left = request.left_at is not None
    return request.method in ("POST", "DELETE") and (has_left or 200 <= response.status < 300)


def _outcome(request: Request, response: Response) -> str:
    return "left" if request.left_at is not None else str(response.status)


@contextmanager
def _serving(random: Random, room: Path) -> Iterator[Server]:
    """Serve a new index."""
    rows = where.answers(random)[:-1]
    rows += [
        Answer(f"{HOSTILE}{n}", f"{HOSTILE} the same words again and again by all {n}", HOSTILE,
               f"{HOSTILE}{n}", meta={HOSTILE: HOSTILE, "prompt": HOSTILE, "score": str(n)})
        for n in range(5)
    ]  # fmt: skip
    folder = make_index(room / f"<{TAG}>index", rows)
    token = random.choice([None, None, TOKEN])
    app = create_app(folder, token=token, max_upload_bytes=UPLOAD_LIMIT, idle_timeout=IDLE)
    server = Server(random, app, folder, token)
    with listening(server, idle_timeout=IDLE) as server.port:
        ids = [*(row.id for row in rows), "nobody"]
        server.maker = Maker(random, app, server.port, ids, room)
        yield server


def _first_answers(*arguments: Any, **options: Any) -> Iterator[Any]:
    """Read files as the server does, but not those with a million answers to their ends."""
    return islice(read_rows(*arguments, **options), 500)


def run(seed: int, count: int | None = None, seconds: float = 60) -> Report:
    """Send requests, until there were `count` groups of them or the time is up."""
    random, report, log = Random(seed), Report(seed), _Log()
    quick = partial(matching_keys, time_limit=FILTER_LIMIT)
    groups = numbered(count, seconds)
    with (
        mock.patch("searchkit.index.base.load_encoder", toy_encoder),
        mock.patch("searchkit.index.storage.store.matching_keys", quick),
        mock.patch("searchkit.web.uploads.store.read_rows", _first_answers),
    ):
        for _ in groups:
            with tempfile.TemporaryDirectory() as room:
                with _serving(random, Path(room)) as server, log:  # uvicorn has set up its log
                    server.run_group(report, log)
                    for _, _ in zip(range(GROUPS_PER_SERVER), groups, strict=False):
                        server.run_group(report, log)
                with Index.open(server.folder) as index:
                    report.failures += [f"verify: {problem}" for problem in verify(index)]
    return report

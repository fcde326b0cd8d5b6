"""The guard before the pages: who may ask, from where, how much, and what a page may load.

A page in a browser can send requests to this machine, too, whatever its own address. So a foreign
`Host` (DNS rebinding) is refused, what changes something must come from our own pages, and ours
load nothing from elsewhere and run no script that stands in a text.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("searchkit")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE = "searchkit-token"
SMALL_BODY = 1_000_000  # bytes of what is no upload
QUIET = 30.0  # seconds without a byte after which an unfinished request is given up

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware that refuses what is not ours, and ends what takes too much.

    Args:
        app: What it stands before.
        token: What a request must know; None on this machine alone.
        upload_path: The path that takes large bodies.
        most: Bytes of an upload.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, upload_path: str, most: int) -> None:
        self.app, self.token = app, token
        self.upload_path, self.most = upload_path, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        refusal = self._refusal(scope, headers)
        if refusal:
            await refusal(scope, receive, _dressed(send))
            return
        limited = _Limited(receive, self._limit(scope))
        try:
            await self.app(scope, limited.receive, _dressed(send))
        except _TooMuch:
            said = _refused(413, f"more than {limited.most:,} bytes")
            await said(scope, receive, _dressed(send))
        except TimeoutError:
            said = _refused(408, "the request stood still")
            await said(scope, receive, _dressed(send))

    def _limit(self, scope: Scope) -> int:
        return self.most if scope["path"] == self.upload_path else SMALL_BODY

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Say why a request may not go on; None if it may."""
        host = headers.get("host", "")
        if self.token is None and _hostname(host) not in LOOPBACK:
            return _refused(421, "this server answers on this machine only")
        said = headers.get("content-length", "0")
        if not said.isdecimal() or int(said) > self._limit(scope):
            return _refused(413, f"more than {self._limit(scope):,} bytes")
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if self.token is not None and not self._knows(bearer):
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
            if self._knows(given) and scope["method"] == "GET":
                answer = RedirectResponse(scope["path"], 303)
                answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict")
                return answer
            if not self._knows(_cookie(headers)):
                return _refused(401, "open the address that searchkit serve printed")
        elif self.token is not None:
            return None  # no browser sends that by itself
        if scope["method"] not in SAFE and not _is_same_origin(headers, host):
            return _refused(403, "only pages of this server may change something")
        return None

    def _knows(self, given: str) -> bool:
        return self.token is not None and hmac.compare_digest(given.encode(), self.token.encode())


class _TooMuch(Exception):
    """A body is larger than it may be."""


class _Limited:
    """Passes a body on, piece by piece, up to a size, and not slower than `QUIET`."""

    def __init__(self, receive: Receive, most: int) -> None:
        self.most = most
        self._receive, self._size, self._is_whole = receive, 0, False

    async def receive(self) -> Message:
        """Give the next piece."""
        if self._is_whole:  # nothing but the client's leaving can come
            return await self._receive()
        message = await asyncio.wait_for(self._receive(), QUIET)
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._size > self.most:
            raise _TooMuch
        return message


def _refused(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status)


def _dressed(send: Send) -> Send:
    """Add our headers to every answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name for name, _ in message["headers"]}
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message["headers"] = [*message["headers"], *(h for h in ours if h[0] not in there)]
        await send(message)

    return sending


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _is_same_origin(headers: Mapping[str, str], host: str) -> bool:
    """Whether a browser says that one of our own pages asks; a request that doesn't say is not."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == host != ""

"""The guard before the pages: who may ask, from where, how much, and what a page may load.

A page in a browser can send requests to this machine, too, whatever its own address. So a foreign
`Host` (DNS rebinding) is refused, what changes something must come from our own pages, and ours
load nothing from elsewhere and run no script that stands in a text.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE = "searchkit-token"
SMALL_BODY = 1_000_000  # bytes of what is no upload
QUIET = 30.0  # seconds without a byte after which an unfinished request is given up
LONGEST = 600.0  # seconds that a body may take, however steadily it comes
_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE | re.ASCII)
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
    "cache-control": "no-store",  # what students wrote stays in no browser's cache
}


class Guard:
    """ASGI middleware that refuses what is not ours, and ends what takes too much.

    Args:
        app: What it stands before.
        token: What a request must know; None on this machine alone.
        upload_path: The path that takes large bodies.
        most: Bytes of an upload.
        quiet: Seconds without a byte after which a body is given up.
        longest: Seconds that a body may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None,
        upload_path: str,
        most: int,
        quiet: float = QUIET,
        longest: float = LONGEST,
    ) -> None:
        self.app, self.token = app, token
        self.upload_path, self.most = upload_path, most
        self.quiet, self.longest = quiet, longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            refusal = self._refusal(scope, _headers(scope))
            limited = _Limited(receive, self._limit(scope), self.quiet, self.longest)
            await (refusal or self.app)(scope, limited.receive, _dressed(send))
        else:
            await self.app(scope, receive, send)

    def _limit(self, scope: Scope) -> int:
        return self.most if scope["path"] == self.upload_path else SMALL_BODY

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Say why a request may not go on; None if it may."""
        host = headers.get("host", "")
        if self.token is None and not _OWN_HOST.fullmatch(host):
            return _refused(421, "this server answers on this machine only")
        said = headers.get("content-length", "0")
        if not said.isdecimal():
            return _refused(400, "the length of the body isn't a number")
        if len(said) > 18 or int(said) > self._limit(scope):
            return _refused(413, f"more than {self._limit(scope):,} bytes")
        if self._knows(_bearer(headers)):
            return None  # no browser sends that by itself
        if entered := self._entered(scope):
            return entered
        if self.token is not None and not self._knows(_cookie(headers)):
            return _refused(401, "open the address that searchkit serve printed")
        return (
            None
            if _is_ours(scope["method"], headers, host)
            else _refused(403, "only pages of this server may ask for that")
        )

    def _entered(self, scope: Scope) -> Response | None:
        """Take the token from the address into a cookie, so that no page's address shows it."""
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] != "GET" or not self._knows(dict(given).get("token", "")):
            return None
        rest = urlencode([(name, value) for name, value in given if name != "token"])
        # One slash: with two it would be an address elsewhere.
        path = "/" + quote(scope["path"].lstrip("/\\"), safe="/")
        answer = RedirectResponse(path + ("?" + rest if rest else ""), 303)
        # Strict, it wouldn't be sent where the address was a link in somebody's mail.
        answer.set_cookie(COOKIE, self.token or "", httponly=True, samesite="lax")
        return answer

    def _knows(self, given: str) -> bool:
        return self.token is not None and hmac.compare_digest(given.encode(), self.token.encode())


class _Limited:
    """Passes a body on, piece by piece, up to a size, and for so long."""

    def __init__(self, receive: Receive, most: int, quiet: float, longest: float) -> None:
        self.most, self.quiet = most, quiet
        self.until = time.monotonic() + longest
        self._receive, self._size, self._is_whole = receive, 0, False

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            HTTPException: if it is too much, or doesn't come; frameworks pass that one on.
        """
        if self._is_whole:  # nothing but the client's leaving can come
            return await self._receive()
        left = min(self.quiet, self.until - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.0))
        except TimeoutError:
            raise HTTPException(408, "the request took too long", {"connection": "close"}) from None
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._size > self.most:
            raise HTTPException(413, f"more than {self.most:,} bytes")
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
    """Return them by name; what comes twice is joined, and so equals nothing that is allowed."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        joint = "; " if name == "cookie" else ", "
        before = found[name] + joint if name in found else ""
        found[name] = before + value.decode("latin-1")
    return found


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _is_ours(method: str, headers: Mapping[str, str], host: str) -> bool:
    """Whether one of our own pages asks, or nothing but reading is asked for by no other page.

    A browser says where a request comes from. One that changes something must say that it comes
    from here; one that reads must not say that it comes from elsewhere, but for a link that is
    followed: another page could measure how long an answer takes, or keep this machine busy.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if method in SAFE:
        followed = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
        return site in (None, "none", "same-origin") or followed == ("navigate", "document")
    if site is not None:
        return site == "same-origin"
    return origin is not None and _netloc(origin) == host.lower() != ""


def _netloc(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None

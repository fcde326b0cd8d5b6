"""The guard in front of the application: who may send requests, from where, and how large.

Any page in a browser can send requests to this machine, wherever that page came from. So the guard
refuses a foreign `Host` header (DNS rebinding), accepts changes only from pages of this server, and
sends headers by which these pages load nothing from elsewhere and run no script hidden in a text.
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

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
TOKEN_COOKIE = "searchkit-token"
MAX_BODY_BYTES = 1_000_000  # of a request that is not an upload
IDLE_TIMEOUT = 30.0  # seconds without a byte after which an unfinished request is closed
BODY_TIMEOUT = 600.0  # seconds in which a body must be complete, however steadily it comes
_LOOPBACK_HEADER = re.compile(
    r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE | re.ASCII
)
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",  # students' texts must not stay in a browser's cache
}


class Guard:
    """ASGI middleware that refuses foreign requests and limits the size and time of bodies.

    Args:
        app: The application behind the guard.
        token: The token that requests must carry; None: only this machine may send requests.
        upload_path: The path that accepts large bodies.
        max_upload_bytes: Largest size of an upload.
        idle_timeout: Seconds without a byte after which a body is given up.
        body_timeout: Seconds in which a body must be complete.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None,
        upload_path: str,
        max_upload_bytes: int,
        idle_timeout: float = IDLE_TIMEOUT,
        body_timeout: float = BODY_TIMEOUT,
    ) -> None:
        self.app, self.token = app, token
        self.upload_path, self.max_upload_bytes = upload_path, max_upload_bytes
        self.idle_timeout, self.body_timeout = idle_timeout, body_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the application, or answer it here."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            refusal = self._refusal(scope, _headers(scope))
            body = _LimitedBody(
                receive, self._max_bytes(scope), self.idle_timeout, self.body_timeout
            )
            answer = body.noticing_the_answer(_with_security_headers(send))
            await (refusal or self.app)(scope, body.receive, answer)
        else:
            await self.app(scope, receive, send)

    def _max_bytes(self, scope: Scope) -> int:
        return self.max_upload_bytes if scope["path"] == self.upload_path else MAX_BODY_BYTES

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Return the answer to a request that may not go on; None if it may."""
        host = headers.get("host", "")
        if self.token is None and not _LOOPBACK_HEADER.fullmatch(host):
            return _refuse(421, "this server answers on this machine only")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return _refuse(400, "the length of the body isn't a number")
        if len(length) > 18 or int(length) > self._max_bytes(scope):
            return _refuse(413, f"more than {self._max_bytes(scope):,} bytes")
        if self._is_token(_bearer_token(headers)):
            return None  # no browser sends this header by itself, so the request is not forged
        if redirect := self._sign_in(scope):
            return redirect
        if self.token is not None and not self._is_token(_cookie_token(headers)):
            return _refuse(401, "open the address that searchkit serve printed")
        if not _is_allowed_origin(scope["method"], headers, host):
            return _refuse(403, "only pages of this server may ask for that")
        return None

    def _sign_in(self, scope: Scope) -> Response | None:
        """Move a token in the address into a cookie, so that no address shows it afterwards."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] != "GET" or not self._is_token(dict(query).get("token", "")):
            return None
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # Exactly one slash: a path with two would be read as the address of another server.
        path = "/" + quote(scope["path"].lstrip("/\\"), safe="/")
        answer = RedirectResponse(path + ("?" + rest if rest else ""), 303)
        # "strict" would withhold the cookie when the address is opened from a link in a mail.
        answer.set_cookie(TOKEN_COOKIE, self.token or "", httponly=True, samesite="lax")
        return answer

    def _is_token(self, text: str) -> bool:
        return self.token is not None and hmac.compare_digest(text.encode(), self.token.encode())


class _LimitedBody:
    """Passes a request's body on, part by part, within limits of size and time."""

    def __init__(
        self, receive: Receive, max_bytes: int, idle_timeout: float, body_timeout: float
    ) -> None:
        self.max_bytes, self.idle_timeout = max_bytes, idle_timeout
        self.deadline = time.monotonic() + body_timeout
        self._receive, self._size, self._is_complete = receive, 0, False
        self._is_answered = False

    def noticing_the_answer(self, send: Send) -> Send:
        """Return a `send` after whose first message no error is raised, since none can be sent."""

        async def send_and_notice(message: Message) -> None:
            self._is_answered = True
            await send(message)

        return send_and_notice

    async def receive(self) -> Message:
        """Return the next part; if a limit is broken after the answer began, wait for its end.

        Raises:
            HTTPException: if the body is too large or too slow. Starlette answers with its status.
        """
        try:
            return await self._next_part()
        except HTTPException:
            if not self._is_answered:
                raise
        while (message := await self._receive())["type"] != "http.disconnect":
            pass
        return message

    async def _next_part(self) -> Message:
        if self._is_complete:  # only the message that the client has disconnected can follow
            return await self._receive()
        seconds = min(self.idle_timeout, self.deadline - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(seconds, 0.0))
        except TimeoutError:
            raise HTTPException(408, "the request took too long", {"connection": "close"}) from None
        self._size += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._size > self.max_bytes:
            raise HTTPException(413, f"more than {self.max_bytes:,} bytes")
        return message


def _refuse(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status)


def _with_security_headers(send: Send) -> Send:
    """Return a `send` that adds `SECURITY_HEADERS`, except those that the answer already has."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            added = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
            message["headers"] = [
                *message["headers"],
                *(header for header in added if header[0] not in present),
            ]
        await send(message)

    return send_with_headers


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name; repeated ones are joined, and so equal no allowed value."""
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        separator = "; " if name == "cookie" else ", "
        before = headers[name] + separator if name in headers else ""
        headers[name] = before + value.decode("latin-1")
    return headers


def _bearer_token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _cookie_token(headers: Mapping[str, str]) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(TOKEN_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _is_allowed_origin(method: str, headers: Mapping[str, str], host: str) -> bool:
    """Whether a request comes from a page of this server, or from no page and only reads.

    Browsers say where a request comes from. A request that changes something must say that it comes
    from this server. A request that reads must not come from another site, except by following a
    link: otherwise that site could measure how long an answer takes, or keep this machine busy.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if method in SAFE_METHODS:
        fetch = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
        return site in (None, "none", "same-origin") or fetch == ("navigate", "document")
    if site is not None:
        return site == "same-origin"
    return origin is not None and _host_of(origin) == host.lower() != ""


def _host_of(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None

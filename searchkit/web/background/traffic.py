"""Counting of the requests that are being answered, which computations let pass."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from searchkit.web.jobs import Traffic

PASSED_BY = ("/static/", "/api/jobs/")  # requests that compute nothing


class TrafficCounter:
    """Middleware that counts the requests that are being answered."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app, self._traffic = app, traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"].startswith(PASSED_BY):
            await self._app(scope, receive, send)
            return
        with self._traffic.answering():
            await self._app(scope, receive, send)

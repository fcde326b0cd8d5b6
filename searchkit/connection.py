"""A connection that is closed when its client dawdles over the head of a request.

The guard sees a request when its head is whole; before that, only the connection does.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from searchkit.guard import QUIET


class Punctual(H11Protocol):
    """HTTP/1.1 that gives up what stands still between two looks at it."""

    quiet = QUIET

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        self.loop.call_later(self.quiet, self._look, self.cycle)

    def _look(self, before: Any) -> None:  # noqa: ANN401
        """Close when no request has begun since the last look, and none is being answered."""
        if self.transport.is_closing():
            return
        now = self.cycle
        if now is before and self._is_waiting():
            self.transport.close()
        else:
            self.loop.call_later(self.quiet, self._look, now)

    def _is_waiting(self) -> bool:
        answered = self.conn.our_state is h11.DONE  # and yet the body of the request goes on
        return answered or self.conn.their_state is h11.IDLE

"""A connection that is closed when its client dawdles over the head of a request.

The guard sees a request when its head is whole; before that, only the connection does.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from searchkit.core.errors import BadInput
from searchkit.web.app import create_app
from searchkit.web.guard import LOOPBACK, QUIET


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


def serve(
    folder: Path,
    *,
    host: str | None,
    port: int,
    most_bytes: int,
    open_browser: bool,
    say: Callable[[str], None],
) -> None:
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
            app,
            http=Punctual,
            ws="none",
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=2,
        )
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
    """Return the address to open here; a host that means all of them can't be opened everywhere."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    shown = f"[{shown}]" if ":" in shown else shown
    return f"http://{shown}:{port}/" + (f"?token={quote(token)}" if token else "")

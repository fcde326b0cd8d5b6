"""The HTTP server: it listens on an address and runs the application until it is interrupted."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from searchkit.core.errors import BadInput, IndexBusy
from searchkit.core.messages import Message
from searchkit.encoding.encoder import Encoder
from searchkit.index.folder import Index
from searchkit.index.storage.lock import LOCK_FILE
from searchkit.index.storage.schema import DATABASE, is_index
from searchkit.web.app import create_app
from searchkit.web.guard import IDLE_TIMEOUT, LOOPBACK_HOSTS

CREATION_TIMEOUT = 10.0  # seconds that another process may take to make the index


class SlowClientProtection(H11Protocol):
    """HTTP/1.1 protocol that closes a connection when no request comes for a while.

    The guard sees a request only when all of its headers have arrived; a client that sends them too
    slowly is noticed here, on the connection.

    Attributes:
        idle_timeout: Seconds between two checks of the connection.
    """

    idle_timeout = IDLE_TIMEOUT

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start checking the connection."""
        super().connection_made(transport)
        self.loop.call_later(self.idle_timeout, self._check, self.cycle)

    def _check(self, previous_request: object) -> None:
        """Close if no request has begun since the last check and none is being answered."""
        if self.transport.is_closing():
            return
        request = self.cycle
        if request is previous_request and self._is_waiting():
            self.transport.close()
        else:
            self.loop.call_later(self.idle_timeout, self._check, request)

    def _is_waiting(self) -> bool:
        is_answered = self.conn.our_state is h11.DONE  # although the request's body goes on
        return is_answered or self.conn.their_state is h11.IDLE


def serve(
    folder: Path,
    *,
    host: str | None,
    port: int,
    max_upload_bytes: int,
    open_browser: bool,
    encoder: Encoder | None = None,
    say: Callable[[str], None],
) -> None:
    """Serve an index until interrupted.

    Args:
        folder: Folder of the index; where there is nothing yet, an empty index is made.
        host: The address to listen on; None for this machine only. On any other address, requests
            need the token that is part of the address passed to `say`.
        port: The port to listen on; 0 takes a free one.
        max_upload_bytes: Largest size of an upload.
        open_browser: Whether to open the first page in a browser.
        encoder: The model of a new index; None for the one that comes with searchkit.
        say: Called with messages for the user, the first of which holds the address.

    Raises:
        BadInput: if the server can't listen on the address.
        SearchkitError: as `Index.open`.
    """
    host = host or LOOPBACK_HOSTS[0]
    token = None if host in LOOPBACK_HOSTS else secrets.token_urlsafe(24)
    with listen(host, port) as listener:
        is_new = _create_where_nothing_is(folder, encoder)
        if encoder:
            Index.open(folder, encoder=encoder).close()  # made with it, or a message
        app = create_app(folder, token=token, max_upload_bytes=max_upload_bytes, works_ahead=True)
        address = _browser_address(host, listener.getsockname()[1], token)
        say(f"serving {folder} at {address}; stop with Ctrl+C")
        if is_new:
            say(f"{folder.resolve()}: a new index, still empty; upload a file on the page")
        if token:
            say("other machines reach it by this machine's name; who has the token may do all")
        if open_browser:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        settings = uvicorn.Config(
            app,
            http=SlowClientProtection,
            ws="none",
            log_level="critical",  # searchkit logs errors itself; a stop is not an error
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=2,
        )
        with suppress(KeyboardInterrupt):  # raised after the shutdown is complete
            uvicorn.Server(settings).run([listener])


def _create_where_nothing_is(folder: Path, encoder: Encoder | None) -> bool:
    """Make an empty index, so that a first file can be uploaded; return whether it was made.

    A folder with other files is left alone: it is one that somebody took for an index.

    Raises:
        SearchkitError: as `Index.create`.
    """
    if is_index(folder):
        return False
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        names = set()
    except OSError:  # no folder, or one that can't be read: opening it says so
        return False
    if any(name != LOCK_FILE and not name.startswith(DATABASE) for name in names):
        return False  # the two that are allowed are left by a creation that was killed
    return _create(folder, encoder)


def _create(folder: Path, encoder: Encoder | None) -> bool:
    """Make an empty index; return False if another server, started at the same time, made it."""
    end = time.monotonic() + CREATION_TIMEOUT
    while not is_index(folder):
        try:
            Index.create(folder, encoder).close()
            return True
        except (BadInput, IndexBusy):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    return False


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        BadInput: if that isn't possible, with the reason.
    """
    # asyncio turns off Nagle's delay of 40 ms only for sockets that name TCP as their protocol.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # where the option would let another process take the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)  # before the address is printed, so that everybody can connect to it
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        is_taken = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        advice = Message(
            "another `port`, or `port=0`" if is_taken else "an address of this machine with `host`"
        )
        what = Message(
            "can't listen on this address ({reason}); choose {advice}",
            reason=getattr(error, "strerror", None) or error,
            advice=advice,
        )
        raise BadInput.at(f"{host}:{port}", None, what) from error
    return listener


def _browser_address(host: str, port: int, token: str | None) -> str:
    """Return the address to open on this machine; "all addresses" becomes the loopback address."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    shown = f"[{shown}]" if ":" in shown else shown
    return f"http://{shown}:{port}/" + (f"?token={quote(token)}" if token else "")

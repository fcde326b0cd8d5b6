"""Helpers for tests of the web application: an index with the toy encoder, and a client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from helpers.encoder import ToyEncoder
from searchkit import Answer, Index
from searchkit.web.app import create_app
from searchkit.web.server import SlowClientProtection, listen

HOST = "127.0.0.1:8000"
OURS = {"origin": f"http://{HOST}"}
HOSTILE = "<script>alert(1)</script>\u202e\"'&amp; javascript:alert(2)"


def toy_encoder(_: object = None, *, fingerprint: str | None = None, **__: object) -> ToyEncoder:
    return ToyEncoder(fingerprint=fingerprint)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every index load the toy encoder."""
    monkeypatch.setattr("searchkit.index.base.load_encoder", toy_encoder)
    monkeypatch.setattr("searchkit.index.folder.load_encoder", toy_encoder)  # of a new one


def make_index(folder: Path, answers: Sequence[Answer]) -> Path:
    with Index.create(folder, ToyEncoder()) as index:
        index.add(answers)
    return folder


@contextmanager
def writer(folder: Path) -> Iterator[Index]:
    """Open the index for writing, as another process would."""
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        yield index


@contextmanager
def client_of(folder: Path, *, page_timeout: float = 30.0, **options: Any) -> Iterator[TestClient]:
    """Yield a client; a page waits for what it needs, unless `page_timeout` is short."""
    app = create_app(folder, **options)
    app.state.pool.page_timeout = page_timeout
    base = f"http://{HOST}"
    with TestClient(app, base_url=base, headers=OURS, raise_server_exceptions=False) as client:
        client.app_state = app.state  # type: ignore[attr-defined]
        yield client


@contextmanager
def listening(app: FastAPI, *, idle_timeout: float = 30.0) -> Iterator[int]:
    """Serve over a real socket in a thread; yield the port."""

    class Protocol(SlowClientProtection):
        pass

    Protocol.idle_timeout = idle_timeout
    with listen("127.0.0.1", 0) as server_socket:
        config = uvicorn.Config(app, http=Protocol, ws="none", log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=[[server_socket]])
        thread.start()
        try:
            yield server_socket.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Poll `holds` until it returns something true, and return that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := holds():
            return value
        time.sleep(0.01)
    raise AssertionError("the condition didn't become true in time")


def finished(client: TestClient, path: str) -> str:
    """Return a page once it shows everything that is computed for it."""
    page: str = until(lambda: (t := client.get(path).text) and "data-pending" not in t and t)
    return page

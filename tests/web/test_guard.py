"""The guard: who may ask, from where, how much, how slowly, and what a page may load."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.serving import HOST, OURS, client_of, listening
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from searchkit.web.app import create_app
from searchkit.web.guard import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, TOKEN_COOKIE, Guard

TOKEN = "a-token-that-nobody-can-guess"


def inner(scope: Any, receive: Any, send: Any) -> Any:
    async def run() -> None:
        body = await Request(scope, receive).body()
        await JSONResponse({"path": scope["path"], "bytes": len(body)})(scope, receive, send)

    return run()


def guarded(**options: Any) -> TestClient:
    settings = {"token": None, "upload_path": "/up", "max_upload_bytes": 5_000_000, **options}
    return TestClient(Guard(inner, **settings), base_url=f"http://{HOST}", follow_redirects=False)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "127.0.0.1", "localhost", "localhost:1", "LocalHost:8000", "[::1]:8000",
     "[::1]"],
)  # fmt: skip
def test_a_host_of_this_machine_is_accepted(host: str) -> None:
    assert guarded().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example",
     "evil.example@localhost", "user:pw@127.0.0.1:8000", "localhost@evil.example", "localhost/x",
     "localhost?x", "localhost#x", "localhost:", "localhost:80:80", "localhost.", "127.0.0.1 ",
     "127.1", "2130706433", "0.0.0.0", "[::]", "[::1", "::1", "[::ffff:127.0.0.1]", "localhost:x",
     "loc\talhost", "127.0.0.2", "localhost, localhost", "lo\xe7alhost"],
)  # fmt: skip
def test_a_foreign_host_is_refused(host: str) -> None:
    headers = {b"host": host.encode("latin-1")}
    answer = guarded().get("/", headers=headers)
    assert answer.status_code == 421
    assert answer.json() == {"error": "this server answers on this machine only"}
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_two_host_headers_are_refused() -> None:
    said = [("host", "localhost"), ("host", "evil.example")]
    assert guarded().get("/", headers=said).status_code == 421
    assert guarded().get("/", headers=said[::-1]).status_code == 421


HERE, ELSEWHERE = f"http://{HOST}", "http://evil.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": HERE}, 200),
        ({"origin": ELSEWHERE}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://[bad"}, 403),
        ({"origin": f"ftp://{HOST}"}, 403),
        ({"origin": f"http://evil.example@{HOST}"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"origin": "http://localhost:8000"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": ELSEWHERE}, 200),
        ({"sec-fetch-site": "same-site", "origin": HERE}, 403),
        ({"sec-fetch-site": "cross-site", "origin": HERE}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "document", "origin": HERE}, 403),
        ({"sec-fetch-site": "none", "origin": HERE}, 403),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "STRANGE"])
def test_writes_must_come_from_the_own_origin(
    method: str, headers: dict[str, str], status: int
) -> None:
    assert guarded().request(method, "/", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors",
          "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "iframe"}, 403),
    ],
)  # fmt: skip
def test_another_site_may_only_link_to_pages(headers: dict[str, str], status: int) -> None:
    assert guarded().get("/", headers=headers).status_code == status


def test_every_request_needs_the_token() -> None:
    client = guarded(token=TOKEN)
    answer = client.get("/")
    assert answer.status_code == 401
    assert answer.json() == {"error": "open the address that searchkit serve printed"}
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", "\u00e9\u20ac"):
        assert client.get("/", params={"token": wrong}).status_code == 401
        headers = {b"authorization": b"Bearer " + wrong.encode()}
        assert client.get("/", headers=headers).status_code == 401
        headers = {b"cookie": f"{TOKEN_COOKIE}=".encode() + wrong.encode()}
        assert client.get("/", headers=headers).status_code == 401
    for bad in (TOKEN, f"Basic {TOKEN}", f"Bearer{TOKEN}"):
        assert client.get("/", headers={"authorization": bad}).status_code == 401
    assert client.post("/", params={"token": TOKEN}, headers=OURS).status_code == 401
    assert client.get("/", headers={"cookie": "=;;=" + TOKEN_COOKIE}).status_code == 401


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address() -> None:
    client = guarded(token=TOKEN)
    answer = client.get("/review", params={"show": "all & more", "token": TOKEN, "left": "ä"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/review?show=all+%26+more&left=%C3%A4"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{TOKEN_COOKIE}={TOKEN};")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie
    assert client.get("/review").status_code == 200
    assert client.post("/review", headers=OURS).status_code == 200
    assert client.post("/review").status_code == 403  # a cookie goes along by itself
    again = client.get("/review", params={"token": TOKEN})
    assert again.status_code == 303


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example/x", "///evil.example"])
def test_the_token_never_redirects_to_another_site(path: str) -> None:
    async def run() -> list[Any]:
        sent: list[Any] = []
        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"x")],
                 "query_string": f"token={TOKEN}".encode()}  # fmt: skip

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        await Guard(inner, token=TOKEN, upload_path="/up", max_upload_bytes=1)(scope, receive, send)
        return sent

    start = asyncio.run(run())[0]
    location = dict(start["headers"])[b"location"].decode()
    assert start["status"] == 303
    assert location.startswith("/evil.example")


def test_a_program_sends_the_token_itself_from_any_host() -> None:
    client = guarded(token=TOKEN)
    headers = {"authorization": f"bearer {TOKEN}", "host": "teacher-laptop:8000"}
    assert client.post("/", headers=headers).status_code == 200


def test_a_body_is_limited_with_and_without_a_declared_size() -> None:
    client = guarded()

    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * 100_000

    assert client.post("/", content=b"x" * 1_000_000, headers=OURS).json()["bytes"] == 1_000_000
    answer = client.post("/", content=b"x" * 1_000_001, headers=OURS)
    assert (answer.status_code, answer.json()) == (413, {"error": "more than 1,000,000 bytes"})
    assert client.put("/up", content=pieces(50), headers=OURS).json()["bytes"] == 5_000_000
    assert client.put("/up", content=b"x" * 5_000_001, headers=OURS).status_code == 413
    assert client.put("/up/", content=b"x" * 1_000_001, headers=OURS).status_code == 413
    for said in ("-1", "1e3", "0x10", "", "1, 1"):
        answer = client.post("/", headers={**OURS, "content-length": said})
        assert answer.status_code == 400
    assert client.post("/", headers={**OURS, "content-length": "9" * 5000}).status_code == 413


def test_a_chunked_body_is_limited_on_every_path(folder: Path) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    with client_of(folder, max_upload_bytes=2_000_000) as client:
        json = {"content-type": "application/json"}
        answer = client.post("/api/decisions", content=pieces(), headers=json)
        assert (answer.status_code, answer.json()) == (413, {"error": "more than 1,000,000 bytes"})
        answer = client.put("/api/uploads?name=a.csv", content=pieces())
        assert (answer.status_code, answer.json()) == (413, {"error": "more than 2,000,000 bytes"})


def test_a_body_that_breaks_a_limit_after_the_answer_began_leaves_it_whole(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    last: list[str] = []

    async def answers_first(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})
        while (message := await receive())["type"] == "http.request":
            pass
        last.append(message["type"])

    guard = Guard(answers_first, token=None, upload_path="/up", max_upload_bytes=1)
    client = TestClient(guard, base_url=f"http://{HOST}")
    assert client.request("GET", "/", content=pieces()).text == "all"
    assert last == ["http.disconnect"]
    with client_of(folder) as client:
        page = client.request("GET", "/static/layout.css", content=pieces())
        assert page.status_code == 200
    assert not caplog.records


def test_every_response_carries_the_policy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("searchkit.web.api.status", broken)
    with client_of(folder) as client:
        for path, status in [
            ("/", 200), ("/nothing", 404), ("/static/layout.css", 200), ("/static/nothing.js", 404),
            ("/static/..%2f..%2fweb.py", 404), ("/answer?id=nobody", 404), ("/openapi.json", 200),
            ("/api/search?q=loop", 200), ("/api/search", 422), ("/api/nothing", 404),
            ("/api/status", 500), ("/static/plotly.js", 200),
        ]:  # fmt: skip
            answer = client.get(path)
            assert answer.status_code == status, path
            for name, value in SECURITY_HEADERS.items():
                if (name, path) != ("cache-control", "/static/plotly.js"):
                    assert answer.headers[name] == value, (path, name)
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
        answer = client.get("/api/status")
        assert answer.json() == {
            "error": "internal error; please report it; the server's log says where"
        }
        answer = client.get("/", headers={"host": "evil.example"})
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    for word in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*"):
        assert word not in CONTENT_SECURITY_POLICY


def test_a_websocket_is_refused(folder: Path) -> None:
    with client_of(folder) as client:
        with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/api/status"):
            pass
        assert refused.value.code == 1008


# -- slow clients ----------------------------------------------------------------------------------


def slowly(idle_timeout: float, body_timeout: float, every: float) -> tuple[int, float]:
    """Send single bytes endlessly; return the status and the seconds until it came."""
    sent: list[Any] = []

    async def run() -> None:
        from fastapi import FastAPI

        app = FastAPI()

        @app.post("/")
        async def take(request: Request) -> int:
            return len(await request.body())

        async def receive() -> Any:
            await asyncio.sleep(every)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        app.add_middleware(
            Guard,
            token=None,
            upload_path="/up",
            max_upload_bytes=9,
            idle_timeout=idle_timeout,
            body_timeout=body_timeout,
        )
        headers = [(n.encode(), v.encode()) for n, v in {**OURS, "host": HOST}.items()]
        scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/",
                 "headers": headers, "query_string": b"", "root_path": ""}  # fmt: skip
        await app(scope, receive, send)

    started = time.monotonic()
    asyncio.run(run())
    return sent[0]["status"], time.monotonic() - started


@pytest.mark.parametrize(
    ("idle_timeout", "body_timeout", "every"), [(0.05, 9.0, 60.0), (9.0, 0.2, 0.03)]
)
def test_a_stalled_or_slow_body_is_abandoned(
    idle_timeout: float, body_timeout: float, every: float
) -> None:
    status, took = slowly(idle_timeout, body_timeout, every)
    assert status == 408
    assert took < 5


def answer_to(port: int, *pieces: bytes) -> bytes:
    """Send pieces, and return everything received until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        found = b""
        while more := connection.recv(65536):
            found += more
        return found


def test_slow_clients_are_dropped_while_others_are_answered(folder: Path) -> None:
    with listening(create_app(folder, idle_timeout=0.2), idle_timeout=0.2) as port:
        host = f"Host: 127.0.0.1:{port}\r\n".encode()
        origin = f"Origin: http://127.0.0.1:{port}\r\n".encode()
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        for one in idle:
            one.sendall(b"GET / HT")
        try:
            get = b"GET /api/status HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n"
            assert answer_to(port, get).startswith(b"HTTP/1.1 200")
            assert answer_to(port, b"GET /api/status HTTP/1.1\r\n" + host) == b""
            put = b"PUT /api/uploads?name=a.csv HTTP/1.1\r\n" + host + origin
            said = answer_to(port, put + b"Content-Length: 99\r\n\r\nid,te")
            assert said.startswith(b"HTTP/1.1 408")
            assert b"the request took too long" in said
            for one in idle:
                one.settimeout(10)
                assert one.recv(1) == b""
        finally:
            for one in idle:
                one.close()


def test_absolute_and_duplicate_heads_are_refused(folder: Path) -> None:
    close = b"Connection: close\r\n\r\n"
    with listening(create_app(folder)) as port:
        ours = f"Host: 127.0.0.1:{port}\r\n".encode()
        evil = b"Host: evil.example\r\n"
        assert answer_to(port, b"GET / HTTP/1.1\r\n" + evil + close).startswith(b"HTTP/1.1 421")
        assert answer_to(port, b"GET / HTTP/1.1\r\n" + close).startswith(b"HTTP/1.1 400")
        assert answer_to(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421")
        said = answer_to(port, b"GET / HTTP/1.1\r\n" + ours + evil + close)
        assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421"))
        said = answer_to(port, b"GET http://evil.example/ HTTP/1.1\r\n" + evil + close)
        assert said.startswith(b"HTTP/1.1 421")
        said = answer_to(port, b"GET http://evil.example/ HTTP/1.1\r\n" + ours + close)
        assert said.startswith(b"HTTP/1.1 404")
        head = b"POST /api/decisions HTTP/1.1\r\n" + ours
        huge = b"Content-Length: 99999999999\r\n"
        assert answer_to(port, head + huge + close).startswith(b"HTTP/1.1 413")
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /api/status HTTP/1.1\r\n" + ours + upgrade)
            assert connection.recv(12) == b"HTTP/1.1 200"  # as if it hadn't asked for one

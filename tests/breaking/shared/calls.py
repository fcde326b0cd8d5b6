"""Random requests: to every page and every call of the REST interface, right and wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

from breaking import inputs
from breaking.shared import expressions
from breaking.shared.mutations import damaged
from fastapi import FastAPI
from fastapi.routing import APIRoute

from searchkit.web.guard import TOKEN_COOKIE
from searchkit.web.pages.answers import answer_pages
from searchkit.web.pages.corpus.questions import question_list
from searchkit.web.pages.corpus.start import start_pages
from searchkit.web.pages.groups import group_pages
from searchkit.web.pages.question import question_pages
from searchkit.web.pages.review import pair_pages
from searchkit.web.pages.routes import pages
from searchkit.web.pages.search import search_pages
from searchkit.web.review.pages import review_pages

TAG = "b7"  # an element of the hostile texts, which no page has
HOSTILE = f"\"'></script></textarea><{TAG}>`k`<script {TAG}>alert(1)</script>\u202e&amp;"
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "X" * 99]
SAFE = ("GET", "HEAD", "OPTIONS")
FOREIGN = [b"http://evil.example", b"null", b"", b"http://localhost:1", b"http://[", b"\xff"]
HOSTS = [
    b"evil.example",
    b"",
    b"127.0.0.1.evil.example",
    b"127.0.0.1@evil.example",
    b"[::1",
    b"\xff",
]
NUMBERS = [
    "0", "-1", "1", "1.5", "1e3", "1e999", "NaN", "Infinity", "-inf", "0x10", "1_0", "٣", " 1 ",
    "9" * 19, "9" * 400, "-" + "9" * 5000, str(2**31), str(2**53 + 1), str(2**63), "1" + "0" * 300,
    "5e-324", "",
]  # fmt: skip
WORDS = [
    "true", "null", "all", "None", "[]", "{}", "$q", "..", "\x1b[31m", "%00", "%", "+", "&", "=",
    "\ud800x", "\udfff", "a\0b", "\x9b", "\u2028", "\ufffe", HOSTILE, "x" * 5000, "y " * 3000,
    "é" * 2000, "NEAR(", '"', "*", "a AND", "javascript:alert(1)", "\r\nx-injected: 1",
]  # fmt: skip
TYPES = ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "", "é", "json",
         "application/json; charset=utf-16", "application/x+json", "application/JSON"]  # fmt: skip
JSON_TOKENS = [
    b'"', b"{", b"}", b"[", b"]", b":", b",", b"null", b"NaN", b"1e999", b"\\ud800", b"\\u0000",
    b"\0", b"\xff", b"\xef\xbb\xbf", b'"left":"x",', b'"ids":', b"-", b"[" * 3000, b"9" * 5000,
    b'{"a":' * 2000,
]  # fmt: skip
ODD_JSON: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", [], {}, [[]], {"": None},
    ["\ud800"], {"\ud800": "x"}, {"id": "x"}, {"score": None}, {"x" * 300: "1"}, {"a\0b": "c\0d"},
    {"é": "\u202e"}, ["q"] * 5000, {str(n): "x" for n in range(500)},
]  # fmt: skip
HEADERS = [
    (b"cookie", b"names=hidden"), (b"cookie", b"names=hidden"), (b"cookie", b"=;;=\xff\""),
    (b"cookie", TOKEN_COOKIE.encode() + b"=\xe9"), (b"authorization", b"Bearer \xe2\x82\xac"),
    (b"range", b"bytes=5-1"), (b"range", b"bytes=0-,-" + b"9" * 30), (b"if-none-match", b"\"x"),
    (b"if-modified-since", b"x"), (b"accept-encoding", b"x" * 3000), (b"x-y", b"z" * 70_000),
    (b"expect", b"100-continue"), (b"upgrade", b"websocket"), (b"connection", b"upgrade"),
    (b"sec-fetch-site", b"cross-site"), (b"transfer-encoding", b"gzip"), (b"content-length", b"-1"),
    (b"content-length", b"9" * 30), (b"content-length", b"1, 1"), (b"bad name", b"x"),
    (b"x", b"a\0b"), (b"x-forwarded-host", b"evil.example"), (b"host", b"evil.example"),
]  # fmt: skip


@dataclass
class Request:
    """A request that isn't sent yet.

    Attributes:
        path: As it is sent, without the query.
        left_at: Number of bytes after which the client hangs up; None to wait for the answer.
        key: The upload that it is about.
    """

    method: str
    path: bytes
    query: list[tuple[str, str]]
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    is_chunked: bool = False
    is_cut: bool = False
    left_at: int | None = None
    key: str | None = None

    def to_bytes(self) -> bytes:
        """Return what is sent."""
        pairs = (_quoted(name) + "=" + _quoted(value) for name, value in self.query)
        address = self.path + ("?" + "&".join(pairs) if self.query else "").encode()
        headers, body = list(self.headers), self.body
        if self.is_chunked:
            headers.append((b"transfer-encoding", b"chunked"))
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        elif body or self.method not in SAFE:
            headers.append((b"content-length", b"%d" % len(body)))
        body = body[: len(body) // 2] if self.is_cut else body
        lines = [b"%b %b HTTP/1.1" % (self.method.encode(), address)]
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join([*lines, b"", b""]) + body

    def must_be_refused(self) -> bool:
        """Whether another site's page sent it, and it would change something."""
        said = dict(self.headers)
        return (
            self.method not in SAFE
            and said.get(b"origin") in FOREIGN
            and b"authorization" not in said
        )

    def __str__(self) -> str:
        return f"{self.to_bytes()[:600]!r}" + (f" left at {self.left_at}" if self.left_at else "")


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


def operations(app: FastAPI) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Return the method, path and parameters of every call, and of every page."""
    described = FastAPI()
    routers = (
        start_pages, search_pages, review_pages, pair_pages, group_pages, question_list,
        question_pages, answer_pages, pages,
    )  # fmt: skip
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            described.add_api_route(route.path, route.endpoint)
    return [
        (method.upper(), path, call.get("parameters", []))
        for document in (app.openapi(), described.openapi())
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    ] + [("GET", path, []) for path in ("/openapi.json", "/static/layout.css", "/nothing")]


class Maker:
    """Makes requests to one server."""

    def __init__(self, random: Random, app: FastAPI, port: int, ids: list[str], room: Path) -> None:
        self._random, self._ids, self._room = random, ids, room
        self._reads, self._writes = [], []
        for operation in operations(app):
            (self._reads if operation[0] in SAFE else self._writes).append(operation)
        self._host = f"127.0.0.1:{port}".encode()
        self.keys: list[str] = []

    def request(self, headers: list[tuple[bytes, bytes]]) -> Request:
        """Return a request that is right, or wrong in up to three ways."""
        random = self._random
        calls = self._writes if random.random() < 0.4 else self._reads
        method, path, parameters = random.choice(calls)
        key = random.choice(self.keys) if self.keys and random.random() < 0.9 else "nobody"
        query = [
            (p["name"], self._value(p["name"], p["schema"]))
            for p in parameters
            if p["in"] == "query" and (p.get("required") or random.random() < 0.4)
        ]
        ours = [(b"host", self._host), (b"origin", b"http://" + self._host), *headers]
        request = Request(method, path.replace("{key}", key).encode(), query, ours, key=key)
        if method == "PUT":
            self._add_file(request)
        elif method == "POST":
            request.headers.append((b"content-type", b"application/json"))
            request.body = json.dumps(self._body(path)).encode()
        for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
            self._break(request)
        if random.random() < 0.05:
            request.left_at = random.randint(1, len(request.to_bytes()))
        return request

    def _value(self, name: str, schema: dict[str, Any]) -> str:
        """Return a value that fits a parameter, mostly."""
        random = self._random
        if name == "where":
            kinds = [expressions.valid] * 4 + [expressions.broken, expressions.escaping]
            return random.choice([*kinds, expressions.mutated, expressions.slow])(random)
        if name in ("id", "left", "right"):
            return random.choice(self._ids)
        options = [
            option for s in [schema, *schema.get("anyOf", [])] for option in s.get("enum", [])
        ]
        if options:
            return str(random.choice(options))
        known = {"question": "q1", "author": "s1", "column": "score", "name": "q1", "wait": "0.5"}
        if name in known:
            return random.choice([known[name], known[name], HOSTILE, ""])
        kind = schema.get("type", "")
        return str(random.randint(0, 20)) if kind in ("integer", "number") else "alpha beta"

    def _text(self) -> str:
        return self._random.choice([*self._ids, *WORDS, *NUMBERS])

    def _body(self, path: str) -> dict[str, Any]:
        random = self._random
        if path.endswith("decisions"):
            status = random.choice(["open", "confirmed", "dismissed"])
            left, right = random.choice(self._ids), random.choice(self._ids)
            body: dict[str, Any] = {"left": left, "right": right, "decision": status}
            body |= {"reason": self._text()} if random.random() < 0.5 else {}
        elif path.endswith("notes"):
            ids = random.choices(self._ids, k=random.randint(1, 5))
            body = {
                "ids": ids,
                "columns": {random.choice(["score", HOSTILE]): random.choice(WORDS)},
            }
        else:
            names = ["id", "text", "question", "encoding", "sheet", "table", "on_duplicate"]
            chosen = random.sample(names, random.choice([0, 0, 1, 2]))
            body = {name: random.choice(["text", "id", "x", "utf-8", "replace"]) for name in chosen}
            body["keep_going"] = random.random() < 0.7
        if random.random() < 0.3:
            name = random.choice([*body, "unknown"])
            body[name] = random.choice([*ODD_JSON, self._text()])
        return body

    def _add_file(self, request: Request) -> None:
        """Let the request send a file, whole or damaged."""
        random = self._random
        kinds = [kind for kind in inputs.MAKERS if kind != "folder"]
        file = inputs.MAKERS[random.choice(kinds)](random, self._room)
        names = [file.name] * 9 + [f"../{HOSTILE}{file.name}", self._text(), file.name + ".gz"]
        request.query = [("name", random.choice(names))]
        request.body = file.read_bytes()
        request.is_chunked = random.random() < 0.3
        file.unlink()

    def _break(self, request: Request) -> None:
        """Change one thing."""
        kind = self._random.randrange(12)
        if kind < 5:
            self._break_query(request.query)
        elif kind < 9:
            self._break_headers(request)
        else:
            self._break_rest(request)

    def _break_query(self, query: list[tuple[str, str]]) -> None:
        random = self._random
        at = random.randrange(len(query)) if query else 0
        match random.randrange(7):
            case 0 if query:
                del query[at]
            case 1 if query:
                query.insert(at, (query[at][0], random.choice([query[at][1], *NUMBERS])))
            case 2:
                names = ["unknown", "token", HOSTILE, "", "where"]
                query.append((random.choice(names), self._text()))
            case _ if query:
                query[at] = (query[at][0], random.choice([*NUMBERS, *WORDS]))

    def _break_headers(self, request: Request) -> None:
        random, headers = self._random, request.headers
        match random.randrange(6):
            case 0:
                headers[:1] = [(b"host", random.choice(HOSTS))]
            case 1 | 5:
                headers[1:2] = [(b"origin", random.choice(FOREIGN))]
            case 2 if headers:
                del headers[random.randrange(len(headers))]
            case 3:
                kind = (b"content-type", random.choice(TYPES).encode())
                request.headers = [h for h in headers if h[0] != b"content-type"] + [kind]
            case _:
                headers += [random.choice(HEADERS)] * random.choice([1, 1, 1, 2, 200])

    def _break_rest(self, request: Request) -> None:
        random = self._random
        match random.randrange(4):
            case 0:
                request.method = random.choice(METHODS)
            case 1:
                odd = [b"/", b"//", b"/..%2f", b"%00", b"/%ff", b"/" + b"x" * 9000, b"\xc3\xa9"]
                request.path += random.choice(odd)
            case 2 if request.body:
                request.body = damaged(random, request.body, JSON_TOKENS)
            case _:
                request.is_chunked, request.is_cut = random.random() < 0.7, random.random() < 0.3
                request.body = request.body or random.choice([b"x", b"{}", b"x" * 1_000_001])

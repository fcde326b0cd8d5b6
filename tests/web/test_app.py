"""The web application: REST equals the command line, errors are one line, pages escape."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from click.testing import CliRunner
from fastapi.routing import APIRoute
from helpers.encoder import ToyEncoder
from helpers.files import TESTS
from helpers.serving import HOSTILE, client_of, make_index, until, writer
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from pydantic import BaseModel
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from searchkit import Answer, Index
from searchkit.cli.app import main
from searchkit.core.errors import BadInput, IndexBusy, SearchkitError
from searchkit.core.results import Results
from searchkit.core.where import Where
from searchkit.index.decisions import decide, decisions
from searchkit.index.filters.matching import matching_keys
from searchkit.index.upkeep.verify import verify
from searchkit.plagiarism.find import find_plagiarism, find_with_options
from searchkit.plagiarism.records import PlagiarismOptions, PlagiarismResult
from searchkit.web.api import api
from searchkit.web.app import create_app
from searchkit.web.guard import CONTENT_SECURITY_POLICY

TEXTS = [
    "The event loop runs callbacks when the stack is empty and nothing else waits for it",
    "The event loop runs callbacks when the stack is empty and nothing else waits for it now",
    "Middleware is a function with request response and next that ends or passes on",
    "Streams read data piece by piece so that memory stays small however large the file",
    "One thread serves many clients because waiting is left to the system underneath",
    "A promise is a value that is not there yet and settles once for all who wait",
]
ANSWERS = [
    Answer(f"q{q}-{n}", f"{text} q{q} {n % 2}", f"q{q}", f"s{n}", meta={"score": str(n)})
    for q in (1, 2)
    for n, text in enumerate(TEXTS)
] + [Answer("blank", "", "q1", "s9"), Answer("alone", "Nobody asked", None, None)]


@pytest.fixture
def answers() -> list[Answer]:
    return ANSWERS


@pytest.fixture
def unjudged(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let chance be judged in no question, and return the remark that says why."""
    remark = "chance can't be judged: only 12 unrelated pairs"

    def find(index: Index, options: PlagiarismOptions, **more: Any) -> PlagiarismResult:
        found = find_with_options(index, options, **more)
        changed = (replace(f, expected=None, remarks=(remark,)) for f in found.findings)
        rings = (replace(ring, expected=None) for ring in found.rings)
        return replace(found, findings=Results(changed), rings=Results(rings))

    monkeypatch.setattr("searchkit.web.index_pool.find_with_options", find)
    return remark


RESULTS: dict[str, type[BaseModel]] = {
    route.path.removeprefix("/api/"): route.response_model
    for route in api.routes
    if isinstance(route, APIRoute) and "GET" in route.methods
}


def cli(folder: Path, *arguments: object) -> Any:
    told = [str(one) for one in arguments] + ["-i", str(folder), "-f", "json", "-q"]
    result = CliRunner().invoke(main, told)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/api/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    RESULTS[path].model_validate_json(answer.content)
    return answer.json()


# -- the same as the command line ------------------------------------------------------------------


def test_status_is_that_of_the_command_line(client: TestClient, folder: Path) -> None:
    found, told = get(client, "status"), cli(folder, "status")
    assert found.pop("index") == "index"
    assert found.pop("revision") >= 1
    for one in (found, told):
        one.pop("files")  # the log of the database comes and goes
    assert {name: told[name] for name in found} == found


@pytest.mark.parametrize("mode", ["semantic", "lexical", "hybrid"])
@pytest.mark.parametrize(
    "chosen", [{}, {"question": "q1"}, {"author": "s2"}, {"where": "score > 2 AND id != 'q1-5'"}]
)
def test_search_is_query(client: TestClient, folder: Path, mode: str, chosen: Any) -> None:
    found = get(client, "search", q="the event loop", n=3, mode=mode, **chosen)
    options = [part for name, value in chosen.items() for part in (f"--{name}", value)]
    assert [found] == cli(folder, "query", "the event loop", "-n", 3, "--mode", mode, *options)


def test_answers_are_exported_page_by_page(client: TestClient, folder: Path) -> None:
    told = cli(folder, "export")
    assert get(client, "answers") == {"answers": told, "more": False}
    pages = [get(client, "answers", offset=at, limit=5) for at in (0, 5, 10, 15)]
    assert [row for page in pages for row in page["answers"]] == told
    assert [page["more"] for page in pages] == [True, True, False, False]
    assert get(client, "answers", question="")["answers"] == [told[-1]]
    assert get(client, "answers", offset=2**53) == {"answers": [], "more": False}


def test_one_answer_and_what_is_like_it(client: TestClient, folder: Path) -> None:
    found = get(client, "answer", id="q1-0")
    assert found.pop("passages") == [[0, 57], [58, 88]] or found
    assert found == cli(folder, "export")[0]
    like = get(client, "like", id="q1-0", n=3)
    with Index.open(folder) as index:
        hits = index.search_like("q1-0", 3)
    assert [(hit["id"], hit["score"]) for hit in like["hits"]] == [
        (hit.answer.id, hit.score) for hit in hits
    ]
    assert get(client, "like", id="blank")["hits"] == []


def test_pairs_are_mine(client: TestClient, folder: Path) -> None:
    found = get(client, "pairs", threshold=0.4, by="question")
    told = cli(folder, "mine", "--threshold", 0.4, "--by", "question")
    assert found.pop("total") == len(found["pairs"])
    assert found == told
    few = get(client, "pairs", threshold=0.4, by="question", max_pairs=1)
    assert (few["pairs"], few["total"]) == (told["pairs"][:1], len(told["pairs"]))


def test_pages_show_findings_that_chance_cannot_be_judged_of(
    unjudged: str, client: TestClient
) -> None:
    found = get(client, "findings")
    assert found["findings"] and {one["expected"] for one in found["findings"]} == {None}
    assert {ring["expected"] for ring in found["rings"]} == {None}
    review = client.get("/review").text
    assert unjudged.replace("'", "&#39;") in review
    assert ">can&#39;t be judged</a>" in review  # in the table
    until(lambda: "Similarity of the answers" in client.get("/question?name=q1").text)
    for path in ("/group?number=1", "/question?name=q1"):
        page = client.get(path).text
        assert "Chance can&#39;t be judged here: ranked by what they share" in page
        assert "None" not in page


def test_a_group_is_decided_at_once_or_not_at_all(client: TestClient, folder: Path) -> None:
    pairs = [["q1-1", "q1-0"], ["q2-0", "q2-1"], ["q1-0", "q1-1"]]
    body = {"pairs": pairs, "decision": "dismissed", "reason": "one lab group"}
    stored = client.post("/api/decisions/group", json=body).json()["decisions"]
    assert [(one["left"], one["right"], one["reason"]) for one in stored] == [
        ("q1-0", "q1-1", "one lab group"),
        ("q2-0", "q2-1", "one lab group"),
    ]
    assert get(client, "decisions")["decisions"] == stored
    wrong = {**body, "decision": "confirmed", "pairs": [["q1-1", "q1-0"], ["q1-0", "nobody"]]}
    refused = client.post("/api/decisions/group", json=wrong)
    assert refused.status_code == 404 and "nobody" in refused.json()["error"]
    assert get(client, "decisions")["decisions"] == stored
    assert client.post("/api/decisions/group", json=body | {"pairs": []}).status_code == 422


def test_findings_are_plagiarism_with_decisions(client: TestClient, folder: Path) -> None:
    with Index.open(folder) as index:
        told = json.loads(json.dumps(find_plagiarism(index).to_record()))
    assert get(client, "findings") == told
    with Index.open(folder) as index:
        told = json.loads(json.dumps(find_plagiarism(index, fdr=0.5).to_record()))
    assert get(client, "findings", fdr=0.5) == told
    judged = [one for one in told["findings"] if one["q_value"] is not None]
    assert told["by_chance"] == 0.5 * len(judged)
    assert client.get("/api/findings?fdr=0").status_code == 422
    for finding in get(client, "findings")["findings"]:
        compared = get(client, "compare", left=finding["left"], right=finding["right"])
        assert compared == finding | {"q_value": None, "pairs": compared["pairs"]}
    compared = get(client, "compare", left="q1-1", right="q1-0")
    told = cli(folder, "compare", "q1-1", "q1-0")
    assert {name: value for name, value in compared.items() if name in told} == told
    assert compared["decision"] == "open"
    client.post("/api/decisions", json={"left": "q1-0", "right": "q1-1", "decision": "dismissed"})
    assert get(client, "compare", left="q1-0", right="q1-1")["decision"] == "dismissed"


def test_clusters_are_cluster(client: TestClient, folder: Path) -> None:
    for method in ("communities", "hdbscan"):
        found = get(client, "clusters", by="question", method=method)
        told = cli(folder, "cluster", "--by", "question", "--method", method)
        assert found["clusters"] == told
        assert found["answers"] >= found["blank"] == 1


def test_grades_are_grade(client: TestClient, folder: Path) -> None:
    with writer(folder) as index:
        index.update_columns({"q1-3": {"score": None}, "q2-4": {"score": None}})
    suggested = get(client, "grades", column="score")["suggestions"]
    assert suggested == cli(folder, "grade", "--column", "score")
    assert {one["id"] for one in suggested} >= {"q1-3", "q2-4"}
    client.post("/api/notes", json={"ids": ["q1-3"], "columns": {"score": "3"}})
    assert "q1-3" not in [one["id"] for one in get(client, "grades", column="score")["suggestions"]]
    assert get(client, "grades/audit", column="score")["found"] == cli(
        folder, "grade", "--column", "score", "--audit"
    )
    assert get(client, "grades/evaluation", column="score") == cli(
        folder, "grade", "--column", "score", "--evaluate"
    )


def test_verify_looks_every_time(client: TestClient, folder: Path) -> None:
    assert get(client, "verify") == {"sound": True, "problems": []}
    (folder / "vectors-99.faiss").write_bytes(b"left over")
    found = get(client, "verify")
    assert not found["sound"]
    assert "left over from an earlier state" in found["problems"][0]


# -- deciding and noting ---------------------------------------------------------------------------


def test_decisions_are_kept_and_taken_back(client: TestClient, folder: Path) -> None:
    new = {"left": "q1-1", "right": "q1-0", "decision": "confirmed", "reason": " both \u202e "}
    kept = client.post("/api/decisions", json=new).json()
    assert (kept["left"], kept["right"], kept["decision"]) == ("q1-0", "q1-1", "confirmed")
    assert get(client, "decisions")["decisions"] == [kept] == cli(folder, "decisions")
    with Index.open(folder) as index:
        assert decisions(index)["q1-0", "q1-1"].number == kept["number"]
    gone = client.delete("/api/decisions", params={"number": kept["number"]})
    assert gone.json() == {"taken_back": {"left": "q1-0", "right": "q1-1"}}
    assert client.delete("/api/decisions").json() == {"taken_back": None}
    assert get(client, "decisions") == {"decisions": []}


@pytest.mark.parametrize(
    ("new", "status", "said"),
    [
        ({"left": "q1-0", "right": "q1-0"}, 400, "'q1-0' is one answer; a decision is about two"),
        ({"left": "x", "right": "y"}, 404, "no answer 'x' and 1 more in "),
        ({"left": "q1-0", "right": "q1-1", "decision": "maybe"}, 422, "decision: "),
        ({"left": "q1-0", "right": "q1-1", "reason": "x" * 2001}, 422, "reason: "),
        ({"left": "q1-0", "right": 1}, 422, "right: Input should be a valid string"),
        ({"left": "q1-0"}, 422, "right: Field required"),
        ([], 422, "the body: "),
        ("{", 422, "the body: JSON decode error"),
        ('{"left": "\\ud800", "right": "b", "decision": "open"}', 422, "surrogate"),
        ('{"left": "a", "right": "b", "decision": "open", "\\ud800": 1}', 404, "no answer 'a'"),
        ("[" * 100_000, 400, "error parsing the body"),
        ('{"left": ' + "9" * 10_000 + "}", 400, "error parsing the body"),
        (b"\xff\xfe", 422, "the body: JSON decode error"),
    ],
)  # fmt: skip
def test_an_invalid_decision_is_refused(
    client: TestClient, new: Any, status: int, said: str
) -> None:
    if isinstance(new, str | bytes):
        json_type = {"content-type": "application/json"}
        answer = client.post("/api/decisions", content=new, headers=json_type)
    else:
        body = {"decision": "confirmed", **new} if isinstance(new, dict) else new
        answer = client.post("/api/decisions", json=body)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]
    assert get(client, "decisions") == {"decisions": []}


def test_a_body_must_be_declared_as_json(client: TestClient) -> None:
    new = json.dumps({"left": "q1-0", "right": "q1-1", "decision": "confirmed"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = client.post("/api/decisions", content=new, headers={"content-type": kind})
        assert answer.status_code == 422
    assert get(client, "decisions") == {"decisions": []}


def test_notes_are_written_only_into_columns(client: TestClient, folder: Path) -> None:
    notes = {"ids": ["q1-0", "q1-1"], "columns": {"score": "9", "comment": HOSTILE}}
    assert client.post("/api/notes", json=notes).json() == {"changed": 2}
    assert get(client, "answer", id="q1-1")["comment"] == HOSTILE
    empty = {"ids": ["q1-0"], "columns": {"comment": None}}
    assert client.post("/api/notes", json=empty).json() == {"changed": 1}
    assert "comment" not in get(client, "answer", id="q1-0")
    for name in ("text", "ID", " author ", "line", "source", "meta", "key", "", " ", "a\0b", "a\nb",
                 "\u202ex", "x" * 201):  # fmt: skip
        answer = client.post("/api/notes", json={"ids": ["q1-0"], "columns": {name: "x"}})
        assert answer.status_code == 400, name
        assert "is no column to write into" in answer.json()["error"]
    answer = client.post("/api/notes", json={"ids": ["q1-0", "nobody"], "columns": {"a": "x"}})
    assert answer.status_code == 404
    as_json = {"content-type": "application/json"}
    for body in ({"ids": [], "columns": {}}, {"ids": ["q1-0"], "columns": {"a": 1}}, {"ids": "q1"},
                 {"ids": ["q1-0"], "columns": {"\ud800": 1}},
                 {"ids": ["q1-0"], "columns": {"a": "\ud800"}}):  # fmt: skip
        assert (
            client.post("/api/notes", content=json.dumps(body), headers=as_json).status_code == 422
        )
    assert get(client, "search", q="loop", where='"comment" IS NOT NULL')["hits"]


# -- what can't be ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("search", 422, "q: Field required"),
        ("search?q=", 400, "the query is blank"),
        ("search?q=x&n=0", 422, "n: "),
        ("search?q=x&n=1e9", 422, "n: "),
        ("search?q=x&mode=magic", 422, "mode: "),
        ("search?q=x&where=absent+%3D+1", 400, "no column 'absent'"),
        ("search?q=x&where=1)%3B+DROP+TABLE+answers", 400, "is not one SQL expression"),
        ("answers?question=q1&where=1)+OR+(1", 400, "is not one SQL expression"),
        ("search?q=x&where=(SELECT+1+FROM+decisions)", 400, "may only read the answers"),
        ("search?q=x&where=%00", 400, "`where`"),
        ("search?q=x&where=", 400, "`where`"),
        ("answers?limit=0", 422, "limit: "),
        ("answers?offset=-1", 422, "offset: "),
        ("answer?id=nobody", 404, "no answer 'nobody'"),
        ("answer?id=%00", 404, "no answer"),
        ("answer?id=%ff%fe", 404, "no answer"),
        ("like?id=nobody", 404, "no answer 'nobody'"),
        ("like?id=q1-0&question=q9", 404, "no question 'q9' in "),
        ("search?q=x&question=q9", 404, "; there are q1, q2"),
        ("search?q=x&mode=lexical&author=nobody", 404, "no author 'nobody' in "),
        ("search?q=x&mode=hybrid&author=nobody&where=1", 404, "no author 'nobody' in "),
        ("answers?question=q9", 404, "no question 'q9' in "),
        ("pairs?question=q9", 404, "no question 'q9' in "),
        ("clusters?question=q9", 404, "no question 'q9' in "),
        ("map?question=q9", 404, "no question 'q9' in "),
        ("grades?column=score&question=q9", 404, "no question 'q9' in "),
        ("compare?left=q1-0&right=nobody", 404, "no answer 'nobody'"),
        ("compare?left=q1-0&right=q1-0", 400, "q1-0"),
        ("pairs?threshold=nan", 422, "threshold: "),
        ("pairs?threshold=1.5", 422, "threshold: "),
        ("pairs?wait=nan", 422, "wait: "),
        ("pairs?where=absent", 400, "no column 'absent'"),
        ("clusters?method=magic", 422, "method: "),
        ("grades?column=nothing", 400, "nothing"),
        ("grades/audit?column=nothing", 400, "nothing"),
        ("uploads/nothing", 404, "no such upload"),
        ("nothing", 404, "Not Found"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_of_json(
    client: TestClient, path: str, status: int, said: str
) -> None:
    for _ in range(2):  # an error of a job is told, and the next time computed anew
        answer = client.get(f"/api/{path}")
        assert answer.status_code == status, answer.text
        assert list(answer.json()) == ["error"]
        assert said in answer.json()["error"]
        assert "\n" not in answer.json()["error"]


def test_an_error_is_one_line_whatever_the_columns_are_called(tmp_path: Path, toy: None) -> None:
    name = "line\nend"
    rows = [Answer(str(n), text, name, meta={name: "x" * n}) for n, text in enumerate(TEXTS)]
    with client_of(make_index(tmp_path / "index", rows)) as client:
        for path, parameters in [
            ("grades", {"column": ""}), ("grades/audit", {"column": "a"}),
            ("search", {"q": "x", "where": "absent"}), ("answer", {"id": name}),
            ("map", {"question": name + "x"}), ("like", {"id": "1\r2"}),
        ]:  # fmt: skip
            answer = client.get(f"/api/{path}", params=parameters)
            assert answer.status_code in (400, 404), answer.text
            assert answer.json()["error"].isprintable(), answer.text


def test_a_filter_that_takes_hours_is_ended(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "searchkit.index.storage.store.matching_keys", partial(matching_keys, time_limit=0.2)
    )
    text = "replace(hex(printf('%9000000d', 1)), '20', 'aa')"  # comparing them takes hours
    sql = f"instr({text}, substr({text}, 1, 9000000) || 'b')"
    start = time.monotonic()
    for path in ("answers", "pairs"):
        answer = client.get(f"/api/{path}", params={"where": sql})
        assert answer.status_code == 400
        assert "took more than 0 s; use a simpler one" in answer.json()["error"]
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("sql", ["`question` = ", "nothing = '`author`'"])
def test_an_error_names_the_parameter_as_each_interface_does(
    folder: Path, client: TestClient, sql: str
) -> None:
    with Index.open(folder) as index, pytest.raises(BadInput) as error:
        list(index.answers(Where(sql=sql)))
    message = str(error.value)
    assert message.startswith("`where`: ")
    result = CliRunner().invoke(main, ["export", "--where", sql, "-i", str(folder)])
    assert result.stderr == message.replace("`where`: ", "searchkit: --where: ") + "\n"
    assert client.get("/api/answers", params={"where": sql}).json() == {"error": message}


PAGES = ["/", "/search", "/search?q=event+loop", "/hits?q=loop", "/author?name=s1",
         "/search?question=q1",
         "/review", "/groups", "/questions",
         "/question?name=q1", "/grade?question=q1", "/answer?id=q1-0",
         "/compare?left=q1-0&right=q1-1", "/upload", "/docs"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_no_inline_scripts_or_styles(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for script in re.findall(r"<script[^>]*>", answer.text):
        assert "src=" in script or 'type="application/json"' in script
    assert not re.findall(r"<[^>]+\son\w+=|<[^>]+\sstyle=|javascript:", answer.text)


def test_the_docs_page_lists_every_call_and_every_record(client: TestClient) -> None:
    page = client.get("/docs").text
    document = client.get("/openapi.json").json()
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        _, _, rest = page.partition(f'<article class="card" id="{name}">')
        article, _, _ = rest.partition("</article>")
        assert all(f"<code>{field}</code>" in article for field in schema["properties"]), name
    of_errors = {"Problem", "WouldOverwrite"}
    assert set(re.findall(r'href="#(\w+)"', page)) == {"main", *schemas} - of_errors


def test_the_report_is_sent_as_a_download(client: TestClient) -> None:
    until(lambda: "content-disposition" in client.get("/report").headers)
    answer = client.get("/report")  # it holds its scripts itself, which no page of ours may
    assert answer.headers["content-disposition"] == 'attachment; filename="report.html"'
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_a_search_says_that_a_name_is_not_there_and_keeps_the_form(client: TestClient) -> None:
    for path in ("/search?q=x&question=q9&author=s1", "/hits?q=x&question=q9"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "no question &#39;q9&#39; in " in answer.text and "there are q1, q2" in answer.text
    assert 'value="q9"' in client.get("/search?q=x&question=q9").text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/?n=x", 422), ("/search?mode=magic", 422),
     ("/questions?sort=magic", 422), ("/answer?id=nobody", 404),
     ("/answer", 422), ("/question?name=nothing", 404), ("/grade?question=nothing", 404),
     ("/review?left=a&right=q1-0", 404), ("/compare?left=a&right=b", 404),
     ("/review?show=magic", 422), ("/review/finding?left=a&right=b", 404), ("/static/x.css", 404),
     (f"/answer?id={HOSTILE.replace('&', '%26')}", 404)],
)  # fmt: skip
def test_an_error_page_shows_the_reason_and_no_internals(
    client: TestClient, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    for word in ("Traceback", "searchkit/", ".py", "<script>alert"):
        assert word not in answer.text


def test_an_internal_error_shows_no_internals(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret")

    for name in ("web.pages.corpus.start.status", "web.api.status", "web.api.mine"):
        monkeypatch.setattr(f"searchkit.{name}", broken)
    for path in ("/", "/api/status", "/api/pairs"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "internal error; please report it; the server" in answer.text
        assert "secret" not in answer.text
    assert (
        "internal error at /; please report it: RuntimeError: the secret (test_app.py:"
        in caplog.text
    )


def test_texts_of_the_corpus_are_escaped_on_every_page(tmp_path: Path, toy: None) -> None:
    rows = [
        Answer(f"{HOSTILE}{n}", f"{HOSTILE} the same words again and again by all {n}", HOSTILE,
               f"{HOSTILE}-{n}", meta={HOSTILE: HOSTILE, "prompt": HOSTILE})
        for n in range(4)
    ]  # fmt: skip
    folder = make_index(tmp_path / "<b>index", rows)
    with writer(folder) as index:
        decide(index, rows[0].id, rows[1].id, "confirmed", HOSTILE)
    with client_of(folder) as client:
        ids = {"left": rows[0].id, "right": rows[1].id}
        for path, parameters in [
            ("/", {}), ("/search", {"q": HOSTILE, "question": HOSTILE, "author": HOSTILE}),
            ("/hits", {"q": "same"}),
            ("/review", {"show": "all"}), ("/review", ids), ("/groups", {}), ("/questions", {}),
            ("/question", {"name": HOSTILE}), ("/grade", {"question": HOSTILE}),
            ("/answer", {"id": rows[0].id}), ("/compare", ids),
            ("/upload", {}), ("/docs", {}), ("/nothing/" + HOSTILE, {}),
        ]:  # fmt: skip
            page = client.get(path, params=parameters)
            assert page.status_code in (200, 404), (path, page.text[:500])
            assert "<script>alert" not in page.text, path
            assert "<b>index" not in page.text, path
        for path in ("answers", "findings", "clusters", "decisions"):
            assert client.get(f"/api/{path}").headers["content-type"] == "application/json"


# -- other processes -------------------------------------------------------------------------------


def test_while_another_process_writes_reading_goes_on_and_deciding_waits(
    client: TestClient, folder: Path
) -> None:
    new = {"left": "q1-0", "right": "q1-1", "decision": "confirmed"}
    with writer(folder):
        for method, path, body in [
            ("POST", "decisions", new), ("DELETE", "decisions", None),
            ("POST", "notes", {"ids": ["q1-0"], "columns": {"a": "b"}}),
        ]:  # fmt: skip
            answer = client.request(method, f"/api/{path}", json=body)
            assert answer.status_code == 503
            assert "being written by process" in answer.json()["error"]
        assert get(client, "search", q="loop")["hits"]
    assert client.post("/api/decisions", json=new).status_code == 200


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody"
)
def test_a_read_only_folder_is_served_and_refuses_writes(folder: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2]); from helpers.serving import *;"
        "import searchkit.index.base; searchkit.index.base.load_encoder = toy_encoder;"
        "os.setuid(65534);"
        "from pathlib import Path\n"
        "with client_of(Path(sys.argv[1])) as client:\n"
        "    for path in ('search?q=loop', 'answers'):\n"
        "        print(client.get('/api/' + path).status_code)\n"
        "    new = {'left': 'q1-0', 'right': 'q1-1', 'decision': 'confirmed'}\n"
        "    answer = client.post('/api/decisions', json=new)\n"
        "    print(answer.status_code, answer.json()['error'])\n"
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in folder.parents:
        if path.stat().st_uid == os.geteuid() and path != Path(path.anchor):
            path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(TESTS)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *read, wrote = done.stdout.splitlines()
    assert read == ["200", "200"]
    assert wrote.startswith("507 ")
    assert "can't write here (Permission denied)" in wrote


def test_a_missing_folder_is_reported(client: TestClient, folder: Path) -> None:
    shutil.rmtree(folder)
    assert client.get("/api/status").status_code == 503
    page = client.get("/")
    assert page.status_code == 503
    assert "isn’t there any more" in page.text or "isn&#39;t there any more" in page.text


def test_concurrent_requests_all_succeed(client: TestClient, folder: Path) -> None:
    """Search, read and decide at the same time: every response must be valid."""
    codes: list[int] = []

    def work(n: int) -> None:
        for path in ("search?q=event+loop", "findings", "answers", "like?id=q1-0", "clusters"):
            codes.append(client.get(f"/api/{path}").status_code)
        new = {"left": "q1-0", "right": f"x:{n}", "decision": "confirmed"}
        codes.append(client.post("/api/decisions", json=new).status_code)

    threads = [threading.Thread(target=work, args=[n]) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert codes == [200] * 72
    assert len(get(client, "decisions")["decisions"]) == 12


# -- OpenAPI ---------------------------------------------------------------------------------------


MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: str(mode.value))
def test_responses_match_the_openapi_document(folder: Path, mode: Any) -> None:
    checks = [not_a_server_error, status_code_conformance, content_type_conformance,
              response_headers_conformance, response_schema_conformance]  # fmt: skip
    ours = {"host": "localhost", "origin": "http://localhost"}
    app = create_app(folder)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=ours)
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=10, derandomize=True, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask_and_check(case: schemathesis.Case) -> None:
            nonlocal count
            count += 1
            case.call_and_validate(checks=checks, headers=ours)

        try:
            ask_and_check()
        except Unsatisfiable:
            assert mode is MODES[1]  # nothing that can be wrong
    assert count > 150
    assert verify_all(folder) == []
    app.state.uploads.close()
    app.state.pool.close()


def verify_all(folder: Path) -> list[str]:
    with writer(folder) as index:
        return verify(index)


def test_the_document_describes_errors_and_bodies_as_they_are(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        assert path.startswith("/api/")
        for about in methods.values():
            assert about["summary"]
            assert about["description"]
            for status in ("400", "404", "422", "503"):
                kind = about["responses"][status]["content"]["application/json"]["schema"]
                assert kind == {"$ref": "#/components/schemas/Problem"}
    body = document["paths"]["/api/uploads"]["put"]["requestBody"]
    assert "application/octet-stream" in body["content"]


def test_the_document_describes_the_fields_of_every_result(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    count = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status in {"200", "202"} & set(operation["responses"]):
                content = operation["responses"][status]["content"]
                if "application/json" not in content:
                    continue  # a file
                schema = content["application/json"]["schema"]
                model = schemas[schema["$ref"].split("/")[-1]]
                assert model["properties"], (path, method)
                count += status == "200"
    # A file is no record, and a POST that starts something is answered 202.
    assert count == sum(len(methods) for methods in document["paths"].values()) - 2
    for name, model in schemas.items():
        assert model["description"], name
        for field, schema in model["properties"].items():
            kinds = {"type", "$ref", "anyOf", "oneOf", "const", "enum"}
            assert kinds & set(schema), (name, field)


# -- searchkit serve -------------------------------------------------------------------------------


def serve(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["serve", "--no-open", *map(str, arguments)])


def test_serve_reports_why_it_cannot_start(folder: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = serve("-i", folder, "--port", port)
        assert result.exit_code == 1
        reason = "can't listen on this address (Address already in use)"
        assert f"127.0.0.1:{port}: {reason}" in result.stderr
        assert "choose another --port" in result.stderr
    for host in ("203.0.113.7", "not a host", "x" * 70, "::g"):
        result = serve("-i", folder, "--port", 0, "--host", host)
        assert result.exit_code == 1
        assert "can't listen on this address" in result.stderr
        assert "choose an address of this machine with --host" in result.stderr
    (tmp_path / "answers.csv").write_text("answer\none")
    result = serve("-i", tmp_path, "--port", 0)  # a folder of files, but no index
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no index here; make one with: searchkit ingest FILE" in result.stderr
    assert not list(tmp_path.glob("*.db"))
    assert serve("-i", folder, "--port", 99999).exit_code == 2


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_serve_without_its_packages_names_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("searchkit.web.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    result = serve("-i", folder)
    assert result.exit_code == 1
    assert f"serve needs {missing}" in result.stderr
    assert "pip install 'searchkit[web]'" in result.stderr


PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import searchkit.index.base, searchkit.index.folder
from helpers.serving import toy_encoder
searchkit.index.base.load_encoder = searchkit.index.folder.load_encoder = toy_encoder
from searchkit.cli.app import main
main()
"""


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `searchkit serve` with the toy encoder; yield the process and its address."""
    tests = str(TESTS)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tests, "serve", "-i", str(folder), "--port", "0",
         "--no-open", *arguments],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr
        line = process.stderr.readline()
        found = re.search(r"http://\S+?(?=;)", line)
        assert found, line + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def ask(address: str, path: str, body: Any = None, **headers: str) -> Any:
    base = address.split("?")[0]
    data = None if body is None else json.dumps(body).encode()
    said = {"origin": base.rstrip("/"), "content-type": "application/json", **headers}
    with urllib.request.urlopen(urllib.request.Request(base + path, data, said), timeout=20) as got:
        return json.load(got)


@pytest.mark.parametrize("name", ["none", "empty"])
def test_where_nothing_is_serve_makes_an_index_to_upload_to(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    (tmp_path / "empty").mkdir()
    with running(folder) as (process, address):
        assert process.stderr
        told = f"searchkit: {folder}: a new index, still empty; upload a file on the page\n"
        assert process.stderr.readline() == told
        with urllib.request.urlopen(address) as page:
            assert "This index is empty" in page.read().decode()
        upload = urllib.request.Request(
            f"{address}api/uploads?name=a.csv", b"id,answer\n1,one thread\n",
            {"origin": address.rstrip("/")}, method="PUT",
        )  # fmt: skip
        with urllib.request.urlopen(upload, timeout=20) as got:
            key = json.load(got)["id"]
        ask(address, f"api/uploads/{key}", {})
        until(lambda: ask(address, "api/status")["answers"] == 1, 30)


@pytest.mark.parametrize("error", [IndexBusy, BadInput])
def test_where_another_server_makes_the_index_first_both_serve_it(
    tmp_path: Path, toy: None, monkeypatch: pytest.MonkeyPatch, error: type[SearchkitError]
) -> None:
    create = Index.create

    def create_too_late(path: Path, encoder: object) -> Index:
        create(path, ToyEncoder()).close()
        raise error("another process writes here, or wrote")

    monkeypatch.setattr("uvicorn.Server.run", lambda *_: None)
    monkeypatch.setattr(Index, "create", create_too_late)
    result = serve("-i", tmp_path / "new", "--port", 0)
    assert (result.exit_code, "still empty" in result.stderr) == (0, False), result.stderr


def test_a_model_is_that_of_a_new_index_and_must_be_that_of_an_old_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda *_: None)
    monkeypatch.setattr(
        "searchkit.encoding.loading.load_encoder",
        lambda name, **_: ToyEncoder(fingerprint=name),
    )
    new = tmp_path / "new"
    for _ in range(2):
        assert serve("-i", new, "--port", 0, "--model", "other").exit_code == 0
    with Index.open(new) as index:
        assert index.model.fingerprint == "other"
    refused = serve("-i", folder, "--port", 0, "--model", "other")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "reindex" in refused.stderr


@pytest.mark.crash
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_serve_quietly_and_leaves_no_files(
    folder: Path, tmp_path: Path, how: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with running(folder) as (process, address):
        assert ask(address, "api/status")["answers"] == len(ANSWERS)
        request = urllib.request.Request(
            f"{address}api/uploads?name=a.csv", b"id,text\n1,x\n",
            {"origin": address.rstrip("/")}, method="PUT",
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=20) as got:
            assert got.status == 200
        assert list(temporary.rglob("a.csv"))
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
        assert process.returncode in ((0,) if how == signal.SIGINT else (0, -signal.SIGTERM))
        assert (out, err) == ("", "")
    assert not list(temporary.rglob("a.csv"))


@pytest.mark.crash
def test_other_machines_need_the_token(folder: Path) -> None:
    with running(folder, "--host", "0.0.0.0") as (process, address):
        token = address.partition("?token=")[2]
        assert len(token) > 20
        assert process.stderr
        assert "who has the token may do all" in process.stderr.readline()
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            ask(address, "api/status")
        refused.value.close()
        bearer = {"authorization": f"Bearer {token}"}
        assert ask(address, "api/status", **bearer)["answers"] == len(ANSWERS)
        assert ask(address, "api/status", host="teachers-laptop", **bearer)["answers"]


@pytest.mark.crash
def test_acknowledged_decisions_survive_a_kill(folder: Path) -> None:
    acknowledged: list[dict[str, Any]] = []

    def decide_on_and_on(address: str, name: str) -> None:
        try:
            for n in range(10_000):
                new = {"left": "q1-0", "right": f"{name}:{n}", "decision": "confirmed",
                       "reason": f"{name} {n}"}  # fmt: skip
                acknowledged.append(ask(address, "api/decisions", new))
        except OSError:
            return  # killed

    for turn in range(3):
        with running(folder) as (process, address):
            before = len(acknowledged)
            threads = [
                threading.Thread(target=decide_on_and_on, args=[address, f"t{turn}-{k}"])
                for k in range(3)
            ]
            for one in threads:
                one.start()
            until(lambda before=before: len(acknowledged) > before + 20, 30)
            process.kill()
            process.wait(10)
            for one in threads:
                one.join(30)
        with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
            kept = decisions(index)
            assert verify(index) == []
        for one in acknowledged:
            found = kept[one["left"], one["right"]]
            assert (found.number, found.reason) == (one["number"], one["reason"])
        assert len(kept) <= len(acknowledged) + 3 * (turn + 1)  # those that were under way
    with running(folder) as (_, address):
        found = ask(address, "api/decisions")["decisions"]
        assert {one["number"] for one in found} >= {one["number"] for one in acknowledged}
        assert ask(address, "api/verify") == {"sound": True, "problems": []}

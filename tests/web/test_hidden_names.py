"""Names that are hidden in a browser are on no page, in no address and in no error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus

import pytest
from helpers.canaries import canary_answers, seen
from helpers.serving import client_of, make_index, until
from starlette.testclient import TestClient

from searchkit import Index
from searchkit.index.decisions import decisions


@pytest.fixture
def canaries(tmp_path: Path, toy: None) -> Iterator[TestClient]:
    folder = make_index(tmp_path / "Zebulon Quarrington", canary_answers())
    with client_of(folder) as client:
        client.cookies.set("names", "hidden")
        until(lambda: "Looking for findings" not in client.get("/review").text)
        yield client


def test_no_page_has_a_name_while_names_are_hidden(canaries: TestClient) -> None:
    by_id = {answer.id: answer for answer in canary_answers()}
    real = [
        *(
            "/",
            "/search",
            "/search?q=loop",
            "/hits?q=loop+zeb&mode=lexical",
            "/review",
            "/review?show=all",
        ),
        *("/groups", "/groups?pairs=all", "/group?number=1"),
        *("/questions", "/upload", "/docs", "/report"),
        *("/review/histogram", "/review/equal", "/review/sources", "/review/matches?text=loop"),
        *(f"/question?name={quote(question)}" for question in {a.question for a in by_id.values()}),
        *(
            f"/grade?question={quote(question)}"
            for question in {a.question for a in by_id.values()}
        ),
        *(f"/answer?id={quote(name)}" for name in by_id if "/" in name),
        f"/?q=loop&author={quote('zebulon quarrington')}&question={quote('loops of Zebulon')}",
    ]
    left, right = (quote(f"loops of Zebulon/{name}")
                   for name in ("Müllerhuber, Ottilie", "Zebulon Quarrington"))  # fmt: skip
    real += [f"/compare?left={left}&right={right}", f"/review?show=all&left={left}&right={right}",
             f"/review/finding?left={left}&right={right}"]  # fmt: skip
    one, other = quote("zebulon quarrington"), quote("Müllerhuber, Ottilie")
    real += [f"/groups{part}?author={one}{more}"
             for part in ("", "/pairs") for more in ("", f"&other={other}")]  # fmt: skip
    visited: set[str] = set()
    queue = list(real)
    while queue:
        path = queue.pop()
        answer = until(lambda path=path: _finished(canaries.get(path)))
        assert answer.status_code == 200, (path, answer.text)
        assert seen(answer.text) == [], path
        assert seen(unquote_plus(str(answer.url))) == [], path
        assert seen(str(answer.headers)) == []
        found = re.findall(
            r'href="(/(?:answer|author|question|compare|review|groups?)?\?[^"#]*)', answer.text
        )
        links = {unescape(link) for link in found} - visited
        visited |= links
        queue += sorted(links)[:10] if len(visited) < 150 else []


def _finished(answer: Any) -> Any:
    return None if "refreshes every two seconds" in answer.text else answer


def test_a_note_keeps_its_names_when_it_is_sent_back_while_they_are_hidden(
    canaries: TestClient,
) -> None:
    canaries.cookies.delete("names")
    found = canaries.get("/api/findings?wait=30").json()["findings"]
    one, other = ({side: pair[side] for side in ("left", "right")} for pair in found[:2])
    note = "Zebulon Quarrington says:\nmy own words"
    confirmed = {"decision": "confirmed", "reason": note}
    assert canaries.post("/api/decisions", json=one | confirmed).json()["reason"] == note
    canaries.cookies.set("names", "hidden")

    def send(pair: dict[str, str], note: str) -> str:
        """Decide about a pair with a note; return it as it is stored."""
        body = {"pairs": [list(pair.values())], "decision": "dismissed", "reason": note}
        answer = canaries.post("/api/decisions/group", json=body)
        assert answer.status_code == 200 and "Zebulon" not in answer.text
        canaries.cookies.delete("names")
        stored = canaries.get("/api/decisions").json()["decisions"]
        canaries.cookies.set("names", "hidden")
        return str(stored[-1]["reason"])

    page = canaries.get("/review/finding", params=one).text
    shown = re.sub("<[^>]*>", "", page.split("<span data-note hidden>")[1].split("</span>\n")[0])
    assert re.fullmatch(r"author \d+ says:\nmy own words", unescape(shown))
    in_field = unescape(shown).replace("\n", "")  # a field of one line drops the break
    assert send(one, in_field) == send(other, in_field) == note
    assert send(one, f"{in_field}, again") == "Zebulon Quarrington says:my own words, again"
    assert send(one, "allowed to work together") == "allowed to work together"


def test_an_error_has_no_name_while_names_are_hidden(canaries: TestClient) -> None:
    for path, status in (
        ("/search?q=x&author=zebulom+quarrington", 200),
        ("/question?name=loops+of+zebulom", 404),
        ("/api/answers?author=zebulom+quarrington", 404),
    ):
        answer = canaries.get(path)
        assert answer.status_code == status
        assert "did you mean" in answer.text
        assert seen(answer.text) == []


def test_a_browser_that_hides_names_decides_and_writes_by_pseudonyms(
    canaries: TestClient, tmp_path: Path
) -> None:
    page = canaries.get("/review?show=all").text
    link = re.search(r'href="/review\?(left=answer[^"]+)"', page)
    assert link
    new = dict(parse_qsl(unescape(link[1]))) | {"decision": "confirmed"}
    kept = canaries.post("/api/decisions", json=new).json()
    assert {kept["left"], kept["right"]} == {new["left"], new["right"]}
    with Index.open(tmp_path / "Zebulon Quarrington") as index:
        ((left, right),) = decisions(index)
    assert {left, right} < {answer.id for answer in canary_answers()}
    assert canaries.delete("/api/decisions").json()["taken_back"] in (
        {"left": new["left"], "right": new["right"]},
        {"left": new["right"], "right": new["left"]},
    )
    body = {"ids": [new["left"]], "columns": {"mark": "5"}}
    assert canaries.post("/api/notes", json=body).json() == {"changed": 1}


def test_an_address_with_pseudonyms_leads_back_once_names_are_shown(canaries: TestClient) -> None:
    hidden = canaries.get("/answer?id=loops+of+Zebulon/Zebulon+Quarrington")
    assert re.search(r"id=answer\+\d+$", str(hidden.url))
    canaries.cookies.set("names", "shown")
    shown = canaries.get(str(hidden.url))
    assert unquote_plus(str(shown.url)).endswith("id=loops of Zebulon/Zebulon Quarrington")
    assert "Zebulon Quarrington" in shown.text

"""xAPI statements."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from helpers.source_files import read, rejected, write

from searchkit.core.errors import BadInput


def statement(
    response: object,
    kind: str | None = "long-fill-in",
    activity: str = "http://x/q1",
    **more: object,
) -> dict[str, Any]:
    definition: dict[str, Any] = {"description": {"de": "Warum?", "en-US": "Why?"}}
    if kind:
        definition["interactionType"] = kind
    return {
        "id": "5b1",
        "actor": {"name": "Ann", "mbox": "mailto:ann@x.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
        "object": {"id": activity, "definition": definition},
        "result": {"response": response, "score": {"raw": 2.50, "max": 4}, "success": True},
        "timestamp": "2025-05-01T10:00:00Z",
    } | more


def test_the_fields_of_a_statement(tmp_path: Path) -> None:
    (answer,) = read(write(tmp_path / "a.json", json.dumps([statement("because")])))
    assert (answer.id, answer.text, answer.question) == ("5b1", "because", "Why?")
    assert (answer.author, answer.submitted_at) == ("Ann", "2025-05-01T10:00:00Z")
    assert answer.meta == {
        "account": "ann@x.org",
        "score": "2.5",
        "max_score": "4",
        "success": "true",
        "prompt": "Why?",
        "activity": "http://x/q1",
    }


def test_an_array_lines_and_an_object_around_them_are_the_same(tmp_path: Path) -> None:
    statements = [statement("a"), statement("<p>b</p>", id="6")]
    lines = "\n".join(map(json.dumps, statements))
    around = {"statements": statements, "more": ""}
    expected = [("5b1", "a"), ("6", "b")]
    for name, text in [
        ("a.json", json.dumps(statements)),
        ("b.jsonl", lines),
        ("c.json", json.dumps(around)),
        ("d.json", json.dumps([around])),
    ]:
        assert [(a.id, a.text) for a in read(write(tmp_path / name, text))] == expected


def test_one_statement_with_lists_in_it_and_a_document_over_several_lines(tmp_path: Path) -> None:
    parents = [{"id": "http://x/quiz"}, {"id": "http://x/course"}]
    one = statement("a", context={"contextActivities": {"parent": parents, "grouping": parents}})
    document = {"statements": [one, statement("b", id="6")], "more": ""}
    for indent in (None, 2):
        for value, ids in ((one, ["5b1"]), (document, ["5b1", "6"])):
            path = write(tmp_path / "a.json", json.dumps(value, indent=indent))
            assert [answer.id for answer in read(path)] == ids


def test_only_texts_are_answers(tmp_path: Path) -> None:
    kinds = ["choice", "true-false", "numeric", "likert", "fill-in", "other", None]
    statements = [statement(f"{kind}", kind, id=f"{kind}") for kind in kinds]
    statements += [statement(4, None, id="number"), statement("", id="empty")]
    statements.append(statement(4, id="gap"))
    without = statement("x", id="none") | {"result": {"completion": True}}
    answers = read(write(tmp_path / "a.json", json.dumps([*statements, without])))
    assert [(a.id, a.text) for a in answers] == [
        ("fill-in", "fill-in"),
        ("other", "other"),
        ("None", "None"),
        ("gap", "4"),
    ]


def test_gaps_and_correct_responses(tmp_path: Path) -> None:
    said = statement("{lang=en}Paris[,]{case_matters=false}Rome", "fill-in")
    said["object"]["definition"]["correctResponsesPattern"] = ["{case_matters=false}Paris[,]Roma"]
    path = write(tmp_path / "a.json", json.dumps([said, said | {"id": "7"}]))
    reference, answer, again = read(path)
    assert (reference.author, reference.text) == ("reference", "Paris\nRoma")
    assert (answer.text, again.id) == ("Paris\nRome", "7")


@pytest.mark.parametrize(
    ("actor", "author"),
    [
        ({"mbox": "mailto:ann@x.org"}, "ann@x.org"),
        ({"account": {"homePage": "http://x", "name": "4711"}}, "4711"),
        ({"openid": "http://ann.x"}, "http://ann.x"),
        ({"objectType": "Group", "member": [{"name": "Ann"}, {"mbox": "mailto:b@x"}]}, "Ann, b@x"),
        ({}, None),
        ("Ann", None),
    ],
)
def test_who_it_was(tmp_path: Path, actor: object, author: str | None) -> None:
    (answer,) = read(write(tmp_path / "a.json", json.dumps([statement("a", actor=actor)])))
    assert answer.author == author


def test_two_people_of_one_name_and_two_activities_of_one_text(tmp_path: Path) -> None:
    actor = {"name": "Ann", "mbox": "mailto:a@y"}
    other = statement("b", activity="http://x/q2", id="6", actor=actor)
    answers = read(write(tmp_path / "a.json", json.dumps([statement("a"), other])))
    assert [(a.author, a.question) for a in answers] == [
        ("Ann (ann@x.org)", "Why?"),
        ("Ann (a@y)", "Why? (http://x/q2)"),
    ]


def test_what_is_no_statement_is_rejected(tmp_path: Path) -> None:
    page = json.dumps({"statements": [statement("a"), 5, {"object": [], "result": "x"}]})
    answers, bad = rejected(write(tmp_path / "a.jsonl", f"{page}\n{page}"))
    assert [a.text for a in answers] == ["a", "a"]
    reason = "no object where an xAPI statement is needed; export it again"
    assert [(reject.line, reject.reason, reject.row) for reject in bad] == [
        (1, reason, "5"),
        (2, reason, "5"),
    ]


def test_no_answers_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a.json: no answers in it"):
        read(write(tmp_path / "a.json", json.dumps([statement("A", "choice")])))


def test_plain_and_xapi_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", json.dumps([{"answer": "yes", "id": "1"}]))
    with pytest.raises(BadInput, match=r"the first objects are no xAPI statements; leave out `pl"):
        read(path, platform="xapi")
    rows = [statement("a") | {"text": "whole"}]
    (answer,) = read(write(tmp_path / "b.json", json.dumps(rows)), platform="plain")
    assert answer.text == "whole"


def places(value: object) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as the list or object and the key in it."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    inner = [place for _, item in items for place in places(item)]
    return [(value, key) for key, _ in items] + inner


def test_values_of_other_types_are_rejected_or_read(tmp_path: Path) -> None:
    random_ = random.Random(3)
    whole = statement("{lang=en}a[,]b", "fill-in", actor={"member": [{"name": "Ann"}, {}]})
    whole["object"]["definition"]["correctResponsesPattern"] = ["a[,]b"]
    num_read = 0
    for _ in range(400):
        damaged = {"statements": [copy.deepcopy(whole), copy.deepcopy(whole)]}
        for _ in range(random_.randint(1, 3)):
            target, key = random_.choice(places(damaged))
            target[key] = random_.choice([None, True, 5, 1.5, "", "x", [], ["x"], {}, {"a": [{}]}])
        try:
            answers, _ = rejected(write(tmp_path / "a.json", json.dumps(damaged)))
        except BadInput as error:
            assert "\n" not in str(error)
        else:
            num_read += bool(answers)
    assert num_read > 200

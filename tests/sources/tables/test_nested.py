"""Lists of answers in a row, and the list of rows in a document."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pyarrow as pa
import pytest
from helpers.source_files import read, rejected, write
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from searchkit.core.errors import BadInput
from searchkit.sources.columns import Columns

TEXTS = {"id": "1", "question": "q1", "answer": ["first", "second", None]}
OBJECTS = {
    "id": "q1",
    "level": "B2",
    "answers": [
        {"id": "a1", "author": "ann", "text": "first"},
        {"id": "a2", "author": "bob", "text": "second"},
    ],
}


def write_rows(folder: Path, rows: list[dict[str, object]], format: str) -> Path:
    path = folder / f"a.{format}"
    if format == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
        return path
    return write(path, json.dumps(rows) if format == "json" else "\n".join(map(json.dumps, rows)))


@pytest.mark.parametrize("format", ["json", "jsonl", "parquet"])
def test_a_list_of_texts_is_an_answer_each(tmp_path: Path, format: str) -> None:
    answers = read(write_rows(tmp_path, [TEXTS, {**TEXTS, "id": "2", "answer": ["one"]}], format))
    assert [(a.id, a.question, a.text, a.line) for a in answers] == [
        ("1/1", "q1", "first", 1), ("1/2", "q1", "second", 1), ("2", "q1", "one", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("format", ["json", "jsonl", "parquet"])
def test_a_list_of_objects_is_an_answer_each(tmp_path: Path, format: str) -> None:
    answers = read(write_rows(tmp_path, [OBJECTS], format))
    assert [(a.id, a.author, a.text) for a in answers] == [
        ("a1", "ann", "first"), ("a2", "bob", "second")
    ]  # fmt: skip
    assert answers[0].meta == {"id (2)": "q1", "level": "B2"}


def test_lists_as_columnar_formats_write_them(tmp_path: Path) -> None:
    row = {"id": "7", "answers": {"text": ["a", "b"], "start": [1, 2]}}
    answers = read(write_rows(tmp_path, [row], "jsonl"))
    assert [(a.id, a.text, a.meta) for a in answers] == [
        ("7/1", "a", {"start": "1"}), ("7/2", "b", {"start": "2"})
    ]  # fmt: skip


def test_the_column_with_the_list_can_be_named(tmp_path: Path) -> None:
    rows = [{"id": "1", "text": "the task", "words": ["a", "b"]}]
    path = write_rows(tmp_path, rows, "jsonl")
    assert [a.text for a in read(path)] == ["the task"]
    assert [a.text for a in read(path, columns=Columns(text="words"))] == ["a", "b"]
    path = write_rows(tmp_path, [{"words": OBJECTS["answers"]}], "jsonl")
    answers = read(path, columns=Columns(text="words"))
    assert [(a.id, a.text) for a in answers] == [("a1", "first"), ("a2", "second")]


@pytest.mark.parametrize(
    "content",
    [
        '[[{"text": "a"}, {"text": "b"}]]',
        '[ [{"text": "a"}],\n[],[{"text": "b"}] ]',
        '[[],[{"text": "a"}, {"text": "b"}],[]]',
    ],
)
def test_arrays_in_an_array_as_moodle_writes_them(tmp_path: Path, content: str) -> None:
    assert [a.text for a in read(write(tmp_path / "a.json", content))] == ["a", "b"]


def test_an_array_in_an_array_that_is_not_complete(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a.json:1: not JSON .a comma or the array's end is missi"):
        read(write(tmp_path / "a.json", '[[{"text": "a"}]'))


@pytest.mark.parametrize("indent", [None, 2])
def test_the_only_list_of_a_document_holds_the_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, indent: int | None
) -> None:
    document = {"status": "ok", "data": {"n": [1, 2], "items": [{"text": "a"}, {"text": "b"}]}}
    path = write(tmp_path / "a.json", json.dumps(document, indent=indent))
    with caplog.at_level(logging.WARNING, "searchkit"):
        assert [(a.text, a.line) for a in read(path)] == [("a", 1), ("b", 2)]
    assert caplog.messages == [
        f"{path}: the rows are those of data.items; `records=PATH` chooses others"
    ]
    assert [a.text for a in read(path, records="data.items")] == ["a", "b"]
    with pytest.raises(BadInput, match=r"nothing at `records=rows`; there are: data.items"):
        read(path, records="rows")


def test_several_lists_must_be_chosen_from(tmp_path: Path) -> None:
    document = {"users": [{"name": "ann"}], "rows": [{"text": "a"}, 5]}
    document["pages"] = [{"rows": [{"text": "b"}]}, {"rows": [{"text": "c"}]}]
    path = write(tmp_path / "a.json", json.dumps(document))
    with pytest.raises(BadInput, match=r"several lists of objects; choose one with `records=PATH`"):
        read(path)
    assert [a.text for a in read(path, records="pages.rows")] == ["b", "c"]
    answers, bad = rejected(path, records="rows")
    assert ([a.text for a in answers], bad[0].line, bad[0].row) == (["a"], 2, "5")


def test_objects_over_several_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '\n{\n "text": "a"\n}\n{\n "text": "b"\n}\n')
    assert [(a.text, a.line) for a in read(path)] == [("a", 2), ("b", 5)]
    assert [a.text for a in read(write(path, '{"text": "a", "steps": [{"x": 1}]}'))] == ["a"]


@pytest.mark.parametrize("format", ["json", "jsonl", "parquet"])
def test_a_list_of_texts_under_a_name_in_the_plural(tmp_path: Path, format: str) -> None:
    rows: list[dict[str, object]] = [{"id": "1", "answers": ["a", "b"]}]
    answers = read(write_rows(tmp_path, rows, format))
    assert [(a.id, a.text, a.meta) for a in answers] == [("1/1", "a", {}), ("1/2", "b", {})]


def test_rows_with_answers_are_preferred_however_deep(tmp_path: Path) -> None:
    qas = [{"id": "1", "question": "Who?", "answers": [{"text": "me"}, {"text": "you"}]}]
    squad = {"version": 1, "data": [{"title": "T", "paragraphs": [{"context": "c", "qas": qas}]}]}
    path = write(tmp_path / "a.json", json.dumps(squad))
    assert [(a.question, a.text) for a in read(path)] == [("Who?", "me"), ("Who?", "you")]
    table = {"schema": {"fields": [{"name": "id"}]}, "data": [{"id": "7", "answer": "yes"}]}
    assert [a.id for a in read(write(path, json.dumps(table)))] == ["7"]


def test_rows_have_the_question_of_the_object_around_them(tmp_path: Path) -> None:
    items = [{"text": "a"}, {"text": "b", "question": "q2"}]
    document = {"quiz": [{"question": "q1", "id": "9", "items": items}], "title": "t"}
    path = write(tmp_path / "a.json", json.dumps(document))
    for records in (None, "quiz.items"):
        assert [(a.question, a.text) for a in read(path, records=records)] == [
            ("q1", "a"),
            ("q2", "b"),
        ]


@pytest.mark.parametrize(
    "document",
    [
        {"id": {"0": "a", "1": "b"}, "answer": {"0": "yes", "1": "no"}},
        {"0": {"id": "a", "answer": "yes"}, "1": {"id": "b", "answer": "no"}},
        {"a": {"answer": "yes"}, "b": {"answer": "no"}},
        {"columns": ["id", "answer"], "index": [0, 1], "data": [["a", "yes"], ["b", "no"]]},
    ],
)
def test_tables_as_pandas_writes_them(tmp_path: Path, document: dict[str, object]) -> None:
    answers = read(write(tmp_path / "a.json", json.dumps(document)))
    assert [(a.id, a.text) for a in answers] == [("a", "yes"), ("b", "no")]


@pytest.mark.parametrize("format", ["json", "jsonl", "parquet"])
def test_objects_for_people_and_ids_are_called_by_their_names(tmp_path: Path, format: str) -> None:
    row = {"_id": {"$oid": "5f"}, "user": {"id": "7", "name": "Ann"}, "answer": "yes"}
    (answer,) = read(write_rows(tmp_path, [row | {"createdAt": {"$date": "2025"}}], format))
    assert (answer.id, answer.author, answer.submitted_at) == ("5f", "Ann", "2025")
    (answer,) = read(write_rows(tmp_path, [row | {"user": {"x": "y"}}], format))
    assert answer.author == '{"x": "y"}'


@pytest.mark.parametrize(
    "answers",
    [
        {"q1": "first", "q2": "second", "q3": None},
        {"q1": {"text": "first", "score": 4}, "q2": {"text": "second", "score": 3}},
        {"-Na": {"question": "q1", "text": "first"}, "-Nb": {"question": "q2", "text": "second"}},
    ],
)
def test_answers_by_their_questions_or_ids(tmp_path: Path, answers: dict[str, object]) -> None:
    document = {"exam": "Biology", "students": [{"name": "Ada", "answers": answers}]}
    found = read(write(tmp_path / "a.json", json.dumps(document)))
    assert [(a.question, a.author, a.text) for a in found] == [
        ("q1", "Ada", "first"), ("q2", "Ada", "second")
    ]  # fmt: skip


def test_an_object_in_place_of_a_text_holds_it(tmp_path: Path) -> None:
    row = {"id": "1", "author": "Ada", "answer": {"text": "first", "format": "html"}}
    (answer,) = read(write_rows(tmp_path, [row], "jsonl"))
    assert (answer.id, answer.author, answer.text) == ("1", "Ada", "first")


def test_a_text_beside_a_list_of_answers_is_the_question_s(tmp_path: Path) -> None:
    answers = [{"author": "Ada", "answer": "first"}, {"author": "Bo", "answer": "second"}]
    unanswered = {"id": "q0", "text": "Anybody?", "answers": []}
    rows = [unanswered, {"id": "q1", "text": "Who?", "answers": answers}]
    for document in (rows, {"questions": rows}, {row["id"]: row for row in rows}):
        found = read(write(tmp_path / "a.json", json.dumps(document)))
        assert [(a.id, a.question, a.text) for a in found] == [
            ("q1/Ada", "q1", "first"), ("q1/Bo", "q1", "second")
        ]  # fmt: skip
        assert found[0].meta == {"question text": "Who?"}
    found = read(write_rows(tmp_path, [{"body": "Who?", "answers": answers}], "jsonl"))
    assert [(a.question, a.author) for a in found] == [("Who?", "Ada"), ("Who?", "Bo")]


def test_lists_that_are_called_by_questions(tmp_path: Path) -> None:
    rows = [{"author": "Ada", "answer": "first"}, {"author": "Bo", "answer": "second"}]
    document = {"title": "Quiz", "q1": rows, "q2": rows[:1]}
    found = read(write(tmp_path / "a.json", json.dumps(document)))
    assert [a.id for a in found] == ["q1/Ada", "q1/Bo", "q2/Ada"]


NAMES = ["id", "text", "answers", "user", "x"]
leaves = st.none() | st.integers() | st.text(max_size=3)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(documents, st.sampled_from([None, 1]), st.sampled_from([None, "x", "x.answers"]))
def test_any_json_is_read_or_ends_in_a_line(tmp_path_factory, document, indent, records) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    write(path, json.dumps(document, indent=indent))
    try:
        read(path, records=records)
    except BadInput as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)


def test_a_text_in_an_object_of_its_own_keeps_what_stands_around_it(tmp_path: Path) -> None:
    items: list[dict] = [
        {"id": n, "userId": f"u{n}", "grade": 5, "type": "essay", "shortAnswer": {"answer": text}}
        for n, text in enumerate("ab")
    ]
    items[1]["shortAnswer"]["type"] = "short"
    path = write(tmp_path / "a.json", json.dumps({"count": 2, "studentSubmissions": items}))
    for records in (None, "studentSubmissions.shortAnswer"):
        first, second = read(path, records=records)
        assert (first.id, first.author, first.text) == ("0", "u0", "a")
        assert (second.id, second.author, second.text) == ("1", "u1", "b")
        assert first.meta == {"grade": "5", "type": "essay"}
        assert second.meta == {"grade": "5", "type": "short", "type (2)": "essay"}

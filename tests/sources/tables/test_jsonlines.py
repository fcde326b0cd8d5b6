"""JSON and JSON Lines are read right, or refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.source_files import read, rejected, texts, write
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.core.errors import BadInput
from searchkit.sources.header_names import HEADER_NAMES, fold_header


@pytest.mark.parametrize(("name", "array"), [("a.json", True), ("a.jsonl", False),
                                             ("a.json", False), ("a.jsonl", True)])  # fmt: skip
def test_json_and_lines_whatever_the_ending(tmp_path: Path, name: str, array: bool) -> None:
    rows = [{"id": "1", "text": "x"}, {"id": 2, "text": "y", "n": 1.50, "b": True, "z": None}]
    raw = [json.dumps(row).replace("1.5", "1.50") for row in rows]
    content = "[" + ",\n".join(raw) + "]" if array else "\n\n".join(raw)
    answers = read(write(tmp_path / name, content))
    assert [(a.id, a.text, a.meta) for a in answers] == [
        ("1", "x", {}),
        ("2", "y", {"n": "1.50", "b": "true"}),
    ]


def test_nested_values_and_huge_numbers_are_kept_as_they_are(tmp_path: Path) -> None:
    digits = "9" * 5000
    line = '{"id": DIGITS, "text": "x", "n": {"a": [1.0, "é", null]}}'.replace("DIGITS", digits)
    (answer,) = read(write(tmp_path / "a.jsonl", line))
    assert answer.id == digits
    assert answer.meta == {"n": '{"a": [1.0, "é", null]}'}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": 1, "text": "x"', "not JSON"),
        ('{"id": 1, "text": "cut o', "not JSON"),
        ('{"id": 1, "text": 5}', r"the text \(column 'text'\) is a number; a string is needed"),
        ('{"id": 1, "text": null}', "is null"),
        ('{"id": 1, "text": {"a": 1}}', "is an object"),
        ('{"id": 1, "text": "x", "n": NaN}', "NaN is not JSON"),
        ('{"id": 1, "text": "x", "n": -Infinity}', "-Infinity is not JSON"),
        ('{"id": 1, "text": "x", "id": 2}', "the name 'id' comes twice"),
        ('{"id": 1, "text": "\\ud800"}', r"a lone surrogate U\+D800 in column 'text'"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ('"just a string"', "a string where an object is needed"),
        ("5", "a number where an object is needed"),
        ('{"id": 1, "x": "y"}', "no column with the answers; there are: id, x"),
        ('{"id": "", "text": "y"}', "the id .* is blank"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "a.jsonl", '{"id": 0, "text": "fine"}\n' + line)
    with pytest.raises(BadInput, match=rf"a.jsonl:2: .*({message})"):
        read(path)
    answers, bad = rejected(path)
    assert len(answers) == len(bad) == 1


@pytest.mark.parametrize("depth", [300, 700, 950, 100_000])
@pytest.mark.parametrize("array", [True, False])
def test_nesting_at_any_depth_is_read_or_refused(tmp_path: Path, depth: int, array: bool) -> None:
    row = '{"text": "x", "n": ' + "[" * depth + "]" * depth + "}"
    path = write(tmp_path / "a.json", f"[{row}]" if array else row)
    try:
        answers, bad = rejected(path)
    except BadInput as error:
        assert "nested too deeply" in str(error)  # so deeply that its end can't be found
    else:
        assert len(answers) + len(bad) == 1


def test_line_ends_in_json_are_those_of_every_other_file(tmp_path: Path) -> None:
    row = {"text": "a\r\nb\rc\nd", "x": "e\r\nf"}
    (answer,) = read(write(tmp_path / "a.json", json.dumps([row])))
    assert (answer.text, answer.meta) == ("a\nb\nc\nd", {"x": "e\nf"})


def test_a_bad_element_of_an_array_spoils_no_other(tmp_path: Path) -> None:
    content = """[{"text": "a"}, {"text": "b", "text": "c"},
        {"text": "d", "n": NaN}, 5, {"text": "e"}]"""
    answers, bad = rejected(write(tmp_path / "a.json", content))
    assert [(a.line, a.text) for a in answers] == [(1, "a"), (5, "e")]
    assert [(r.line, r.row) for r in bad] == [
        (2, '{"text": "b", "text": "c"}'), (3, '{"text": "d", "n": NaN}'), (4, "5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"text": "a"},\n{"text": "b"', "a.json:2: not JSON .*column 13"),
        ('[{"text": "a"}\n{"text": "b"}]', "a.json:2: not JSON .a comma or the array's end"),
        ('[{"text": "a"}]\n5', "a.json:2: not JSON .something comes after the array's end"),
        ('[{"text": "a"},]', "a.json:1: not JSON"),
        ('{"text": [1, "a"]}', "a.json:1: the text .column 'text'. is an array; a string is"),
        ('{\n"text": "a",\n"n": 1, "n": 2}', "a.json:1: the name 'n' comes twice"),
        ('{\n"text": "a"\n}\n5', "a.json:4: a number where an object is needed"),
    ],
)
def test_where_an_array_stops_being_json(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.json", content))


@pytest.mark.parametrize("content", ["", "  \n", "[1", "{", "[{]"])
def test_what_is_no_json_at_all(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadInput, match=r"a.json: (empty|not JSON)|a.json:1: "):
        read(write(tmp_path / "a.json", content))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(texts, texts, max_size=3), min_size=1, max_size=4))
def test_what_json_writes_is_read_back(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    taken = {name for names in HEADER_NAMES.values() for name in names}
    rows = [{k: v for k, v in row.items() if fold_header(k) not in taken} for row in rows]
    lines = [json.dumps({**row, "id": f"r{n}", "text": "x"}) for n, row in enumerate(rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [dict(a.meta) for a in read(path)] == rows

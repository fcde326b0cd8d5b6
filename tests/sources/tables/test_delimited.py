"""CSV and TSV are read right, or refused with file and line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from helpers.source_files import HEAD, read, rejected, texts, write
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.core.errors import BadInput


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "id;text\n1;x, y\n"), ("a.csv", "id\ttext\n1\tx, y\n"),
     ("a.tsv", "id\ttext\n1\tx, y\n"), ("a.csv", 'id,text\n1,"x, y"\n'),
     ("a.csv", "\n\nid|text\n1|x, y\n"), ("a.tsv", 'id,text\n1,"x, y"\n'),
     ("a.csv", "sep=;\r\nid;text\r\n1;x, y\r\n"), ("a.csv", 'id,text\n1,"x, y"\n,\n,,,\n')],
)  # fmt: skip
def test_the_delimiter_is_seen(tmp_path: Path, name: str, content: str) -> None:
    assert [(a.id, a.text) for a in read(write(tmp_path / name, content))] == [("1", "x, y")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + '1,q,s,"never, closed,5\n2,q,s,x,5\n', r"a.csv:2: a double quote opened .* closed"),
        (HEAD + '1,q,s,x,5\n2,q,s,"open,5\n3,q,s,"y, z",5\n', r"a.csv:3: not CSV up to line 4"),
        (HEAD + "1,q,s,x,5\n2,q\n", r"a.csv:3: 2 fields where the first line has 5"),
        (HEAD + "1,q,s,x,5,6\n", r"a.csv:2: 6 fields where the first line has 5"),
        (HEAD + ",q,s,x,5\n", r"a.csv:2: the id \(column 'id'\) is blank"),
        ("", r"a.csv: empty; the first line must hold the columns' names"),
        ("\n  \n", r"a.csv: empty"),
    ],
)
def test_what_is_not_csv_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.csv", content))


def test_one_column_of_tsv_may_hold_commas(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.tsv", "words\nx, y\n"))[0].text == "x, y"


@pytest.mark.parametrize(
    ("content", "message"),
    [(",,\n\n", r"a.csv: empty; the first line"),
     ('id,"te"xt\n1,x,y\n', r"a.csv:1: the columns' names can't be read: not CSV")],
)  # fmt: skip
def test_bad_names_of_columns(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(tmp_path / "a.csv", content))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (HEAD, "id, question, author, answer, score;"),
        ("some rubbish", "some rubbish;"),
        ("id,text\n,\n\n,\n", "id, text;"),
        ("x" * 1_000, "x{60}…;"),
        (",".join(f"n{n}" for n in range(90)), "n18, n19 … and 70 more;"),
    ],
)
def test_a_line_that_may_be_a_header_or_rubbish(tmp_path: Path, content: str, names: str) -> None:
    message = "a.csv: no rows in it, only a line that was taken for the columns' names: .*"
    with pytest.raises(BadInput, match=message + names + " is it the right file"):
        read(write(tmp_path / "a.csv", content))


def test_a_field_without_end_is_a_quote_that_is_never_closed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("searchkit.sources.tables.delimited.MAX_FIELD_LENGTH", 200_000)
    content = 'id,text\n1,x\n2,"open\n' + "3,a, text\n" * 40_000
    with pytest.raises(BadInput, match=r"a.csv:3: a double quote opened .* never closed"):
        rejected(write(tmp_path / "a.csv", content))


def test_columns_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a.csv:1: 200,001 columns, at most 100,000 are read"):
        read(write(tmp_path / "a.csv", "x" + "," * 200_000 + "\nx"))


def test_bad_rows_are_set_aside_and_the_others_read(tmp_path: Path) -> None:
    content = HEAD + '1,q,s,x,5\n2,q\n3,q,s,"a"b,5\n,q,s,x,5\n4,q,s,y,5\n'
    answers, bad = rejected(write(tmp_path / "a.csv", content))
    assert [a.id for a in answers] == ["1", "4"]
    assert [(r.line, r.source.endswith("a.csv")) for r in bad] == [(3, True), (4, True), (5, True)]
    assert "2 fields" in bad[0].reason
    assert [r.row for r in bad[:2]] == ["2,q", '3,q,s,"a"b,5']
    assert json.loads(bad[2].row)["answer"] == "x"


def test_a_quote_that_closes_lines_later_loses_nothing(tmp_path: Path) -> None:
    content = HEAD + '1,q,s,"open,5\n2,q,s,"y, y",5\n3,q,s,z,5\n'
    answers, bad = rejected(write(tmp_path / "a.csv", content))
    assert [a.id for a in answers] == ["3"]
    assert [(r.line, r.row) for r in bad] == [(2, '1,q,s,"open,5\n2,q,s,"y, y",5')]


def test_columns_without_a_name_get_one(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "id,text,,\n1,x,y,\n"))[0].meta == {"column 3": "y"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, delimiter: str) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(["id", "text", "more"])
        writer.writerows([(f"r{n}", *row) for n, row in enumerate(rows)])
    answers = read(path)
    assert [(a.original or a.text, a.meta.get("more", "")) for a in answers] == rows

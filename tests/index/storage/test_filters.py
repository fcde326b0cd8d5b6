"""A filter allows what it says, reads only, and can't run on for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.core.errors import BadInput
from searchkit.index.storage.filters import matching_keys

ROWS = [
    Answer("a", "alpha", "q1", "s1", meta={"score": "5", "label": "right", "text": "other"}),
    Answer("b", "beta", "q1", "s2", meta={"score": "10", "label": "wrong"}),
    Answer("c", "gamma", "q2", "s1", meta={"score": "absent", "my col": "x", "select": "y"}),
    Answer("d", "delta", None, None, meta={"score": "007"}),
]


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Index:
    with Index.create(tmp_path / "i", encoder) as made:
        made.add(ROWS)
        yield made


@pytest.mark.parametrize(
    ("sql", "ids"),
    [
        ("score >= 6 AND typeof(score) <> 'text'", "bd"),
        ("score = 5", "a"),
        ("score = '5'", "a"),
        ("score < 5.5", "a"),
        ("score < 7.5", "ad"),
        ("score = 'absent'", "c"),
        ("SCORE = 10", "b"),
        ("label IS NULL", "cd"),
        ("label LIKE 'ri%'", "a"),
        ("\"my col\" = 'x'", "c"),
        ("\"select\" = 'y'", "c"),
        ("text = 'alpha'", "a"),
        ("\"meta:text\" = 'other'", "a"),
        ("question IS NULL", "d"),
        ("id IN ('a', 'd')", "ad"),
        ("author = 's1' OR author = 's2' -- a comment", "abc"),
        ("length(text) > 4 /* and more */", "acd"),
        ("1", "abcd"),
        ("0", ""),
        ("NULL", ""),
        ("id IN (SELECT id FROM answers WHERE id > 'b')", "cd"),
    ],
)
def test_expressions(index: Index, sql: str, ids: str) -> None:
    assert "".join(a.id for a in index.answers(Where(sql=sql))) == ids


@pytest.mark.parametrize(
    ("filter_", "ids"),
    [
        (Where(question="q1"), "ab"),
        (Where(author="s1"), "ac"),
        (Where(question="q1", author="s1"), "a"),
        (Where(question="q1", author="s1", sql="score = 10"), ""),
        (Where(question=""), "d"),
        (Where(), "abcd"),
    ],
)
def test_question_and_author(index: Index, filter_: Where, ids: str) -> None:
    assert "".join(a.id for a in index.answers(filter_)) == ids


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "is not one SQL expression"),
        ("score >", "is not one SQL expression"),
        ("0) UNION SELECT key FROM answers WHERE (1", "is not one SQL expression"),
        ("1; DROP TABLE answers", "is not one SQL expression"),
        ("1) ORDER BY (id", "is not one SQL expression"),
        ("nope = 1", "no column 'nope'; there are id, text, question, author.*score, label"),
        ("author = s07", "no column 's07'.*write texts in single quotes"),
        ("load_extension('x')", "may only read the answers|is not one SQL expression"),
        ("id IN (SELECT sha FROM vectors)", "may only read the answers"),
        ("id IN (SELECT path FROM sources)", "may only read the answers"),
        ("(SELECT count(*) FROM sqlite_master) > 0", "may only read the answers"),
        ("? = 1", "is not one SQL expression"),
        (":question = 1", "is not one SQL expression"),
        ("count(*) > 1", "is not one SQL expression"),
        ("a\0b", "is not one SQL expression"),
    ],
)
def test_what_is_no_expression_is_refused(index: Index, sql: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        list(index.answers(Where(sql=sql)))
    assert len(index) == 4


def test_an_endless_expression_is_stopped(index: Index) -> None:
    tables = ", ".join(f"answers a{n}" for n in range(16))  # 4 to the 16th rows
    with pytest.raises(BadInput, match=r"took more than 0 s; use a simpler one"):
        endless = Where(sql=f"(SELECT count(*) FROM {tables}) > 0")
        matching_keys(endless, index.store.connection, time_limit=0.2)
    assert [a.id for a in index.answers(Where(sql="id = 'a'"))] == ["a"]


def test_the_connection_is_free_again_after_a_refusal(index: Index) -> None:
    with pytest.raises(BadInput, match="no column"):
        list(index.answers(Where(sql="nope = 1")))
    index.add([Answer("e", "epsilon")])
    assert len(index) == 5


def test_a_reader_filters_too(index: Index) -> None:
    with Index.open(index.path) as reader:
        assert [a.id for a in reader.answers(Where(sql="score = 5"))] == ["a"]


def test_names_that_differ_by_case_are_one_column(index: Index) -> None:
    index.add([Answer("e", "epsilon", meta={"Score": "3", "LABEL": "odd"})])
    index.add([Answer("f", "zeta", meta={"Score": "1", "score": "2"})])  # both: neither is lost
    assert index.get(["e"])[0].meta == {"score": "3", "label": "odd"}
    assert [a.id for a in index.answers(Where(sql="score = 3"))] == ["e"]
    assert index.get(["f"])[0].meta == {"Score": "1", "score": "2"}


def test_more_columns_than_sqlite_takes(index: Index, caplog: pytest.LogCaptureFixture) -> None:
    index.add([Answer("wide", "x", meta={f"c{n}": str(n) for n in range(2500)})])
    assert "`where` sees the first 900 columns only" in caplog.text
    assert len(index.get(["wide"])[0].meta) == 2500
    assert [a.id for a in index.answers(Where(sql="c7 = 7"))] == ["wide"]

"""A filter allows what it says, reads only, and can't run on for ever."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.core.errors import BadInput, StorageFailed
from searchkit.index.filters import expression, matching
from searchkit.index.filters.matching import matching_keys

ROWS = [
    Answer("a", "alpha", "q1", "s1", meta={"score": "5", "label": "right", "text": "other"}),
    Answer("b", "beta", "q1", "s2", meta={"score": "10", "label": "wrong"}),
    Answer("c", "gamma", "q2", "s1", meta={"score": "absent", "my col": "x", "select": "y"}),
    Answer("d", "delta", None, None, meta={"score": "007"}),
]


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Iterator[Index]:
    with Index.create(tmp_path / "i", encoder) as made:
        made.add(ROWS)
        yield made


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluate in this process, as for a database in memory."""
    monkeypatch.setattr(matching, "_evaluate_apart", lambda *_: None)


def ids(index: Index, where: Where) -> str:
    return "".join(answer.id for answer in index.answers(where))


@pytest.mark.parametrize(
    ("sql", "expected"),
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
def test_expressions(index: Index, sql: str, expected: str) -> None:
    assert ids(index, Where(sql=sql)) == expected


def test_an_expression_has_the_same_meaning_in_this_process(index: Index, here: None) -> None:
    assert ids(index, Where("q1", "s1", "score < 7 OR label = 'wrong'")) == "a"
    with pytest.raises(BadInput, match="no column 'nope'"):
        index.ids(Where(sql="nope = 1"))
    with pytest.raises(BadInput, match="may only read the answers, not use vectors"):
        index.ids(Where(sql="id IN (SELECT sha FROM vectors)"))


@pytest.mark.parametrize(
    "sql",
    [
        "1) OR (1",
        "0) OR (1",
        "1)) OR ((1",
        "1 AS INTEGER) OR CAST(1",
        "1 THEN 1 END OR CASE WHEN 1",
        "1) --",
        "1) /*",
        "1 /*",
        "1) OR 1 --",
        "1); --",
        "1;",
        "1, 2",
        "1 AS x",
        "1 FROM answers",
        "1 LIMIT 3",
        "1 ORDER BY 1",
        "1 GROUP BY 1",
        "1 UNION SELECT key",
        "SELECT 1",
        "VALUES (1)",
        "*",
        "-- only a comment",
        "'",
        '"',
        "`",
        "[",
        "(",
        ")",
        "1 OR '",
        '1) OR "a" = (\'',
        "$x(()",
        "$x(()) OR (1",
        "@x",
        "?1",
        "sum(1)",
        "row_number() OVER ()",
        "RAISE(IGNORE)",
        "1) FROM answers UNION SELECT key FROM answers WHERE (1",
    ],
)
def test_no_text_ends_its_brackets(index: Index, sql: str) -> None:
    with pytest.raises(BadInput, match="is not one SQL expression"):
        index.ids(Where("q1", "s1", sql))


@pytest.mark.parametrize(
    "sql",
    [
        "')' <> '(' OR 1",
        '")" = ")" OR 1',
        "(1) -- ) OR (1",
        "1 /* ) OR (1 */",
        "1 OR 1 --",
        "CASE WHEN 1 THEN 1 END",
        "CAST(1 AS INTEGER)",
        "text IN (SELECT text FROM answers LIMIT 9)",
        "text = 'alpha' COLLATE NOCASE",
        "text LIKE 'al\\_%' ESCAPE '\\' OR 1",
        "(1, 2) = (1, 2)",
        "EXISTS (SELECT 1 FROM answers a WHERE a.id > 'a')",
    ],
)
def test_brackets_in_strings_names_and_comments_are_harmless(index: Index, sql: str) -> None:
    assert ids(index, Where("q1", "s1", sql)) == "a"


def test_a_column_whose_name_ends_comments_and_strings(index: Index) -> None:
    names = ["*/ AS NUMERIC) --", "\" THEN 1 END) '", "]) OR (1", "\n) OR (1 --"]
    index.add([Answer("e", "epsilon", "q3", meta=dict.fromkeys(names, "1"))])
    assert ids(index, Where("q3", sql='"]) OR (1" = 1')) == "e"
    for sql in ("1 /*", "1 [", '1 "', "1) /*", "1 AS NUMERIC) /*", "1 THEN 1 END /*"):
        with pytest.raises(BadInput, match="is not one SQL expression"):
            index.ids(Where("q1", sql=sql))


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (Where(question="q1"), "ab"),
        (Where(author="s1"), "ac"),
        (Where(question="q1", author="s1"), "a"),
        (Where(question="q1", author="s1", sql="score = 10"), ""),
        (Where(question=""), "d"),
        (Where(), "abcd"),
    ],
)
def test_question_and_author(index: Index, filter_: Where, expected: str) -> None:
    assert ids(index, filter_) == expected


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
        ("x'", "is not one SQL expression"),
        ("zeroblob(9)", "may only read the answers, not use zeroblob"),
        ("text LIKE '%' || printf('%2000d', 1)", "is not one SQL expression .*pattern too complex"),
    ],
)
def test_what_is_no_expression_is_refused(index: Index, sql: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        list(index.answers(Where(sql=sql)))
    assert len(index) == 4


@pytest.mark.parametrize("is_here", [False, True])
def test_an_endless_expression_is_stopped(
    index: Index, monkeypatch: pytest.MonkeyPatch, is_here: bool
) -> None:
    if is_here:
        monkeypatch.setattr(matching, "_evaluate_apart", lambda *_: None)
    tables = ", ".join(f"answers a{n}" for n in range(16))  # 4 to the 16th rows
    with pytest.raises(BadInput, match=r"took more than 0 s; use a simpler one"):
        matching_keys(
            Where(sql=f"(SELECT count(*) FROM {tables}) > 0"),
            *(index.store.connection, index.store.path, index.store.is_newest),
            time_limit=0.2,
        )
    assert ids(index, Where(sql="id = 'a'")) == "a"


def test_the_connection_is_free_again_after_a_refusal(index: Index) -> None:
    with pytest.raises(BadInput, match="no column"):
        list(index.answers(Where(sql="nope = 1")))
    index.add([Answer("e", "epsilon")])
    assert len(index) == 5


def test_a_reader_filters_too(index: Index) -> None:
    with Index.open(index.path) as reader:
        assert [a.id for a in reader.answers(Where(sql="score = 5"))] == ["a"]


def test_a_function_that_takes_hours_is_stopped(index: Index) -> None:
    index.add([Answer("long", "a" * 4_000_000)])
    start = time.monotonic()
    with pytest.raises(BadInput, match="took more than 0 s"):
        matching_keys(
            Where(sql="instr(text, substr(text, 1, 2000000) || 'b')"),
            *(index.store.connection, index.store.path, index.store.is_newest),
            time_limit=0.2,
        )
    assert time.monotonic() - start < 5  # a loaded machine; it takes 0.3 s
    assert ids(index, Where(sql="length(text) = 4000000")) == "long"


@pytest.mark.parametrize(
    "sql",
    [
        "length(replace(printf('%90000d', 1), ' ', printf('%9000d', 1))) > 0",
        f"length({'hex(' * 16}printf('%90000d', 1){')' * 16}) > 0",
    ],
)
@pytest.mark.parametrize("is_here", [False, True])
def test_values_without_bounds_are_refused(
    index: Index, monkeypatch: pytest.MonkeyPatch, sql: str, is_here: bool
) -> None:
    if is_here:
        monkeypatch.setattr(matching, "_evaluate_apart", lambda *_: None)
    with pytest.raises(BadInput, match="needs too much memory; use a simpler one"):
        index.ids(Where(sql=sql))


def test_here_the_longest_answer_can_be_read_but_no_longer_text_made(
    index: Index, here: None
) -> None:
    index.add([Answer("long", "ab" * 500_000, meta={"note": "c" * 500_000})])
    assert ids(index, Where(sql="instr(text || note, 'bc')")) == "long"
    with pytest.raises(BadInput, match="needs too much memory"):
        index.ids(Where(sql="length(text || text || text || text || text) > 0"))


def test_a_reader_sees_its_own_state_whatever_others_write(index: Index) -> None:
    where = Where(sql="score = 5 OR label = 'right'")
    with Index.open(index.path) as reader:
        assert ids(reader, where) == "a"
        index.update_columns({"b": {"label": "right"}, "a": {"score": "1", "label": "wrong"}})
        index.add([Answer("e", "epsilon", meta={"score": "5"})])
        assert ids(index, where) == "be"
        assert ids(reader, where) == "a"
    with Index.open(index.path) as reader:
        assert ids(reader, where) == "be"


@pytest.mark.parametrize(
    ("program", "file", "reason"),
    [
        ("nothing", expression.__file__, "No such file"),
        (shutil.which("true"), expression.__file__, "exit code 0"),
        (sys.executable, "-mnothing", "No module named nothing"),
    ],
)
def test_a_process_that_cannot_be_started_is_named(
    index: Index, monkeypatch: pytest.MonkeyPatch, program: str, file: str, reason: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(expression, "__file__", file)
    with pytest.raises(StorageFailed, match=rf"`where` needs a process of its own, .*{reason}"):
        index.ids(Where(sql="1"))
    assert ids(index, Where("q1")) == "ab"  # needs none


def test_a_process_that_the_system_ends_had_too_much_memory(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.CompletedProcess([], -9, b"", b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    with pytest.raises(BadInput, match="needs too much memory"):
        index.ids(Where(sql="1"))

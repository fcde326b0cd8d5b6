"""What was written here stays beside what the file says, and filters see both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.cases import case
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where, ingest
from searchkit.index.base import BaseIndex
from searchkit.index.locations import open_or_create
from searchkit.index.upkeep.verify import verify
from searchkit.plagiarism.find import find_plagiarism
from searchkit.sources.reader import read_answers

ANSWERS = [
    Answer("a", "one text", "q1", "Ann", meta={"Score": "3", "group": "x"}, original="<b>one</b>"),
    Answer("b", "two texts", "q1", "Bob", meta={"Score": "4,5", "points": "7/10"}),
    Answer("c", "three texts", "q1", "Cy", meta={"Score": "75 %", "points": "007"}),
]


@pytest.fixture(params=["folder", "lite"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseIndex]:
    place = tmp_path / "i" if request.param == "folder" else f"milvus+lite:{tmp_path / 'i.db'}"
    made = open_or_create(place, ToyEncoder())
    made.add(ANSWERS)
    yield made
    made._release()


def test_case_27_the_same_file_again_changes_nothing(index: BaseIndex) -> None:
    before, after = case("27-before.csv"), case("27-after.csv")
    ingest(index, read_answers([before]))
    index.update_columns({"2": {"score": "9", "comment": "good"}, "3": {"hint": "5"}})
    assert ingest(index, read_answers([before])).unchanged == 3
    found = ingest(index, read_answers([after]))
    assert (found.updated, found.unchanged) == (2, 1)
    two, three = index.get(["2", "3"])
    assert two.columns == {"Score": "9", "comment": "good"}
    assert (two.meta, two.overridden) == ({"Score": "6"}, {"Score": "6"})
    assert three.columns == {"Score": "5", "hint": "5"}
    assert verify(index) == []


def test_columns_that_differ_only_in_case_are_all_found(index: BaseIndex) -> None:
    twin = Answer("d", "four texts", "q1", "Di", meta={"SCORE": "1", "score": "2", "score (2)": ""})
    index.add([twin])
    (answer,) = index.get(["d"])
    assert answer.meta == {"Score": "1", "score (3)": "2", "score (2)": ""}
    assert index.ids(Where(sql="Score = 1")) == index.ids(Where(sql='"score (3)" = 2')) == ["d"]
    index.update_columns({"d": {"score": "9"}})
    (answer,) = index.get(["d"])
    assert answer.columns == {"Score": "9", "score (3)": "2", "score (2)": ""}
    assert {"Score", "score (3)"} <= set(index.columns())
    assert index.add([twin]).unchanged == 1
    assert verify(index) == []


def test_an_update_keeps_what_was_written(index: BaseIndex) -> None:
    index.update_columns({"a": {"SCORE": "4"}})
    index.add([replace(ANSWERS[0], text="another text", meta={"Score": "1"}, original=None)])
    (answer,) = index.get(["a"])
    assert (answer.meta, answer.written) == ({"Score": "1"}, {"Score": "4"})
    assert answer.original is None
    assert index.ids(Where(sql="Score = 4")) == ["a"]


def test_a_deleted_value_is_gone_and_a_file_comes_back_only_if_told(index: BaseIndex) -> None:
    index.update_columns({"a": {"Score": None, "note": "x"}, "b": {"note": "y"}})
    assert index.get(["a"])[0].columns == {"group": "x", "note": "x"}
    assert index.ids(Where(sql="Score IS NULL")) == ["a"]
    assert index.ids(Where(sql='"file:Score" = 3')) == ["a"]
    assert index.update_columns({"a": {"note": None}, "b": {"note": ""}}) == 2
    assert index.update_columns({"b": {"note": None}}) == 0
    assert index.get(["b"])[0].written == {}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("Score > 3 AND Score < 5", "b"),
        ("Score = 75", "c"),
        ("points = 7", "bc"),
        ("points > 6.5", "bc"),
        ("Score = 9", "a"),
        ('"meta:Score" = 9', "a"),
        ('"here:Score" = 9', "a"),
        ('"file:Score" = 3', "a"),
        ('"file:score" < 4', "a"),
        ('"HERE:score" IS NULL', "bc"),
        ('"here:group" IS NULL', "abc"),
        ("\"file:group\" = 'x'", "a"),
        ("\"file:points\" = '7/10'", "b"),
        ("\"file:Score\" = '4,5'", "b"),
        ("group_ = 'x'", "c"),
        ("attempt = 1 AND attempts = 1", "abc"),
    ],
)
def test_filters_see_what_counts_and_both_sides(index: BaseIndex, sql: str, expected: str) -> None:
    index.update_columns({"a": {"score": "9"}, "c": {"group_": "x"}})
    assert "".join(index.ids(Where(sql=sql))) == expected


def test_a_column_named_attempt_stays_the_files(index: BaseIndex) -> None:
    index.add([Answer("d", "four", "q1", "Di", meta={"attempt": "third"})])
    assert index.ids(Where(sql="attempt = 'third'")) == ["d"]


def test_original_and_written_columns_are_erased(tmp_path: Path) -> None:
    secret = Answer("s", "a text", "q1", "Ann", original="<i>Zebra4711</i>")
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([secret, *ANSWERS])
        index.update_columns({"s": {"note": "Quagga4712"}})
        assert index.get(["s"])[0].original == secret.original
        index.remove(["s"])
    held = b"".join(path.read_bytes() for path in (tmp_path / "i").iterdir())
    assert b"Zebra4711" not in held
    assert b"Quagga4712" not in held


def test_case_18_one_person_spelt_in_three_ways_is_one(index: BaseIndex) -> None:
    index.remove([answer.id for answer in ANSWERS])
    ingest(index, read_answers([case("18-author-spelling.csv")]))
    assert index.counts()["authors"] == 2
    assert index.by_question() == [{"question": "q1", "answers": 4, "authors": 2}]
    assert len(index.ids(Where(author="ANN LEE"))) == 3
    assert find_plagiarism(index).findings == []


def test_case_19_an_own_draft_is_no_finding_and_the_latest_counts(index: BaseIndex) -> None:
    index.remove([answer.id for answer in ANSWERS])
    ingest(index, read_answers([case("19-resubmit.csv")]))
    assert len(index) == 3
    (latest,) = index.answers(Where(author="ann", attempts="latest"))
    assert (latest.meta["Score"], latest.attempt, latest.attempts) == ("7", 2, 2)
    found = find_plagiarism(index)
    assert (found.findings, found.pairs, found.drafts) == ([], 1, 1)

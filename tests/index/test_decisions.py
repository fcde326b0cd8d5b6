"""Decisions about findings outlive runs, ingests, another model, and kills."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.encoder import ToyEncoder
from helpers.files import DATA

from searchkit import Answer, Index
from searchkit.cli.app import main
from searchkit.core.errors import BadInput, NotFound
from searchkit.index.decisions import (
    MAX_REASON_LENGTH,
    counting,
    decide,
    decide_all,
    decisions,
    take_back,
)
from searchkit.index.storage.schema import FORMAT
from searchkit.index.upkeep.reindex import reindex

ANSWERS = [Answer(name, f"The answer of {name} is this", "q1", name) for name in "abc"]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    with Index.create(tmp_path / "index", ToyEncoder()) as made:
        made.add(ANSWERS)
        yield made


def test_the_latest_decision_counts_in_either_order_of_the_pair(index: Index) -> None:
    first = decide(index, "b", "a", "confirmed")
    assert (first.left, first.right, first.decision, first.is_stale) == (
        "a",
        "b",
        "confirmed",
        False,
    )
    decide(index, "a", "b", "dismissed", "  both quote the slides ")
    decide(index, "a", "c", "confirmed")
    found = decisions(index)
    assert [(pair, one.decision, one.reason) for pair, one in found.items()] == [
        (("a", "b"), "dismissed", "both quote the slides"),
        (("a", "c"), "confirmed", ""),
    ]
    assert all(one.decided_at.endswith("+00:00") for one in found.values())


def test_after_taking_back_the_previous_decision_counts(index: Index) -> None:
    decide(index, "a", "b", "confirmed")
    second = decide(index, "a", "b", "dismissed")
    decide(index, "a", "c", "dismissed")
    assert take_back(index, second.number) == ("a", "b")
    assert {pair: one.decision for pair, one in decisions(index).items()} == {
        ("a", "b"): "confirmed",
        ("a", "c"): "dismissed",
    }
    assert take_back(index) == ("a", "c")
    assert take_back(index) == ("a", "b")
    assert take_back(index) is None
    with pytest.raises(NotFound, match="no decision '77' in "):
        take_back(index, 77)


def test_withdrawn_and_stale_decisions_do_not_count(index: Index) -> None:
    decide(index, "a", "b", "confirmed")
    decide(index, "a", "c", "dismissed")
    decide(index, "b", "c", "dismissed")
    decide(index, "b", "c", "open")
    assert set(counting(decisions(index))) == {("a", "b"), ("a", "c")}
    index.add([Answer("c", "Another text", "q1", "c")])
    found = decisions(index)
    assert [one.is_stale for one in found.values()] == [False, True, True]
    assert set(counting(found)) == {("a", "b")}


def test_a_deleted_answer_takes_its_decisions_along_and_leaves_no_trace(index: Index) -> None:
    decide(index, "a", "b", "dismissed", "unmistakable-reason")
    decide(index, "b", "c", "confirmed")
    index.remove(["a"])
    assert set(decisions(index)) == {("b", "c")}
    index.close()
    for path in index.path.iterdir():
        assert b"unmistakable-reason" not in path.read_bytes()


def test_decisions_outlive_ingest_and_another_model(index: Index) -> None:
    decide(index, "a", "b", "dismissed")
    index.add([*ANSWERS, Answer("d", "One more", "q1", "d")])
    other = ToyEncoder()
    other.fingerprint = "another"
    reindex(index, other)
    assert [one.decision for one in counting(decisions(index)).values()] == ["dismissed"]


def test_a_pair_may_have_an_answer_of_an_earlier_index(index: Index) -> None:
    decide(index, "a", "last-year:a", "confirmed")
    assert [one.is_stale for one in decisions(index).values()] == [False]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("a", "b", "maybe"),
            "a decision is one of open, confirmed, asked, dismissed, not 'maybe'",
        ),
        (("a", "a", "confirmed"), "'a' is one answer; a decision is about two"),
        (("x", "y", "confirmed"), "no answer 'x' and 1 more in .*; there are a, b, c"),
        (("a", "x", "confirmed"), "no answer 'x' in .*; there are a, b, c"),
        (("x:y", "x:z", "confirmed"), "no answer 'x:y' and 1 more in .*; there are a, b, c"),
        (
            ("a", "b", "dismissed", "x" * (MAX_REASON_LENGTH + 1)),
            "2,000 characters at most, not 2,001",
        ),
    ],
)
def test_invalid_decisions_are_refused(arguments: tuple[str, ...], said: str, index: Index) -> None:
    with pytest.raises(BadInput, match=said):
        decide(index, *arguments)
    assert decisions(index) == {}


def test_the_revision_changes_with_answers_and_not_with_decisions(index: Index) -> None:
    seen = [index.store.revision()]
    index.add(ANSWERS)
    assert index.store.revision() == seen[0]
    decide(index, "a", "b", "confirmed")
    assert index.store.revision() == seen[0]
    index.add([Answer("d", "One more")])
    seen.append(index.store.revision())
    index.add([Answer("d", "One more", meta={"score": "3"})])
    seen.append(index.store.revision())
    index.remove(["d"])
    seen.append(index.store.revision())
    other = ToyEncoder()
    other.fingerprint = "another"
    reindex(index, other)
    seen.append(index.store.revision())
    assert seen == sorted(set(seen))


def test_an_index_of_format_1_has_none_until_it_is_written_to(tmp_path: Path) -> None:
    shutil.copytree(DATA / "format-1", tmp_path / "index")
    with Index.open(tmp_path / "index", encoder=ToyEncoder()) as index:
        assert decisions(index) == {}
        assert index.store.revision() == 0
    with Index.open(tmp_path / "index", write=True, encoder=ToyEncoder()) as index:
        decide(index, "a", "d", "confirmed")
        assert index.store.format() == FORMAT


def test_a_reader_does_not_hold_up_a_decision(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searchkit.index.storage.connection.BUSY_TIMEOUT", 20_000)
    decide(index, "a", "b", "confirmed")
    index.close()
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert len(decisions(reader)) == 1
        started = time.perf_counter()
        with Index.open(index.path, write=True, encoder=ToyEncoder()) as writer:
            decide(writer, "a", "c", "confirmed")
        assert time.perf_counter() - started < 10  # it would wait 20 s for the reader
        assert len(decisions(reader)) == 1
    with sqlite3.connect(index.path / "answers.db") as connection:
        assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (2,)


def test_columns_are_updated_without_a_new_revision(index: Index) -> None:
    index.add([Answer("d", "One more", "q1", "d", meta={"score": "3"})])
    before = index.store.revision()
    assert index.update_columns({"d": {"Score": "4", "note": "a = b"}, "a": {"note": None}}) == 1
    assert [dict(a.columns) for a in index.get(["a", "d"])] == [{}, {"score": "4", "note": "a = b"}]
    assert index.update_columns({"d": {"note": None}}) == 1
    assert dict(index.get(["d"])[0].columns) == {"score": "4"}
    assert index.store.revision() == before
    with pytest.raises(BadInput, match=r"no answer 'nobody' in .*; there are a, b, c"):
        index.update_columns({"a": {"note": "x"}, "nobody": {"note": "x"}})
    with pytest.raises(BadInput, match="a lone surrogate U\\+D800"):
        index.update_columns({"a": {"note": "\ud800"}})
    assert dict(index.get(["a"])[0].columns) == {}


def test_a_reopened_reader_sees_changes_and_reloads_only_what_changed(index: Index) -> None:
    index.close()
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        vectors = reader.vectors
        with Index.open(index.path, write=True, encoder=ToyEncoder()) as writer:
            decide(writer, "a", "b", "confirmed")
            writer.update_columns({"a": {"mark": "7"}})
        with reader.reopened() as again:
            assert again.encoder is reader.encoder
            assert again.vectors is vectors
            assert len(decisions(again)) == 1
            assert again.get(["a"])[0].columns == {"mark": "7"}
        with Index.open(index.path, write=True, encoder=ToyEncoder()) as writer:
            writer.add([Answer("d", "One more")])
        with reader.reopened() as again:
            assert len(again.vectors) == len(vectors) + 1
        assert decisions(reader) == {}


def test_the_command_line_lists_them_in_every_form(index: Index) -> None:
    decide(index, "a", "b", "confirmed")
    decide(index, "a", "c", "dismissed", "=both, quote the \x1b[31mslides")
    decide(index, "b", "a", "asked", "how she knew the page")
    index.add([Answer("c", "Another text", "q1", "c")])
    index.close()

    def said(form: str) -> str:
        arguments = ["decisions", "-i", str(index.path), "--format", form]
        run = CliRunner().invoke(main, arguments)
        assert run.exit_code == 0, run.output
        return run.stdout

    assert [(one["left"], one["right"], one["decision"], one["is_stale"])
            for one in json.loads(said("json"))] == [
        ("a", "c", "dismissed", True), ("a", "b", "asked", False)
    ]  # fmt: skip
    assert len(said("jsonl").splitlines()) == 2
    assert "\"'=both, quote" in said("csv")
    assert "how she knew the page" in said("json") and '"asked","how she knew' in said("csv")
    assert "dismissed, stale" in said("table")
    assert "ask the student" in said("table") and "note" in said("table")
    assert "\x1b" not in said("table")


def test_the_command_line_says_that_there_are_none(index: Index) -> None:
    index.close()
    run = CliRunner().invoke(main, ["decisions", "-i", str(index.path)])
    assert "nothing has been decided yet; run: searchkit serve" in run.stdout


def test_a_group_is_stored_in_one_commit_and_taken_back_at_once(index: Index) -> None:
    before = decide(index, "a", "b", "confirmed")
    commits = index.store.commits()
    stored = decide_all(index, [("a", "b"), ("c", "a"), ("b", "c")], "dismissed", "one group")
    assert index.store.commits() == commits + 1
    assert [one.number for one in stored] == [before.number + n for n in (1, 2, 3)]
    last = stored[-1].number
    assert take_back(index, stored[0].number, last) == ("a", "b")
    assert list(decisions(index)) == [("a", "b")]
    assert decisions(index)["a", "b"].decision == "confirmed"
    with pytest.raises(NotFound, match=f"no decision '{last}' in "):
        take_back(index, last, 2**53)
    for number in (None, last + 1):
        with pytest.raises(BadInput, match=r"`through`: .* isn't after `number`"):
            take_back(index, number, last)

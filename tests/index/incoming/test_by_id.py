"""Ids that a file gives: who may update whom, and what becomes of an id that is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.grading.marking.changes import undo
from searchkit.index.decisions import decide, decisions
from searchkit.index.incoming.records import OnDuplicate
from searchkit.index.incoming.targets import Writer
from searchkit.index.ingest import Choices, Ingest, ingest
from searchkit.index.records import GradingCell, GradingChange


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Index:
    with Index.create(tmp_path / "i", encoder) as made:
        yield made


def texts(index: Index) -> dict[str, str]:
    return {answer.id: answer.text for answer in index.answers()}


GROUP_A = [
    Answer("1", "The loop runs callbacks", "q1", "ann", source="a/responses.csv", line=2),
    Answer("2", "Timers fire later", "q1", "bob", source="a/responses.csv", line=3),
]
GROUP_B = [
    Answer("1", "Streams move chunks", "q1", "cat", source="b/responses.csv", line=2),
    Answer("2", "Promises hold values", "q1", "dan", source="b/responses.csv", line=3),
]


def test_another_groups_file_replaces_nobody(index: Index) -> None:
    ingest(index, GROUP_A)
    named = r"b/responses.csv:2: id '1' is taken by another answer \('q1', 'ann'\), from a/res.*:2;"
    with pytest.raises(BadInput, match=named):
        ingest(index, GROUP_B)
    for same_name in (GROUP_A[0].source, None):
        with pytest.raises(BadInput, match="is taken by another answer"):
            ingest(index, [replace(answer, source=same_name) for answer in GROUP_B])
    assert texts(index) == {answer.id: answer.text for answer in GROUP_A}


@pytest.mark.parametrize("batch", [1, 100])
def test_keep_both_is_found_again(index: Index, batch: int) -> None:
    ingest(index, GROUP_A)
    done = ingest(index, GROUP_B, on_duplicate="keep-both", batch=batch)
    assert (done.added, done.kept_beside, done.skipped) == (2, 2, 0)
    assert "2 answers kept beside others with the same id, as ID#2, ID#3 …" in done.warnings
    ids = {"1": "ann", "2": "bob", "1#2": "cat", "2#2": "dan"}
    assert {answer.id: answer.author for answer in index.answers()} == ids
    for choice in ("keep-both", "refuse", "keep-first", "keep-last"):
        done = ingest(index, GROUP_B, on_duplicate=choice, batch=batch)
        assert (done.unchanged, done.added, done.kept_beside) == (2, 0, 0), choice
        assert ingest(index, GROUP_A, on_duplicate=choice, batch=batch).unchanged == 2
    changed = [replace(answer, text=answer.text + " now") for answer in GROUP_B]
    assert ingest(index, changed).updated == 2
    assert texts(index)["1#2"] == "Streams move chunks now"
    assert texts(index)["1"] == "The loop runs callbacks"


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_keep_both_within_one_read(index: Index, batch: int) -> None:
    rows = [Answer("7", f"text number {n}", "q", f"author {n}", line=n) for n in range(20)]
    for attempt in range(2):
        done = ingest(index, rows, on_duplicate="keep-both", batch=batch)
        assert (done.added, done.unchanged) == ((20, 0), (0, 20))[attempt]
    assert len(index) == 20
    assert {a.author: a.text for a in index.answers()} == {r.author: r.text for r in rows}
    index.remove(["7#3"])
    assert ingest(index, rows[5:], on_duplicate="keep-both", batch=batch).unchanged == 15


def test_the_same_row_twice_is_one_answer(index: Index) -> None:
    with pytest.raises(BadInput, match="stands already at"):
        ingest(index, [*GROUP_A, GROUP_A[0]])
    done = ingest(index, [*GROUP_A, *GROUP_A], on_duplicate="keep-both")
    assert (done.added, done.skipped, len(index)) == (2, 2, 2)


def test_a_second_attempt_under_one_id(index: Index) -> None:
    again = replace(GROUP_A[0], text="The loop runs callbacks when the stack is empty", line=9)
    done = ingest(index, [*GROUP_A, again], on_duplicate="keep-both")
    assert (done.added, done.attempts, done.kept_beside) == (3, 1, 1)
    assert "1 further attempt by one author to one question; all are kept" in done.warnings


MAYBE = Answer("1", "one text", source="/a/quiz.csv", line=2)


@pytest.mark.parametrize(
    ("old", "new", "is_update"),
    [
        # both known
        ({"question": "q", "author": "ann"}, {"question": "q", "author": " ANN "}, True),
        ({"question": "q", "author": "ann"}, {"question": "q", "author": "bob"}, False),
        ({"question": "q", "author": "ann"}, {"question": "r", "author": "ann"}, False),
        # one side unknown: only with an equal text
        ({"question": "q", "author": "ann"}, {"author": "ann"}, False),
        ({"author": "ann"}, {"question": "q", "author": "ann"}, False),
        ({"question": "q", "author": "ann"}, {"text": " one text\n"}, True),
        ({}, {"question": "q", "author": "ann", "text": "one text"}, True),
        ({"author": "bob"}, {"question": "q", "author": "ann", "text": "one text"}, False),
        # unknown on both sides: from one file
        ({}, {}, True),
        ({"question": "q"}, {"question": "q"}, True),
        ({"question": "q"}, {"question": "r"}, False),
        ({}, {"source": "/b/quiz.csv"}, False),
        ({"question": "q"}, {"question": "q", "source": "/b/quiz.csv"}, False),
        ({"source": "-"}, {"source": "-"}, False),
        ({"source": None}, {"source": None}, True),
        ({}, {"source": "/b/quiz.csv", "text": "one text"}, True),
    ],
)
def test_what_may_be_updated(index: Index, old: dict, new: dict, is_update: bool) -> None:
    choices = Choices(path_of=lambda source: None if source == "-" else source)
    Ingest(Writer(index), choices).read([replace(MAYBE, **old)])
    row = replace(MAYBE, **{"text": "another text", **new}, meta={"score": "3"})
    if is_update:
        assert Ingest(Writer(index), choices).read([row]).updated == 1
        assert index.get(["1"])[0].text == row.text
    else:
        with pytest.raises(BadInput, match="id '1' is taken by another answer"):
            Ingest(Writer(index), choices).read([row])
        assert index.get(["1"])[0].text == "one text"


def test_an_update_keeps_what_the_file_leaves_out(index: Index) -> None:
    full = Answer("1", "one text", "q", "ann", "2025-08-01", meta={"Score": "3", "group": "b"})
    ingest(index, [full])
    done = ingest(index, [Answer("1", "one text", meta={"score": "4", "new": "x"})])
    assert done.updated == 1
    meta = {"Score": "4", "group": "b", "new": "x"}
    assert index.get(["1"]) == [replace(full, meta=meta)]


def test_keep_last_gives_up_another_answer_with_what_was_written_there(index: Index) -> None:
    ingest(index, GROUP_A)
    index.update_columns({"1": {"mark": "ann's 7"}, "2": {"mark": "bob's 6"}})
    done = ingest(index, [GROUP_B[0], GROUP_A[1]], on_duplicate="keep-last")
    assert (done.updated, done.unchanged, done.added) == (1, 1, 0)
    assert "1 answer replaced by another author's, with what was written there" in done.warnings
    cat, bob = index.get(["1", "2"])
    assert (cat.author, dict(cat.columns)) == ("cat", {})
    assert dict(bob.columns) == {"mark": "bob's 6"}


def test_keep_last_gives_no_one_anothers_decision_or_undone_mark(index: Index) -> None:
    ingest(index, GROUP_A)
    decide(index, "1", "2", "confirmed")
    cells = (GradingCell("2", "mark", None, "bob's 6"),)
    index.add_grading_change(GradingChange("q1", "", "2026-11-28", "mark", cells))
    undo(index, "q1")
    rows = [replace(row, author=name) for row, name in zip(GROUP_A, ("cat", "dan"), strict=True)]
    assert ingest(index, rows, on_duplicate="keep-last").updated == 2
    assert decisions(index) == {}
    assert index.grading.redoable("q1") is None
    assert [(a.author, dict(a.columns)) for a in index.answers()] == [("cat", {}), ("dan", {})]


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize(
    ("choice", "author", "text"),
    [
        ("keep-first", "ann", "Another text"),
        ("keep-last", "ann", GROUP_A[0].text),
        ("keep-first", "cat", GROUP_A[0].text),
        ("keep-last", "cat", GROUP_A[0].text),
    ],
)
def test_the_first_or_the_last_row_is_kept_although_another_is_what_is_stored(
    index: Index, choice: OnDuplicate, author: str, text: str, batch: int
) -> None:
    ingest(index, GROUP_A)
    rows = [replace(GROUP_A[0], text="Another text", author=author), GROUP_A[0]]
    ingest(index, rows, on_duplicate=choice, batch=batch)
    (kept,) = index.get(["1"])
    assert (kept.author, kept.text) == ("ann", text)


@pytest.mark.parametrize("batch", [1, 100])
def test_a_later_row_of_the_same_answer_updates_the_one_before(index: Index, batch: int) -> None:
    first = replace(GROUP_A[0], meta={"score": "3"})
    rows = [first, replace(first, text="", meta={"remark": "late"})]
    done = ingest(index, rows, on_duplicate="keep-last", batch=batch)
    (kept,) = index.get(["1"])
    assert (kept.text, kept.meta) == (first.text, {"score": "3", "remark": "late"})
    assert (done.added, done.skipped) == (1, 1)


def test_an_empty_cell_empties_no_text(index: Index) -> None:
    ingest(index, GROUP_A)
    empty = [replace(answer, text=" ", meta={"score": "7"}) for answer in GROUP_A]
    done = ingest(index, empty)
    assert (done.updated, done.texts_kept) == (2, 2)
    assert "2 answers empty in the file; the index keeps the text (`allow_empty` empties it)" in (
        done.warnings
    )
    assert texts(index) == {answer.id: answer.text for answer in GROUP_A}
    assert index.get(["1"])[0].meta == {"score": "7"}
    assert ingest(index, empty).unchanged == 2
    assert ingest(index, empty, allow_empty=True).updated == 2
    assert texts(index) == {"1": " ", "2": " "}


@pytest.mark.parametrize("batch", [1, 100])
def test_an_empty_cell_empties_a_column_only_when_told_so(index: Index, batch: int) -> None:
    full = [replace(answer, meta={"Score": "7", "group": "a"}) for answer in GROUP_A]
    ingest(index, full)
    half = [replace(GROUP_A[0], meta={"score": "7"}), GROUP_A[1]]
    assert ingest(index, half, batch=batch).unchanged == 2
    assert ingest(index, half, batch=batch, allow_empty=True).updated == 1
    columns = [dict(answer.meta) for answer in index.get(["1", "2"])]
    assert columns == [full[0].meta, {"group": "a"}]  # the file has no column of groups
    assert ingest(index, half, batch=batch, allow_empty=True).unchanged == 2


def test_two_texts_with_one_made_id_are_both_kept(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A made id has a few digits of the text's hash, which two texts may share; in any order."""
    monkeypatch.setattr("searchkit.index.incoming.by_id.make_id", lambda *_: "q/1234abcd")
    rows = [Answer("q/1234abcd", f"text {n}", "q", has_made_id=True) for n in range(2)]
    rows[1] = replace(rows[1], id="q/1234abcd#2")
    ingest(index, rows)
    back = [replace(rows[1], id=rows[0].id), replace(rows[0], id=rows[1].id)]
    for same in (rows, back, rows[1:]):
        assert ingest(index, same).unchanged == len(same)
    assert sorted(texts(index).values()) == ["text 0", "text 1"]

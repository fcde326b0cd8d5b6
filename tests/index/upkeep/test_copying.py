"""A copy updates what is the same, and takes no answer, mark or decision from anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput
from searchkit.index.decisions import decide, decisions
from searchkit.index.upkeep.copying import copy

ANSWERS = [
    Answer("1", "the loop runs callbacks", "q1", "ann", source="/a.csv"),
    Answer("2", "timers fire later", "q1", "bob", source="/a.csv"),
    Answer("3", "streams move chunks", source="/a.csv"),
]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "source", ToyEncoder()) as made:
        made.add(ANSWERS)
        yield made


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "target", ToyEncoder()) as made:
        yield made


@pytest.mark.parametrize(
    "other",
    [
        Answer("2", "timers fire later", "q1", "cleo"),
        Answer("2", "timers fire later", "q2", "bob"),
        Answer("3", "promises hold values", source="/b.csv"),
    ],
)
def test_ids_of_other_answers_are_refused_before_anything_is_copied(
    source: Index, target: Index, other: Answer
) -> None:
    target.add([other, Answer("4", "a heap is a tree", "q1", "dan")])
    target.update_columns({other.id: {"mark": "3"}})
    decide(target, other.id, "4", "confirmed")
    before = list(target.answers())
    message = rf"target: 1 id has other answers than in .*source: {other.id}; copy into a new index"
    with pytest.raises(BadInput, match=message):
        copy(source, target, batch=1)
    assert list(target.answers()) == before
    target.remove([other.id])
    assert copy(source, target).added == 3
    assert {answer.id: dict(answer.columns) for answer in target.answers()}[other.id] == {}
    assert not decisions(target)


def test_the_same_answers_are_updated_and_keep_what_was_written(
    source: Index, target: Index
) -> None:
    copy(source, target)
    target.update_columns({"1": {"mark": "3"}, "3": {"mark": "4"}})
    source.add([replace(ANSWERS[0], text="another text"), replace(ANSWERS[2], text="a third")])
    assert copy(source, target).updated == 2
    assert [(a.id, a.text, a.value("mark")) for a in target.answers()] == [
        ("1", "another text", "3"),
        ("2", "timers fire later", ""),
        ("3", "a third", "4"),
    ]

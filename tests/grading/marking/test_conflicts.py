"""Marks that contradict each other are named: in groups, and of answers that say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.grading import do, key_of, make_question, sheet_of

from searchkit import Index
from searchkit.grading.marking.conflicts import find_conflicts
from searchkit.grading.marking.records import ChangeSettings, Move, WriteMarks


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with make_question(tmp_path / "i") as made:
        yield made


def test_marks_that_disagree_by_more_than_the_tolerance_are_a_conflict(index: Index) -> None:
    do(index, WriteMarks({"a": "9", "b": "8", "e": "3"}))
    assert find_conflicts(sheet_of(index), {}, 1.0) == []
    of_group, same = find_conflicts(sheet_of(index), {}, 0.5)
    assert (of_group.kind, of_group.ids, of_group.marks) == ("group", ("b", "a"), (8.0, 9.0))
    assert (same.kind, same.ids) == ("same", ("b", "a"))  # which say the same, word for word
    assert of_group.group == same.group == key_of(index, "abc")


def test_suggested_marks_count_in_groups_only(index: Index) -> None:
    do(index, WriteMarks({"a": "9", "e": "3"}))
    (conflict,) = find_conflicts(sheet_of(index), {"b": 2.0, "f": 3.5, "a": 1.0}, 1.0)
    assert (conflict.kind, conflict.ids, conflict.marks) == ("group", ("b", "a"), (2.0, 9.0))


def test_different_labels_are_a_conflict(index: Index) -> None:
    do(index, ChangeSettings({"scale": {"kind": "labels", "labels": ["good", "bad"]}}))
    do(index, WriteMarks({"a": "good", "b": "bad", "e": "good", "f": "good"}))
    of_group, same = find_conflicts(sheet_of(index), {}, 0.0)
    assert of_group.marks == same.marks == ("bad", "good")


def test_answers_that_say_the_same_in_two_groups_are_a_conflict_of_none(index: Index) -> None:
    do(index, WriteMarks({"a": "9", "b": "2"}))
    do(index, ChangeSettings({"level": 0}))
    of_group, same = find_conflicts(sheet_of(index), {}, 1.0)
    assert of_group.group == same.group
    do(index, Move(["b"], None))
    (same,) = find_conflicts(sheet_of(index), {}, 1.0)
    assert (same.kind, same.group) == ("same", None)

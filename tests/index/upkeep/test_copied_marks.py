"""A copy again follows the marks of the source, and leaves what was changed in the target."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.grading.marking.changes import redo, undo
from searchkit.index.base import BaseIndex
from searchkit.index.locations import open_or_create
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.upkeep.copying import copy
from searchkit.index.upkeep.verify import verify

ANSWERS = [Answer(name, f"text of {name}", "q1", name, meta={"Score": "1"}) for name in "abc"]


def mark(index: Index, values: dict[str, str], at: str = "now") -> None:
    """Write marks as the grading page does."""
    stored = {answer.id: answer.written.get("Score") for answer in index.answers()}
    cells = tuple(GradingCell(id_, "Score", stored[id_], v) for id_, v in values.items())
    index.add_grading_change(GradingChange("q1", "Ada", at, "mark", cells))


def marks(index: BaseIndex) -> str:
    return "".join(answer.value("Score") for answer in index.answers())


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "source", ToyEncoder()) as made:
        made.add(ANSWERS)
        made.add_grading_change(GradingChange("q1", "Ada", "then", "scale", (), (None, "{}")))
        mark(made, {"a": "7", "b": "8"})
        yield made


@pytest.fixture(params=["folder", "lite"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseIndex]:
    place = tmp_path / "j" if request.param == "folder" else f"milvus+lite:{tmp_path / 'j.db'}"
    with open_or_create(place, ToyEncoder()) as made:
        yield made


def test_what_was_taken_back_is_taken_back_there(
    source: Index, target: BaseIndex, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "searchkit")
    copy(source, target)
    assert marks(target) == "781"
    target.update_columns({"c": {"Score": "5", "note": "here only"}})
    undo(source, "q1")
    done = copy(source, target)
    assert (done.updated, done.unchanged) == (2, 1)
    assert marks(target) == "115"  # the file's, and what was written there
    assert "1 answer in" in caplog.text
    assert "with columns that" in caplog.text
    assert copy(source, target).updated == 0
    redo(source, "q1")
    assert copy(source, target).updated == 2
    assert marks(target) == "785"
    assert verify(target) == []


def test_the_history_follows(source: Index, tmp_path: Path) -> None:
    with Index.create(tmp_path / "j", ToyEncoder()) as target:
        copy(source, target)
        undo(source, "q1")
        copy(source, target)
        numbers = [change.number for change in target.grading.changes()]
        assert [(c.what, c.state, c.cells) for c in target.grading.changes()] == [
            (c.what, c.state, c.cells) for c in source.grading.changes()
        ]
        copy(source, target)
        assert [change.number for change in target.grading.changes()] == numbers
        redo(target, "q1")
        assert marks(target) == "781"
        while source.grading.undoable("q1"):
            undo(source, "q1")
        copy(source, target)
        assert target.grading.settings() == {"q1": "{}"}  # graded there since


def test_what_was_changed_in_the_target_stays(source: Index, tmp_path: Path) -> None:
    with Index.create(tmp_path / "j", ToyEncoder()) as target:
        copy(source, target)
        mark(target, {"a": "3"}, "later")
        undo(source, "q1")
        mark(source, {"a": "4", "c": "9"}, "last")
        assert copy(source, target).updated == 2
        assert marks(target) == "319"
        assert [change.at for change in target.grading.changes()] == ["then", "now", "later"]


def test_a_copy_back_brings_what_was_done_in_the_copy(source: Index, tmp_path: Path) -> None:
    with Index.create(tmp_path / "j", ToyEncoder()) as target:
        copy(source, target)
        mark(target, {"a": "3", "c": "9"}, "later")
        copy(target, source)
        assert marks(source) == "389"
        assert len(source.grading.changes()) == 3
        undo(source, "q1")
        copy(source, target)
        assert marks(target) == "781"

"""The settings and the history of grading in the database: refused, damaged, mended, forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.damage import change as damage
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.errors import BadInput, NotFound
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.upkeep.verify import verify

ANSWERS = [Answer(id_, f"text {id_}", "q1", f"author {id_}") for id_ in "abc"]
CELLS = tuple(GradingCell(id_, "mark", None, "7") for id_ in "ab")
CHANGE = GradingChange("q1", "Ada", "now", "mark 7 for 2 answers", CELLS, (None, '{"level":1}'))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add(ANSWERS)
        made.add_grading_change(CHANGE)
        made.add_grading_change(replace(CHANGE, settings=None, cells=CELLS[1:], question=""))
        made.checkpoint()
        yield made


def test_a_change_is_kept_with_the_values_that_it_wrote(index: Index) -> None:
    assert index.grading.undoable("q1") == replace(CHANGE, number=1)
    assert index.grading.settings() == {"q1": '{"level":1}'}
    assert [dict(a.written) for a in index.get(["a", "b", "c"])] == [{"mark": "7"}] * 2 + [{}]
    assert index.grading.redoable("q1") is None


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (GradingCell("nobody", "mark", None, "7"), "no answer 'nobody'"),
        (GradingCell("a", "mark", None, "\ud800"), "a lone surrogate"),
        (GradingCell("a", "m\0", None, "7"), "has a NUL in its name"),
    ],
)
def test_a_change_that_cannot_be_stored_changes_nothing(
    index: Index, cell: GradingCell, message: str
) -> None:
    before = list(index.answers()), index.grading.changes()
    with pytest.raises(BadInput, match=message):
        index.add_grading_change(replace(CHANGE, cells=(*CELLS, cell)))
    assert (list(index.answers()), index.grading.changes()) == before


def test_values_and_history_are_written_together_or_not_at_all(index: Index) -> None:
    """An index of the database that refuses the history lets the values go, too."""
    before = list(index.answers())
    index.store.connection.execute(
        "CREATE TEMP TRIGGER full AFTER INSERT ON main.grading_changes "
        "BEGIN SELECT raise(FAIL, 'full'); END"
    )
    cells = (GradingCell("c", "mark", None, "9"),)
    with pytest.raises(Exception, match="full"):
        index.add_grading_change(replace(CHANGE, cells=cells))
    assert list(index.answers()) == before


def test_a_reader_cannot_change_anything(index: Index) -> None:
    index.close()
    with (
        Index.open(index.path, encoder=ToyEncoder()) as reader,
        pytest.raises(ValueError, match="open it with write=True"),
    ):
        reader.add_grading_change(CHANGE)


def test_answers_of_a_change_are_forgotten_one_by_one(index: Index) -> None:
    index.remove(["b"])
    (left,) = index.grading.changes()  # the other one was about b alone
    assert left.cells == CELLS[:1]
    index.remove(["a"])
    assert [change.cells for change in index.grading.changes()] == [()]  # settings
    with pytest.raises(NotFound):
        index.add_grading_change(CHANGE)
    assert verify(index) == []


FORGOTTEN = "a change of grading is damaged and will be forgotten; run: searchkit rebuild"


@pytest.mark.parametrize(
    ("sql", "problem", "left"),
    [
        ("UPDATE grading_cells SET new_value = '9' WHERE change = 1", FORGOTTEN, [2]),
        ("UPDATE grading_cells SET name = CAST(x'61ff' AS TEXT) WHERE change = 2", FORGOTTEN, [1]),
        ("UPDATE grading_changes SET what = 'x' WHERE n = 1", FORGOTTEN, [2]),
        ("UPDATE grading_changes SET n = 7 WHERE n = 2", FORGOTTEN, [1]),
        ("DELETE FROM grading_changes WHERE n = 1", "cells of changes of grading", [2]),
        ("DELETE FROM grading_cells WHERE change = 2", "", [1, 2]),
        ("UPDATE grading_settings SET settings = '{}'", "settings of grading are damaged", [1, 2]),
        ("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'grading_changes'",
         "the counter of grading_changes is damaged", [1, 2]),
    ],
)  # fmt: skip
def test_damage_is_told_and_mended(index: Index, sql: str, problem: str, left: list[int]) -> None:
    damage(index, sql)
    lines = verify(index)
    assert not problem or any(problem in line for line in lines), lines
    index.rebuild()
    assert verify(index) == []
    assert [change.number for change in index.grading.changes()] == left
    assert index.grading.settings() == ({} if "settings" in sql else {"q1": '{"level":1}'})
    assert [a.value("mark") for a in index.get(["a", "b", "c"])] == ["7", "7", ""]
    index.add_grading_change(CHANGE)


def test_numbers_are_not_given_twice(index: Index) -> None:
    index.remove(["b"])
    assert index.add_grading_change(replace(CHANGE, cells=CELLS[:1])).number == 3
    with sqlite3.connect(index.path / "answers.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM grading_cells").fetchone()
    assert count == 2

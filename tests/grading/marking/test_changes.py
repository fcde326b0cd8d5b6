"""What a teacher does is written at once, kept in a history, and undone and done again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.encoder import ToyEncoder
from helpers.grading import (
    ANSWERS,
    cards_of,
    do,
    groups_of,
    key_of,
    make_question,
    marks_of,
    sheet_of,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from searchkit import Answer, Index
from searchkit.core.errors import BadInput, NotFound
from searchkit.grading.marking.changes import redo, undo
from searchkit.grading.marking.progress import comment_bank, progress_by_question
from searchkit.grading.marking.records import (
    Action,
    ChangeSettings,
    Merge,
    Move,
    Overwrite,
    OverwriteRefused,
    Rename,
    Split,
    Tick,
    WriteComment,
    WriteMarks,
)
from searchkit.grading.marking.scale import MarkRefused
from searchkit.index.locations import open_or_create
from searchkit.index.upkeep.copying import copy
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify

RUBRIC = [{"name": "names the loop", "points": 2}, {"name": "says when", "points": 0.5}]
LOOP, WHEN = "rubric: names the loop", "rubric: says when"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with make_question(tmp_path / "i") as made:
        yield made


def everything(index: Index) -> list[object]:
    """Return what is written about all answers, and the settings."""
    return [{a.id: dict(a.written) for a in index.answers()}, index.grading.settings()]


def marks(ids: str, mark: str | None) -> WriteMarks:
    return WriteMarks(dict.fromkeys(ids, mark))


# -- marks and comments ----------------------------------------------------------------------------


def test_a_group_is_marked_with_a_decimal_comma(index: Index) -> None:
    change = do(index, marks("abc", "7,5"), by="  Ada ")
    assert change and (change.what, change.by) == ("mark 7.5 for 3 answers", "Ada")
    assert marks_of(index) == "7.5 7.5 7.5 . . . . ."
    assert do(index, marks("abc", " 7.50 ")) is None  # the same mark in another spelling
    assert len(index.grading.changes()) == 1
    assert index.get(["a"])[0].written == {"mark": "7.5"}


@pytest.mark.parametrize("mark", ["abc", "10.5", "-1", "7.3"])
def test_a_refused_mark_writes_nothing(index: Index, mark: str) -> None:
    before = everything(index)
    with pytest.raises(MarkRefused, match="is no mark here: marks are numbers from 0 to 10 in"):
        do(index, WriteMarks({"a": "7", "b": mark}))
    assert (everything(index), index.grading.changes()) == (before, [])


def test_marks_are_overwritten_only_if_told(index: Index) -> None:
    do(index, marks("ab", "8"))
    before = everything(index)
    with pytest.raises(OverwriteRefused, match="2 marks would be overwritten") as refused:
        do(index, marks("abc", "9"))
    assert refused.value.overwrites == [Overwrite("a", "8", "9"), Overwrite("b", "8", "9")]
    assert everything(index) == before
    do(index, marks("abc", "9"), overwrite=True)
    assert marks_of(index) == "9 9 9 . . . . ."
    with pytest.raises(OverwriteRefused):
        do(index, WriteMarks({"a": "1", "d": "1"}, accepted=True))
    change = do(index, WriteMarks({"d": "1", "e": "2"}, accepted=True))
    assert change and change.what == "accept the suggested mark of 2 answers"
    change = do(index, marks("abcd", None))  # which shows what it clears
    assert change and change.what == "clear the mark of 4 answers"
    assert marks_of(index) == ". . . . 2 . . ."


def test_a_mark_written_here_hides_that_of_the_file(tmp_path: Path) -> None:
    answers = [replace(a, meta={"Score": "3/10" if a.id < "e" else ""}) for a in ANSWERS]
    with make_question(tmp_path / "i", answers) as index:
        assert sheet_of(index).settings.mark_column == "Score"
        assert do(index, marks("a", "3")) is None  # it says so already
        with pytest.raises(OverwriteRefused):
            do(index, marks("a", "4"))
        do(index, marks("a", "4"), overwrite=True)
        do(index, marks("b", None))
        sheet = sheet_of(index)
        a, b = sheet.by_id["a"], sheet.by_id["b"]
        assert (sheet.settings.mark_of(a), sheet.settings.file_mark_of(a)) == ("4", "3/10")
        assert (sheet.settings.mark_of(b), sheet.settings.file_mark_of(b)) == ("", "3/10")
        undo(index, "q1")
        undo(index, "q1")
        assert marks_of(index) == "3/10 3/10 3/10 3/10 . . . ."
        assert everything(index) == [{a.id: {} for a in index.answers()}, {}]


def test_the_scale_stays_when_marks_are_given(index: Index) -> None:
    do(index, marks("a", "2"))
    do(index, marks("b", "9.5"))
    assert sheet_of(index).settings.scale.describe() == (
        "marks are numbers from 0 to 10 in steps of 0.5"
    )
    do(index, ChangeSettings({"scale": {"kind": "labels", "labels": ["good", "bad"]}}))
    with pytest.raises(MarkRefused, match="marks are good, bad"):
        do(index, marks("c", "9"))
    do(index, marks("c", "GOOD"))
    assert marks_of(index) == "2 9.5 good . . . . ."


def test_comments_make_a_bank_and_are_overwritten_only_if_told(index: Index) -> None:
    do(index, WriteComment(["a", "b"], " Say when. "))
    do(index, WriteComment(["c"], "Good."))
    with pytest.raises(OverwriteRefused, match="1 comment would be overwritten"):
        do(index, WriteComment(["c", "d"], "Say when."))
    sheet = sheet_of(index)
    assert comment_bank(sheet.answers, sheet.settings) == ["Say when.", "Good."]
    do(index, WriteComment(["a", "b", "c"], None))
    sheet = sheet_of(index)
    assert comment_bank(sheet.answers, sheet.settings) == []
    with pytest.raises(BadInput, match="10,000 characters at most, not 10,001"):
        do(index, WriteComment(["a"], "x" * 10_001))


def test_progress_counts_answers_without_references_and_drafts(index: Index) -> None:
    index.add([Answer("a2", "a later attempt", "q1", "Author A"), Answer("n", "no question")])
    do(index, WriteMarks({"a2": "3", "b": "4"}))
    progress = progress_by_question(index)
    assert (progress["q1"].answers, progress["q1"].graded) == (8, 2)
    assert not progress["q1"].finished and progress[""].answers == 1
    do(index, marks("cdefgh", "5"))
    assert progress_by_question(index)["q1"].finished


# -- a rubric --------------------------------------------------------------------------------------


def test_the_ticks_of_a_rubric_make_the_mark(index: Index) -> None:
    do(index, ChangeSettings({"rubric": RUBRIC}))
    do(index, Tick(["a", "b"], LOOP, True))
    do(index, Tick(["b", "c"], WHEN, True))
    do(index, Tick(["d"], LOOP, False))
    assert marks_of(index) == "2 2.5 0.5 0 . . . ."
    assert index.get(["d"])[0].written == {LOOP: "no", "mark": "0"}
    do(index, Tick(["b", "d"], LOOP, None))
    assert marks_of(index) == "2 0.5 0.5 . . . . ."
    with pytest.raises(NotFound, match="the rubric has no item 'rubric: x'"):
        do(index, Tick(["a"], "rubric: x", True))


def test_a_mark_that_did_not_come_from_ticks_is_overwritten_only_if_told(index: Index) -> None:
    do(index, ChangeSettings({"rubric": RUBRIC}))
    do(index, marks("a", "1"))
    with pytest.raises(OverwriteRefused) as refused:
        do(index, Tick(["a", "b"], LOOP, True))
    assert refused.value.overwrites == [Overwrite("a", "1", "2")]
    assert index.get(["b"])[0].written == {}
    do(index, Tick(["a"], LOOP, None))
    assert marks_of(index) == "1 . . . . . . ."


def test_a_changed_rubric_adds_up_anew_and_keeps_the_ticks(index: Index) -> None:
    do(index, ChangeSettings({"rubric": RUBRIC}))
    do(index, Tick(["a", "b"], LOOP, True))
    do(index, marks("b", "1"), overwrite=True)
    renamed = [{"key": LOOP, "name": "the loop", "points": 3}, RUBRIC[1]]
    do(index, ChangeSettings({"rubric": renamed}))
    assert marks_of(index) == "3 1 . . . . . ."
    undo(index, "q1")
    assert marks_of(index) == "2 1 . . . . . ."
    do(index, ChangeSettings({"rubric": None}))
    assert marks_of(index) == ". 1 . . . . . ."


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ({"scale": {"kind": "labels", "labels": ["good"]}}, "a rubric adds up points, and the"),
        ({"scale": {"kind": "numbers", "high": 2, "step": 1}}, "adds up to 2.5, and the scale end"),
    ],
)
def test_a_rubric_that_does_not_fit_the_scale_is_refused(
    index: Index, first: dict[str, Any], message: str
) -> None:
    do(index, ChangeSettings(first))
    with pytest.raises(BadInput, match=message):
        do(index, ChangeSettings({"rubric": RUBRIC}))
    undo(index, "q1")
    do(index, ChangeSettings({"rubric": RUBRIC}))
    with pytest.raises(BadInput, match=message):
        do(index, ChangeSettings(first))
    assert len(index.grading.changes()) == 3


# -- undo and redo ---------------------------------------------------------------------------------


def test_undo_leaves_what_was_changed_since(index: Index) -> None:
    do(index, marks("ab", "7"))
    index.update_columns({"a": {"mark": "8"}})
    change, skipped = undo(index, "q1", by="Ada")
    assert (change.what, change.by, skipped) == ("undo: mark 7 for 2 answers", "Ada", 1)
    assert marks_of(index) == "8 . . . . . . ."
    _, skipped = redo(index, "q1")
    assert (marks_of(index), skipped) == ("8 7 . . . . . .", 1)


def test_what_was_undone_is_gone_after_another_change(index: Index) -> None:
    with pytest.raises(BadInput, match="there is nothing to undo"):
        undo(index, "q1")
    do(index, marks("a", "7"))
    do(index, marks("b", "8"))
    undo(index, "q1")
    do(index, marks("c", "9"))
    with pytest.raises(BadInput, match="there is nothing to do again"):
        redo(index, "q1")
    undo(index, "q1")
    undo(index, "q1")
    assert marks_of(index) == ". . . . . . . ."
    redo(index, "q1")
    redo(index, "q1")
    assert marks_of(index) == "7 . 9 . . . . ."
    states = {change.what: change.state for change in index.grading.changes() if not change.reverts}
    assert states["mark 8 for 1 answer"] == "dropped"


def test_another_question_has_its_own_history(index: Index) -> None:
    index.add([Answer("z", "the loop", "q2", "author z")])
    do(index, marks("a", "7"))
    with pytest.raises(BadInput, match="there is nothing to undo"):
        undo(index, "q2")
    undo(index, "q1")


class Grading(RuleBasedStateMachine):
    """Any actions, undone and done again, with the index closed and opened between them."""

    folder: Path
    ids = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True)

    @initialize()
    def begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.index = make_question(self.folder)
        self.done = [everything(self.index)]
        self.undone: list[list[object]] = []

    def act(self, action: Action) -> None:
        with suppress(BadInput):
            if do(self.index, action, overwrite=True):
                self.done.append(everything(self.index))
                self.undone = []
        assert everything(self.index) == self.done[-1]

    @rule(ids=ids, mark=st.sampled_from(["7", "7,5", "0", "abc", "11", None]))
    def mark(self, ids: list[str], mark: str | None) -> None:
        self.act(WriteMarks(dict.fromkeys(ids, mark)))

    @rule(ids=ids, comment=st.sampled_from(["Good.", "Say when.", None]))
    def comment(self, ids: list[str], comment: str | None) -> None:
        self.act(WriteComment(ids, comment))

    @rule(ids=ids, item=st.sampled_from([LOOP, WHEN]), ticked=st.sampled_from([True, False, None]))
    def tick(self, ids: list[str], item: str, ticked: bool | None) -> None:
        self.act(Tick(ids, item, ticked))

    @rule(ids=ids, number=st.integers(-1, 3))
    def move(self, ids: list[str], number: int) -> None:
        self.act(Move(ids, None if number < 0 else self.key(number)))

    @rule(numbers=st.lists(st.integers(0, 3), min_size=2, max_size=3))
    def merge(self, numbers: list[int]) -> None:
        self.act(Merge([self.key(number) for number in numbers]))

    @rule(number=st.integers(0, 3), ids=st.none() | ids)
    def split(self, number: int, ids: list[str] | None) -> None:
        self.act(Split(self.key(number), ids))

    @rule(number=st.integers(0, 3), name=st.sampled_from(["loops", "streams"]))
    def rename(self, number: int, name: str) -> None:
        self.act(Rename(self.key(number), name))

    @rule(
        chosen=st.sampled_from(
            [{"level": 0}, {"level": 2}, {"rubric": RUBRIC}, {"rubric": None}, {"scale": None},
             {"mark_column": "points"}, {"scale": {"kind": "numbers", "high": 7, "step": 0.5}}]
        )
    )  # fmt: skip
    def change_settings(self, chosen: dict[str, Any]) -> None:
        self.act(ChangeSettings(chosen))

    @precondition(lambda self: len(self.done) > 1)
    @rule()
    def undo(self) -> None:
        _, skipped = undo(self.index, "q1")
        self.undone.append(self.done.pop())
        assert (everything(self.index), skipped) == (self.done[-1], 0)

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self) -> None:
        redo(self.index, "q1")
        self.done.append(self.undone.pop())
        assert everything(self.index) == self.done[-1]

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = Index.open(self.folder, write=True, encoder=ToyEncoder())

    def key(self, number: int) -> str:
        cards = sheet_of(self.index).cards.cards
        return cards[number % len(cards)].key if cards else "none"

    def teardown(self) -> None:
        if not hasattr(self, "index"):
            return
        while len(self.done) > 1:
            self.undo()
        assert everything(self.index) == [{a.id: {} for a in self.index.answers()}, {}]
        assert verify(self.index) == []
        self.index.close()


def test_all_that_is_done_is_undone_over_restarts(tmp_path: Path) -> None:
    Grading.folder = tmp_path / "i"
    machine = Grading.TestCase
    machine.settings = settings(
        max_examples=12,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine("runTest").runTest()


# -- kept, and forgotten ---------------------------------------------------------------------------


def graded(index: Index) -> None:
    do(index, marks("abc", "7"), by="Ada")
    do(index, WriteComment(["a"], "Zebra4711"), by="Ada")
    do(index, Move(["c"], key_of(index, "ef")))
    do(index, Rename(key_of(index, "cef"), "streams"))
    undo(index, "q1")


def test_an_ingest_over_it_and_another_model_leave_all(index: Index) -> None:
    graded(index)
    before, changes = everything(index), index.grading.changes()
    index.add([replace(a, meta={"x": "1"}, text=a.text + " now") for a in ANSWERS])
    other = ToyEncoder()
    other.fingerprint = "another"
    reindex(index, other)
    assert (everything(index), index.grading.changes()) == (before, changes)
    assert verify(index) == []
    redo(index, "q1")
    assert "streams*" in cards_of(index)


def test_a_deleted_answer_is_forgotten(index: Index) -> None:
    graded(index)
    index.remove(["a"])
    changes = index.grading.changes()
    assert not any(cell.answer == "a" for change in changes for cell in change.cells)
    assert all(change.cells or change.settings for change in changes)
    assert "comment on 1 answer" not in [change.what for change in changes]
    undo(index, "q1")
    undo(index, "q1")
    assert marks_of(index) == ". . . . . . ."
    index.remove(list("bcdefghr"))
    assert [change for change in index.grading.changes() if change.cells] == []
    assert verify(index) == []
    index.close()
    held = b"".join(path.read_bytes() for path in index.path.iterdir())
    assert b"Zebra4711" not in held


def test_a_copy_has_all(index: Index, tmp_path: Path) -> None:
    graded(index)
    with Index.create(tmp_path / "copy", ToyEncoder()) as other:
        for _ in range(2):
            copy(index, other)
        assert everything(other) == everything(index)
        assert other.grading.changes() == index.grading.changes()
        redo(other, "q1")
        assert groups_of(other) == ["ab*", "cef*"]
        copy(index, other)  # what was done there since stays
        assert len(other.grading.changes()) == len(index.grading.changes()) + 1


def test_milvus_keeps_no_history(index: Index, tmp_path: Path) -> None:
    graded(index)
    with open_or_create(f"milvus+lite:{tmp_path / 'i.db'}", ToyEncoder()) as other:
        copy(index, other)
        assert other.get(["b"])[0].value("mark") == "7"
        with pytest.raises(BadInput, match="only an index in a folder keeps what is graded"):
            undo(other, "q1")

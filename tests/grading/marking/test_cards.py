"""Groups as they are graded: computed, corrected, and with answers that came later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.grading import ANSWERS, FakeTree, do, groups_of, key_of, make_question, sheet_of

from searchkit import Answer, Index
from searchkit.core.errors import BadInput, NotFound
from searchkit.grading.marking.cards import GroupedTexts, check_group_name
from searchkit.grading.marking.records import ChangeSettings, Merge, Move, Rename, Split


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with make_question(tmp_path / "i") as made:
        yield made


def test_groups_are_those_of_the_slider_and_a_reference_is_in_none(index: Index) -> None:
    assert groups_of(index) == ["abc", "ef"]
    sheet = sheet_of(index)
    assert [answer.id for answer in sheet.references] == ["r"]
    assert (sheet.level, sheet.texts.tree.levels) == (1, 3)
    assert [card.says for card in sheet.cards.cards] == ["topic", "topic"]
    assert sheet.cards.cards[0].name == "callbacks, runs, event"
    do(index, ChangeSettings({"level": 0}))
    assert groups_of(index) == ["ab"]
    assert sheet_of(index).cards.cards[0].says == "same"
    do(index, ChangeSettings({"level": 999}))
    assert groups_of(index) == ["abcd", "ef", "gh"]


def test_blank_answers_are_one_group(index: Index) -> None:
    index.add([Answer("x", "", "q1", "author x"), Answer("y", " \n", "q1", "author y")])
    assert groups_of(index) == ["abc", "ef", "xy"]
    (card,) = [card for card in sheet_of(index).cards.cards if card.ids == ("x", "y")]
    assert (card.name, card.says) == ("no text", "same")
    index.remove(["y"])
    assert groups_of(index) == ["abc", "ef"]


def test_the_latest_attempt_of_an_author_counts(index: Index) -> None:
    index.add([Answer("e2", "streams are read piece by piece", "q1", "Author E")])
    ids = [answer.id for answer in sheet_of(index).answers]
    assert "e2" in ids and "e" not in ids


def test_a_moved_answer_fixes_both_groups(index: Index) -> None:
    do(index, Move(["c"], key_of(index, "ef")))
    assert groups_of(index) == ["ab*", "cef*"]
    for level in range(3):
        do(index, ChangeSettings({"level": level}))
        assert {"ab*", "cef*"} <= set(groups_of(index))
    do(index, Move(["a", "f"], None))
    assert groups_of(index) == ["b*", "ce*", "gh"]
    do(index, Move(["a"], key_of(index, "b")))
    assert groups_of(index) == ["ab*", "ce*", "gh"]
    names = [card.name for card in sheet_of(index).cards.cards if card.fixed]
    assert len(set(names)) == 2


def test_groups_are_merged_split_and_renamed(index: Index) -> None:
    do(index, Merge([key_of(index, "abc"), key_of(index, "ef")]))
    assert groups_of(index) == ["abcef*"]
    do(index, Split(key_of(index, "abcef")))
    assert groups_of(index) == ["abc*", "ef*"]
    do(index, Split(key_of(index, "abc")))
    assert groups_of(index) == ["ab*", "ef*"]  # and c stands alone
    with pytest.raises(BadInput, match="these answers say the same, nearly word for word"):
        do(index, Split(key_of(index, "ab")))
    do(index, Split(key_of(index, "ab"), ["a"]))
    assert groups_of(index) == ["a*", "b*", "ef*"]
    do(index, Rename(key_of(index, "ef"), "  about\tstreams "))
    assert sheet_of(index).cards.cards[0].name == "about streams"
    with pytest.raises(BadInput, match="there is a group 'About streams' already; merge both"):
        do(index, Rename(key_of(index, "a"), "About streams"))
    do(index, Rename(key_of(index, "ef"), "About streams"))


@pytest.mark.parametrize("name", ["", " ", "alone", "x" * 201, "a\u202eb"])
def test_a_name_that_is_none_is_refused(index: Index, name: str) -> None:
    with pytest.raises(BadInput, match="is no name of a group"):
        do(index, Rename(key_of(index, "ef"), name))
    assert groups_of(index) == ["abc", "ef"]


def test_what_is_not_there_is_told(index: Index) -> None:
    with pytest.raises(NotFound, match="there is no such group any more; load the page again"):
        do(index, Move(["a"], "f:00"))
    with pytest.raises(NotFound, match="no answer 'r' in question 'q1'"):
        do(index, Move(["r"], None))
    with pytest.raises(BadInput, match="no answer is named"):
        do(index, Move([], None))
    with pytest.raises(BadInput, match="two groups or more"):
        do(index, Merge([key_of(index, "ef")] * 2))
    with pytest.raises(BadInput, match="no answer is named"):
        do(index, Split(None, []))
    with pytest.raises(BadInput, match="which group is split, or which answers become one"):
        do(index, Split(None))


def test_answers_of_any_groups_become_one_of_their_own(index: Index) -> None:
    do(index, Split(None, ["e", "a", "h"]))
    assert groups_of(index) == ["aeh*", "bc*", "f*"]


def test_a_later_answer_is_proposed_to_a_corrected_group(index: Index) -> None:
    do(index, Move(["d"], key_of(index, "abc")))
    late = [Answer(f"late {n}", f"the loop ran {n}", "q1", f"late {n}") for n in range(2)]
    index.add([*late, Answer("other", "a promise", "q1", "late 3")])
    sheet = sheet_of(index)
    key = key_of(index, "abcd")
    assert sheet.cards.proposed == {"late 0": key, "late 1": key}
    assert groups_of(index) == ["abcd*", "ef", "hother", "late 0late 1"]
    do(index, Move(["late 0"], key))
    sheet = sheet_of(index)
    assert sheet.cards.by_id()["late 0"].ids == ("a", "b", "c", "d", "late 0")
    assert list(sheet.cards.proposed) == ["late 1"]
    do(index, Move(["late 1"], None))
    assert sheet_of(index).cards.proposed == {}
    assert "abcdlate 0*" in groups_of(index)


def test_an_ingest_over_it_leaves_the_groups(index: Index) -> None:
    do(index, Move(["c"], key_of(index, "ef")))
    index.add([Answer(a.id, a.text, a.question, a.author, meta={"x": "1"}) for a in ANSWERS])
    assert groups_of(index) == ["ab*", "cef*"]


def test_what_sets_answers_of_a_group_apart_is_told() -> None:
    """The row of a difference is a position in the group, and not among all answers."""
    said = ["it is connected to the server", "it is not connected to the server"]
    answers = [Answer(f"{n}", said[n % 3 == 0], "q1", f"s{n}") for n in range(9)]
    texts = GroupedTexts(answers, [], FakeTree(()))
    (difference,) = texts.differences(("2", "3", "4", "6"))
    assert {rows for _, rows in difference.versions} == {(0, 2), (1, 3)}


def test_a_computed_name_is_one_that_can_be_kept() -> None:
    """A word of a million letters, or a text of marks alone, names a group, too."""
    for text in ("x" * 1_000_000, "\u202e\u202e \x1b[31m", "1 2 3", ""):
        texts = GroupedTexts([Answer("a", text), Answer("b", text)], [0, 1], FakeTree(()))
        name = texts.name(["a", "b"])
        assert check_group_name(name) == name and len(name) <= 61

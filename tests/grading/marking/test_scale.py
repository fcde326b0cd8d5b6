"""The scale is taken from the marks in use, and a mark that isn't on it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit import Answer
from searchkit.core.errors import BadInput, IndexDamaged, NotFound
from searchkit.grading.marking.actions import _kept
from searchkit.grading.marking.columns import choose_mark_column
from searchkit.grading.marking.records import Sheet
from searchkit.grading.marking.rubric import add_up, find_item, read_rubric, scale_of
from searchkit.grading.marking.scale import MarkRefused, Scale, infer_scale
from searchkit.grading.marking.settings import Settings, usual_settings

TEN = Scale()


@pytest.mark.parametrize(
    ("scale", "text", "stored"),
    [
        (TEN, "7", "7"),
        (TEN, " 7,5 ", "7.5"),
        (TEN, "7½", "7.5"),
        (TEN, "7/10", "7"),
        (TEN, "75 %", "7.5"),
        (TEN, "7 points", "7"),
        (TEN, "0", "0"),
        (TEN, "-0", "0"),
        (Scale(low=-2, high=2, step=1), "\u22122", "-2"),
        (Scale(high=100, step=0, is_per_cent=True), "72,5", "72.5 %"),
        (Scale(high=100, step=1, is_per_cent=True), "72 %", "72 %"),
        (Scale(high=110, step=1, is_per_cent=True), "72 %", "72 %"),
        (Scale(high=50, step=0.5, is_per_cent=True), "42,5%", "42.5 %"),
        (Scale(high=110, step=1, is_per_cent=True), "72/110", "72 %"),
        (Scale("labels", 0, 0, 0, ("correct", "Wrong")), "WRONG", "Wrong"),
        (Scale(low=0, high=1, step=0.1), "0.3", "0.3"),
        (Scale(low=1, high=5, step=1 / 3), "1.666667", "1.66667"),
    ],
)
def test_a_mark_is_stored_as_the_scale_writes_it(scale: Scale, text: str, stored: str) -> None:
    assert scale.parse(text) == stored
    assert scale.parse(stored) == stored


@given(st.floats(-200, 200), st.sampled_from([0.3, 0.5, 1 / 3, 0.0]), st.booleans())
def test_a_suggested_mark_becomes_one_that_can_be_given(
    mark: float, step: float, is_per_cent: bool
) -> None:
    scale = Scale(low=-1, high=20, step=step, is_per_cent=is_per_cent)
    nearest = scale.nearest(mark)
    assert nearest is not None
    assert scale.parse(nearest) == nearest
    given = scale.read(nearest)
    assert isinstance(given, float)
    assert abs(given - min(max(mark, -1), 20)) <= max(step, 1e-4)


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        *((TEN, text) for text in ("abc", "11", "-1", "7.3", "7/20", "1e3", "nan", "", "110 %")),
        (Scale(high=100, is_per_cent=True), "101 %"),
        (Scale("labels", 0, 0, 0, ("correct", "wrong")), "corect"),
        (Scale("labels", 0, 0, 0, ("correct", "wrong")), "7"),
    ],
)
def test_what_is_not_on_the_scale_is_refused_in_a_line_that_names_it(
    scale: Scale, text: str
) -> None:
    with pytest.raises(MarkRefused) as refused:
        scale.parse(text)
    assert str(refused.value) == f"{text!r} is no mark here: {scale.describe()}"


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], "marks are numbers from 0 to 10 in steps of 0.5"),
        (["0", "0"], "marks are numbers from 0 to 10 in steps of 0.5"),
        (["7", "3", "10"], "marks are numbers from 0 to 10 in steps of 1"),
        (["7,5", "3", "9"], "marks are numbers from 0 to 9 in steps of 0.5"),
        (["7/12", "3/12"], "marks are numbers from 0 to 12 in steps of 1"),
        (["0.25", "1.0"], "marks are numbers from 0 to 1 in steps of 0.25"),
        (["0.333", "1.0"], "marks are numbers from 0 to 1"),
        (["-1", "2"], "marks are numbers from -1 to 2 in steps of 1"),
        (["50 %", "75 %"], "marks are numbers from 0 to 100 % in steps of 1"),
        (["correct", "wrong", "Correct"], "marks are Correct, wrong"),
        (["7", "3", "see me"], "marks are numbers from 0 to 7 in steps of 1"),
    ],
)
def test_the_scale_is_that_of_the_marks_in_use(marks: list[str], expected: str) -> None:
    assert infer_scale(marks).describe() == expected
    assert Scale.from_record(infer_scale(marks).to_record()) == infer_scale(marks)


HOSTILE_MARKS = ["7", "0", "1e12", "7/1e10", "-3", "0.001", "50 %", "A\u202e", "x", "y" * 300]
HOSTILE_MARKS += ["0.25", "a\nb", "1e-9", "1e9", "-1e9"]
HOSTILE_NAMES = ["mark", " mark", "mark\n", "score", "note", "comment", "meta", "mark" * 60]
HOSTILE_NAMES += ["rubric: mark", "points possible", "answer_group", "suggested_mark"]


@given(
    marks=st.lists(st.sampled_from(HOSTILE_MARKS) | st.text(max_size=3)),
    columns=st.lists(st.sampled_from(HOSTILE_NAMES)),
    maximum=st.sampled_from(["", "0.25", "5", "1e12", "x"]),
)
def test_whatever_is_in_use_can_be_chosen_for_good(
    marks: list[str], columns: list[str], maximum: str
) -> None:
    """What counts is stored with the first mark, and must be readable then."""
    meta = dict.fromkeys(columns, "") | {"points possible": maximum}
    answers = [
        Answer(
            str(n), "text", "q", meta={name: mark for name in meta} | {"points possible": maximum}
        )
        for n, mark in enumerate(marks)
    ]
    sheet = Sheet("q", answers, [], Settings(), None, {})  # type: ignore[arg-type]
    kept = _kept(sheet)
    assert kept and Settings.from_json(kept.to_json(), "q") == kept
    scale = kept.scale
    assert scale and scale.parse(scale.labels[0] if scale.labels else scale.text_of(scale.low))


def test_few_marks_are_seen_beside_those_of_other_questions_and_the_points_possible() -> None:
    assert infer_scale(["3"], ["1", "5"]).high == 5
    assert infer_scale(["3"] * 20, ["1", "5"]).high == 3
    assert infer_scale([], [], ["12", "12"]) == Scale(high=12)
    assert infer_scale(["3"], [], ["8"]).high == 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mark_column": "text"}, r"`mark_column`: 'text' is no column to write into"),
        ({"mark_column": "rubric: x"}, "is no column to write into"),
        ({"mark_column": "a", "comment_column": "A"}, "`comment_column`: 'a' has the marks"),
        ({"mark_column": 3}, "3 is no name of a column"),
        ({"level": -1}, "`level`: -1 is no position of the slider"),
        ({"level": True}, "`level`: True is no position"),
        ({"scale": []}, "`scale` has a `kind`"),
        ({"scale": {"kind": "stars"}}, "`scale.kind` must be numbers or labels, not 'stars'"),
        ({"scale": {"kind": "numbers", "low": 5, "high": 5}}, "from 5 to 5 .* is no scale"),
        ({"scale": {"kind": "numbers", "high": 5, "step": 6}}, "in steps of 6 is no scale"),
        ({"scale": {"kind": "numbers", "high": 5, "step": 1e-12}}, "is no scale"),
        ({"scale": {"kind": "numbers", "high": "ten"}}, "'ten' is no number"),
        ({"scale": {"kind": "numbers", "high": float("nan")}}, "nan is no number"),
        ({"scale": {"kind": "labels", "labels": []}}, "one or more different texts"),
        ({"scale": {"kind": "labels", "labels": ["a", "A"]}}, "one or more different texts"),
        ({"scale": {"kind": "labels", "labels": ["a\n"] * 1 + [""]}}, "'' is no label"),
        ({"scale": {"kind": "labels", "labels": "ab"}}, "must be a list of texts"),
        ({"rubric": "x"}, "`rubric` must be a list"),
        ({"rubric": [{"name": " ", "points": 1}]}, "an item's name is a line"),
        ({"rubric": [{"name": "a", "points": "1"}]}, "the points of 'a' must be a number"),
        ({"rubric": [{"name": "a", "points": 1}, {"name": "A", "points": 2}]}, "two items"),
        ({"rubric": [{"name": "a", "points": 1, "key": "mark"}]}, "'mark' is no key of an item"),
        ({"colour": "red"}, "there is no setting 'colour'"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Settings().changed(values)


def test_settings_are_stored_as_they_were_chosen_and_checked_when_read() -> None:
    chosen = {
        "level": 3,
        "scale": {"kind": "numbers", "low": 0, "high": 6, "step": 0.5},
        "rubric": [{"name": "names the loop", "points": 2}],
    }
    settings = Settings().changed(chosen)
    assert Settings.from_json(settings.to_json(), "q") == settings
    assert Settings().to_json() is None
    assert settings.changed(dict.fromkeys(chosen)) == Settings()
    for text in ("{", "[]", '{"level": "x"}', '{"colour": 1}'):
        with pytest.raises(IndexDamaged, match="question 'q': its settings of grading are damaged"):
            Settings.from_json(text, "q")


@pytest.mark.parametrize(
    ("meta", "written", "expected"),
    [
        ({}, {}, None),
        ({"points": "3", "points possible": "5"}, {}, "points"),
        ({"points possible": "5", "max_points": "5"}, {}, None),
        ({"Note": "2,0"}, {}, "Note"),
        ({"score": "3"}, {"group_mark": "4", "suggested_score": "5"}, "group_mark"),
        ({"score": "3"}, {"suggested_score": "5", "rubric: mark": "yes"}, "score"),
        ({"feedback": "well done", "group": "A"}, {}, None),
    ],
)
def test_the_column_with_the_marks_is_found(
    meta: dict[str, str], written: dict[str, str], expected: str | None
) -> None:
    assert choose_mark_column([Answer("a", "text", meta=meta, written=written)]) == expected


def test_a_new_question_has_the_columns_and_the_scale_of_most_others() -> None:
    five = Settings(mark_column="points", comment_column="note", scale=Scale(low=0, high=5, step=1))
    stored = {"q1": five, "q2": five, "q3": Settings(mark_column="mark", scale=Scale(high=1))}
    usual = usual_settings({q: s.to_json() or "" for q, s in stored.items()} | {"q4": "damaged"})
    assert usual == five
    new = Settings().resolve([Answer("a", "text")], usual=usual)
    assert (new.mark_column, new.comment_column, new.scale) == ("points", "note", five.scale)
    # What its answers have counts more.
    own = Settings().resolve([Answer("a", "text", meta={"points": "17"})], usual=usual)
    assert own.scale.high >= 17
    other = Settings().resolve([Answer("a", "text", meta={"score": "0.5"})], usual=usual)
    assert (other.mark_column, other.comment_column) == ("score", "note")


def test_the_ticked_items_of_a_rubric_add_up() -> None:
    rubric = read_rubric([{"name": "a", "points": 2}, {"name": "b", "points": 0.5},
                          {"name": "too long", "points": -1}])  # fmt: skip
    a, b, long = (item.key for item in rubric)
    assert add_up(rubric, {}) is None
    assert add_up(rubric, {a: "no"}) == 0
    assert add_up(rubric, {a: "yes", b: "yes", long: "no"}) == 2.5
    scale = scale_of(rubric)
    assert (scale.low, scale.high, scale.step) == (-1, 2.5, 0.5)
    with pytest.raises(NotFound, match="the rubric has no item 'c'; there are: rubric: a"):
        find_item(rubric, "c")

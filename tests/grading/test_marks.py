"""Marks: what is read from a column, and which marks may be suggested."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.grading.marks import (
    MAX_LABELS,
    MIN_RANGE_ANSWERS,
    Grid,
    check_learnable,
    mark_text,
    read_marks,
)


def graded(*texts: str) -> list[Answer]:
    return [Answer(f"a{n}", "text", meta={"score": text}) for n, text in enumerate(texts)]


def column(*estimates: float) -> np.ndarray:
    return np.array(estimates)[:, None]


def test_numbers_are_read_as_people_write_them() -> None:
    marks = read_marks(graded("7", " 7.5 ", "7,5", "-1", "1e1"), "score")
    assert (marks.column, marks.kind, marks.scale) == ("score", "numbers", (-1.0, 7.0, 7.5, 10.0))
    assert marks.codes.tolist() == [1, 2, 2, 0, 3]
    assert marks.range == 11
    assert marks.parse("7,5") == 7.5


def test_marks_out_of_something_are_on_one_scale() -> None:
    marks = read_marks(graded("7/10", "8,5", "75 %", "6 / 10", "5½", "9 points", ""), "score")
    assert (marks.kind, marks.scale, marks.out_of) == ("numbers", (5.5, 6, 7, 7.5, 8.5, 9), 10)
    assert [marks.parse(text) for text in ("3/10", "50%", "3", "4/20")] == [3, 5, 3, 2]
    assert read_marks(graded("50%", "75 %"), "score").scale == (50, 75)
    assert read_marks(graded("1/10", ""), "score", extra=["50 %"]).scale == (1, 5)


def test_each_question_has_its_own_scale(caplog: pytest.LogCaptureFixture) -> None:
    texts = {"q1": ["7/10", "8/10"], "q2": ["14/20", "50%"]}
    answers = [
        Answer(f"{question}{n}", "text", question, meta={"score": text})
        for question, marks in texts.items()
        for n, text in enumerate(marks)
    ]
    marks = read_marks(answers, "score")
    assert ([marks.of(n) for n in range(4)], marks.out_of) == ([7, 8, 14, 10], None)
    assert not caplog.messages
    with caplog.at_level(logging.WARNING, "searchkit"):
        marks = read_marks(graded("7/10", "15/20"), "score")
    assert (marks.scale, marks.out_of) == ((14, 15), 20)
    assert caplog.messages == ["score: they are out of 10 and 20; all are read as out of 20"]


@pytest.mark.parametrize(("marks", "totals"), [(["7/10", "14/20", "3"], "10 and 20"),
                                               (["75 %", "3"], "100")])  # fmt: skip
def test_marks_whose_scale_is_not_clear_are_refused(marks: list[str], totals: str) -> None:
    with pytest.raises(BadInput, match=f"score: some are out of {totals}, and others don't say"):
        read_marks(graded(*marks), "score")


@pytest.mark.parametrize(
    "text", ["", " ", "NaN", "None", "null", "NA", "n/a", "#N/A", "-", "—", "?"]
)
def test_an_absent_mark_is_none(text: str) -> None:
    marks = read_marks([*graded("0", text, "3"), Answer("b", "has no such column")], "score")
    assert marks.graded.tolist() == [True, False, True, False]
    assert [marks.of(n) for n in range(4)] == [0.0, None, 3.0, None]
    np.testing.assert_array_equal(marks.targets(), column(0, math.nan, 3, math.nan))


def test_labels_are_in_order_of_the_alphabet() -> None:
    marks = read_marks(graded("wrong", "right", "", "wrong"), "score")
    assert (marks.kind, marks.scale, marks.range) == ("labels", ("right", "wrong"), 1.0)
    assert [marks.of(n) for n in range(4)] == ["wrong", "right", None, "wrong"]
    np.testing.assert_array_equal(marks.targets(), [[0, 1], [1, 0], [math.nan] * 2, [0, 1]])
    assert marks.parse("7") == "7"


def test_references_are_never_graded() -> None:
    model = Answer("r", "text", author=" Reference ", meta={"score": "model"})
    marks = read_marks([model, *graded("1", "2")], "score")
    assert (marks.kind, marks.scale, marks.codes.tolist()) == ("numbers", (1.0, 2.0), [-1, 0, 1])
    with pytest.raises(BadInput, match="score: no answer has a mark yet; grade a few"):
        read_marks([model], "score")


@pytest.mark.parametrize("text", ["good", "inf", "-Infinity", "1e999", "-nan", "1,23,4"])
def test_numbers_and_others_do_not_mix(text: str) -> None:
    answers = graded("1", text, "2,5", "so " * 30, "")
    with pytest.raises(BadInput, match=rf"2 marks are numbers, and 2 are not: '{text}', 'so "):
        read_marks(answers, "score")
    assert read_marks(answers, "score", "labels").scale == tuple(
        sorted({"1", text, "2,5", ("so " * 30).strip()})
    )
    with pytest.raises(BadInput, match=r"1 are not: '(so ){13}s' \(first in a0\); empty"):
        read_marks(graded("so " * 30), "score", "numbers")


def test_a_column_that_is_not_there_or_empty() -> None:
    answers = [Answer("a", "text", meta={"score": "1", "grader": "x", "other": ""})]
    with pytest.raises(BadInput, match=r"no column 'mark'; there are grader, other, score$"):
        read_marks(answers, "mark")
    with pytest.raises(BadInput, match="no column 'mark'; there are none but the text"):
        read_marks([Answer("a", "text")], "mark")
    with pytest.raises(BadInput, match="other: no answer has a mark yet; grade a few of each"):
        read_marks(answers, "other")
    with pytest.raises(BadInput, match="score: no answer has a mark that can be used"):
        read_marks(graded("n/a", "-"), "score")


def test_marks_that_a_person_gave_are_on_the_scale_too() -> None:
    assert read_marks(graded("1", ""), "score", extra=["3,5", "1"]).scale == (1.0, 3.5)
    assert read_marks(graded("good"), "score", extra=["bad"]).scale == ("bad", "good")
    empty = read_marks(graded("", ""), "score", extra=["2"])
    assert (empty.scale, empty.graded.tolist()) == ((2.0,), [False, False])
    with pytest.raises(BadInput, match="'bad' is no number, and the marks in score are"):
        read_marks(graded("1"), "score", extra=["bad"])


def test_marks_are_of_one_of_two_kinds() -> None:
    with pytest.raises(BadInput, match="`kind` must be one of numbers, labels, not 'number'"):
        read_marks(graded("1", "2"), "score", "number")


def test_some_marks_teach_nothing() -> None:
    with pytest.raises(BadInput, match="score: all 2 marks are '3'; nothing can be learned"):
        check_learnable(read_marks(graded("3", "3,0", ""), "score"))
    texts = [f"text {n}" for n in range(MAX_LABELS + 1)]
    with pytest.raises(BadInput, match=r"201 different texts in 201 answers are no labels; name"):
        check_learnable(read_marks(graded(*texts), "score"))
    check_learnable(read_marks(graded(*texts[1:]), "score"))
    check_learnable(read_marks(graded(*texts, *texts), "score"))
    check_learnable(read_marks(graded(*map(str, range(MAX_LABELS + 1))), "score"))


@pytest.mark.parametrize(
    ("used", "step"),
    [
        ([0, 0.5, 2], 0.5),
        ([5, 3, 1], 2),
        ([-1, 0.5], 1.5),
        ([0, 2, 5], 1),
        ([0.1, 0.2, 0.3], 0.1),
        ([1, 1.3333333, 1.6666667], 1 / 3),
        ([4], 0),
        ([0, math.e, math.pi], 0),
        ([0, 0.0005, 1], 0),
    ],
)
def test_steps_are_the_coarsest_that_all_are_on(used: list[float], step: float) -> None:
    marks = read_marks(graded(*map(repr, used)), "score")
    grid = Grid.of(used, marks)
    assert (grid.labels, grid.low, grid.high) == (None, min(used), max(used))
    assert grid.step == pytest.approx(step, abs=1e-12)
    if step:
        assert grid.nearest(column(*used)) == pytest.approx(used, abs=1e-6)


@pytest.mark.parametrize(("low", "high", "step"), [(0, 5, 0.5), (-2, 7, 1), (1, 3, 1 / 3)])
def test_the_nearest_mark_is_the_nearest(low: float, high: float, step: float) -> None:
    estimates = np.random.default_rng(0).uniform(low - 2, high + 2, 400)
    marks = np.arange(round((high - low) / step) + 1) * step + low
    nearest = marks[np.abs(np.subtract.outer(estimates, marks)).argmin(axis=1)]
    found = Grid(None, low, high, step).nearest(estimates[:, None])
    np.testing.assert_allclose(found, nearest, atol=1e-6)


def test_halves_go_up_and_without_steps_there_are_two_decimals() -> None:
    assert Grid(None, 0, 5, 1).nearest(column(-9, 0.5, 1.5, 2.5, 99)) == [0, 1, 2, 3, 5]
    assert Grid(None, 0, 1, 0.1).nearest(column(0.05, 0.15, 0.25)) == [0.1, 0.2, 0.3]
    assert Grid(None, 0, 5, 0).nearest(column(-9, 1.23456, 7)) == [0, 1.23, 5]


def test_the_likeliest_label_is_suggested() -> None:
    marks = read_marks(graded("c", "a", "b"), "score")
    grid = Grid.of(["a"], marks)
    assert grid.nearest(np.array([[0.2, 0.3, 0.5], [0.4, 0.1, 0.2]])) == ["c", "a"]
    assert marks.grid(np.array([1])) == grid


def test_many_marks_of_a_question_give_the_range_and_few_the_step() -> None:
    texts = ["2", "4"] * (MIN_RANGE_ANSWERS // 2)
    marks = read_marks(graded(*texts, "0", "10", "0.5", ""), "score")
    rows = np.arange(MIN_RANGE_ANSWERS)
    assert marks.grid(rows) == Grid(None, 2, 4, 2)
    assert marks.grid(rows[1:]) == Grid(None, 0, 10, 2)
    assert marks.grid(rows[:0]) == Grid(None, 0, 10, 0.5)


@pytest.mark.parametrize("used", [[1, 3, 5], [0.5, 2.5], [2]])
def test_few_marks_of_a_question_can_be_suggested_again(used: list[float]) -> None:
    marks = read_marks(graded(*map(repr, used), *[str(n / 2) for n in range(11)]), "score")
    grid = marks.grid(np.arange(len(used)))
    assert grid.nearest(column(*used)) == used
    assert set(grid.nearest(column(*np.linspace(-1, 6, 99)))) <= set(marks.scale)


def test_marks_are_written_as_a_person_would() -> None:
    assert [mark_text(mark) for mark in (None, 3.0, 2.5, 1 / 3, -1.0, "good", "")] == [
        "", "3", "2.5", "0.333333", "-1", "good", "",
    ]  # fmt: skip


def test_underscores_are_no_part_of_a_number() -> None:
    with pytest.raises(BadInput, match=r"1 are not: '1_0' \(first in a1"):
        read_marks(graded("3", "1_0"), "score")


def test_marks_beside_the_column_are_stripped_and_of_its_kind() -> None:
    assert read_marks(graded("good", "bad"), "score", extra=["good "]).scale == ("bad", "good")
    assert read_marks(graded("good", "bad"), "score", extra=["7"]).kind == "labels"
    with pytest.raises(BadInput, match="'good' is no number, and the marks in score are"):
        read_marks(graded("3", "4"), "score", extra=["good"])


def test_a_column_is_found_in_any_case() -> None:
    assert (
        read_marks(graded("7", "8"), "SCORE").scale == read_marks(graded("7", "8"), "score").scale
    )
    with pytest.raises(BadInput, match="SCORE: no answer has a mark yet"):
        read_marks(graded("", ""), "SCORE")

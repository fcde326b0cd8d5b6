"""A course whose questions give different points, or points here and labels there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.courses import course, course_index, with_scores

from searchkit import Answer, Where, audit_grades, evaluate_grades, grade, plan_grading
from searchkit.core.errors import BadInput
from searchkit.grading.advice import advise
from searchkit.grading.marking.scale import Scale
from searchkit.grading.marking.settings import ChosenSettings, Settings
from searchkit.index.records import GradingChange

OPEN = {f"q{q}-{n:02}": None for q in (1, 2, 3, 4) for n in range(0, 14, 3)}
Rewrite = Callable[[float], dict[str, str]]


def half_marked() -> list[Answer]:
    return with_scores(course(), OPEN)


def smaller(answers: list[Answer], rewrite: Rewrite, question: str = "q2") -> list[Answer]:
    """Return the answers with other marks for one question, whose points are a quarter."""
    return [
        replace(answer, meta={**answer.meta, **rewrite(float(answer.meta["score"]) / 4)})
        if answer.question == question and answer.meta.get("score")
        else answer
        for answer in answers
    ]


def notation(value: float) -> dict[str, str]:
    return {"score": f"{value:g}/1"}


def column(value: float) -> dict[str, str]:
    return {"score": f"{value:g}", "points possible": "1"}


@pytest.mark.parametrize("rewrite", [notation, column])
def test_a_question_with_fewer_points_gets_the_same_suggestions_in_proportion(
    tmp_path: Path, rewrite: Rewrite
) -> None:
    with course_index(tmp_path / "even", half_marked()) as index:
        even = grade(index, "score", min_confidence=0)
        audited, judged = audit_grades(index, "score"), evaluate_grades(index, "score", folds=3)
    with course_index(tmp_path / "uneven", smaller(half_marked(), rewrite)) as index:
        uneven = grade(index, "score", min_confidence=0)
        assert evaluate_grades(index, "score", folds=3).to_record() == judged.to_record()
        again = audit_grades(index, "score")
    for one, other in zip(even.suggestions, uneven.suggestions, strict=True):
        share = 0.25 if one.question == "q2" else 1
        assert other.suggested == pytest.approx(one.suggested * share)
        assert (other.low, other.high) == pytest.approx((one.low * share, one.high * share))
        marks = [neighbour.mark for neighbour in one.neighbours]
        assert [n.mark for n in other.neighbours] == pytest.approx([m * share for m in marks])
        assert other.confidence == one.confidence
    assert [one.id for one in again.outliers] == [one.id for one in audited.outliers]


def test_the_scale_of_the_grading_page_says_how_many_points_a_question_gives(
    tmp_path: Path,
) -> None:
    settings = Settings("score", None, None, Scale("numbers", 0, 1, 0.25))
    answers = smaller(half_marked(), lambda value: {"score": f"{value:g}"})
    with course_index(tmp_path, answers, write=True) as index:
        index.add_grading_change(
            GradingChange("q2", "", "2026-11-29", "", (), settings=(None, settings.to_json()))
        )
        found = advise(index, "q2", ChosenSettings("score", "comment", settings.scale, ()))
        suggested = [one.suggested for one in found.suggestions.values()]
        assert suggested and set(suggested) <= {0, 0.25, 0.5, 0.75, 1}
        assert found.plan and "off by more than 0.4" not in found.plan.promise.text
        in_points = grade(index, "score", min_confidence=0, where=Where("q2")).suggestions
    with course_index(tmp_path / "even", half_marked()) as index:
        even = grade(index, "score", min_confidence=0, where=Where("q2")).suggestions
    assert [4 * one.suggested for one in in_points] == [one.suggested for one in even]


def test_labels_of_one_question_and_numbers_of_another_are_kept_apart(tmp_path: Path) -> None:
    answers = [
        replace(answer, meta={**answer.meta, "score": answer.meta["verdict"]})
        if answer.question == "q2" and answer.meta.get("score") and "verdict" in answer.meta
        else answer
        for answer in half_marked()
    ]
    with course_index(tmp_path, answers) as index:
        labels = grade(index, "score", min_confidence=0, where=Where("Q2"))
        assert {one.suggested for one in labels.suggestions} == {"pass", "fail"}
        numbers = grade(index, "score", min_confidence=0, where=Where("q3"))
        assert {type(one.suggested) for one in numbers.suggestions} == {float}
        every = grade(index, "score", kind="numbers", min_confidence=0).suggestions
        assert {one.question for one in every} == {"q1", "q3", "q4"}
        assert plan_grading(index, "score", where=Where("q2")).marks.kind == "labels"
        with pytest.raises(BadInput, match="labels in q2, and numbers in q1, q3, q4; name one"):
            grade(index, "score")
        scale = Scale("labels", 0, 0, 0, ("fail", "pass"))
        page = advise(index, "q2", ChosenSettings("score", "comment", scale, ()))
        assert page.suggestions and not page.message
        page = advise(
            index, "q3", ChosenSettings("score", "comment", Scale("numbers", 0, 4, 1), ())
        )
        assert page.suggestions and not page.message


def test_a_label_among_a_questions_numbers_is_still_named(tmp_path: Path) -> None:
    with course_index(tmp_path, with_scores(course(), {"q1-03": "good"})) as index:
        with pytest.raises(BadInput, match=r"1 are not: 'good' \(first in q1-03\)"):
            grade(index, "score", where=Where("q1"))

"""The plan of what to mark next: from no mark at all to the last one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.courses import course, course_index, with_scores

from searchkit import Answer, GradingPlan, Index, Where, plan_grading
from searchkit.core.errors import BadInput
from searchkit.grading.promise.plan import BATCH, random_ranks
from searchkit.index.upkeep.verify import verify


def mark_first(index: Index, plan: GradingPlan, truth: dict[str, str]) -> None:
    first = plan.answers[:BATCH]
    index.update_columns({planned.id: {"mark": truth[planned.id]} for planned in first})


def ungraded(each: int = 100) -> tuple[list[Answer], dict[str, str]]:
    """Answers to one question without marks, and the marks that they deserve."""
    answers = [answer for answer in course(each) if answer.question == "q1"]
    truth = {a.id: a.meta["score"] for a in answers if not a.is_reference}
    return with_scores(answers, dict.fromkeys(truth)), truth


@pytest.mark.parametrize("column", ["mark", "score"])
def test_a_column_without_marks_or_that_is_not_there_is_planned_for(
    tmp_path: Path, column: str
) -> None:
    answers, truth = ungraded()
    with course_index(tmp_path, answers) as index:
        plan = plan_grading(index, column, max_off=0.1)
        assert plan.to_record() == plan_grading(index, column, max_off=0.1).to_record()
    assert plan.marked == 0 and plan.unmarked == 100
    assert len(plan.answers) == BATCH == len({planned.id for planned in plan.answers})
    assert {planned.id for planned in plan.answers} <= truth.keys()  # never a reference
    assert {planned.reason for planned in plan.answers} == {"check"}  # so many a promise takes
    assert all(planned.confidence is None for planned in plan.answers)
    assert not plan.promise.holds and plan.promise.to_mark is None
    assert plan.promise.text.startswith("Too few marks to promise anything yet")


def test_marks_lead_to_a_promise_that_is_kept(tmp_path: Path) -> None:
    answers, truth = ungraded(150)
    with course_index(tmp_path, answers, write=True) as index:
        for _ in range(12):
            plan = plan_grading(index, "mark", tolerance=1, max_off=0.1)
            assert len(plan.answers) == len({planned.id for planned in plan.answers})
            if plan.promise.holds:
                break
            mark_first(index, plan, truth)
        promise = plan.promise
        assert promise.holds and promise.rest and promise.max_wrong is not None
        assert promise.to_mark == len(plan.answers)
        assert promise.to_mark + promise.rest == plan.unmarked < 120
        assert f"the other {promise.rest} " in promise.text
        assert "off by more than 1. The chance" in promise.text
        left = {a.id for a in index.answers() if not a.is_reference and not a.value("mark")}
        left -= {planned.id for planned in plan.answers}
        from searchkit import grade

        suggested = {s.id: s.suggested for s in grade(index, "mark", min_confidence=0).suggestions}
        assert len(left) == promise.rest
        off = [abs(float(truth[name]) - float(suggested[name] or 0)) > 1 for name in left]
        assert sum(off) <= promise.max_wrong
        verify(index)


def test_all_answers_marked_or_none_there(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        plan = plan_grading(index, "score")
        assert plan.promise.holds and not plan.answers
        assert plan.promise.text == "All 56 answers are marked."
        assert plan_grading(index, "score", where=Where(sql="1 = 0")).promise.text == (
            "Nothing to mark."
        )


def test_an_empty_index_is_told(tmp_path: Path) -> None:
    with (
        course_index(tmp_path, []) as index,
        pytest.raises(BadInput, match="there is no answer to mark; ingest some first"),
    ):
        plan_grading(index, "mark")


def test_marks_that_are_all_the_same_teach_nothing_yet(tmp_path: Path) -> None:
    answers, truth = ungraded()
    changes = {name: "3" for name in list(truth)[:8]}
    with course_index(tmp_path, with_scores(answers, changes)) as index:
        plan = plan_grading(index, "score")
    assert plan.marked == 8 and len(plan.answers) == BATCH
    assert not changes.keys() & {planned.id for planned in plan.answers}


def test_few_answers_are_told_to_be_too_few(tmp_path: Path) -> None:
    answers, _ = ungraded(14)
    with course_index(tmp_path, answers) as index:
        plan = plan_grading(index, "mark")
        assert len(plan.answers) == 14
    assert plan.promise.text == (
        "Too few answers are left to promise anything about suggested marks. Mark these 14."
    )


def test_a_small_class_is_told_to_be_small(tmp_path: Path) -> None:
    answers, _ = ungraded(25)
    with course_index(tmp_path, answers) as index:
        plan = plan_grading(index, "mark", max_off=0.02)
    assert plan.promise.text == (
        "Of 25 answers most would have to be marked to promise that at most 2 % of the others are "
        "off: allow more, or plan for several questions at once. Mark these 20 next."
    )
    reasons = [planned.reason for planned in plan.answers]
    assert reasons[:2] == ["check"] * 2 and reasons[2:5] == ["learn"] * 3


def test_suggestions_that_are_off_too_often_are_told(tmp_path: Path) -> None:
    answers, truth = ungraded(120)
    rng = np.random.default_rng(0)
    changes = {name: str(rng.integers(0, 5)) for name in list(truth)}
    ids = list(truth)
    for n in np.argsort(random_ranks(ids, np.zeros(120, int)))[70:]:
        changes[ids[n]] = None
    with course_index(tmp_path, with_scores(answers, changes)) as index:
        plan = plan_grading(index, "score")
    text = plan.promise.text
    assert text.startswith("The suggestions are not good enough for a promise: for ")
    assert "of the 70 answers that were drawn at random, they would have been off by more" in text
    assert text.endswith("than 0.4. Mark these 20 next.")


def test_questions_that_are_finished_are_no_part_of_the_sample(tmp_path: Path) -> None:
    hidden = {f"q2-{n:02}": None for n in range(30)}
    with course_index(tmp_path, with_scores(course(30), hidden)) as index:
        plan = plan_grading(index, "score")
    assert plan.marked == 90 and plan.unmarked == 30 and plan.promise.checks == 0


def test_a_filter_chooses_what_is_planned_for(tmp_path: Path) -> None:
    hidden = {f"q{q}-{n:02}": None for q in (2,) for n in range(14)}
    with course_index(tmp_path, with_scores(course(), hidden)) as index:
        plan = plan_grading(index, "score", where=Where(question="q2"))
        assert {planned.question for planned in plan.answers} == {"q2"}
        assert plan.unmarked == 14 and plan.marked == 0
        assert any(planned.confidence for planned in plan.answers)  # learned from the others


def test_labels_are_wrong_and_not_off(tmp_path: Path) -> None:
    answers = [
        Answer(a.id, a.text, a.question, a.author, meta={} if a.id > "q1-70" else dict(a.meta))
        for a in course(150)
        if a.question == "q1"
    ]
    with course_index(tmp_path, answers) as index:
        plan = plan_grading(index, "verdict", max_off=0.2)
        assert "off" not in plan.promise.text and plan.tolerance == 0


def test_the_random_order_within_a_question_is_not_changed_by_other_answers() -> None:
    ids = [f"a{n}" for n in range(50)]
    one = np.zeros(50, int)
    ranks = random_ranks(ids, one)
    assert sorted(ranks.tolist()) == list(range(50))
    assert not np.array_equal(ranks, np.arange(50))
    more = random_ranks(["new", *ids], np.zeros(51, int))[1:]
    assert np.array_equal(np.argsort(more), np.argsort(ranks))
    assert random_ranks(["\ud800"], one[:1]).tolist() == [0]


def test_questions_take_turns_in_the_random_order() -> None:
    ids = [f"a{n}" for n in range(90)]
    questions = np.repeat([0, 1], [60, 30])
    ranks = random_ranks(ids, questions)
    for size in (6, 30, 60):
        assert (questions[ranks < size] == 1).sum() == size // 3
    own = random_ranks(ids[60:], questions[60:])
    assert np.array_equal(np.argsort(ranks[60:]), np.argsort(own))


def test_after_the_first_checks_one_answer_in_four_is_drawn(tmp_path: Path) -> None:
    answers, _ = ungraded()
    with course_index(tmp_path, answers) as index:
        planned = plan_grading(index, "mark", max_off=0.2).answers
    reasons = [answer.reason for answer in planned]
    assert reasons[:11] == ["check"] * 11  # so many a promise takes
    assert reasons[11:19] == ["learn", "learn", "learn", "check"] * 2
    texts = {a.id: a.text for a in answers}
    chosen = [texts[answer.id] for answer in planned if answer.reason == "learn"]
    assert len(chosen) == len(set(chosen))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_off": 0}, "`max_off` must be above 0 and below 1, not 0"),
        ({"max_off": float("nan")}, "`max_off` must be above 0 and below 1, not nan"),
        ({"confidence": 1}, "`confidence` must be above 0 and below 1, not 1"),
        ({"tolerance": -1}, "`tolerance` must be 0 or more"),
    ],
)
def test_bad_numbers(tmp_path: Path, options: dict[str, float], message: str) -> None:
    with (
        course_index(tmp_path, course()) as index,
        pytest.raises(BadInput, match=message),
    ):
        plan_grading(index, "score", **options)  # type: ignore[arg-type]

"""Cross-validation of suggested marks: honest, against baselines, on what was held out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from helpers.courses import POINTS, course, course_index, with_scores
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where, evaluate_grades, grade
from searchkit.core.errors import BadInput
from searchkit.core.metrics import rmse
from searchkit.grading.marking.settings import Settings
from searchkit.index.records import GradingChange
from searchkit.output.grades import print_evaluation


def test_suggestions_beat_the_baselines_where_there_is_something_to_learn(tmp_path: Path) -> None:
    with course_index(tmp_path, course(each=20)) as index:
        found = evaluate_grades(index, "score")
        answers, questions = found.cross_validations
        assert (answers.unseen, answers.answers, answers.questions) == ("answers", 80, 4)
        assert (questions.unseen, questions.answers, questions.questions) == ("questions", 80, 4)
        names = [score.name for score in answers.scores]
        assert names == ["suggested", "mean of the question", "nearest graded answer"]
        ours, *baselines = (score.figures for score in answers.scores)
        assert all(ours["rmse"] < other["rmse"] for other in baselines)
        assert all(ours["pearson"] > other["pearson"] for other in baselines)
        assert [score.name for score in questions.scores][1:] == ["mean of all questions"]


def test_the_mean_of_the_question_is_that_of_the_other_folds(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        found = evaluate_grades(index, "score", folds=14)
        baseline = found.cross_validations[0].scores[1].figures["rmse"]
    given, means = [], []
    for question in POINTS:
        rows = [a for a in course() if a.question == question and not a.is_reference]
        marks = np.array([float(a.meta["score"]) for a in rows])
        given += marks.tolist()
        # 14 folds of 14 answers: one is held out at a time
        means += ((marks.sum() - marks) / (len(marks) - 1)).tolist()
    assert baseline == pytest.approx(rmse(np.array(given), np.array(means)))


def test_marks_by_lot_are_not_predicted(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    lot = {a.id: str(rng.integers(0, 5)) for a in course(each=25)}
    with course_index(tmp_path, with_scores(course(each=25), lot)) as index:
        for validation in evaluate_grades(index, "score").cross_validations:
            assert abs(validation.scores[0].figures["pearson"]) < 0.3
            assert validation.calibration_error < 0.2  # and it knows


def test_coverage_falls_with_the_confidence_asked_for(tmp_path: Path) -> None:
    with course_index(tmp_path, course(each=20)) as index:
        (validation, _) = evaluate_grades(index, "verdict").cross_validations
        assert validation.scores[0].figures.keys() == {"accuracy", "macro_f1"}
        shares = [row.answers for row in validation.coverage]
        assert shares == sorted(shares, reverse=True) and 0 < shares[0] <= 1
        assert all(0 <= row.right <= 1 for row in validation.coverage)


def test_a_filter_chooses_what_is_judged(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        found = evaluate_grades(index, "score", where=Where(question="q2"))
        assert [(t.answers, t.questions) for t in found.cross_validations] == [(14, 1), (14, 1)]


def test_progress_and_the_same_result_again(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        seen: list[tuple[int, int]] = []
        first = evaluate_grades(index, "score", folds=4, progress=lambda *at: seen.append(at))
        assert seen == [(n, 8) for n in range(1, 9)]
        assert evaluate_grades(index, "score", folds=4).cross_validations == first.cross_validations


def test_folds_so_large_that_too_little_stays_are_not_cut(tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index:
        (validation,) = evaluate_grades(
            index, "score", folds=2
        ).cross_validations  # of 4 questions 2 would stay
        assert validation.unseen == "answers"
    with (
        course_index(tmp_path / "few", course(each=9)) as index,
        pytest.raises(BadInput, match="grade some more"),
    ):
        evaluate_grades(index, "score", folds=2)  # of 9 answers 4 would stay


def test_too_little_to_judge(tmp_path: Path) -> None:
    few = [a for a in course(each=3) if a.question in ("q1", "q2")]
    with course_index(tmp_path, few) as index:
        with pytest.raises(BadInput, match="no question has 6 graded answers, and fewer than 4"):
            evaluate_grades(index, "score")
        with pytest.raises(BadInput, match="folds must be 2 or more, not 1"):
            evaluate_grades(index, "score", folds=1)


def test_one_question_alone_has_no_trial_of_unseen_questions(tmp_path: Path) -> None:
    with course_index(tmp_path, [a for a in course() if a.question == "q1"]) as index:
        (validation,) = evaluate_grades(index, "score").cross_validations
        assert validation.unseen == "answers"


def test_a_question_with_fewer_answers_than_the_rest(tmp_path: Path) -> None:
    rows = [a for a in course(each=25) if a.question != "q4" or a.id < "q4-07"]
    with course_index(tmp_path, rows) as index:
        validation = evaluate_grades(index, "score").cross_validations[0]
        assert validation.answers == 3 * 25 + 7


def test_each_item_of_a_rubric_is_measured(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    answers = [
        Answer(
            f"{n:02}",
            f"{'the loop runs callbacks' if n % 2 else 'a promise settles once'} word{n % 7}",
            "q1",
            f"s{n}",
            meta={"score": str(n % 2 * 5 + int(rng.integers(3)))},
        )
        for n in range(40)
    ]
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add(answers)
        names = ("names the loop", "by chance", "always", "never decided")
        items = [{"name": name, "points": 1} for name in names]
        settings = Settings().changed({"rubric": items, "mark_column": "total"}).to_json()
        index.add_grading_change(GradingChange("q1", "", "", "", settings=(None, settings)))
        ticks = {
            a.id: {
                "rubric: names the loop": "yes" if n % 2 else "no",
                "rubric: by chance": "yes" if rng.random() < 0.5 else "no",
                "rubric: always": "yes",
            }
            for n, a in enumerate(answers[:30])
        }
        index.update_columns(ticks)
        found = evaluate_grades(index, "score")
        loop, chance, always, undecided = found.rubric
        assert (loop.answers, loop.accuracy) == (30, 1.0)
        assert chance.accuracy is not None and chance.accuracy < 0.8
        assert (always.answers, always.accuracy, undecided.answers) == (30, None, 0)
        out = io.StringIO()
        print_evaluation(found, out)
        assert "names the loop" in out.getvalue() and "too few" in out.getvalue()
        assert [row.get("accuracy") for row in found.iter_records()][-4:-2] == [
            1.0,
            chance.accuracy,
        ]
        assert found.to_record()["rubric"][0]["column"] == "rubric: names the loop"
        suggested = grade(index, "rubric: names the loop")  # as any column with labels
        assert {s.id: s.suggested for s in suggested.suggestions} == {
            f"{n}": "yes" if n % 2 else "no" for n in range(30, 40)
        }

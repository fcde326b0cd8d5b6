"""Suggested marks of an index: what is right to suggest, what is left to the teacher, writing."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.courses import course, course_index, with_scores

from searchkit import Answer, Where, grade
from searchkit.core.errors import BadInput
from searchkit.grading.suggest import write_marks
from searchkit.index.upkeep.verify import verify

OPEN = {f"q{q}-{n:02}": None for q in (1, 2, 3, 4) for n in range(0, 14, 3)}


def ungraded() -> list[Answer]:
    return with_scores(course(), OPEN)


def test_marks_are_suggested_for_the_ungraded_only_and_near_the_truth(tmp_path: Path) -> None:
    truth = {answer.id: float(answer.meta["score"]) for answer in course()}
    with course_index(tmp_path, ungraded()) as index:
        found = grade(index, "score", min_confidence=0)
        assert [one.id for one in found.suggestions] == sorted(OPEN)
        assert not found.unknown and not found.blank and found.tolerance == 0.4
        errors = [abs(one.suggested - truth[one.id]) for one in found.suggestions]
        assert sum(errors) / len(errors) < 0.5  # the mean of a question is off by 0.8
        assert all(one.suggested in (0, 1, 2, 3, 4) for one in found.suggestions)
        assert all(0 <= one.confidence <= 1 for one in found.suggestions)
        graded = {a.id: a.meta["score"] for a in index.answers() if "score" in a.meta}
        for one in found.suggestions:
            assert len(one.neighbours) == 3
            assert [n.score for n in one.neighbours] == sorted(
                (n.score for n in one.neighbours), reverse=True
            )
            for neighbour in one.neighbours:
                assert str(int(neighbour.mark)) == graded[neighbour.id]
                assert neighbour.id.startswith(one.question) and "ref" not in neighbour.id


def test_the_same_index_gives_the_same_suggestions(tmp_path: Path) -> None:
    with course_index(tmp_path, ungraded()) as index:
        assert grade(index, "score").suggestions == grade(index, "score").suggestions


def test_below_the_confidence_it_abstains(tmp_path: Path) -> None:
    with course_index(tmp_path, ungraded()) as index:
        every = {one.id: one for one in grade(index, "score", min_confidence=0).suggestions}
        level = sorted(one.confidence for one in every.values())[len(every) // 2]
        some = grade(index, "score", min_confidence=level).suggestions
        assert len(some) == len(every)
        for one in some:
            sure = every[one.id].confidence >= level
            assert one.suggested == (every[one.id].suggested if sure else None)
        assert {one.suggested is None for one in some} == {True, False}


def test_an_answer_that_was_graded_word_for_word_has_that_mark(tmp_path: Path) -> None:
    rows = with_scores(course(), {})
    rows.append(Answer("new", rows[3].text, rows[3].question, "twin"))
    with course_index(tmp_path, rows) as index:
        (one,) = grade(index, "score", min_confidence=0).suggestions
        same = [float(a.meta["score"]) for a in rows[1:-1] if a.text == rows[3].text]
        assert one.suggested == pytest.approx(sum(same) / len(same), abs=0.5)
        assert one.neighbours[0].score == 1


def test_a_question_without_marks_learns_from_the_others(tmp_path: Path) -> None:
    rows = with_scores(course(), {f"q4-{n:02}": None for n in range(14)})
    with course_index(tmp_path, rows) as index:
        found = grade(index, "score", min_confidence=0)
        truth = {answer.id: float(answer.meta["score"]) for answer in course()}
        errors = [abs(one.suggested - truth[one.id]) for one in found.suggestions]
        assert len(errors) == 14 and sum(errors) / 14 < 0.6
        # No answer of the question has a mark: its reference speaks.
        assert {n.id for one in found.suggestions for n in one.neighbours} == {"q4-ref"}
        assert {n.mark for one in found.suggestions for n in one.neighbours} == {None}


def test_what_nothing_can_be_learned_for_is_told(tmp_path: Path) -> None:
    rows = [a for a in course() if a.question in ("q1", "q2")]
    rows = with_scores(rows, {f"q2-{n:02}": None for n in range(14)} | {"q1-00": None})
    rows.append(Answer("blank", "  ", "q1", "s99"))
    with course_index(tmp_path, rows) as index:
        found = grade(index, "score")
        assert found.unknown == {"q2": 14}
        assert found.blank == 1
        assert [one.id for one in found.suggestions] == ["q1-00"]


def test_a_filter_chooses_what_is_graded_and_not_what_teaches(tmp_path: Path) -> None:
    with course_index(tmp_path, ungraded()) as index:
        every = {one.id: one for one in grade(index, "score").suggestions}
        some = grade(index, "score", where=Where(question="q2", author="s03")).suggestions
        assert some == [every["q2-03"]]


def test_labels(tmp_path: Path) -> None:
    rows = [
        Answer(a.id, a.text, a.question, a.author, meta={} if a.id in OPEN else dict(a.meta))
        for a in course()
    ]
    truth = {a.id: a.meta["verdict"] for a in course() if not a.is_reference}
    with course_index(tmp_path, rows) as index:
        found = grade(index, "verdict", min_confidence=0)
        hits = [one.suggested == truth[one.id] for one in found.suggestions]
        assert sum(hits) / len(hits) > 0.8
        assert found.tolerance == 0
        with pytest.raises(BadInput, match="`tolerance` is for numbers"):
            grade(index, "verdict", tolerance=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"column": "nope"}, "no column 'nope'; there are score, verdict"),
        ({"column": "score", "min_confidence": 1.1}, "`min_confidence` must be from 0 to 1"),
        ({"column": "score", "min_confidence": float("nan")}, "`min_confidence` must be from 0"),
        ({"column": "score", "tolerance": -1.0}, "`tolerance` must be 0 or more"),
        (
            {"column": "verdict", "kind": "numbers"},
            "marks are numbers, and 56 are not: .pass., .fail. .first in q1-00",
        ),
    ],
)
def test_bad_input(arguments, message: str, tmp_path: Path) -> None:
    with course_index(tmp_path, course()) as index, pytest.raises(BadInput, match=message):
        grade(index, **arguments)


def test_no_mark_and_one_mark_are_refused(tmp_path: Path) -> None:
    none = with_scores(course(), {a.id: None for a in course()})
    with (
        course_index(tmp_path / "none", none) as index,
        pytest.raises(BadInput, match="no column 'score'; there are verdict"),
    ):
        grade(index, "score")
    one = with_scores(course(), {a.id: "3" for a in course()})
    with (
        course_index(tmp_path / "one", one) as index,
        pytest.raises(BadInput, match="all 56 marks are '3'; nothing can be learned"),
    ):
        grade(index, "score")


def test_marks_are_written_beside_and_never_over_the_graders(tmp_path: Path) -> None:
    with course_index(tmp_path, ungraded(), write=True) as index:
        before = {answer.id: answer for answer in index.answers()}
        texts = len(index.encoder.texts)
        assert write_marks(index, "hint", {"q1-00": 2.5, "q1-03": None}, beside="score") == 1
        after = {answer.id: answer for answer in index.answers()}
        assert after["q1-00"].columns["hint"] == "2.5" and "score" not in after["q1-00"].meta
        assert {i: a for i, a in after.items() if i != "q1-00"} == {
            i: a for i, a in before.items() if i != "q1-00"
        }
        assert len(index.encoder.texts) == texts  # nothing is embedded again
        assert verify(index) == []


def test_what_stands_in_a_column_is_kept_unless_told(tmp_path: Path) -> None:
    with course_index(tmp_path, ungraded(), write=True) as index:
        write_marks(index, "hint", {"q1-00": 2.0, "q1-03": 1.0}, beside="score")
        write_marks(index, "hint", {"q2-00": 3.0}, beside="score")  # others' don't matter
        with pytest.raises(BadInput, match="1 of these answers, such as q1-00, have something"):
            write_marks(index, "hint", {"q1-00": 4.0, "q1-06": 4.0}, beside="score")
        write_marks(index, "hint", {"q1-00": None, "q1-06": 4.0}, beside="score", overwrite=True)
        held = {a.id: a.columns["hint"] for a in index.answers() if "hint" in a.columns}
        assert held == {"q1-03": "1", "q1-06": "4", "q2-00": "3"}


@pytest.mark.parametrize("column", ["score", "SCORE", "text", "Id", " "])
def test_some_columns_are_not_for_suggestions(column: str, tmp_path: Path) -> None:
    with (
        course_index(tmp_path, ungraded(), write=True) as index,
        pytest.raises(BadInput, match="name a new one, such as suggested_score"),
    ):
        write_marks(index, column, {"q1-00": 2.0}, beside="score")

"""Earlier cohorts: which questions are the same, which are alike, and what is learned from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.courses import POINTS, course, course_index, with_scores
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, evaluate_grades, grade
from searchkit.cli.app import main
from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.core.where import Where
from searchkit.grading.learning.corpus import load_corpus
from searchkit.grading.learning.earlier import MAX_WEIGHT, Topic, likeness_weight, read_earlier


def this_year(marked: int = 0, prompts: dict[str, str] | None = None) -> list[Answer]:
    """Return answers of which so many of each question have a score."""
    answers = [answer for answer in course(seed=7) if not answer.is_reference]
    open_ids = {a.id: None for a in answers if int(a.id.split("-")[1]) >= marked}
    return with_prompts(with_scores(answers, open_ids), prompts or {})


def with_prompts(answers: list[Answer], prompts: dict[str, str]) -> list[Answer]:
    return [
        replace(a, meta={**a.meta, "prompt": prompts[a.question]}) if a.question in prompts else a
        for a in answers
    ]


def renamed(answers: list[Answer], names: dict[str, str]) -> list[Answer]:
    return [replace(a, question=names.get(a.question, a.question)) for a in answers]


def both(
    tmp_path: Path, new: list[Answer], old: list[Answer], name: str = "last"
) -> tuple[Index, Index]:
    return (
        course_index(tmp_path / "this", new),
        course_index(tmp_path / name, old),
    )


def mean_error(found: object) -> float:
    truth = {answer.id: float(answer.meta["score"]) for answer in course(seed=7)}
    return float(np.mean([abs(one.suggested - truth[one.id]) for one in found.suggestions]))


def test_last_years_marks_are_worth_as_much_as_this_years(tmp_path: Path) -> None:
    this, last = both(tmp_path, this_year(), course())
    with this, last:
        with pytest.raises(BadInput, match="no column 'score'"):
            grade(this, "score")
        found = grade(this, "score", earlier=[last], min_confidence=0)
        assert len(found.suggestions) == 4 * 14 and found.earlier == 4 * 14
        assert mean_error(found) < 0.5  # one mark for all is off by 0.8
        for one in found.suggestions:
            assert all(n.id.startswith(f"i:{one.question}-") for n in one.neighbours)
            assert not one.id.startswith("i:")


def test_with_some_marks_of_this_year_it_is_better_with_last_years(tmp_path: Path) -> None:
    this, last = both(tmp_path, this_year(5), course())
    with this, last:
        alone, found = (
            grade(this, "score", earlier=more, min_confidence=0) for more in ((), [last])
        )
        assert mean_error(found) < mean_error(alone)
        names = {n.id for one in found.suggestions for n in one.neighbours}
        assert {name.startswith("i:") for name in names} == {True, False}


def test_a_severer_grader_of_last_year_does_not_lower_this_years_marks(tmp_path: Path) -> None:
    lower = {a.id: str(int(a.meta["score"]) - 2) for a in course() if not a.is_reference}
    this, last = both(tmp_path, this_year(7), with_scores(course(), lower))
    with this, last:
        found = grade(this, "score", earlier=[last], min_confidence=0)
        alone = grade(this, "score", min_confidence=0)
        assert mean_error(found) < max(0.6, mean_error(alone))


def test_the_same_question_has_the_same_name_and_text(tmp_path: Path) -> None:
    prompts = {"q1": "Name parts of the event loop.", "q2": "What are streams?", "q3": "CORS?"}
    old = with_prompts(course(), {**prompts, "q2": "What is a  STREAM?"})
    old = renamed(old, {"q3": "exam 7", "q4": "q5"})
    this, last = both(tmp_path, this_year(3, prompts), old)
    with this, last:
        corpus = load_corpus(this, "score", earlier=[last])
        assert corpus.names == ["i:q2", "i:q5", "q1", "q2", "q3", "q4"]  # q3 was renamed
        place = {name: n for n, name in enumerate(corpus.names)}
        assert 0 < corpus.weights[place["q2"], place["i:q2"]] <= MAX_WEIGHT
        assert 0 < corpus.weights[place["q4"], place["i:q5"]] <= MAX_WEIGHT
        assert corpus.weights[place["q1"], place["i:q5"]] == 0
        assert (np.diag(corpus.weights) == 1).all()
        assert corpus.earlier.sum() == 4 * 15
        own = {answer.id for answer in this.answers()}
        assert {a.id for a, e in zip(corpus.answers, corpus.earlier, strict=True) if not e} == own


def test_a_text_that_several_questions_have_matches_none_of_them(tmp_path: Path) -> None:
    prompts = dict.fromkeys(POINTS, "Explain your reasoning.")
    old = renamed(with_prompts(course(), prompts), {name: f"old {name}" for name in POINTS})
    this, last = both(tmp_path, this_year(3, prompts), old)
    with this, last:
        names = load_corpus(this, "score", earlier=[last]).names
        assert [name for name in names if name in POINTS] == list(POINTS) and len(names) == 8


def test_a_question_of_one_name_about_something_else_is_another_one(tmp_path: Path) -> None:
    names = list(POINTS)
    turned = dict(zip(names, [*names[1:], names[0]], strict=True))
    this, last = both(tmp_path, this_year(3), renamed(course(), turned))
    with this, last:
        corpus = load_corpus(this, "score", earlier=[last])
        assert len(corpus.names) == 8
        place = {name: n for n, name in enumerate(corpus.names)}
        for old, new in turned.items():
            assert corpus.weights[place[old], place[f"i:{new}"]] > 0
            assert corpus.weights[place[new], place[f"i:{new}"]] == 0


def test_likeness_grows_with_that_of_answers_and_texts() -> None:
    def topic(angle: float, text: str = "") -> Topic:
        return Topic(text, np.array([[np.cos(angle), np.sin(angle)]], np.float32))

    here = topic(0, "what is a stream?")
    far, near, same = topic(1.2), topic(0.6), topic(0)
    assert likeness_weight(here, far) == 0 < likeness_weight(here, near) < MAX_WEIGHT
    assert likeness_weight(here, same) == MAX_WEIGHT
    assert likeness_weight(here, here) == pytest.approx(MAX_WEIGHT)
    other = topic(0, "how does the event loop work?")
    assert MAX_WEIGHT / 2 <= likeness_weight(here, other) < 0.6 * MAX_WEIGHT


def test_answers_to_a_like_question_count_less(tmp_path: Path) -> None:
    this, last = both(tmp_path, this_year(4), renamed(course(), {"q1": "q9"}))
    with this, last:
        found = grade(this, "score", earlier=[last], min_confidence=0)
        ids = {n.id for one in found.suggestions if one.question == "q1" for n in one.neighbours}
        assert any(name.startswith("i:q1-") for name in ids)  # which is the question q9
        assert found.method is not None


def test_two_indexes_of_one_name_are_told_apart_by_their_places(tmp_path: Path) -> None:
    this, last = both(tmp_path, this_year(), course())
    with this, last, course_index(tmp_path / "before", course(seed=3)) as before:
        found = grade(this, "score", earlier=[last, before], min_confidence=0)
        ids = {n.id for one in found.suggestions for n in one.neighbours}
        assert {name.rpartition(":")[0] for name in ids} == {last.place, before.place}
        assert found.earlier == 2 * 4 * 14


def test_what_cannot_be_learned_from_is_told_in_a_line(tmp_path: Path) -> None:
    this, last = both(tmp_path, this_year(4), course())
    with this, last:
        with pytest.raises(BadInput, match=r"is the index itself; name one of earlier answers"):
            grade(this, "score", earlier=[this])
        with pytest.raises(BadInput, match=r"is named twice; name it once"):
            grade(this, "score", earlier=[last, last])
        with (
            course_index(tmp_path / "new", this_year()) as unmarked,
            pytest.raises(BadInput, match="no answer has a mark in 'score'; name one with marks"),
        ):
            grade(this, "score", earlier=[unmarked])
        with (
            Index.create(tmp_path / "other", ToyEncoder(fingerprint="toy-2")) as other,
            pytest.raises(
                IndexMismatch, match=r"other: made with .*; give both the same model: searchkit"
            ),
        ):
            read_earlier(this, [other], [], "score", Where())


def test_evaluation_learns_from_earlier_answers_and_judges_none_of_them(tmp_path: Path) -> None:
    this, last = both(tmp_path, this_year(9), course())
    with this, last:
        alone, found = (evaluate_grades(this, "score", earlier=more) for more in ((), [last]))
        for before, after in zip(alone.cross_validations, found.cross_validations, strict=True):
            assert before.answers == after.answers == 4 * 9
            assert after.scores[0].figures["rmse"] < before.scores[0].figures["rmse"]


def test_the_command_takes_earlier_indexes(tmp_path: Path, monkeypatch) -> None:
    for index in both(tmp_path, this_year(), course()):
        index.close()
    monkeypatch.chdir(tmp_path)
    arguments = ["grade", "-i", "this/i", "--column", "score", "--from", "last/i"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "56 graded answers, marks from 0 to 4, 56 of them from earlier indexes" in result.stderr
    assert "i:q1-" in result.stdout
    result = CliRunner().invoke(main, [*arguments[:-1], "this/i"])
    assert result.exit_code != 0
    assert "--from this/i: is the index itself; name one of earlier answers" in result.stderr
    result = CliRunner().invoke(main, [*arguments, "--audit"])
    assert result.exit_code != 0 and "--from" in result.stderr

"""Files without ids: rows find the answers of their authors, wherever they stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.damage import change
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.core.identity import make_id
from searchkit.index.ingest import ingest
from searchkit.index.upkeep.verify import verify
from searchkit.sources.columns import AnswerColumns


@pytest.fixture
def index(tmp_path: Path, encoder: ToyEncoder) -> Index:
    with Index.create(tmp_path / "i", encoder) as made:
        yield made


def row(author: str | None, text: str, question: str | None = "q", time: str | None = None,
        **columns: str) -> Answer:  # fmt: skip
    id_ = make_id(question, author, text)
    return Answer(id_, text, question, author, time, meta=columns, has_made_id=True)


def held(index: Index) -> set[tuple[str, str | None, str]]:
    return {(answer.id, answer.author, answer.text) for answer in index.answers()}


@pytest.mark.parametrize("question", ["q", None])
@pytest.mark.parametrize("batch", [1, 100])
def test_a_new_top_row_moves_no_answer(index: Index, question: str | None, batch: int) -> None:
    monday = [
        row("Ben", "One callback after the other", question),
        row("Cleo", "Timers fire", question),
        row("Dan", "I do not know", question),
    ]
    ingest(index, monday, batch=batch)
    index.update_columns({answer.id: {"mark": answer.author} for answer in monday})
    tuesday = [row("Ada", "Streams move chunks", question), *monday]
    done = ingest(index, tuesday, batch=batch)
    assert (done.added, done.unchanged, done.updated, done.warnings) == (1, 3, 0, [])
    marks = {answer.author: answer.columns.get("mark") for answer in index.answers()}
    assert marks == {"Ben": "Ben", "Cleo": "Cleo", "Dan": "Dan", "Ada": None}


def test_another_text_without_a_time_is_an_update(index: Index) -> None:
    ingest(index, [row("ann", "first"), row("bob", "other")])
    done = ingest(index, [row(" Ann", "second"), row("bob", "other")])
    assert (done.updated, done.unchanged, done.attempts) == (1, 1, 0)
    assert held(index) == {("q/ann", " Ann", "second"), ("q/bob", "bob", "other")}


@pytest.mark.parametrize("batch", [1, 100])
def test_another_time_is_another_attempt(index: Index, batch: int) -> None:
    first = row("ann", "first", time="2025-08-01T10:00")
    later = row("ann", "second", time="2025-08-02T10:00")
    ingest(index, [first], batch=batch)
    done = ingest(index, [later], batch=batch)
    assert (done.added, done.attempts) == (1, 1)
    assert done.warnings == ["1 further attempt by one author to one question; all are kept"]
    assert held(index) == {("q/ann", "ann", "first"), ("q/ann#2", "ann", "second")}
    for rows in ([first, later], [later, first], [later]):
        assert ingest(index, rows, batch=batch).unchanged == len(rows)
    done = ingest(index, [replace(first, text="first, mended")], batch=batch)
    assert (done.updated, done.attempts) == (1, 0)
    assert ("q/ann", "ann", "first, mended") in held(index)


def test_one_time_can_be_written_in_two_ways(index: Index) -> None:
    ingest(index, [row("ann", "first", time="2025-08-01T10:00:00")])
    assert ingest(index, [row("ann", "mended", time="2025-08-01 10:00")]).updated == 1
    assert len(index) == 1


@pytest.mark.parametrize("question", ["q", None])
def test_a_damaged_answer_is_written_anew(index: Index, question: str | None) -> None:
    rows = [row("ann", "first", question), row("bob", "other", question)]
    ingest(index, rows)
    change(index, "UPDATE answers SET text = 'othex' WHERE text = 'other'")
    assert "damaged" in " ".join(verify(index))
    assert ingest(index, rows).unchanged == 1
    assert {answer.text for answer in index.answers()} == {"first", "other"}
    assert verify(index) == []


def test_several_at_once_are_attempts_even_without_times(index: Index) -> None:
    ingest(index, [row("ann", "first")])
    done = ingest(index, [row("ann", "second"), row("ann", "third")])
    assert (done.added, done.updated, done.attempts) == (2, 0, 2)
    assert {text for *_, text in held(index)} == {"first", "second", "third"}
    assert ingest(index, [row("ann", "fourth")]).attempts == 1  # of which would it be an update?


def test_the_same_text_at_two_times_is_two_attempts(index: Index) -> None:
    rows = [row("ann", "same", time=f"2025-08-0{n}") for n in (1, 2)]
    assert ingest(index, rows).attempts == 1
    assert ingest(index, rows[::-1]).unchanged == 2
    assert ingest(index, rows[:1]).unchanged == 1


def test_without_a_question_another_text_is_kept_beside(index: Index) -> None:
    """Another column of the same sheet, with the same times: maybe another question."""
    ingest(index, [row("ann", "about loops", None, "8/7/2025")])
    done = ingest(index, [row("ann", "about CORS", None, "8/7/2025")])
    assert (done.added, done.updated, done.attempts, done.kept_beside) == (1, 0, 0, 1)
    (warning,) = done.warnings
    assert warning == (
        "1 answer beside another one by the same author; if they answer several questions, name "
        "the column with `columns.question=NAME`"
    )
    assert held(index) == {("ann", "ann", "about loops"), ("ann#2", "ann", "about CORS")}


def test_an_id_that_is_anothers_is_not_taken(index: Index) -> None:
    ingest(index, [Answer("q/ann", "the teacher's own", "other", "zoe")])
    ingest(index, [row("ann", "first")])
    assert held(index) == {("q/ann", "zoe", "the teacher's own"), ("q/ann#2", "ann", "first")}
    assert ingest(index, [row("ann", "second")]).updated == 1


def test_answers_that_had_ids_are_found(index: Index) -> None:
    ingest(index, [Answer("form:2", "first", "q", "Ann")])
    assert ingest(index, [row("ann", "first", mark="3")]).updated == 1
    assert [answer.id for answer in index.answers()] == ["form:2"]


@pytest.mark.parametrize("question", ["q", None])
def test_an_empty_cell_takes_only_columns_along(index: Index, question: str | None) -> None:
    ingest(index, [row("ann", "first", question)])
    done = ingest(index, [row("ann", "", question, score="7")])
    assert (done.updated, done.added, done.texts_kept) == (1, 0, 1)
    (answer,) = index.answers()
    assert (answer.text, answer.meta) == ("first", {"score": "7"})


@pytest.mark.parametrize("question", ["q", None])
def test_an_empty_answer_is_filled_later(index: Index, question: str | None) -> None:
    ingest(index, [row("ann", "", question, "2025-08-01")])
    assert ingest(index, [row("ann", "late", question, "2025-08-02")]).updated == 1
    assert [answer.text for answer in index.answers()] == ["late"]


def test_a_reference_is_no_attempt(index: Index) -> None:
    done = ingest(index, [row("reference", "this"), row("reference", "or that")])
    assert (done.added, done.attempts) == (2, 0)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_many_rows_of_one_author(index: Index, batch: int) -> None:
    rows = [row("anonymous", f"text {n}") for n in range(60)]
    ingest(index, rows, batch=batch)
    assert len({answer.text for answer in index.answers()}) == 60
    assert ingest(index, rows[::-1], batch=batch).unchanged == 60


def person(name: str, address: str, text: str, time: str | None = None) -> Answer:
    answer = row(name, text, time=time, mail=address)
    return replace(answer, identity=("mail", address))


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("time", [None, "2025-08-01T10:00"])
def test_somebody_of_the_same_name_in_another_file(
    index: Index, batch: int, time: str | None
) -> None:
    ingest(index, [person("Ann Lee", "a@x", "first", time)])
    others = [person("Ann Lee", "b@x", "second", time)]
    assert ingest(index, others, batch=batch).added == 1
    both = [person("Ann Lee (b@x)", "b@x", "second"), person("ann lee (A@X)", "A@X", "third", time)]
    done = ingest(index, both, batch=batch)
    assert (done.added, done.updated, done.unchanged, done.attempts) == (0, 1, 1, 0)
    assert {(answer.id, answer.text) for answer in index.answers()} == {
        ("q/Ann Lee", "third"),
        ("q/Ann Lee (b@x)", "second"),
    }
    marks = [
        AnswerColumns(None, "q", "Ann Lee", {"mail": mail, "score": mail}, identity=("mail", mail))
        for mail in ("b@x", "a@x")
    ]
    assert ingest(index, marks, batch=batch).marks_matched == 2
    assert [answer.columns["score"] for answer in index.answers()] == ["a@x", "b@x"]


@pytest.mark.parametrize("batch", [1, 100])
def test_one_of_two_people_of_one_name_in_another_file(index: Index, batch: int) -> None:
    both = [person("Ann Lee (a@x)", "a@x", "first"), person("Ann Lee (b@x)", "b@x", "second")]
    ingest(index, both, batch=batch)
    index.update_columns({answer.id: {"mark": answer.text} for answer in both})
    done = ingest(index, [person("Ann Lee", "B@x", "second, mended")], batch=batch)
    assert (done.added, done.updated, done.attempts) == (0, 1, 0)
    assert [(a.id, a.text, a.columns["mark"]) for a in index.answers()] == [
        ("q/Ann Lee (a@x)", "first", "first"),
        ("q/Ann Lee (b@x)", "second, mended", "second"),
    ]
    mark = AnswerColumns(None, "q", "ann lee", {"score": "7"}, identity=("mail", "a@x"))
    assert ingest(index, [mark], batch=batch).marks_matched == 1
    assert [answer.columns.get("score") for answer in index.answers()] == ["7", None]
    third = person("Ann Lee", "c@x", "third")
    assert ingest(index, [third], batch=batch).added == 1

"""Marks of `Moss, Ada` go to the answers of `Ada Moss`, and never to those of somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder
from helpers.source_files import write

from searchkit import Answer, Index
from searchkit.index.incoming.namesakes import inverted_names
from searchkit.index.ingest import ingest
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.files import FileOptions
from searchkit.sources.reader import read_rows


def mark(author: str, question: str = "q1", **identity: str) -> AnswerColumns:
    who = next(iter(identity.items()), None)
    return AnswerColumns(None, question, author, {"points": "7", **identity}, "m.csv", 2, who)


def marked(
    path: Path, encoder: ToyEncoder, authors: list[str], row: AnswerColumns, **meta: str
) -> set[str]:
    """Return the authors whose answers have a mark after a row of marks."""
    answers = [Answer(f"{n}", f"text {n}", "q1", name, meta=meta) for n, name in enumerate(authors)]
    with Index.create(path / "i", encoder) as index:
        ingest(index, answers)
        ingest(index, [row, mark(authors[0])])  # one that fits, as others are an error
        found = {a.author or "" for a in index.answers() if a.columns.get("points")}
    return found - {authors[0]}


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Ada Moss", "Moss, Ada"),
        ("Moss, Ada", "Ada Moss"),
        ("ADA  Moss", "moss,ada"),
        ("Ada Maria Moss", "Moss, Ada Maria"),
        ("de Moss, Ada", "Ada de Moss"),
    ],
)
def test_first_and_last_name_in_the_other_order(
    tmp_path: Path, encoder: ToyEncoder, author: str, name: str
) -> None:
    assert marked(tmp_path, encoder, ["Ben", author], mark(name)) == {author}


@pytest.mark.parametrize(
    ("authors", "name"),
    [
        (["Moss Ada"], "Moss, Ada"),  # without a comma the first word is the first name
        (["Ada Moss"], "Ada, Moss"),
        (["Maria Moss, Ada", "Moss, Ada Maria"], "Ada Maria Moss"),  # either may be meant
        (["Ada Moss"], "Moss, Ada, Jr."),
        (["Ada Moss"], "Moss, Ada M."),
        (["Ada Moss"], "Moss"),
        (["Ada"], "Ada, "),
    ],
)
def test_who_may_be_another_has_no_mark(
    tmp_path: Path, encoder: ToyEncoder, authors: list[str], name: str
) -> None:
    assert marked(tmp_path, encoder, ["Ben", *authors], mark(name)) == set()


def test_an_address_or_a_number_tells_people_apart(tmp_path: Path, encoder: ToyEncoder) -> None:
    same, other = mark("Moss, Ada", ID="101"), mark("Moss, Ada", ID="102")
    (tmp_path / "same").mkdir()
    assert marked(tmp_path / "same", encoder, ["Ben", "Ada Moss"], same, id="101") == {"Ada Moss"}
    assert marked(tmp_path, encoder, ["Ben", "Ada Moss"], other, id="101") == set()


def test_another_question_is_another_answer(tmp_path: Path, encoder: ToyEncoder) -> None:
    assert marked(tmp_path, encoder, ["Ben", "Ada Moss"], mark("Moss, Ada", "q2")) == set()


def test_a_gradebook_for_answers_of_a_quiz(tmp_path: Path, encoder: ToyEncoder) -> None:
    header, possible = "Student,ID,SIS Login ID,Section,q1 (1001)", "  Points Possible,,,,10"
    path = write(tmp_path / "grades.csv", f'{header}\n{possible}\n"Moss, Ada",1,a,A,8\n')
    with Index.create(tmp_path / "i", encoder) as index:
        ingest(index, [Answer("1", "The loop runs", "q1", "Ada Moss", meta={"id": "1"})])
        done = ingest(index, read_rows([path], FileOptions(), allow_marks=True))
        (answer,) = index.answers()
    assert (done.marks_matched, answer.author, answer.columns["points"]) == (1, "Ada Moss", "8")
    assert done.warnings == [
        "1 name of marks with first and last name in the other order, such as 'Moss, Ada' for "
        "'Ada Moss'; matched"
    ]


BOTH = (
    "1 pair of authors who may be one person, such as 'Ada Moss' and 'Moss, Ada'; they stay apart; "
    "if they are one, write the name alike in the files"
)


@pytest.mark.parametrize("names", [("Ada Moss", "Moss, Ada"), ("Moss, Ada", "Ada Moss")])
@pytest.mark.parametrize("is_one_file", [True, False])
def test_answers_of_both_orders_stay_apart_and_are_named(
    tmp_path: Path, encoder: ToyEncoder, names: tuple[str, str], *, is_one_file: bool
) -> None:
    first, second = (Answer(f"{n}", "the same", "q1", name) for n, name in enumerate(names))
    with Index.create(tmp_path / "i", encoder) as index:
        if not is_one_file:
            assert BOTH not in ingest(index, [first]).warnings
        done = ingest(index, [first, second] if is_one_file else [second])
        assert BOTH in done.warnings
        assert {answer.author for answer in index.answers()} == set(names)
        assert BOTH not in ingest(index, [second]).warnings  # nothing is new


def test_other_names_and_other_questions_are_not_named(tmp_path: Path, encoder: ToyEncoder) -> None:
    authors = [("q1", "Ada Moss"), ("q2", "Moss, Ada"), ("q1", "Moss Ada"), ("q1", "Moss, A."),
               ("q1", "Ada"), ("q1", None)]  # fmt: skip
    answers = [Answer(f"{n}", f"t{n}", *slot) for n, slot in enumerate(authors)]
    with Index.create(tmp_path / "i", encoder) as index:
        assert not any("one person" in line for line in ingest(index, answers).warnings)


def test_the_other_order_of_the_other_order_is_the_name() -> None:
    for name in ("ada moss", "moss, ada", "ada de moss", "le guin, ursula k."):
        assert any(name in inverted_names(other) for other in inverted_names(name))

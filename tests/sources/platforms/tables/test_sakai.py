"""Responses of Sakai's tests, of old and new versions, with and without names."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_table
from helpers.source_files import read

from searchkit.core.errors import BadInput

PERSON = ("Last Name", "First Name", "User Name", "Order of Submission (1=first)")
TIMES = ("Start time", "Submit time", "Final Score", "Grader's comments")
FIRST, SECOND = "Part 1, Question 1, ", "Part 2, Question 1, Nodes, "
QUESTIONS = tuple(
    f"{question}{kind}"
    for question in (FIRST, SECOND)
    for kind in ("Text", "Response", "Points", "Grader's comments")
)
ADA = ("Moss", "Ada", "ada", "1", "2025-08-07 17:40", "2025-08-07 17:53", "12", "")
BEN = ("Reed", "Ben", "ben", "1", "2025-08-07 17:41", "2025-08-07 17:54", "5", "")
NOBODY = ("Sand", "Cleo", "cleo", "No submission", *("",) * 12)
LOOP_TEXT, CORS_TEXT = "<p>What is the <b>event loop</b>?</p>", "What is CORS?"


def test_a_test_with_texts_points_and_comments(tmp_path: Path) -> None:
    ada = (*ADA, LOOP_TEXT, f"<p>{LOOP}</p>", "7", "Good", CORS_TEXT, CORS, "5", "")
    ben = (*BEN, LOOP_TEXT, POLL, "5", "", CORS_TEXT, "No Answer", "0", "Why?")
    path = csv_file(tmp_path / "a.csv", (*PERSON, *TIMES, *QUESTIONS), ada, ben, NOBODY)
    answers = read(path)
    assert [(a.author, a.question, a.text) for a in answers] == [
        ("Ada Moss", "What is the event loop?", LOOP),
        ("Ada Moss", "What is CORS?", CORS),
        ("Ben Reed", "What is the event loop?", POLL),
    ]
    first = answers[0]
    assert (first.meta["points"], first.meta["feedback"]) == ("7", "Good")
    assert first.submitted_at == "2025-08-07 17:53"
    assert first.identity == ("User Name", "ada")


def test_an_old_version_without_texts_and_names(tmp_path: Path) -> None:
    header = ("Submission Id", "Final Score", f"{FIRST}Response", f"{FIRST}Rationale")
    path = csv_file(
        tmp_path / "a.csv", header, ("71", "7", LOOP, "as it says"), ("72", "-", POLL, "")
    )
    answers = read(path)
    assert [(a.id, a.author, a.text) for a in answers] == [
        ("Part 1, Question 1/71", None, LOOP),
        ("Part 1, Question 1/72", None, POLL),
    ]
    assert answers[0].meta["rationale"] == "as it says"


def test_a_test_in_spanish(tmp_path: Path) -> None:
    header = ("Apellidos", "Nombre", "Usuario", "Hora de envío", "Parte 1, Pregunta 1, Texto")
    header += ("Parte 1, Pregunta 1, Respuesta", "Parte 1, Pregunta 1, Comentarios del evaluador")
    row = ("Moss", "Ada", "ada", "2025-08-07 17:53", CORS_TEXT, CORS, "Bien")
    (answer,) = read(csv_file(tmp_path / "a.csv", header, row))
    assert (answer.author, answer.question, answer.text) == ("Ada Moss", "What is CORS?", CORS)
    assert (answer.submitted_at, answer.meta["feedback"]) == ("2025-08-07 17:53", "Bien")


def test_choices_are_no_questions(tmp_path: Path) -> None:
    header = (*PERSON, f"{FIRST}Response", f"{SECOND}Response")
    rows = [("M", name, name, "1", "A" if n else "B", LOOP + name) for n, name in enumerate("abcd")]
    assert {a.question for a in read(csv_file(tmp_path / "a.csv", header, *rows))} == {
        "Part 2, Question 1"
    }


@pytest.mark.parametrize("header", ["Part 1, Question 1, Points", "Question 1, Response", "Text"])
def test_other_tables_are_none(tmp_path: Path, header: str) -> None:
    path = csv_file(tmp_path / "a.csv", ("Name", header, "My answer"), ("Ada", "1", LOOP))
    with pytest.raises(BadInput, match="sakai needs the columns Part 1, Question 1, Response"):
        read_table(path, "sakai")

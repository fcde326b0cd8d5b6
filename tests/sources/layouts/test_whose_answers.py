"""Whose answers a table holds, where its columns have other names or other meanings than usual."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.source_files import read, rejected, write

from searchkit.core.errors import BadInput

FIRST = "Water goes where more salt is"
SECOND = "It is the diffusion of water"


@pytest.mark.parametrize(
    "name", ["Anonymous", "anonym", "(anonymous)", "[deleted]", "Anonymous user", "-", "\u2013"]
)
def test_people_without_a_name_are_not_one_person(tmp_path: Path, name: str) -> None:
    """Copies among them would count as one person's drafts, and never be found."""
    rows = f'q1,"{name}",{FIRST}\nq1,"{name}",{SECOND}\nq1,Ann O\'Nym,Neither\n'
    answers = read(write(tmp_path / "a.csv", f"question,student,answer\n{rows}"))
    assert [answer.author for answer in answers] == [None, None, "Ann O'Nym"]
    assert all("#" not in answer.id for answer in answers)


def test_ids_that_come_with_several_questions_are_those_of_people(tmp_path: Path) -> None:
    rows = f"s1,q1,{FIRST}\ns1,q2,A cell\ns2,q1,{SECOND}\ns2,q2,A wall\ns3,q1,No idea\n"
    answers = read(write(tmp_path / "a.csv", f"id,question,answer\n{rows}"))
    assert [(a.question, a.author) for a in answers] == [
        ("q1", "s1"), ("q2", "s1"), ("q1", "s2"), ("q2", "s2"), ("q1", "s3")
    ]  # fmt: skip
    assert answers[0].id == "q1/s1"


def test_ids_of_people_tell_those_of_one_name_apart(tmp_path: Path) -> None:
    rows = "".join(f"{id_};Ada;Moss;{n};{id_} says {n}\n" for id_ in ("a1", "a2") for n in (1, 2))
    answers = read(write(tmp_path / "b.csv", f"Kennung;Vorname;Nachname;Aufgabe;Antwort\n{rows}"))
    assert [answer.author for answer in answers] == ["Ada Moss (a1)"] * 2 + ["Ada Moss (a2)"] * 2


def test_later_lines_with_more_values_have_ids_of_people_too(tmp_path: Path) -> None:
    rows = [(f"s{n}", f"q{q}") for n in range(3) for q in range(2)]
    lines = [json.dumps({"id": n, "question": q, "answer": f"x{n}{q}"}) for n, q in rows]
    lines.append('{"id": "s3", "question": "q1", "answer": "y", "late": "yes"}')
    answers = read(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [answer.author for answer in answers] == ["s0", "s0", "s1", "s1", "s2", "s2", "s3"]


def test_an_id_that_comes_twice_by_mistake_stays_one_of_answers(tmp_path: Path) -> None:
    rows = "a1,q1,x\na2,q1,y\na3,q1,z\na3,q2,x\na4,q2,y\n"
    answers = read(write(tmp_path / "a.csv", f"id,question,answer\n{rows}"))
    assert [answer.id for answer in answers] == ["a1", "a2", "a3", "a3", "a4"]
    rows = "n1,q1,Ada,x\nn1,q2,Bo,y\n"
    answers = read(write(tmp_path / "b.csv", f"id,question,author,answer\n{rows}"))
    assert [answer.id for answer in answers] == ["n1", "n1"]


@pytest.mark.parametrize("name", ["Player", "Student Names", "Requester", "Nickname", "Voters"])
def test_people_of_games_polls_and_help_desks_are_authors(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.csv", f"{name},Question,Answer,Score\nAda,What?,{FIRST},1\n")
    assert [answer.author for answer in read(path)] == ["Ada"]


def test_addresses_are_those_of_people_in_any_language(tmp_path: Path) -> None:
    header = "Marcaj de timp,Adres\u0103 de e-mail,Ce este o celul\u0103?\n"
    rows = f"2026/05/03 10:00:00 AM GMT+3,a@x.org,{FIRST}\n,b@x.org,{SECOND}\n"
    form = read(write(tmp_path / "a.csv", header + rows))
    assert [answer.author for answer in form] == ["a@x.org", "b@x.org"]
    rows = f"a@x.org,q1,{FIRST}\n,q1,x\nb@x.org,q1,{SECOND}\n"
    long = read(write(tmp_path / "b.csv", f"Adres,question,answer\n{rows}"))
    assert [answer.author for answer in long] == ["a@x.org", None, "b@x.org"]


def test_a_line_of_a_mark_alone_is_no_answer(tmp_path: Path) -> None:
    lines = ['{"student": "Ada", "answer": "x", "remark": "good"}', '{"remark": "too short"}']
    answers, bad = rejected(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [answer.text for answer in answers] == ["x"]
    assert bad[0].reason.startswith("no column with the answers; there are: remark")
    assert [a.text for a in read(write(tmp_path / "b.jsonl", '{"sentence": "y"}'))] == ["y"]


def test_questions_with_short_headers_are_not_attempts_at_one(tmp_path: Path) -> None:
    header = "Org Defined ID,FirstName,LastName,Attempt #,Q #,Q Text,Answer,Out Of\n"
    rows = f"#4711,Ada,Moss,1,1,Osmosis?,{FIRST},5\n#4711,Ada,Moss,1,2,Cell?,A room,5\n"
    answers = read(write(tmp_path / "a.csv", header + rows))
    assert [(a.question, a.meta["prompt"]) for a in answers] == [("1", "Osmosis?"), ("2", "Cell?")]


def test_a_column_of_attempts_is_not_that_of_answers_beside_questions(tmp_path: Path) -> None:
    header = "First Name,Last Name,Submission,Question 1,Question 1 Score,Total\n"
    path = write(tmp_path / "a.csv", f"{header}Ada,Moss,1,{FIRST},4,4\nBo,Ray,2,{SECOND},3,3\n")
    with pytest.raises(BadInput, match=r"Question 1 looks like answers"):
        read(path)
    numbers = write(tmp_path / "b.csv", "Question,Response\nWhat is 2 + 2?,4\nAnd 3 + 3?,6\n")
    assert [answer.text for answer in read(numbers)] == ["4", "6"]

"""Surveys of Qualtrics and SurveyMonkey: who answered, and rows that nobody wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_table, shown
from helpers.source_files import workbook

LOOP_ASKED, CORS_ASKED = "What is the event loop?", "What is CORS, and whom does it protect?"
TIME = "2025-09-01 10:10:01"


def qualtrics(*people: tuple[str, str, str]) -> list[tuple[str, ...]]:
    """Return the rows of a survey by two people, with their first and last names and addresses."""
    names = ["StartDate", "EndDate", "Finished", "RecordedDate", "ResponseId", "RecipientLastName",
             "RecipientFirstName", "RecipientEmail", "Q1", "Q2", "Q3"]  # fmt: skip
    labels = ["Start Date", "End Date", "Finished", "Recorded Date", "Response ID",
              "Recipient Last Name", "Recipient First Name", "Recipient Email",
              LOOP_ASKED, CORS_ASKED, "Your name"]  # fmt: skip
    (first, last, mail), (other, other_last, other_mail) = people
    return [
        tuple(names),
        tuple(labels),
        tuple(json.dumps({"ImportId": name}) for name in names),
        (TIME, TIME, "1", TIME, "R_1", last, first, mail, LOOP, CORS, "Ada"),
        (TIME, TIME, "1", TIME, "R_2", other_last, other, other_mail, POLL, "", "Ben"),
    ]


INVITED = qualtrics(("Ada", "Moss", "ada@example.org"), ("Ben", "Reed", "ben@example.org"))
ANSWERED = [
    (LOOP_ASKED, "Ada Moss", LOOP),
    (CORS_ASKED, "Ada Moss", CORS),
    (LOOP_ASKED, "Ben Reed", POLL),
]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_qualtrics_has_two_rows_of_labels_which_name_the_questions(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    csv_file(path, *INVITED) if name == "a.csv" else workbook(path, list(map(list, INVITED)))
    title, answers = read_table(path)
    assert title == "Qualtrics survey"
    assert shown(answers) == ANSWERED
    assert [answer.id for answer in answers[::2]] == [f"{LOOP_ASKED}/R_1", f"{LOOP_ASKED}/R_2"]
    assert (answers[0].submitted_at, answers[0].meta["prompt"]) == (TIME, LOOP_ASKED)


def test_who_answered_qualtrics_by_a_link_is_told_by_a_question(tmp_path: Path) -> None:
    _, answers = read_table(csv_file(tmp_path / "a.csv", *qualtrics(("",) * 3, ("",) * 3)))
    assert [answer.author for answer in answers] == ["Ada", "Ada", "Ben"]


def test_qualtrics_without_the_rows_of_labels_has_the_columns_names(tmp_path: Path) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", INVITED[0], *INVITED[3:]))
    assert title == "Qualtrics survey"
    assert [answer.question for answer in answers] == ["Q1", "Q2", "Q1"]


def test_surveymonkey_has_a_row_that_says_what_columns_hold(tmp_path: Path) -> None:
    rows = [
        ("Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address",
         "First Name", "Last Name", "Custom Data 1", LOOP_ASKED, CORS_ASKED),
        ("",) * 9 + ("Open-Ended Response",) * 2,
        ("11", "4", TIME, TIME, "192.0.2.1", "", "Ada", "Moss", "", LOOP, CORS),
        ("12", "4", TIME, TIME, "192.0.2.2", "", "Ben", "Reed", "", POLL, ""),
    ]  # fmt: skip
    title, answers = read_table(csv_file(tmp_path / "a.csv", *rows))
    assert title == "SurveyMonkey survey"
    assert shown(answers) == ANSWERED
    assert (answers[0].id, answers[0].submitted_at) == (f"{LOOP_ASKED}/11", TIME)

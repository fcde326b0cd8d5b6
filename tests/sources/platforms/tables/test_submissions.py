"""Submissions of Blackboard, Open edX and PrairieLearn, marks of Gradescope, answers of ASAP."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_marks, read_table, shown
from helpers.source_files import workbook

from searchkit.core.errors import BadInput

TEST_FIELDS = "Question ID,Question,Answer,Possible Points,Auto Score,Manual Score".split(",")
TEST_HEADER = ["Username", "Last Name", "First Name", *TEST_FIELDS]
GERMAN_TEST = (
    "Benutzername,Nachname,Vorname,Fragen-ID,Frage,Antwort,Erreichbare Punkte,"
    "Automatische Bewertung,Manuelle Bewertung"
).split(",")
TEST_ROWS = [
    ["amoss", "Moss", "Ada", "Question ID 1", "<p>What is the loop?</p>", LOOP, "10", "", "8"],
    ["amoss", "Moss", "Ada", "Question ID 2", "What is CORS?", f"<p>{CORS}</p>", "5", "1", "4"],
    ["breed", "Reed", "Ben", "Question ID 1", "What is CORS?", "", "5", "0", ""],
    ["breed", "Reed", "Ben", "Question ID 2", "<p>What is the loop?</p>", POLL, "10", "6", ""],
]
TEST_ANSWERS = [
    ("What is the loop?", "Ada Moss", LOOP),
    ("What is CORS?", "Ada Moss", CORS),
    ("What is the loop?", "Ben Reed", POLL),
]


@pytest.mark.parametrize("header", [TEST_HEADER, GERMAN_TEST])
def test_a_blackboard_test_by_question_and_user(tmp_path: Path, header: list[str]) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", header, *TEST_ROWS))
    assert title == "Blackboard test"
    assert shown(answers) == TEST_ANSWERS
    assert [a.meta["points"] for a in answers] == ["8", "4", "6"]
    assert [a.meta["points possible"] for a in answers] == ["10", "5", "10"]
    assert answers[0].meta[header[0]] == "amoss"
    assert answers[0].meta["prompt"] == "What is the loop?"


@pytest.mark.parametrize("header", [TEST_HEADER, GERMAN_TEST])
def test_a_blackboard_test_by_user(tmp_path: Path, header: list[str]) -> None:
    wide = header[:3] + [f"{name} {number}" for number in (1, 2) for name in header[3:]]
    rows = [[*one, *other[3:]] for one, other in (TEST_ROWS[:2], TEST_ROWS[2:])]
    title, answers = read_table(workbook(tmp_path / "a.xlsx", [wide, *rows]))
    assert title == "Blackboard test"
    assert shown(answers) == TEST_ANSWERS
    assert [a.meta["points"] for a in answers] == ["8", "4", "6"]


def test_a_table_of_questions_and_answers_is_no_blackboard_test(tmp_path: Path) -> None:
    header = ("id", "question id", "question", "author", "answer", "score")
    title, _ = read_table(csv_file(tmp_path / "a.csv", header, ("1", "2", "q", "Ada", LOOP, "5")))
    assert title == ""


ORA_HEADER = (
    "Submission ID,Location,Problem Name,Item ID,Username,Anonymized Student ID,"
    "Date/Time Response Submitted,Response,Assessment Details,Assessment Scores,"
    "Date/Time Final Score Given,Final Score Points Earned,Final Score Points Possible,"
    "Feedback Statements Selected,Feedback on Peer Assessments"
).split(",")
WHEN = "2026-08-07 17:53:20 UTC"


def ora(id_: str, problem: str, user: str, response: str) -> list[str]:
    item = f"block-{problem}"
    return [
        id_,
        "Unit",
        problem,
        item,
        user,
        f"x{user}",
        WHEN,
        response,
        "",
        "",
        "",
        "3",
        "5",
        "",
        "",
    ]


def test_ora_submissions(tmp_path: Path) -> None:
    rows = [
        ora("s1", "Essay", "ada", json.dumps({"parts": [{"text": LOOP}, {"text": CORS}]})),
        ora("s2", "Essay", "ben", json.dumps({"text": POLL})),
        ora("s3", "Essay", "cleo", json.dumps({"parts": [{"text": ""}]})),
        ora("s4", "Essay", "dan", CORS),
    ]
    title, answers = read_table(csv_file(tmp_path / "a.csv", ORA_HEADER, *rows))
    assert title == "Open edX ORA"
    assert shown(answers) == [
        ("Essay", "ada", f"{LOOP}\n\n{CORS}"),
        ("Essay", "ben", POLL),
        ("Essay", "dan", CORS),
    ]
    assert [a.id for a in answers] == ["s1", "s2", "s4"]
    assert (answers[0].meta["points"], answers[0].meta["points possible"]) == ("3", "5")
    assert answers[0].submitted_at == WHEN


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (repr({"parts": [{"text": 'He said "ok", didn\'t he?'}]}), 'He said "ok", didn\'t he?'),
        ("{u'text': u'caf\u00e9'}", "caf\u00e9"),
    ],
)
def test_ora_responses_as_python_writes_them(tmp_path: Path, response: str, text: str) -> None:
    path = csv_file(tmp_path / "a.csv", ORA_HEADER, ora("s1", "Essay", "ada", response))
    assert shown(read_table(path)[1]) == [("Essay", "ada", text)]


def test_ora_submissions_without_names_and_of_problems_with_one_name(tmp_path: Path) -> None:
    rows = [ora("s1", "Essay", "ada", LOOP), ora("s2", "Essay", "ada", CORS)]
    rows[1][3] = "block-other"
    table = [row[:4] + row[5:] for row in (ORA_HEADER, *rows)]
    _, answers = read_table(csv_file(tmp_path / "a.csv", *table))
    assert [(a.question, a.author) for a in answers] == [
        ("block-Essay", "xada"),
        ("block-other", "xada"),
    ]


PRAIRIELEARN_HEADER = (
    "uid,uin,username,name,role,qid,old_score_perc,old_feedback,submission_id,params,true_answer,"
    "submitted_answer,old_partial_scores,partial_scores,score_perc,feedback"
).split(",")


def prairielearn(id_: str, uid: str, answer: str, **more: str) -> list[str]:
    cells = {"uid": uid, "qid": "loop", "submission_id": id_, "submitted_answer": answer, **more}
    return [cells.get(name, "") for name in PRAIRIELEARN_HEADER]


def test_prairielearn_submissions(tmp_path: Path) -> None:
    code = base64.b64encode(b"def f():\n    pass\n").decode()
    rows = [
        prairielearn(
            "11", "ada@x.org", json.dumps({"ans": LOOP}), score_perc="70", feedback="Good"
        ),
        prairielearn("12", "ben@x.org", json.dumps({"a": POLL, "b": 3, "_x": "no"})),
        prairielearn(
            "13", "cleo@x.org", json.dumps({"_files": [{"name": "f.py", "contents": code}]})
        ),
        prairielearn("14", "dan@x.org", "{}"),
        prairielearn("15", "eve@x.org", ""),
    ]
    title, answers = read_table(csv_file(tmp_path / "a.csv", PRAIRIELEARN_HEADER, *rows))
    assert title == "PrairieLearn submissions"
    assert shown(answers) == [
        ("loop", "ada@x.org", LOOP),
        ("loop", "ben@x.org", f"{POLL}\n\n3"),
        ("loop", "cleo@x.org", "def f():\n    pass\n"),
    ]
    assert [a.id for a in answers] == ["11", "12", "13"]
    assert (answers[0].meta["score_perc"], answers[0].meta["feedback"]) == ("70", "Good")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"ans": ', "'submitted_answer' is not JSON; export the file again"),
        ('{"a":' * 20_000, "'submitted_answer' is not JSON; export the file again"),
        ('{"a": ' + "1" * 5_000 + "}", "'submitted_answer' is not JSON; export the file again"),
        (r'{"a": "\ud800"}', "a lone surrogate"),
        ("{'a':" * 20_000, "'submitted_answer' is not JSON; export the file again"),
        ("{'a': open('x')}", "'submitted_answer' is not JSON; export the file again"),
        ('{"_files": [{"contents": "%%"}]}', "'submitted_answer' is not Base64"),
    ],
)
def test_submitted_answers_that_are_broken(tmp_path: Path, answer: str, message: str) -> None:
    path = csv_file(tmp_path / "a.csv", PRAIRIELEARN_HEADER, prairielearn("1", "ada", answer))
    with pytest.raises(BadInput, match=f"a.csv:2: .*{message}"):
        read_table(path)


@pytest.mark.parametrize(
    "answer",
    [
        '{"_files": 1, "a": [1], "b": {"c": 2}, "d": null}',
        '{"_files": [1, {"contents": 2}, {"contents": "/w=="}, {"contents": "AA=="}]}',
        "[{}]",
        "{}",
    ],
)
def test_submitted_answers_without_texts(tmp_path: Path, answer: str) -> None:
    rows = [prairielearn("1", "ada", answer), prairielearn("2", "ben", LOOP)]
    _, answers = read_table(csv_file(tmp_path / "a.csv", PRAIRIELEARN_HEADER, *rows))
    assert [a.text for a in answers if not a.text.startswith("[")] == [LOOP]


SCORES = (
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,"
    "Submission Time,Lateness (H:M:S),View Count,Submission Count,"
    "1.1: Loop (2.5 pts),2: CORS (5 pts)"
).split(",")
PERSON = ["Ada", "Moss", "S1", "ada@example.org", "A"]


def test_gradescope_scores(tmp_path: Path) -> None:
    ada = [*PERSON, "6.5", "7.5", "Graded", "91", WHEN, "00:00:00", "1", "1", "2.5", "4.0"]
    ben = ["Ben", "Reed", "S2", "ben@example.org", "A", "", "7.5", "Missing", *[""] * 7]
    path = csv_file(tmp_path / "a.csv", SCORES, ada, ben)
    marks = read_marks(path)
    assert [(m.question, m.author, m.meta["points"], m.meta["points possible"]) for m in marks] == [
        (None, "Ada Moss", "6.5", "7.5"),  # of the whole submission
        ("1.1: Loop", "Ada Moss", "2.5", "2.5"),
        ("2: CORS", "Ada Moss", "4.0", "5"),
    ]
    assert marks[0].meta["1.1: Loop (2.5 pts)"] == "2.5"
    assert marks[0].meta["Email"] == "ada@example.org"
    with pytest.raises(BadInput, match=r"a.csv:2: only marks, no answers \(Gradescope scores\)"):
        read_table(path)


def test_gradescope_evaluations(tmp_path: Path) -> None:
    header = [
        "Assignment Submission ID",
        "Question Submission ID",
        "First Name",
        "Last Name",
        "SID",
    ]
    header += ["Email", "Sections", "Score", "Submission Time", "Right idea", "Adjustment"]
    header += ["Comments", "Grader", "Tags"]
    ada = ["91", "911", *PERSON, "4.0", WHEN, "true", "", "Good", "Eve", ""]
    rubric = [
        ["Point Values", *[""] * 8, "2.0", *[""] * 4],
        ["Rubric Type", "", "positive", *[""] * 11],
    ]
    [mark] = read_marks(csv_file(tmp_path / "a.csv", header, ada, *rubric))
    assert (mark.author, mark.meta["points"], mark.meta["feedback"]) == ("Ada Moss", "4.0", "Good")
    assert mark.meta["Right idea"] == "true"


@pytest.mark.parametrize(
    "header",
    [
        ("Id", "EssaySet", "Score1", "Score2", "EssayText"),
        ("essay_id", "essay_set", "rater1_domain1", "domain1_score", "essay"),
    ],
)
def test_asap_answers(tmp_path: Path, header: tuple[str, ...]) -> None:
    title, [answer] = read_table(csv_file(tmp_path / "a.csv", header, ("7", "2", "1", "3", LOOP)))
    assert title == "ASAP answers"
    assert (answer.id, answer.question, answer.author, answer.text) == ("7", "2", None, LOOP)
    assert [answer.meta[name] for name in header[2:4]] == ["1", "3"]

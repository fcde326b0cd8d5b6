"""Google's and Microsoft's forms: languages, quizzes, and who filled them in."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_table, shown
from helpers.source_files import workbook

from searchkit.core.errors import BadInput

LOOP_ASKED, CORS_ASKED = "What is the event loop?", "What is CORS, and whom does it protect?"
TIME = "2025/08/07 5:11:03 PM GMT+2"


@pytest.mark.parametrize(
    ("time", "email", "name"),
    [
        ("Timestamp", "Email Address", "Your full name"),
        ("Timestamp", "Username", "Name (first and last)"),
        ("Zeitstempel", "E-Mail-Adresse", "Ihr Name"),
        ("Zeitstempel", "Nutzername", "Bitte geben Sie Ihren vollständigen Namen ein:"),
        ("Zeitstempel", "E-Mail", "Wie heißen Sie?"),
        ("Horodateur", "Adresse e-mail", "Quel est votre nom ?"),
        ("Marca temporal", "Dirección de correo electrónico", "Nombre y apellidos"),
        ("Carimbo de data/hora", "Endereço de e-mail", "Qual é o seu nome completo?"),
        ("Informazioni cronologiche", "Indirizzo email", "Nome e cognome"),
        ("Tijdstempel", "E-mailadres", "Wat is je naam?"),
    ],
)
def test_a_google_form_in_seven_languages(tmp_path: Path, time: str, email: str, name: str) -> None:
    rows = [
        (time, email, name, LOOP_ASKED, CORS_ASKED),
        (TIME, "ada@example.org", "Ada Moss", LOOP, CORS),
        (TIME, "ben@example.org", "Ben Reed", POLL, ""),
    ]
    title, answers = read_table(csv_file(tmp_path / "a.csv", *rows))
    assert title == "Google form"
    assert shown(answers) == [
        (LOOP_ASKED, "Ada Moss", LOOP),
        (CORS_ASKED, "Ada Moss", CORS),
        (LOOP_ASKED, "Ben Reed", POLL),
    ]
    assert (answers[0].submitted_at, answers[0].meta["prompt"]) == (TIME, LOOP_ASKED)
    assert answers[0].meta[email] == "ada@example.org"


@pytest.mark.parametrize(
    ("columns", "values", "author"),
    [
        (["Matrikelnummer"], ["0123"], "0123"),
        (["Student ID", "Full name"], ["0123", "Ada Moss"], "Ada Moss"),
        (["Vorname", "Nachname"], ["Ada", "Moss"], "Ada Moss"),
        (["Nachname", "Vorname"], ["Moss", "Ada"], "Ada Moss"),
        (["Name", "Vorname"], ["Moss", "Ada"], "Ada Moss"),
        (["Your first name", "Your last name"], ["Ada", "Moss"], "Ada Moss"),
        (["Nom", "Prénom"], ["Moss", "Ada"], "Ada Moss"),
        (["Nombre", "Apellidos"], ["Ada", "Moss"], "Ada Moss"),
        (["Email Address", "Score"], ["ada@example.org", "4 / 5"], "ada@example.org"),
        (["Score"], ["4 / 5"], None),
    ],
)
def test_who_filled_in_a_form(
    tmp_path: Path, columns: list[str], values: list[str], author: str | None
) -> None:
    path = csv_file(tmp_path / "a.csv", ["Timestamp", *columns, LOOP_ASKED], [TIME, *values, LOOP])
    assert shown(read_table(path)[1]) == [(LOOP_ASKED, author, LOOP)]


@pytest.mark.parametrize("heading", ["Explain recursion.", "Why? *"])
def test_short_answers_beside_long_ones(tmp_path: Path, heading: str) -> None:
    header = ("Timestamp", "Email Address", LOOP_ASKED, heading, "Matr. Nr.")
    rows = [(TIME, f"{n}@b.c", f"{LOOP} {n}", f"calls itself {n}", "X 1 2") for n in range(3)]
    questions = {a.question for a in read_table(csv_file(tmp_path / "a.csv", header, *rows))[1]}
    assert questions == {LOOP_ASKED, heading}


@pytest.mark.parametrize("heading", ["Event loop", "Question 1", "Explain the loop."])
def test_a_form_whose_questions_are_no_sentences(tmp_path: Path, heading: str) -> None:
    header = ("Timestamp", "Email Address", heading)
    path = csv_file(tmp_path / "a.csv", header, ("8/7/2025 17:11:03", "a@b.c", LOOP))
    assert read_table(path)[0] == "Google form"
    assert shown(read_table(path)[1]) == [(heading, "a@b.c", LOOP)]


def test_a_quiz_of_google(tmp_path: Path) -> None:
    asked = ["Explain.", "Explain.", "Which?"]
    rows = [
        ["Timestamp", "Score", "Your name", "Your name [Score]"]
        + [name for q in asked for name in (q, f"{q} [Score]", f"{q} [Feedback]")],
        [
            TIME,
            "9 / 11",
            "Ada",
            "-- / 0",
            LOOP,
            "4 / 5",
            "Good",
            CORS,
            "5 / 5",
            "",
            "A",
            "1 / 1",
            "",
        ],
        [TIME, "8 / 11", "Ben", "-- / 0", POLL, "3 / 5", "", "", "", "", "A", "1 / 1", ""],
    ]
    _, answers = read_table(csv_file(tmp_path / "a.csv", *rows))
    assert shown(answers) == [
        ("Explain.", "Ada", LOOP),
        ("Explain. (2)", "Ada", CORS),
        ("Explain.", "Ben", POLL),
    ]
    assert [a.meta.get("points") for a in answers] == ["4 / 5", "5 / 5", "3 / 5"]
    assert [a.meta.get("feedback") for a in answers] == ["Good", None, None]
    assert answers[0].meta["prompt"] == answers[1].meta["prompt"] == "Explain."
    assert answers[0].meta["Which?"] == "A"


def test_choices_and_other_columns_of_a_form_are_no_questions(tmp_path: Path) -> None:
    header = ("Timestamp", "Your name", "Which group are you in?", "Phone", LOOP_ASKED)
    people = [("Ada", "A", "0123"), ("Ben", "B", "0124"), ("Cleo", "A", "0125")]
    rows = [(TIME, *person, f"{LOOP} {n}") for n, person in enumerate(people)]
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, *rows))
    assert {a.question for a in answers} == {LOOP_ASKED}
    assert answers[0].meta["Which group are you in?"] == "A"


@pytest.mark.parametrize(
    "header",
    [
        ("id", "question", "author", "answer", "score"),
        ("timestamp", "author", "question", "answer"),
        ("Timestamp", "Email Address", "Answer"),
        ("ID", "Start time", "Completion time", "author", "answer"),
        ("timestamp", "user", "text"),
    ],
)
def test_a_table_of_answers_stays_plain(tmp_path: Path, header: tuple[str, ...]) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", header, [LOOP] * len(header)))
    assert (title, len(answers)) == ("", 1)


@pytest.mark.parametrize(
    "header", [("timestamp", "user", "message"), ("Timestamp", "level", "msg")]
)
def test_a_log_is_no_form(tmp_path: Path, header: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="no column is called answer or the like"):
        read_table(csv_file(tmp_path / "a.csv", header, ("2025-08-07 17:11:03", "x", LOOP)))


@pytest.mark.parametrize(
    ("people", "points", "feedback"),
    [
        ("ID,Start time,Completion time,Email,Name,Points,Quiz text", "Points -", "Feedback -"),
        ("ID,Startzeit,Fertigstellungszeit,E-Mail,Name,Punkte,Quiztext", "Punkte -", "Feedback -"),
        ("ID,Heure de début,Heure de fin,Adresse e-mail,Nom,Total,Avis", "Points :", "Avis :"),
        ("ID,Aloitusaika,Loppuaika,Sähköposti,Name,Pisteet,Palaute", "Pisteet -", "Palaute -"),
    ],
)  # fmt: skip
def test_a_quiz_of_microsoft(tmp_path: Path, people: str, points: str, feedback: str) -> None:
    asked = [LOOP_ASKED, "Explain.", "Explain."]
    header = people.split(",")
    header += [name for q in asked for name in (q, f"{points} {q}", f"{feedback} {q}")]
    start, end = "8/7/25 17:10:01", "8/7/25 17:50:01"
    ada = ["1", start, end, "ada@example.org", "Ada Moss", "12", "Well done, keep it up please"]
    ben = ["2", start, end, "ben@example.org", "Ben Reed", "5", "Not bad, but read it again"]
    rows = [
        [*ada, LOOP, "7", "Good", CORS, "3", "", POLL, "2", ""],
        [*ben, POLL, "5", "", "", "0", "", "", "0", ""],
    ]
    title, answers = read_table(csv_file(tmp_path / "a.csv", header, *rows))
    assert title == "Microsoft form"
    assert shown(answers) == [
        (LOOP_ASKED, "Ada Moss", LOOP),
        ("Explain.", "Ada Moss", CORS),
        ("Explain. (2)", "Ada Moss", POLL),
        (LOOP_ASKED, "Ben Reed", POLL),
    ]
    assert [a.meta["points"] for a in answers] == ["7", "3", "2", "5"]
    assert answers[0].meta["feedback"] == "Good"
    assert answers[0].submitted_at == end


def test_an_anonymous_form_of_microsoft_that_asks_for_the_name(tmp_path: Path) -> None:
    header = ["ID", "Start time", "Completion time", "Email", "Name", "Your name\xa0", LOOP_ASKED]
    rows = [
        ["1", TIME, TIME, "anonymous", None, "Ada", LOOP],
        ["2", TIME, TIME, "anonymous", None, "Ada", POLL],
    ]
    _, answers = read_table(workbook(tmp_path / "a.xlsx", [header, *rows]))
    assert [a.author for a in answers] == ["Ada", "Ada"]
    rows = [row[:5] + row[6:] for row in (header, *rows)]
    _, answers = read_table(workbook(tmp_path / "b.xlsx", rows))
    assert [a.author for a in answers] == [None, None]


def test_answers_that_are_numbers_in_a_workbook(tmp_path: Path) -> None:
    header = ["ID", "Start time", "Completion time", "Email", "Name", "Which port?"]
    rows = [[n, TIME, TIME, f"{n}@example.org", f"No {n}", 3000 + n] for n in (1, 2)]
    _, answers = read_table(workbook(tmp_path / "a.xlsx", [header, *rows]))
    assert [a.text for a in answers] == ["3001", "3002"]


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("google-forms", "google-forms needs the columns Timestamp first"),
        ("microsoft-forms", "microsoft-forms needs the columns ID, Start time"),
        ("forms", "no format 'forms'; there are: plain, .*google-forms"),
    ],
)
def test_a_form_that_is_none(tmp_path: Path, platform: str, message: str) -> None:
    path = csv_file(tmp_path / "a.csv", ("id", "answer"), ("1", LOOP))
    with pytest.raises(BadInput, match=message) as error:
        read_table(path, platform)
    assert "\n" not in error.value.message

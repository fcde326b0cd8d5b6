"""Moodle's quiz responses and grading worksheets: what is ticked, languages, JSON, workbooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_marks, read_table, shown
from helpers.source_files import workbook

from searchkit.core.errors import BadInput
from searchkit.core.identity import question_name

PERSON = ("Last name", "First name", "Email address", "State", "Started on", "Completed")
TIMES = ("7 August 2026  5:13 PM", "7 August 2026  5:53 PM")
ADA = ("Moss", "Ada", "ada@example.org", "Finished", *TIMES)
BEN = ("Reed", "Ben", "ben@example.org", "Finished", *TIMES)
LANGUAGES = {
    "en": (PERSON, "Grade", "Question", "Response", "Right answer"),
    "de": (
        ("Nachname", "Vorname", "E-Mail-Adresse", "Status", "Begonnen am", "Beendet"),
        *("Bewertung", "Frage", "Antwort", "Richtige Antwort"),
    ),
    "fr": (
        ("Nom de famille", "Prénom", "Adresse de courriel", "État", "Commencé le", "Terminé"),
        *("Note", "Question", "Réponse", "Bonne réponse"),
    ),
    "es": (
        ("Apellido(s)", "Nombre", "Dirección de correo", "Estado", "Comenzado el", "Finalizado"),
        *("Calificación", "Pregunta", "Respuesta", "Respuesta correcta"),
    ),
    "pt": (
        ("Sobrenome", "Nome", "Endereço de email", "Estado", "Iniciado em", "Completo"),
        *("Avaliação", "Questão", "Resposta", "Resposta correta"),
    ),
    "it": (
        ("Cognome", "Nome", "Indirizzo email", "Stato", "Iniziato", "Completato"),
        *("Valutazione", "Domanda", "Risposta", "Risposta corretta"),
    ),
    "nl": (
        ("Achternaam", "Voornaam", "E-mailadres", "Status", "Gestart op", "Voltooid"),
        *("Cijfer", "Vraag", "Antwoord", "Juiste antwoord"),
    ),
    "fi": (  # not in the table of names: by place
        ("Sukunimi", "Etunimi", "Sähköpostiosoite", "Tila", "Aloitettu", "Suoritettu"),
        *("Arvosana", "Kysymys", "Vastaus", "Oikea vastaus"),
    ),
    "da": (  # only the address is in that table
        ("Efternavn", "Fornavn", "Mailadresse", "Status", "Påbegyndt", "Fuldført"),
        *("Karakter", "Spørgsmål", "Besvarelse", "Rigtigt svar"),
    ),
}
CELLS = {  # of two questions, by what is ticked
    "q": ("What is the loop?", "What is CORS?"),
    "r": (LOOP, CORS),
    "s": (POLL, "-"),
    "a": ("It calls back.", "-"),
}


def quiz(language: str, ticked: str) -> list[list[str]]:
    """Return a quiz of two questions and two people, and the averages at the end."""
    person, grade, *words = LANGUAGES[language]
    header = [*person, f"{grade}/10,00"]
    rows = [[*ADA, "7,50"], [*BEN, "-"], ["Overall average", *[""] * 5, "7,50"]]
    for number in (0, 1):
        header += [
            f"{word} {number + 1}" for word, t in zip(words, "qra", strict=True) if t in ticked
        ]
        for row, response in zip(rows, "rs ", strict=True):
            row += [CELLS.get(t if t != "r" else response, ("", ""))[number] for t in ticked]
    return [header, *rows]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ticked", ["qra", "qr", "ra", "r"])
def test_quiz_responses(tmp_path: Path, language: str, ticked: str) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", *quiz(language, ticked)))
    assert title == "Moodle quiz responses"
    names = CELLS["q"] if "q" in ticked else ("Question 1", "Question 2")
    assert shown(answers) == [
        (names[0], "Ada Moss", LOOP),
        (names[1], "Ada Moss", CORS),
        (names[0], "Ben Reed", POLL),
    ]
    assert answers[0].meta.get("prompt") == ("What is the loop?" if "q" in ticked else None)
    assert answers[0].meta.get("right answer") == ("It calls back." if "a" in ticked else None)
    assert answers[0].submitted_at == TIMES[1]


@pytest.mark.parametrize("language", "de en es fr it nl pt".split())
def test_quiz_responses_as_json(tmp_path: Path, language: str) -> None:
    header, *rows = quiz(language, "qr")
    keys = ["".join(name.lower().split()).replace("/", "").replace(",", "") for name in header]
    records = [dict(zip(keys, row, strict=True)) for row in rows]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([records]), encoding="utf-8")
    title, answers = read_table(path)
    assert title == "Moodle quiz responses"
    assert [(q, text) for q, _, text in shown(answers)] == [
        (CELLS["q"][0], LOOP),
        (CELLS["q"][1], CORS),
        (CELLS["q"][0], POLL),
    ]
    assert {a.author for a in answers} == {"Ada Moss", "Ben Reed"}


def test_quiz_responses_in_a_workbook(tmp_path: Path) -> None:
    title, answers = read_table(workbook(tmp_path / "a.xlsx", quiz("en", "qr")))
    assert (title, len(answers)) == ("Moodle quiz responses", 3)


@pytest.mark.parametrize("left_out", [("Email address",), ("State", "Started on"), ("Completed",)])
def test_columns_that_were_left_out(tmp_path: Path, left_out: tuple[str, ...]) -> None:
    table = quiz("en", "r")
    places = [n for n, name in enumerate(table[0]) if name not in left_out]
    title, answers = read_table(
        csv_file(tmp_path / "a.csv", *[[r[n] for n in places] for r in table])
    )
    assert (title, len(answers)) == ("Moodle quiz responses", 3)


@pytest.mark.parametrize(("column", "author"), [(["ID number"], "007"), ([], None)])
def test_a_quiz_whose_names_were_removed(
    tmp_path: Path, column: list[str], author: str | None
) -> None:
    header = [*column, *PERSON[3:], "Grade/10.00", "Response 1"]
    row = [*["007"][: len(column)], *ADA[3:], "7", LOOP]
    _, [answer] = read_table(csv_file(tmp_path / "a.csv", header, row))
    assert (answer.author, answer.submitted_at) == (author, TIMES[1])


def test_an_attempt_that_goes_on_has_no_time(tmp_path: Path) -> None:
    rows = [(*BEN[:3], "In progress", TIMES[0], "-", LOOP), (*ADA, CORS)]
    path = csv_file(tmp_path / "a.csv", (*PERSON, "Response 1"), *rows)
    assert [a.submitted_at for a in read_table(path)[1]] == [None, TIMES[1]]


def test_questions_with_one_text_are_two_questions(tmp_path: Path) -> None:
    header = (*PERSON, "Grade/10.00", "Question 1", "Response 1", "Question 2", "Response 2")
    long = "Read the text of the exercise below carefully, then answer: why is it so?"
    rows = [
        (*ADA, "7", "Explain.", LOOP, "Explain.", CORS),
        (*BEN, "7", long, LOOP, long.replace("why", "how"), CORS),
    ]
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, *rows))
    names = [question_name(text) for text in (long, long.replace("why", "how"))]
    assert [a.question for a in answers] == ["Explain.", "Explain. (2)", *names]
    assert len({a.id for a in answers}) == 4


def test_choices_of_a_quiz_are_columns(tmp_path: Path) -> None:
    header = (*PERSON, "Grade/10.00", "Response 1", "Response 2", "Response 3")
    rows = [(*ADA, "7", LOOP, "True", "42"), (*BEN, "7", POLL, "True", "41")]
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, *rows))
    assert {a.question for a in answers} == {"Question 1"}
    assert answers[0].meta["Response 3"] == "42"


@pytest.mark.parametrize(
    "header",
    [
        ("student", "Response 1", "Response 2", "score"),
        ("Matrikelnummer", "Antwort 1", "Antwort 2", "Note"),
        ("Name", "Question 1", "Question 2", "Grade"),
    ],
)
def test_a_wide_table_is_no_quiz(tmp_path: Path, header: tuple[str, ...]) -> None:
    path = csv_file(tmp_path / "a.csv", header, ("Ada", LOOP, CORS, "5"))
    with pytest.raises(BadInput, match=r"these look like answers: .* 1, .* 2"):
        read_table(path)
    with pytest.raises(BadInput, match="moodle-quiz needs the columns Response 1, Response 2"):
        read_table(path, "moodle-quiz")


WORKSHEETS = {
    "en": (
        *("Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade"),
        *("Grade can be changed", "Last modified (submission)", "Online text"),
        *("Last modified (grade)", "Feedback comments"),
    ),
    "de": (
        *("ID", "Vollständiger Name", "E-Mail-Adresse", "Status", "Bewertung", "Bestwertung"),
        *("Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)", "Texteingabe online"),
        *("Zuletzt geändert (Bewertung)", "Feedback als Kommentar"),
    ),
    "fr": (
        *("Identifiant", "Nom complet", "Adresse de courriel", "Statut", "Note", "Note maximale"),
        *("La note peut être modifiée", "Dernière modification (travail remis)", "Texte en ligne"),
        *("Dernière modification (note)", "Feedback par commentaires"),
    ),
}
WHEN = "Friday, 7 August 2026, 5:53 PM"
SHEET = [
    (*("Participant 11", "Ada Moss", "ada@example.org", "Submitted", "7.5", "10", "Yes", WHEN),
     *(f"<p>{LOOP}</p><p>{CORS}</p>", WHEN, "Good")),
    (*("Participant 12", "Ben Reed", "ben@example.org", "No submission", "", "10", "Yes", "-"),
     *("", "-", "")),
]  # fmt: skip


@pytest.mark.parametrize("language", WORKSHEETS)
def test_a_grading_worksheet(tmp_path: Path, language: str) -> None:
    path = csv_file(tmp_path / "a.csv", WORKSHEETS[language], *SHEET)
    title, [answer] = read_table(path)
    assert title == "Moodle grading worksheet"
    assert shown([answer]) == [(None, "Ada Moss", f"{LOOP}\n\n{CORS}")]
    assert (answer.id, answer.submitted_at) == ("Participant 11", WHEN)
    marks = [answer.meta[name] for name in ("points", "points possible", "feedback")]
    assert marks == ["7.5", "10", "Good"]
    assert answer.meta[WORKSHEETS[language][2]] == "ada@example.org"


def test_a_worksheet_of_blind_marking_and_one_without_texts(tmp_path: Path) -> None:
    blind = [row[:1] + row[3:] for row in (WORKSHEETS["en"], *SHEET)]
    _, [answer] = read_table(csv_file(tmp_path / "a.csv", *blind))
    assert answer.author == answer.id == "Participant 11"
    files = [row[:8] + row[9:] for row in (WORKSHEETS["en"], *SHEET)]
    marks = read_marks(csv_file(tmp_path / "b.csv", *files))
    assert [(m.id, m.author, m.meta.get("points")) for m in marks] == [
        ("Participant 11", "Ada Moss", "7.5"),
        ("Participant 12", "Ben Reed", None),
    ]


def test_points_in_brackets_are_no_worksheet(tmp_path: Path) -> None:
    header = ("id", "score", "Points (A)", "Points (B)", "answer")
    title, [answer] = read_table(csv_file(tmp_path / "a.csv", header, ("1", "5", "2", "3", LOOP)))
    assert (title, answer.id) == ("", "1")

"""The table of usual column names, compared without case, accents and punctuation."""

import pytest

from searchkit.sources.header_names import HEADER_NAMES, fold_header


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Matrikelnr.", "author"),
        ("Matr.-Nr.", "author"),
        ("AUFGABE", "question"),
        ("Antwort", "text"),
        ("Punkte", "points"),
        ("Pts.", "points"),
        ("Pkt.", "points"),
        ("Abgabe", "submitted_at"),
        ("Prénom", "first_name"),
        ("PRENOM", "first_name"),
        ("Nom de famille", "last_name"),
        ("Réponse", "text"),
        ("Re\u0301ponse", "text"),
        ("Horodateur", "submitted_at"),
        ("Respuesta", "text"),
        ("Dirección de correo electrónico", "email"),
        ("Questão", "question"),
        ("Carimbo de data/hora", "submitted_at"),
        ("Risposta", "text"),
        ("Cognome", "last_name"),
        ("Vraag", "question"),
        ("Antwoord", "text"),
        ("Schueler", "author"),
        ("Schüler", "author"),
        ("E-Mail-Adresse", "email"),
        ("student_id", "author"),
        ("Pupil", "author"),
        ("Given answer", "text"),
        ("Handed in on", "submitted_at"),
        ("author_id", "author"),
        ("Author name", "author"),
        ("creation_date", "submitted_at"),
    ],
)
def test_usual_names_are_found_in_any_spelling(header: str, field: str) -> None:
    assert fold_header(header) in HEADER_NAMES[field]


def test_every_name_is_folded_and_comes_once_in_a_field() -> None:
    for names in HEADER_NAMES.values():
        assert list(names) == list(dict.fromkeys(map(fold_header, names)))

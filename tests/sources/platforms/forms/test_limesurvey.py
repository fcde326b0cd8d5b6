"""Surveys of LimeSurvey: headers as codes, texts or both, in several languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.platform_tables import CORS, LOOP, POLL, csv_file, read_table, shown

from searchkit.core.errors import BadInput

LOOP_ASKED, CORS_ASKED = "What is the event loop?", "What is CORS, and whom does it protect?"
TIME, OTHER_TIME = "2025-09-01 10:10:01", "2025-09-01 10:11:01"
ROWS = [
    ("7", TIME, "2", "en", "12345", "abc", "Ada Moss", LOOP, "4", CORS),
    ("9", OTHER_TIME, "2", "en", "67890", "xyz", "Ben Reed", POLL, "3", "N/A"),
    ("12", "", "1", "en", "67890", "uvw", "Cleo Sand", "", "", ""),
]
CODES = ("id", "submitdate", "lastpage", "startlanguage", "seed", "token", "G0", "G1", "G2", "G3")
QUESTIONS = ("Your name", LOOP_ASKED, "How sure are you?", CORS_ASKED)
ENGLISH = ("Response ID", "Date submitted", "Last page", "Start language", "Seed", "Access code")
GERMAN = ("Antwort ID", "Datum Abgeschickt", "Letzte Seite", "Start-Sprache", "Zufallsstartwert",
          "Zugangscode")  # fmt: skip
POLISH = ("ID odpowiedzi", "Data wysłania", "Ostatnia strona", "Język początkowy", "Ziarno", "Kod")
BOTH = tuple(f"{code}. {text}" for code, text in zip(CODES, ENGLISH + QUESTIONS, strict=True))


@pytest.mark.parametrize(
    "header", [ENGLISH + QUESTIONS, GERMAN + QUESTIONS, POLISH + QUESTIONS, BOTH]
)
def test_a_survey(tmp_path: Path, header: tuple[str, ...]) -> None:
    title, answers = read_table(csv_file(tmp_path / "a.csv", header, *ROWS))
    assert title == "LimeSurvey survey"
    assert shown(answers) == [
        (LOOP_ASKED, "Ada Moss", LOOP),
        (CORS_ASKED, "Ada Moss", CORS),
        (LOOP_ASKED, "Ben Reed", POLL),
    ]
    assert [a.id for a in answers[::2]] == [f"{LOOP_ASKED}/7", f"{LOOP_ASKED}/9"]
    assert [a.submitted_at for a in answers[::2]] == [TIME, OTHER_TIME]
    assert answers[0].meta["prompt"] == LOOP_ASKED


def test_codes_alone_and_nobody_named(tmp_path: Path) -> None:
    """Whoever was invited is known by the code for it; 1980 stands where no time was kept."""
    rows = [(*row[:6], *row[7:]) for row in ROWS]
    rows[0] = (rows[0][0], "1980-01-01 00:00:00", *rows[0][2:])
    header = (*CODES[:6], *CODES[7:])
    _, answers = read_table(csv_file(tmp_path / "a.csv", header, *rows))
    assert shown(answers) == [("G1", "abc", LOOP), ("G3", "abc", CORS), ("G1", "xyz", POLL)]
    assert [a.submitted_at for a in answers] == [None, None, OTHER_TIME]


@pytest.mark.parametrize("dropped", [("submitdate",), ("lastpage", "seed", "token")])
def test_columns_can_be_left_out(tmp_path: Path, dropped: tuple[str, ...]) -> None:
    kept = [n for n, code in enumerate(CODES) if code not in dropped]
    rows = [tuple(row[n] for n in kept) for row in [BOTH, *ROWS]]
    title, answers = read_table(csv_file(tmp_path / "a.csv", *rows))
    assert title == "LimeSurvey survey"
    assert [answer.author for answer in answers] == ["Ada Moss", "Ada Moss", "Ben Reed"]


def test_any_other_table_is_none(tmp_path: Path) -> None:
    rows = [("id", "Name", "Last page", "Answer"), ("7", "Ada", "4", LOOP)]
    path = csv_file(tmp_path / "a.csv", *rows)
    assert read_table(path)[0] == ""
    with pytest.raises(BadInput, match="limesurvey needs the columns Response ID, Date submitted"):
        read_table(path, "limesurvey")

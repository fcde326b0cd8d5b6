"""The demo corpus: a web-programming course, written for this project.

`answers.csv` holds the answers of 30 invented students to 16 questions, each with a mark from 0 to
10; `planted.csv` records which of them are copies, of what and how, which pairs are honest though
they are close, and which marks were made inconsistent on purpose.

`languages.csv` holds answers to ten of these questions in German, Spanish and French, by eight
invented students in each language, whose names begin with its code. `languages-planted.csv` records
which of them are translations of answers in `answers.csv`, and whether they are `faithful` or
`loose`: reordered, shortened and put in other words. The others were written on their own.
"""

from __future__ import annotations

from pathlib import Path

DEMO_ANSWERS = Path(__file__).parent / "answers.csv"
DEMO_PLANTED = Path(__file__).parent / "planted.csv"
DEMO_LANGUAGES = Path(__file__).parent / "languages.csv"
DEMO_TRANSLATIONS = Path(__file__).parent / "languages-planted.csv"
QUERIES = (
    "the reader is slower than the writer",
    "the request hangs because next was never called",
    "the server answers with a header that allows other origins",
)
QUERIES_IN_LANGUAGES = (
    "ein Spieler tritt gegen dreißig andere an",
    "un archivo grande sin cargarlo entero en la memoria",
    "une liste de courses et son ticket de caisse",
)

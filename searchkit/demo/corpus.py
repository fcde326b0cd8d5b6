"""The demo corpus: a web-programming course, written for this project.

`answers.csv` holds the answers of 30 invented students to 16 questions, each with a mark from 0 to
10; `planted.csv` records which of them are copies, of what and how, which pairs are honest though
they are close, and which marks were made inconsistent on purpose.
"""

from __future__ import annotations

from pathlib import Path

DEMO_ANSWERS = Path(__file__).parent / "answers.csv"
DEMO_PLANTED = Path(__file__).parent / "planted.csv"
QUERIES = (
    "the reader is slower than the writer",
    "the request hangs because next was never called",
    "the server answers with a header that allows other origins",
)

"""Small tables as platforms export them, and what is read out of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from searchkit.core.records import Answer
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.files import FileOptions
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.reader import read_rows

LOOP = "It picks up callbacks one at a time until none is left."
CORS = "A server says which other pages may read what it sends."
POLL = "It polls for events and then runs what was registered for them."


def csv_file(path: Path, *rows: Sequence[str]) -> Path:
    """Write a CSV: the columns' names, then the rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def read_table(path: Path, platform: str | None = None) -> tuple[str, list[Answer]]:
    """Return the title of a table's format, "" if it is plain, and its answers."""
    layouts: list[Layout] = []
    rows = list(
        read_rows(
            [path],
            FileOptions(platform=platform),
            on_layout=lambda _, layout, __: layouts.append(layout),
        )
    )
    return layouts[0].title, [row for row in rows if isinstance(row, Answer)]


def read_marks(path: Path) -> list[AnswerColumns]:
    """Return the marks in a table of marks alone."""
    rows = list(read_rows([path], FileOptions(), allow_marks=True))
    return [row for row in rows if isinstance(row, AnswerColumns)]


def shown(answers: Sequence[Answer]) -> list[tuple[str | None, str | None, str]]:
    """Return question, author and text of answers."""
    return [(answer.question, answer.author, answer.text) for answer in answers]

"""The beginning of a file, and the number of its rows, before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.sources.columns import AnswerColumns
from searchkit.sources.decoding import buffered, lines
from searchkit.sources.files import FileOptions, format_by_name, opened, real_format
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.reader import FileReader
from searchkit.sources.tables import parquet
from searchkit.sources.tables.delimited import Style, read_delimited


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a file.

    Attributes:
        names: The names of its columns; empty for a folder or a zip of texts.
        roles: Field to the column that holds it, for the fields that one column holds.
        answers: The first answers; in a table of marks alone its rows, without texts.
        layout: In a line, what the columns were taken for; "" if that isn't known.
        problem: Why there are no more answers; None if nothing is wrong so far.
        has_texts: Whether there are answers; if not, the columns are those of answers elsewhere.
    """

    names: tuple[str, ...]
    roles: dict[str, str]
    answers: list[Answer]
    layout: str
    problem: str | None
    has_texts: bool = True


def preview(path: str | Path, options: FileOptions, count: int = 5) -> Preview:
    """Read the first `count` answers of a file, to show which column is taken for which field."""
    layouts: list[tuple[Layout, Sequence[str]]] = []
    reader = FileReader(
        options, on_layout=lambda _, *layout: layouts.append(layout), allow_marks=True
    )
    rows: list[Answer | AnswerColumns] = []
    problem = None
    try:
        for row in islice(reader.read_path(Path(path)), count):
            rows.append(row)
    except BadInput as error:
        problem = error.message
    answers = [row if isinstance(row, Answer) else row.as_answer() for row in rows]
    has_texts = not rows or isinstance(rows[0], Answer)
    if not layouts:
        return Preview(reader.rows.names, {}, answers, "", problem)
    layout, names = layouts[0]
    described = layout.describe(names)
    return Preview(tuple(names), layout.roles(), answers, described, problem, has_texts)


def count_rows(path: str | Path) -> int | None:
    """Count the rows of a CSV, TSV, JSON Lines or Parquet file, for a progress bar.

    The count includes the rows that `read_answers` rejects; it takes about a microsecond a row.
    It is None for other formats, and for files that can't be read.
    """
    path = Path(path)
    try:
        format = format_by_name(path)
        with opened(path) as file:
            format = real_format(format, buffered(file), "", lambda _: None)
            return _count(file, format)
    except BadInput:
        return None


def _count(file: BinaryIO, format: str) -> int | None:
    if format == "parquet":
        return parquet.count_parquet_rows(file, "")
    # In Latin-1 every byte is a character; for counting it doesn't matter which.
    texts = lines(buffered(file), "", "latin-1")
    bad_lines: list[int | None] = []
    if format in ("csv", "tsv"):
        style = Style("\t" if format == "tsv" else None)
        rows = read_delimited(
            texts, "", lambda line, *_: bad_lines.append(line), style, lambda _: None
        )
        return sum(1 for _ in rows) + len(bad_lines)
    if format == "jsonl":
        first = next((line for line in texts if line.strip()), "[")
        return None if first.lstrip().startswith("[") else 1 + sum(1 for t in texts if t.strip())
    return None

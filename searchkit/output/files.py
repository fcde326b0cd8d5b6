"""Write results as JSON, JSON Lines and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TextIO

from searchkit.output.console import UNSAFE, visible
from searchkit.sources.tables.exported import guarded


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON, in which only characters that control a terminal are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def write_json(value: object, out: TextIO) -> None:
    """Write a value as one JSON document."""
    out.write(json_text(value, indent=2) + "\n")


def write_jsonl(rows: Iterable[Mapping[str, object]], out: TextIO) -> None:
    """Write each row as a JSON object on a line of its own."""
    for row in rows:
        out.write(json_text(row) + "\n")


def write_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str], out: TextIO) -> None:
    """Write the columns of some rows as CSV.

    Nested values are written as JSON, and None or a missing key as an empty cell. Text that a
    spreadsheet would run as a formula begins with an apostrophe. On a terminal, where it is read by
    a person and no program, control characters are made visible.
    """
    show = visible if out.isatty() else str
    # All texts are quoted: csv leaves a lone CR unquoted, and readers end the row there.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_cell(name, show) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name), show) for name in columns])


def _cell(value: object, show: Callable[[str], str]) -> object:
    if isinstance(value, dict | list):
        value = json_text(value)
    if not isinstance(value, str):
        return "" if value is None else value
    return show(guarded(value))

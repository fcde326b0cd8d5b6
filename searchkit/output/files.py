"""Write results as JSON, JSON Lines and CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TextIO

Format = Literal["table", "json", "jsonl", "csv"]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs such a cell as a formula
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?%?")


def write_json(value: object, out: TextIO) -> None:
    """Write a value as one JSON document, with characters beyond ASCII unescaped."""
    out.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_jsonl(rows: Iterable[Mapping[str, object]], out: TextIO) -> None:
    """Write each row as a JSON object on a line of its own."""
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str], out: TextIO) -> None:
    """Write the columns of some rows as CSV.

    Nested values are written as JSON, and None or a missing key as an empty cell. Text that a
    spreadsheet would run as a formula begins with an apostrophe.
    """
    # All texts are quoted: csv leaves a lone CR unquoted, and readers end the row there.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_cell(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if (
        isinstance(value, str)
        and value.startswith(_FORMULA_STARTS)
        and not _NUMBER.fullmatch(value)
    ):
        return "'" + value
    return "" if value is None else value

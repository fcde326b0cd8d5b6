"""The values of a row of Parquet or SQLite, as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan
from typing import Any

from searchkit.sources.columns import BadRow, Values
from searchkit.sources.tables.workbooks.cells import as_text

ROW_BYTES = 128  # that a row counts for beside its values


def as_values(row: dict[str, Any], text_columns: Sequence[str]) -> Values:
    """Return the values as text: nested ones as JSON, bytes decoded as UTF-8, null and NaN as None.

    Raises:
        BadRow: if a text is nested, or bytes are not UTF-8.
    """
    for name in text_columns:
        if isinstance(row[name], dict | list):
            raise BadRow(f"the text (column {name!r}) is nested; a string is needed")
    return {name: _text(name, value) for name, value in row.items()}


def _text(name: str, value: object) -> str | None:
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise BadRow(
                f"column {name!r} holds bytes that are no UTF-8 text; leave it out, or convert it"
            ) from None
    if isinstance(value, str):
        return as_text(value) or ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, float) and isnan(value):
        return None
    return as_text(value)

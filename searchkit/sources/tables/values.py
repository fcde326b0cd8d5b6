"""The values of a row of Parquet or SQLite, as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from searchkit.sources.columns import BadRow, Values
from searchkit.sources.tables.workbooks.cells import as_text

if TYPE_CHECKING:
    pass

BATCH_ROWS = 4096
BATCH_BYTES = 64 << 20  # which a batch may take if each of its texts is as long as the longest
VALUE_BYTES = 64  # that a nested value takes at least
ROW_BYTES = 128  # that a row counts for beside its values
TIME_LIMIT = 10.0  # seconds that SQLite may compute one row
_PARQUET_ADVICE = "write it as CSV if you trust it"
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second


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
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, float) and isnan(value):
        return None
    return "" if value == "" else as_text(value)

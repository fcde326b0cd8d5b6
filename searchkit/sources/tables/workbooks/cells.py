"""The cells of a workbook as text."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta


class OddCell(str):
    """A cell without a usable value: an error such as #REF!, or "" for a formula never computed."""

    __slots__ = ()


def as_text(value: object) -> str | None:
    """Return the text of a cell: whole numbers without a point, dates in ISO form, '' as None."""
    if type(value) is str and "\r" not in value:  # nearly all of them
        return value or None
    if isinstance(value, OddCell):
        return value
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).replace("\r\n", "\n").replace("\r", "\n")

"""The row that holds the columns' names: titles of a report may stand above it."""

from __future__ import annotations

from collections.abc import Sequence

from searchkit.core.messages import Message
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.text.numbers import parse_number

Row = Sequence[str]
SAMPLE_ROWS = 100  # that are looked at
_KNOWN_NAMES = frozenset(name for names in HEADER_NAMES.values() for name in names)


def find_header(rows: Sequence[Row]) -> int:
    """Return the position of the row with the columns' names among the first rows of a table.

    It is the first row that is no title, if it has a name for each column; otherwise the first row
    that isn't blank. A title fills at most half of the columns, from the left, or one anywhere. If
    usual names of columns follow, it may fill all but one.

    Args:
        rows: The first rows with their cells, blank ones included; a missing cell is as an empty
            one.
    """
    filled = [number for number, row in enumerate(rows) if any(map(str.strip, row))]
    header = next((n for n in filled if not _is_title(n, rows)), None)
    if header is None or header == filled[0] or not _has_names(header, rows):
        return filled[0] if filled else 0
    return header


def header_message(source: str, line: int) -> Message:
    """Return the message that titles stand above the columns' names."""
    template = (
        "{source}: the columns' names are in line {line}, and what is above it is left out; "
        "`skip_rows=N` chooses another line"
    )
    return Message(template, source=source, line=line)


def known_names(row: Row) -> int:
    """Return how many cells are usual names of columns."""
    return sum(fold_header(cell) in _KNOWN_NAMES for cell in row)


def _is_title(number: int, rows: Sequence[Row]) -> bool:
    used = _used_columns(rows[number + 1 :])
    filled = [column for column, cell in enumerate(rows[number]) if cell.strip()]
    if not used - set(filled):
        return False
    if _has_usual_names(used, rows[number + 1]):
        return True  # merged cells over groups of columns
    if known_names(rows[number]):
        return False
    if len(filled) == 1 and len(used) > 2:
        return True
    if filled != list(range(len(filled))):
        return False
    named = any(known_names(row) >= 2 for row in rows[number + 1 : SAMPLE_ROWS])
    return 2 * len(filled) <= len(used) or named


def _has_usual_names(used: set[int], row: Row) -> bool:
    """Whether a row has a name for each used column, and two of them are usual."""
    is_named = all(column < len(row) and row[column].strip() for column in used)
    return is_named and known_names(row) >= 2


def _has_names(number: int, rows: Sequence[Row]) -> bool:
    """Whether a row has a name for each column that the rows below fill."""
    names = [cell.strip() for cell in rows[number]]
    below = [row for row in rows[number + 1 :] if any(map(str.strip, row))]
    used = _used_columns(below) or set(range(len(names)))
    return (
        2 * sum(len(row) == len(names) for row in below) >= len(below)
        and all(column < len(names) and names[column] for column in used)
        and all(parse_number(name) is None for name in names)
        and (len(used) > 2 or known_names(names) > 0)
    )


def _used_columns(rows: Sequence[Row]) -> set[int]:
    """Return the columns that at least half of the first rows fill, blank rows left out."""
    filled = [
        [column for column, cell in enumerate(row) if cell.strip()] for row in rows[:SAMPLE_ROWS]
    ]
    filled = [columns for columns in filled if columns]
    counts: dict[int, int] = {}
    for columns in filled:
        for column in columns:
            counts[column] = counts.get(column, 0) + 1
    return {column for column, count in counts.items() if 2 * count >= len(filled)}

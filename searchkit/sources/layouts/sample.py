"""The first rows of a table, from which its layout is found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from searchkit.core.errors import BadInput
from searchkit.sources.columns import Values

SAMPLE_ROWS = 50  # from which the layout is found
SAMPLE_LENGTH = 1 << 20  # characters, or values that aren't texts, of these rows at most
Row = tuple[int, dict[str, Any]]  # line and values by column


def peek(rows: Iterator[Row], max_rows: int, max_length: int) -> tuple[list[Row], Iterator[Row]]:
    """Return the first rows, and all rows from the first on.

    An error that ends the first rows is raised when they have been read again.

    Args:
        rows: The rows.
        max_rows: The greatest number of rows to return.
        max_length: The number of characters from which on no more rows are returned.
    """
    first: list[Row] = []
    errors: list[BadInput] = []
    length = 0
    try:
        for row in islice(rows, max_rows):
            first.append(row)
            length += sum(len(v) if isinstance(v, str | bytes) else 1 for v in row[1].values())
            if length > max_length:
                break
    except BadInput as error:
        errors.append(error)

    def ending_in_error() -> Iterator[Row]:
        yield from first
        raise errors[0]

    return first, ending_in_error() if errors else chain(first, rows)


def shown_values(row: dict[str, Any]) -> Values:
    """Return a row's values as text, whatever they are, to find out what the columns hold."""
    return {
        name: value
        if value is None or isinstance(value, str)
        else value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else str(value)
        for name, value in row.items()
    }

"""The rows of a sheet from the columns' names on: titles of a report may stand above them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from searchkit.sources.tables.header import SAMPLE_ROWS, header_message, read_header
from searchkit.sources.tables.workbooks.cells import as_text


def without_titles(
    rows: Iterator[tuple[int, list[Any]]], source: str, say: Callable[[str], None]
) -> Iterator[tuple[int, list[Any]]]:
    """Return the rows from the one with the columns' names on, which may stand in two.

    Args:
        rows: Numbers and cells of the rows that aren't blank.
        source: The file's name for the message.
        say: Called with a message if the names aren't in the first row alone.
    """
    first = list(islice(rows, SAMPLE_ROWS))
    if not first:
        return rows
    header = read_header([[as_text(cell) or "" for cell in row] for _, row in first])
    line = first[header.position][0]
    if header.position:
        say(header_message(source, line, header.num_rows))
    names: list[Any] = list(header.names)
    return chain([(line, names)], first[header.position + 1 :], rows)

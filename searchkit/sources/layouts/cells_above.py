"""Blank cells that mean what stands above them, as spreadsheets save merged cells."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from searchkit.sources.columns import Values
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.layouts.sample import (
    SAMPLE_LENGTH,
    SAMPLE_ROWS,
    Row,
    peek,
    shown_values,
)

MAX_ROWS, MAX_LENGTH = 100_000, 1 << 26  # of a table in which such cells are looked for
log = logging.getLogger("searchkit")


def with_cells_above(rows: Iterator[Row], layout: Layout, source: str) -> Iterator[Row]:
    """Return the rows with the question, or the author, in each row that it stands above.

    Args:
        rows: The rows.
        layout: Their layout.
        source: The file's name for the message.
    """
    if layout.title or layout.is_wide or layout.question is None or len(layout.author) != 1:
        return rows
    pairs = ((layout.question, layout.author[0]), (layout.author[0], layout.question))
    sample, rows = peek(rows, SAMPLE_ROWS, SAMPLE_LENGTH)
    for column, other in pairs:
        if _may_be_above([shown_values(row) for _, row in sample], column, other):
            more, rows = peek(rows, MAX_ROWS, MAX_LENGTH)
            if _is_above([shown_values(row) for _, row in more], column, other):
                log.warning("%s: blank cells of %s are read as the one above", source, column)
                return _filled(rows, column, other)
    return rows


def _may_be_above(rows: Sequence[Values], column: str, other: str) -> bool:
    """Whether half of a column's cells are blank, not the first one, and none of the other's."""
    cells = _cells(rows, column, other)
    num_blank = sum(not cell for cell, _ in cells)
    return bool(cells and cells[0][0]) and num_blank * 2 >= len(cells) > 1


def _is_above(rows: Sequence[Values], column: str, other: str) -> bool:
    """Whether each name stands once, above different others, some of whom come below several."""
    if not _may_be_above(rows, column, other):
        return False
    names: list[str] = []
    below: list[tuple[str, str]] = []
    for cell, person in _cells(rows, column, other):
        if cell:
            names.append(cell)
        below.append((names[-1], person))
    people = [person for _, person in below]
    is_distinct = len(set(names)) == len(names) and len(set(below)) == len(below)
    return is_distinct and all(people) and len(set(people)) < len(people)


def _cells(rows: Sequence[Values], column: str, other: str) -> list[tuple[str, str]]:
    """Return what two columns hold, of the rows in which one of them holds something."""
    cells = (
        ((row.get(column) or "").strip().casefold(), (row.get(other) or "").strip().casefold())
        for row in rows
    )
    return [pair for pair in cells if any(pair)]


def _filled(rows: Iterator[Row], column: str, other: str) -> Iterator[Row]:
    above = None
    for line, row in rows:
        if str(row.get(column) or "").strip():
            above = row[column]
        elif str(row.get(other) or "").strip():
            row = {**row, column: above}
        yield line, row

"""Merged cells: a name that stands once for several rows belongs to each of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})", re.I)
Range = tuple[int, int, int]  # first and last row, from 1, and first column, from 0


class MergedCells:
    """Fills the cells that a spreadsheet shows as one with the row above, from which they hang.

    Cells that are merged within a row stay as they are: only the first one has a value.

    Attributes:
        length: Number of characters that were filled in so far.
    """

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self.length = 0
        self._by_row: dict[int, list[Range]] = defaultdict(list)
        self._open: dict[int, tuple[int, Any]] = {}  # last row and value, by column
        for first, last, column in ranges:
            self._add(first, last, column)

    def add(self, reference: str) -> None:
        """Add a range such as `A2:B5`; what is none is left out."""
        if match := _REFERENCE.fullmatch(reference):
            self._add(int(match[2]), int(match[4]), column_number(match[1]) - 1)

    def _add(self, first: int, last: int, column: int) -> None:
        if last > first:
            self._by_row[first].append((first, last, column))

    def fill(self, number: int, row: list[Any]) -> None:
        """Fill the empty cells of a row, which come one after the other; a blank row stays blank.

        Args:
            number: The row, from 1.
            row: Its cells from column A on, an empty one as "".
        """
        for _, last, column in self._by_row.get(number, ()):
            if column < len(row):
                self._open[column] = last, row[column]
        if not self._open or not any(cell != "" for cell in row):
            return
        columns = range(len(row)) if len(row) < len(self._open) else list(self._open)
        for column in columns:
            last, value = self._open.get(column, (number, ""))
            if last < number:
                del self._open[column]
            elif column < len(row) and row[column] == "":
                row[column] = value
                self.length += len(value) if isinstance(value, str) else 1


def column_number(letters: str) -> int:
    """Return the number of a column such as AB, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number

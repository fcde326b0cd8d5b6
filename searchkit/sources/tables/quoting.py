"""Whether double quotes enclose cells of a delimited file, or are part of the texts.

Where quotes are part of the texts, but are taken for marks, a cell swallows the rows from one quote
to the next. Both readings of the beginning of a file are compared to find out.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from typing import Literal

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, counted
from searchkit.text.numbers import parse_number

Quoting = Literal["standard", "none"]
MUCH_BETTER = 10  # times fewer bad rows
SHAPE_ROWS = 500  # that are looked at to know what rows look like
MAX_ID_LENGTH = 40  # characters
_NUMBER, _WORD, _TEXT = "number", "word", "text"  # shapes of cells


class Likeness(IntEnum):
    """How much a line inside a cell looks like a row of its own."""

    NONE = 0
    WEAK = 1
    STRONG = 2


@dataclass(frozen=True, slots=True)
class Record:
    """What the csv module reads as one row where quotes enclose cells.

    Attributes:
        start: Position of its first line.
        stop: Position behind its last line.
        cells: Its cells; None if it is not CSV.
        is_open: Whether a quote is never closed.
    """

    start: int
    stop: int
    cells: list[str] | None
    is_open: bool = False


def plain_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each line where quotes are part of the texts."""
    return (line.rstrip("\n").split(delimiter) for line in lines)


def _is_filled(row: Sequence[str]) -> bool:
    return any(map(str.strip, row))


def quoted_records(lines: Sequence[str], delimiter: str) -> Iterator[Record]:
    """Yield the records of lines where quotes enclose cells."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            is_open = is_never_closed(error)
            yield Record(start, reader.line_num, None, is_open)
        else:
            yield Record(start, reader.line_num, cells)


def is_never_closed(error: csv.Error) -> bool:
    """Whether a quote is never closed: so is that of a field without end."""
    return "end of data" in str(error) or "field limit" in str(error)


class RowShapes:
    """What the rows of a table look like, to recognize a row inside a cell.

    Attributes:
        delimiter: The delimiter.
        width: Number of columns.
    """

    def __init__(self, rows: Sequence[Sequence[str]], delimiter: str, width: int) -> None:
        self.delimiter = delimiter
        self.width = width
        self._columns = [_Column([row[n] for row in rows]) for n in range(width)]

    @property
    def are_telling(self) -> bool:
        """Whether a line with the delimiters of a row is more than a coincidence."""
        return self.delimiter == "\t" or self.width > 2

    def are_rows(self, lines: Sequence[str]) -> bool:
        """Whether the lines of one record are clearly a row each."""
        return self.are_telling and self.likeness(lines) is Likeness.STRONG

    def likeness(self, lines: Sequence[str]) -> Likeness:
        """Return how much the lines of one record look like a row each."""
        if self.width < 2 or len(lines) < 2:
            return Likeness.NONE
        rows = filter(_is_filled, plain_rows(lines, self.delimiter))
        first = next(rows, [])
        if len(first) != self.width:
            return Likeness.NONE
        opening = next((n for n, cell in enumerate(first) if cell.startswith('"')), self.width)
        for number, column in enumerate(self._columns[:opening]):
            column.add(first[number])
        lowest: Likeness | None = None
        for row in rows:
            likeness = self._likeness(row, opening)
            lowest = likeness if lowest is None else min(lowest, likeness)
            if lowest is Likeness.NONE:
                break
        return lowest or Likeness.NONE

    def _likeness(self, row: Sequence[str], opening: int) -> Likeness:
        """Return how much a line is like a row, whatever is in the column of the opening quote."""
        if len(row) != self.width:
            return Likeness.NONE
        closing = next((n for n, cell in enumerate(row) if cell.endswith('"')), self.width)
        columns = [n for n in range(min(closing + 1, self.width)) if n != opening]
        votes = sum(self._columns[n].vote(row[n]) for n in columns)  # the rest is outside anyway
        votes += self.delimiter == "\t"  # which is hardly ever typed within a text
        return Likeness.STRONG if votes > 0 else Likeness.WEAK if votes == 0 else Likeness.NONE


class _Column:
    """What the cells of a column have in common."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._values: Counter[str] = Counter()
        self._shapes: set[str] = set()
        self._has_empty = False
        for cell in cells:
            self.add(cell)

    def add(self, cell: str) -> None:
        if cell.strip():
            self._values[cell.strip()] += 1
            self._shapes.add(_shape(cell))
        else:
            self._has_empty = True

    def vote(self, cell: str) -> int:
        """Return 1 if a cell is like those of the column, -1 if it isn't, 0 if nobody can tell."""
        if not self._values:
            return 0
        if not cell.strip():
            return 0 if self._has_empty else -1
        if cell.strip() in self._values and 2 * len(self._values) <= self._values.total():
            return 1
        if len(self._shapes) > 1 or _TEXT in self._shapes:
            return 0
        if _shape(cell) not in self._shapes:
            return -1
        return 0 if _WORD in self._shapes else 1


def _shape(cell: str) -> str:
    """Return what a cell looks like: a number, an id with digits, one word, or a longer text."""
    cell = cell.strip()
    if parse_number(cell) is not None:
        return _NUMBER
    if " " in cell or len(cell) > MAX_ID_LENGTH:
        return _TEXT
    if not any(map(str.isdigit, cell)):
        return _WORD
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", cell))


# -- choosing --------------------------------------------------------------------------------------


def choose_quoting(
    lines: Sequence[str], delimiter: str, source: str, first_line: int, *, is_whole: bool
) -> tuple[Quoting, str | None, RowShapes]:
    """Choose whether quotes enclose cells.

    Args:
        lines: The beginning of the file, from the line with the columns' names on.
        delimiter: The delimiter.
        source: The file's name for errors.
        first_line: The line of the file that `lines` begin with, from 1.
        is_whole: Whether `lines` are all that there are.

    Returns:
        The quoting; what to tell about it, or None if it is the usual one; what rows look like.

    Raises:
        BadInput: if neither reading is clearly right.
    """
    comparison = _compare(lines, delimiter, is_whole=is_whole)
    values = {
        "plain": counted(max(comparison.num_plain - 1, 0), "row")
        + ("" if is_whole else f" in the first {len(lines):,} lines"),
        "standard": f"{max(comparison.num_standard - 1, 0):,}",
    }
    if comparison.is_plain():
        template = (
            "{source}: double quotes are read as parts of the texts, which gives {plain}, and not "
            "as marks around cells, which gives {standard}; `quoting='standard'` reads them as such"
        )
        return "none", Message(template, source=source, **values), comparison.shapes
    if (record := comparison.swallowing_record()) is not None:
        beginning = (
            "a double quote opened in this row is never closed; close it, or double it if it is "
            "part of the text"
            if record.is_open
            else f"one cell holds what look like rows, up to line {first_line + record.stop - 1}"
        )
        template = (
            "{beginning}; with `quoting='none'`, double quotes are parts of the texts ({plain}), "
            "with `quoting='standard'` they are marks around cells ({standard})"
        )
        what = Message(template, beginning=beginning, **values)
        raise BadInput.at(source, first_line + record.start, what)
    return "standard", None, comparison.shapes


@dataclass(slots=True)
class _Comparison:
    """Both readings of the beginning of a file.

    Attributes:
        shapes: What the rows look like that both readings agree on.
        num_standard: Number of rows where quotes enclose cells, with that of the names.
        num_plain: Number of rows where they are parts of the texts, with that of the names.
        standard_bad: Number of lines that the former can't read, or that are rows inside a cell.
        plain_bad: Number of rows of the latter with too few or too many cells.
        quoted_cells: Number of cells with quotes.
        enclosed_cells: Number of these that have one at their beginning and one at their end.
        suspects: The records that hold what may be rows, and how much it looks so.
        open_record: The record with a quote that is never closed.
    """

    shapes: RowShapes
    num_standard: int = 0
    num_plain: int = 0
    standard_bad: int = 0
    plain_bad: int = 0
    quoted_cells: int = 0
    enclosed_cells: int = 0
    suspects: list[tuple[Record, Likeness]] = field(default_factory=list)
    open_record: Record | None = None

    @property
    def encloses(self) -> bool:
        """Whether most cells with quotes are enclosed in them."""
        return 2 * self.enclosed_cells > self.quoted_cells

    def add_record(self, record: Record, likeness: Likeness) -> None:
        """Count a row where quotes enclose cells."""
        cells, num_lines = record.cells, record.stop - record.start
        if likeness is not Likeness.NONE:
            self.suspects.append((record, likeness))
        if record.is_open:
            self.open_record = record
        if cells is None:
            self.standard_bad += num_lines
        elif any(cells) or len(cells) == 1:
            self.num_standard += 1
            if len(cells) != self.shapes.width:
                self.standard_bad += num_lines
            elif likeness is Likeness.STRONG:
                self.standard_bad += num_lines - 1

    def add_plain(self, cells: Sequence[str]) -> None:
        """Count a row where quotes are parts of the texts."""
        if _is_filled(cells):
            self.num_plain += 1
            self.plain_bad += len(cells) != self.shapes.width
            quoted = [cell for cell in cells if '"' in cell]
            self.quoted_cells += len(quoted)
            self.enclosed_cells += sum(len(c) > 1 and c[0] == c[-1] == '"' for c in quoted)

    def is_plain(self) -> bool:
        """Whether quotes are clearly parts of the texts."""
        is_better = self.plain_bad * MUCH_BETTER <= self.standard_bad
        return self.standard_bad > 0 and is_better and not self.encloses

    def swallowing_record(self) -> Record | None:
        """Return the first record that may have swallowed rows."""
        both_fit = self.plain_bad == 0 and not self.encloses
        for record, likeness in self.suspects:
            if both_fit or (likeness is Likeness.STRONG and self.shapes.are_telling):
                return record
        return self.open_record


def _compare(lines: Sequence[str], delimiter: str, *, is_whole: bool) -> _Comparison:
    first = next(quoted_records(lines, delimiter)).cells
    width = len(first or lines[0].split(delimiter))
    records = quoted_records(lines, delimiter)
    rows = (r.cells for r in records if r.cells and r.start and r.stop == r.start + 1)
    shapes = RowShapes(
        list(islice((r for r in rows if len(r) == width), SHAPE_ROWS)), delimiter, width
    )
    comparison = _Comparison(shapes)
    stop = len(lines)
    for record in quoted_records(lines, delimiter):
        likeness = shapes.likeness(lines[record.start : record.stop])
        if record.stop == len(lines) and not is_whole and likeness is not Likeness.STRONG:
            stop = record.start  # it may be cut off
        else:
            comparison.add_record(record, likeness)
    for cells in plain_rows(lines[:stop], delimiter):
        comparison.add_plain(cells)
    return comparison

"""Tables for platforms and spreadsheets, as CSV or as a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from searchkit.core.errors import BadInput
from searchkit.core.messages import counted
from searchkit.sources.tables.exported import guarded

MAX_XLSX_TEXT = 32_767  # characters in a cell of Excel
MAX_XLSX_ROWS, MAX_XLSX_COLUMNS = 1_048_576, 16_384  # of a sheet, the header among them
_ID = re.compile(r"[-+@\w.]+")  # no formula that could do anything, whatever it begins with
_NO_XLSX = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
Cell = str | float | None


def number_text(number: float | None) -> str:
    """Return a number as people write it: with a decimal point, and no zeros at its end.

    None, no number, is "".
    """
    return "" if number is None else f"{round(number, 6):.12g}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        delimiter: What is between cells.
        line_end: What is behind a row.
        encoding: The encoding, which has all of the characters.
        is_guarded: Whether texts that a spreadsheet would run as formulas get an apostrophe.
    """

    delimiter: str = ","
    line_end: str = "\r\n"
    encoding: str = "utf-8"
    is_guarded: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be written.

    Attributes:
        columns: The header.
        rows: The rows; a number is a number in a workbook, and None is an empty cell.
        notes: Lines on what the user has to know.
        ids: The columns whose values are written as they are, if they can be no formula.
        dialect: How it is written as CSV.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: list[str] = field(default_factory=list)
    ids: frozenset[str] = frozenset()
    dialect: Dialect = Dialect()


def csv_bytes(table: Table) -> bytes:
    """Return a table as CSV; texts that look like formulas are guarded, if its dialect says so."""
    dialect, is_id = table.dialect, [name in table.ids for name in table.columns]
    lines = []
    for row in (table.columns, *table.rows):
        cells: list[Cell] = [number_text(cell) if isinstance(cell, float) else cell for cell in row]
        if dialect.is_guarded:
            is_safe = [False] * len(is_id) if row is table.columns else is_id
            cells = [_guarded(cell, own) for cell, own in zip(cells, is_safe, strict=True)]
        lines.append(_csv_line(cells, dialect.delimiter) + dialect.line_end)
    return "".join(lines).encode(dialect.encoding, "backslashreplace")


def _csv_line(cells: Sequence[Cell], delimiter: str) -> str:
    out = io.StringIO()
    # With this end of the line it quotes a lone CR, too.
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")


def _guarded(cell: Cell, is_id: bool) -> Cell:
    is_safe = not isinstance(cell, str) or (is_id and _ID.fullmatch(cell))
    return cell if is_safe else guarded(str(cell))


def xlsx_bytes(table: Table) -> bytes:
    """Return a table as a workbook: texts are never formulas, and numbers are numbers.

    Raises:
        BadInput: if it has more rows or columns than a sheet.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    if len(table.rows) >= MAX_XLSX_ROWS or len(table.columns) > MAX_XLSX_COLUMNS:
        what = f"{MAX_XLSX_ROWS:,} rows and {MAX_XLSX_COLUMNS:,} columns"
        raise BadInput(f"a sheet of a workbook holds {what} at most; write csv, or fewer answers")
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("answers")
    sheet.freeze_panes = "A2"

    def as_text(text: str) -> WriteOnlyCell:
        cell = WriteOnlyCell(sheet)
        cell.value = _allowed(text)[:MAX_XLSX_TEXT]
        cell.data_type = "s"  # also what begins with =
        return cell

    for row in [table.columns, *table.rows]:
        sheet.append([as_text(value) if isinstance(value, str) else value for value in row])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def texts_cut(table: Table) -> list[str]:
    """Return a line on the texts that a workbook can't hold whole; none if there are none."""
    count = sum(
        isinstance(cell, str) and len(cell) > MAX_XLSX_TEXT for row in table.rows for cell in row
    )
    what = f"{counted(count, 'text')} cut at {MAX_XLSX_TEXT:,} characters, as cells hold no more"
    return [f"{what}; csv has all"] if count else []


def _allowed(text: str) -> str:
    """Return a text without the characters that XML can't hold: they are made visible."""
    return _NO_XLSX.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)

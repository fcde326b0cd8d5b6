"""Merged cells of an .ods, which its parser doesn't report: read from its XML."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from xml.parsers import expat

from searchkit.sources.files import CHUNK_BYTES
from searchkit.sources.tables.workbooks.merged import Range

MAX_DIGITS = 10  # of a count; no sheet has more rows
_PART = "content.xml"
_TABLE, _ROW = "table:table", "table:table-row"
_CELLS = ("table:table-cell", "table:covered-table-cell")  # the second ones are hidden by others


def merged_ranges(data: bytes, sheet: str) -> list[Range]:
    """Return the ranges of cells over several rows in a sheet; none if the file isn't an .ods.

    Args:
        data: The workbook, which was read before, and so is whole.
        sheet: The sheet's name.
    """
    file = io.BytesIO(data)
    if not zipfile.is_zipfile(file):
        return []
    with zipfile.ZipFile(file) as archive:
        if _PART not in archive.namelist():
            return []
        scan = _Scan(sheet)
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = scan.start, scan.end
        # What another parser has read can be no well-formed XML; ranges up to there hold.
        with suppress(expat.ExpatError), archive.open(_PART) as part:
            while chunk := part.read(CHUNK_BYTES):
                parser.Parse(chunk)
    return scan.ranges


class _Scan:
    """Counts rows and columns, of which one element may stand for many alike.

    Attributes:
        ranges: The ranges up to here.
    """

    def __init__(self, sheet: str) -> None:
        self.ranges: list[Range] = []
        self._sheet = sheet
        self._tables: list[bool] = []  # those around the place, and whether they are the sheet
        self._next_row = 1
        self._row = self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _TABLE:
            is_sheet = not self._tables and attributes.get("table:name") == self._sheet
            self._tables.append(is_sheet)
        elif self._tables != [True]:
            return  # another sheet, or a table within a cell
        elif name == _ROW:
            self._row, self._column = self._next_row, 0
            self._next_row += _count(attributes, "table:number-rows-repeated")
        elif name in _CELLS:
            last = self._row + _count(attributes, "table:number-rows-spanned") - 1
            if last > self._row:
                self.ranges.append((self._row, last, self._column))
            self._column += _count(attributes, "table:number-columns-repeated")

    def end(self, name: str) -> None:
        if name == _TABLE:
            self._tables.pop()


def _count(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "")
    return int(text) if text.isdecimal() and len(text) < MAX_DIGITS else 1

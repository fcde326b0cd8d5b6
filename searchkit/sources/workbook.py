"""XLSX workbooks, looked through before the parser sees them, and read as the text they show."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from xml.etree import ElementTree
from xml.parsers import expat

from searchkit.core.errors import BadInput
from searchkit.core.wording import Message
from searchkit.sources.columns import BadRow, Values

MOST_BYTES = 1 << 30  # uncompressed, of all parts of a workbook together
MOST_CELLS = 50_000_000  # the parser makes a full rectangle of them, and the process dies of one
CHUNK = 1 << 20
_OLD = b"\xd0\xcf\x11\xe0"  # a compound file: .xls, or an .xlsx with a password
_DAMAGED = (
    KeyError,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    ElementTree.ParseError,
)


class OddCell(str):
    """An error such as #REF!, as its text; '' for a formula that has no stored value."""

    __slots__ = ()


def read_xlsx(file: BinaryIO, source: str, sheet: str | None) -> Iterator[tuple[int, Values]]:
    """Yield (row, values by column) of one sheet; its first row that isn't blank names the columns.

    A value is text, None for a blank cell, or an `OddCell`.

    Args:
        file: Seekable.
        source: What to call it in errors.
        sheet: Its name; None takes the only one that isn't empty.

    Raises:
        BadInput: if it is no workbook, is too large, or the sheet isn't clear.
    """
    parts = _parts(file, source)
    name, odd = _chosen(parts, source, sheet)
    at, header, rows = _header(_rows(file, source, name), odd, source)
    names = _names(header, source, at)
    for number, row in rows:
        yield number, {n: as_text(cell) for n, cell in zip(names, row, strict=True)}


def is_workbook(file: BinaryIO) -> bool:
    """Return whether it is a workbook (or what can't be told), not a zip of other files."""
    try:
        names = zipfile.ZipFile(file).namelist()
    except _DAMAGED:
        return True
    finally:
        file.seek(0)
    return not names or "xl/workbook.xml" in names


def as_values(row: dict[str, Any], text_column: str, id_column: str | None) -> Values:
    """Return a row's values; a blank cell is a blank text, an error in the text or the id no value.

    Raises:
        BadRow: if the text or the id is an `OddCell`.
    """
    for name in (text_column, id_column):
        if isinstance(cell := row.get(name or ""), OddCell):
            shown = cell or "a formula without a stored value"
            raise BadRow(
                f"the cell in column {name!r} shows {shown}; mend it in the workbook and save it"
            )
    values = {name: cell or None for name, cell in row.items()}
    return {**values, text_column: values[text_column] or ""}


def as_text(value: Any) -> str | None:  # noqa: ANN401
    """Return what a cell shows: whole numbers without a point, dates in ISO form, '' as None."""
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


def _parts(file: BinaryIO, source: str) -> zipfile.ZipFile:
    """Open the workbook as the zip that it is, and refuse what would burst."""
    if file.read(4) == _OLD:
        raise BadInput(
            f"{source}: an old .xls file, or one with a password; "
            "save it as .xlsx without a password"
        )
    file.seek(0)
    try:
        parts = zipfile.ZipFile(file)
    except _DAMAGED as error:
        raise BadInput(f"{source}: not a whole .xlsx file ({error}); save it anew") from None
    _check_sizes(parts, source)
    return parts


def _check_sizes(parts: zipfile.ZipFile, source: str) -> None:
    """Unpack every part once, to nowhere: the parser would believe the sizes that they claim."""
    left = MOST_BYTES
    for part in parts.infolist():
        part.file_size = 1 << 62  # so that zipfile reads to the real end
        try:
            with parts.open(part) as file:
                while left >= 0 and (chunk := file.read(CHUNK)):
                    left -= len(chunk)
        except _DAMAGED as error:
            raise BadInput(f"{source}: damaged ({part.filename}: {error}); save it anew") from None
        if left < 0:
            raise BadInput(
                f"{source}: unpacks to more than {MOST_BYTES:,} bytes; split the workbook, "
                "or save the sheet as CSV"
            )


def _sheets(parts: zipfile.ZipFile, source: str) -> dict[str, str]:
    """Return the name of each sheet and of the part that holds it."""
    try:
        links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
        targets = {link.get("Id"): link.get("Target") or "" for link in links}
        book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    except _DAMAGED as error:
        raise BadInput(f"{source}: not a whole .xlsx file ({error}); save it anew") from None
    found = {}
    for sheet in book.findall(".//{*}sheet"):
        link = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        # An absolute target begins at the root of the zip, any other one at xl/.
        found[sheet.get("name") or ""] = str(PurePosixPath("/xl", targets.get(link, "")))[1:]
    return found


def _chosen(
    parts: zipfile.ZipFile, source: str, sheet: str | None
) -> tuple[str, dict[int, dict[int, OddCell]]]:
    """Return the name of the sheet to read, and its odd cells by row from 1 and column from 0."""
    sheets = _sheets(parts, source)
    if sheet is not None and sheet not in sheets:
        raise BadInput(f"{source}: no sheet {sheet!r}; there are: {', '.join(sheets)}")
    names = [sheet] if sheet is not None else list(sheets)
    cells = {name: _cells(parts, sheets[name], source) for name in names}
    filled = [name for name in names if cells[name].rows]
    if len(filled) > 1:
        raise BadInput(
            Message(
                "{source}: several sheets; choose one with `sheet=NAME`: {names}",
                source=source,
                names=", ".join(filled),
            )
        )
    if not filled:
        raise BadInput(f"{source}: the sheet is empty; its first row must hold the columns' names")
    chosen = cells[filled[0]]
    if chosen.rows * chosen.columns > MOST_CELLS:
        raise BadInput(
            f"{source}: a cell in row {chosen.rows:,}, column {chosen.columns:,} makes the sheet "
            "too large; delete the empty rows and columns behind the answers"
        )
    return filled[0], chosen.odd


@dataclass(slots=True)
class _Cells:
    """What the parser doesn't say of a sheet: how far it reaches, and which cells are odd.

    Its methods are called for each element of the sheet's XML.
    """

    parser: expat.XMLParserType
    rows: int = 0
    columns: int = 0
    odd: dict[int, dict[int, OddCell]] = field(default_factory=dict)
    _row: int = 0
    _column: int = 0
    _type: str = ""
    _formula: bool = False
    _value: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "c":
            self._start_cell(attributes)
        elif kind in ("v", "is", "f"):
            self._fill(kind)
        elif kind == "row":
            self._end_cell()
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0

    def _fill(self, kind: str) -> None:
        """Note that the cell isn't empty; its text is listened to only where it may be odd."""
        self.rows = max(self.rows, self._row)
        self.columns = max(self.columns, self._column)
        if kind == "f":
            self._formula = True
        elif self._formula or self._type == "e":
            self._value = []
            self.parser.CharacterDataHandler = self._value.append

    def _start_cell(self, attributes: dict[str, str]) -> None:
        """Begin a cell; one that doesn't say its place follows the one before."""
        self._end_cell()
        if place := attributes.get("r"):
            letters = place.rstrip("0123456789")
            self._row, self._column = int(place[len(letters) :]), _column(letters)
        else:
            self._column += 1
        self._type = attributes.get("t", "")

    def _end_cell(self) -> None:
        if self._type == "e" or self._formula:
            self.parser.CharacterDataHandler = None
            value = "".join(self._value or "").strip()
            if self._type == "e":
                self._note(value or "#ERROR!")
            elif not value and not (self._type == "str" and self._value is not None):
                self._note("")
        self._type, self._formula, self._value = "", False, None

    def _note(self, shown: str) -> None:
        self.odd.setdefault(self._row, {})[self._column - 1] = OddCell(shown)

    def end(self) -> None:
        self._end_cell()


def _cells(parts: zipfile.ZipFile, part: str, source: str) -> _Cells:
    parser = expat.ParserCreate()
    cells = _Cells(parser)
    parser.StartElementHandler = cells.start
    try:
        with parts.open(part) as file:
            while chunk := file.read(CHUNK):
                parser.Parse(chunk)
        parser.Parse(b"", True)
    except _DAMAGED as error:
        raise BadInput(f"{source}: damaged ({error}); save it anew") from None
    cells.end()
    return cells


def _column(letters: str) -> int:
    """Return the number of a column, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _rows(file: BinaryIO, source: str, name: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row from 1, cells from column A) of a sheet."""
    from python_calamine import CalamineError, CalamineWorkbook

    file.seek(0)
    try:
        sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_name(name)
        margin = [""] * (sheet.start[1] if sheet.start else 0)
        for number, row in enumerate(sheet.iter_rows(), 1):
            yield number, margin + row
    except CalamineError as error:
        raise BadInput(f"{source}: can't be read ({error}); save it anew as .xlsx") from None


def _header(
    rows: Iterator[tuple[int, list[Any]]], odd: dict[int, dict[int, OddCell]], source: str
) -> tuple[int, list[Any], Iterator[tuple[int, list[Any]]]]:
    """Yield the first row that isn't blank, its number, and the others that aren't."""
    filled = _filled(rows, odd)
    for number, header in filled:
        return number, header, filled
    raise BadInput(f"{source}: the sheet is empty; its first row must hold the columns' names")


def _filled(
    rows: Iterator[tuple[int, list[Any]]], odd: dict[int, dict[int, OddCell]]
) -> Iterator[tuple[int, list[Any]]]:
    """Put the odd cells into their rows, and leave out the rows that are blank."""
    for number, row in rows:
        for column, cell in odd.get(number, {}).items():
            if column < len(row):
                row[column] = cell
        if any(cell != "" or isinstance(cell, OddCell) for cell in row):
            yield number, row


def _names(header: list[Any], source: str, line: int) -> list[str]:
    names = [(as_text(cell) or f"column {n}").strip() for n, cell in enumerate(header, 1)]
    twice = [name for n, name in enumerate(names) if name in names[:n]]
    if twice:
        raise BadInput.at(source, line, f"two columns are called {twice[0]!r}; rename one")
    return names

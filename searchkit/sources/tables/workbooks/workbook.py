"""Workbooks: checked for size before they are parsed, and read as the text they show."""

from __future__ import annotations

import logging
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from xml.etree import ElementTree
from xml.parsers import expat

from searchkit.core.errors import BadInput, first_line
from searchkit.core.messages import Message
from searchkit.sources.columns import BadRow, Values, numbered_names
from searchkit.sources.files import (
    CHUNK_BYTES,
    MAX_DOCUMENT_BYTES,
    Allowance,
    NothingFound,
    file_size,
)
from searchkit.sources.tables.exported import computed_columns, without
from searchkit.sources.tables.workbooks.cells import OddCell, as_text
from searchkit.sources.tables.workbooks.isolated import read_isolated
from searchkit.sources.tables.workbooks.merged import MergedCells, column_number
from searchkit.sources.tables.workbooks.number_formats import FormattedCells, styled_formats
from searchkit.sources.tables.workbooks.titles import without_titles

log = logging.getLogger("searchkit")
# The parser allocates the whole rectangle, also for one distant cell: 72 bytes a cell.
MAX_CELLS = 50_000_000
HARMLESS_CELLS = 8_000_000  # which a workbook of any size may have
CELLS_PER_BYTE = 2  # of a larger one, packed
MAX_TEXTS = 1 << 29  # characters; the parser copies a shared text into each of its cells
MAX_DIRECTORY_BYTES = 16 << 20  # of the part that lists the sheets
_WORKBOOK_PART = "xl/workbook.xml"
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
STYLES = "xl/styles.xml"
SHARED_TEXTS = "xl/sharedstrings.xml"  # in lower case
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"  # how an .xls begins, and an .xlsx with a password
_DAMAGE_ERRORS = (
    KeyError,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    expat.ExpatError,
    ElementTree.ParseError,
)


OddCells = dict[int, dict[int, OddCell]]  # by row from 1 and column from 0


def read_workbook(
    file: BinaryIO,
    source: str,
    sheet: str | None,
    skip_rows: int | None = None,
    say: Callable[[str], None] = log.warning,
) -> Iterator[tuple[int, Values]]:
    """Yield (row from 1, values by column) of one sheet of an .xlsx, .xls or .ods.

    A value is a text, None for a blank cell, or an `OddCell`.

    Args:
        file: The workbook; seekable.
        source: The file's name for errors.
        sheet: The sheet's name; None takes the only one that isn't empty.
        skip_rows: Number of rows above that with the columns' names; None finds out.
        say: Called with a message if it isn't the first row with anything in it.

    Raises:
        BadInput: if the file is not a workbook, is damaged or too large, or the sheet is missing,
            empty or must be chosen.
    """
    rows = _sheet_rows(file, source, sheet)
    if skip_rows is None:
        rows = without_titles(rows, source, say)
    else:
        rows = (row for row in rows if row[0] > skip_rows)
    header_row, header = next(rows, (0, []))
    if not header_row:
        raise NothingFound(
            f"{source}: the sheet is empty; its first row must hold the columns' names"
        )
    names = numbered_names([as_text(cell) or "" for cell in header], source, header_row)
    computed = computed_columns(names, source, say)
    for number, row in rows:
        values: Values = {n: as_text(cell) for n, cell in zip(names, row, strict=True)}
        yield number, without(values, computed)


def _sheet_rows(file: BinaryIO, source: str, sheet: str | None) -> Iterator[tuple[int, list[Any]]]:
    """Return the rows of one sheet that aren't blank."""
    archive = _open_archive(file, source)
    if archive is not None and _WORKBOOK_PART in archive.namelist():
        name, scan = _choose_part(archive, source, sheet)
        return _filled_rows(_parse_rows(file, source, name), scan, source)
    file.seek(0)
    sheets, rows = read_isolated(file, source, sheet)
    _choose_sheet(sheets.names, sheets.filled, source, sheet)
    return ((number, row) for number, row in rows if any(row))


def is_workbook(file: BinaryIO) -> bool:
    """Whether a zip is a workbook and not a zip of other files; True if it can't be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype") if "mimetype" in names[:1] else b""
    except _DAMAGE_ERRORS:
        return True
    finally:
        file.seek(0)
    return not names or _WORKBOOK_PART in names or kind.startswith(_ODS_TYPE)


def as_values(row: dict[str, Any], text_columns: Sequence[str], id_column: str | None) -> Values:
    """Return a row's values; a blank cell is "" in a column of texts and None in others.

    Raises:
        BadRow: if a text or the id is an `OddCell`.
    """
    for name in (*text_columns, id_column):
        if isinstance(cell := row.get(name or ""), OddCell):
            shown = cell or "a formula without a stored value"
            raise BadRow(
                f"the cell in column {name!r} shows {shown}; correct it in the workbook and save it"
            )
    values = {name: cell or None for name, cell in row.items()}
    return values | {name: values[name] or "" for name in text_columns}


def _open_archive(file: BinaryIO, source: str) -> zipfile.ZipFile | None:
    """Open a workbook as a zip, checking its sizes; return None if it is an .xls."""
    size = file_size(file)
    if file.read(4) == _COMPOUND_FILE:
        return None
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGE_ERRORS as error:
        raise BadInput(
            f"{source}: not a complete .xlsx file ({first_line(error)}); save it again"
        ) from None
    advice = "split the workbook, or save the sheet as CSV"
    _check_sizes(archive, Allowance(source, advice, size, MAX_DOCUMENT_BYTES))
    return archive


def _check_sizes(archive: zipfile.ZipFile, allowance: Allowance) -> None:
    """Unpack every part without keeping it, as the sizes that they claim may be wrong."""
    for part in archive.infolist():
        part.file_size = 1 << 62  # makes zipfile read to the real end
        try:
            with archive.open(part) as file:
                while chunk := file.read(CHUNK_BYTES):
                    allowance.spend(len(chunk))
        except _DAMAGE_ERRORS as error:
            what = (
                f"{allowance.source}: damaged ({part.filename}: {first_line(error)}); save it again"
            )
            raise BadInput(what) from None


def _sheet_parts(archive: zipfile.ZipFile, source: str) -> dict[str, str]:
    """Return the name of each sheet and the name of the part of the zip that holds it."""
    try:
        links = ElementTree.fromstring(_read_directory(archive, "xl/_rels/workbook.xml.rels"))
        targets = {link.get("Id"): link.get("Target") or "" for link in links}
        book = ElementTree.fromstring(_read_directory(archive, "xl/workbook.xml"))
    except _DAMAGE_ERRORS as error:
        raise BadInput(
            f"{source}: not a complete .xlsx file ({first_line(error)}); save it again"
        ) from None
    parts = {}
    for sheet in book.findall(".//{*}sheet"):
        link = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        # An absolute target is relative to the root of the zip, any other one to xl/.
        parts[sheet.get("name") or ""] = str(PurePosixPath("/xl", targets.get(link, "")))[1:]
    return parts


def _read_directory(archive: zipfile.ZipFile, part: str) -> bytes:
    with archive.open(part) as file:
        data = file.read(MAX_DIRECTORY_BYTES + 1)
    if len(data) > MAX_DIRECTORY_BYTES:
        raise ValueError(f"{part} is larger than {MAX_DIRECTORY_BYTES:,} bytes")
    return data


def _choose_sheet(
    names: Sequence[str], filled: Sequence[str], source: str, sheet: str | None
) -> str:
    """Return the name of the sheet to read, of all names and those of sheets that aren't empty."""
    if sheet is not None and sheet not in names:
        raise BadInput(f"{source}: no sheet {sheet!r}; there are: {', '.join(names)}")
    if len(filled) > 1:
        raise BadInput(
            Message(
                "{source}: several sheets; choose one with `sheet=NAME`: {names}",
                source=source,
                names=", ".join(filled),
            )
        )
    if not filled:
        raise NothingFound(
            f"{source}: the sheet is empty; its first row must hold the columns' names"
        )
    return filled[0]


def _choose_part(
    archive: zipfile.ZipFile, source: str, sheet: str | None
) -> tuple[str, _SheetScan]:
    """Return the name of the sheet of an .xlsx to read, and what a first look at it found."""
    parts = _sheet_parts(archive, source)
    lengths = _shared_text_lengths(archive, source)
    formats = _formats(archive)
    scans = {
        name: _scan_sheet(archive, part, source, lengths, formats)
        for name, part in parts.items()
        if sheet in (None, name)
    }
    filled = [name for name, scan in scans.items() if scan.rows]
    name = _choose_sheet(list(parts), filled, source, sheet)
    scan = scans[name]
    packed_bytes = sum(part.compress_size for part in archive.infolist())
    max_cells = min(MAX_CELLS, max(HARMLESS_CELLS, CELLS_PER_BYTE * packed_bytes))
    if scan.rows * scan.columns > max_cells:
        raise BadInput(
            f"{source}: a cell in row {scan.rows:,}, column {scan.columns:,} makes the sheet "
            "too large; delete the empty rows and columns behind the answers"
        )
    if scan.shared_length > MAX_TEXTS:
        raise _too_many_texts(source)
    return name, scan


def _too_many_texts(source: str) -> BadInput:
    return BadInput(
        f"{source}: the same long texts in so many cells make the sheet too large; "
        "split the workbook, or save the sheet as CSV"
    )


def _formats(archive: zipfile.ZipFile) -> dict[int, str]:
    """Return the number formats that change which number a reader sees, by style.

    They are not worth an error: without them, numbers are read as they are stored.
    """
    try:
        return styled_formats(_read_directory(archive, STYLES))
    except _DAMAGE_ERRORS:
        return {}


def _shared_text_lengths(archive: zipfile.ZipFile, source: str) -> list[int]:
    """Return the length of each text that cells refer to by its number."""
    lengths: list[int] = []

    def start(name: str, _: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "si":
            lengths.append(0)

    def add(characters: str) -> None:
        if lengths:
            lengths[-1] += len(characters)

    for part in archive.namelist():
        if part.lower() == SHARED_TEXTS:
            parser = expat.ParserCreate()
            parser.StartElementHandler, parser.CharacterDataHandler = start, add
            _parse(parser, archive, part, source)
    return lengths


@dataclass(slots=True)
class _SheetScan:
    """What the parser doesn't report of a sheet: its extent and its odd cells.

    The methods are called by the XML parser for each element of the sheet.

    Attributes:
        parser: The XML parser.
        lengths: Lengths of the shared texts.
        rows: The last filled row, from 1; 0 for an empty sheet.
        columns: The last filled column, from 1.
        shared_length: Number of characters of the shared texts in all cells together.
        odd_cells: The odd cells.
        formatted: The cells whose number formats change which number a reader sees.
        merged: The cells that are shown as one.
    """

    parser: expat.XMLParserType
    lengths: Sequence[int]
    formatted: FormattedCells
    rows: int = 0
    columns: int = 0
    shared_length: int = 0
    odd_cells: OddCells = field(default_factory=dict)
    merged: MergedCells = field(default_factory=MergedCells)
    _row: int = 0
    _column: int = 0
    _type: str = ""
    _is_formula: bool = False
    _value: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            self._start_cell(attributes)
        elif tag in ("v", "is", "f"):
            self._fill_cell(tag)
        elif tag == "row":
            self._end_cell()
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif tag == "mergeCell":
            self.merged.add(attributes.get("ref", ""))

    def _fill_cell(self, tag: str) -> None:
        """Count the cell as filled; its text is collected only where it may be odd."""
        self.rows = max(self.rows, self._row)
        self.columns = max(self.columns, self._column)
        if tag == "f":
            self._is_formula = True
        elif self._is_formula or self._type in ("e", "s"):
            self._value = []
            self.parser.CharacterDataHandler = self._value.append

    def _start_cell(self, attributes: dict[str, str]) -> None:
        """Begin a cell; one without a reference such as B7 follows the one before."""
        self._end_cell()
        if reference := attributes.get("r"):
            letters = reference.rstrip("0123456789")
            self._row = int(reference[len(letters) :])
            self._column = column_number(letters)
        else:
            self._column += 1
        self._type = attributes.get("t", "")
        if style := attributes.get("s"):
            self.formatted.add(self._row, self._column - 1, style)

    def _end_cell(self) -> None:
        if self._type == "s" and self._value is not None:
            self.parser.CharacterDataHandler = None
            number = int("".join(self._value) or 0)
            if 0 <= number < len(self.lengths):
                self.shared_length += self.lengths[number]
        elif self._type == "e" or self._is_formula:
            self.parser.CharacterDataHandler = None
            value = "".join(self._value or "").strip()
            if self._type == "e":
                self._add_odd_cell(value or "#ERROR!")
            elif not value and not (self._type == "str" and self._value is not None):
                self._add_odd_cell("")
        self._type, self._is_formula, self._value = "", False, None

    def _add_odd_cell(self, text: str) -> None:
        self.odd_cells.setdefault(self._row, {})[self._column - 1] = OddCell(text)

    def end(self) -> None:
        self._end_cell()


def _scan_sheet(
    archive: zipfile.ZipFile,
    part: str,
    source: str,
    lengths: Sequence[int],
    formats: Mapping[int, str],
) -> _SheetScan:
    parser = expat.ParserCreate()
    scan = _SheetScan(parser, lengths, FormattedCells(formats))
    parser.StartElementHandler = scan.start
    _parse(parser, archive, part, source)
    scan.end()
    return scan


def _parse(parser: expat.XMLParserType, archive: zipfile.ZipFile, part: str, source: str) -> None:
    """Let a parser read a part of the zip."""
    parser.buffer_text = True
    try:
        with archive.open(part) as file:
            while chunk := file.read(CHUNK_BYTES):
                parser.Parse(chunk)
        parser.Parse(b"", True)
    except _DAMAGE_ERRORS as error:
        raise BadInput(f"{source}: damaged ({first_line(error)}); save it again") from None


def _parse_rows(file: BinaryIO, source: str, name: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row from 1, cells from column A) of a sheet."""
    from python_calamine import CalamineError, CalamineWorkbook

    file.seek(0)
    number = 0
    try:
        sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_name(name)
        margin = [""] * (sheet.start[1] if sheet.start else 0)
        for number, row in enumerate(sheet.iter_rows(), 1):
            yield number, margin + row
    except CalamineError as error:
        raise BadInput(
            f"{source}: can't be read ({first_line(error)}); save it again as .xlsx"
        ) from None
    except BaseException as error:  # a panic of the parser is no Exception
        if not isinstance(error, OverflowError) and type(error).__name__ != "PanicException":
            raise
        what = f"a date or time that can't be read ({first_line(error)}); correct or remove it"
        raise BadInput.at(source, number + 1, what) from None


def _filled_rows(
    rows: Iterator[tuple[int, list[Any]]], scan: _SheetScan, source: str
) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows that aren't blank, with odd, formatted and merged cells in their places."""
    for number, row in rows:
        scan.formatted.show(number, row)
        for column, cell in scan.odd_cells.get(number, {}).items():
            if column < len(row):
                row[column] = cell
        scan.merged.fill(number, row)
        if scan.merged.length > MAX_TEXTS:
            raise _too_many_texts(source)
        if any(cell != "" or isinstance(cell, OddCell) for cell in row):
            yield number, row

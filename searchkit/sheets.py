"""XLSX workbooks, looked through before the parser sees them, and read as the text they show."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from xml.etree import ElementTree

from searchkit.errors import BadInput

Values = dict[str, str | None]

MOST_BYTES = 1 << 30  # uncompressed, of all parts of a workbook together
MOST_CELLS = 50_000_000  # the parser makes a full rectangle of them, and the process dies of one
CHUNK = 1 << 22

_OLD = b"\xd0\xcf\x11\xe0"  # a compound file: .xls, or an .xlsx with a password
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(
    rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*?(?:/>|>(.*?)</(?:\w+:)?c>)', re.S
)
_ERROR = re.compile(rb'<(?:\w+:)?c\b[^>]*?\bt="e"')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]+)</")


class OddCell(str):
    """An error such as #REF!, as its text; '' for a formula that has no stored value."""

    __slots__ = ()


def read_xlsx(file: BinaryIO, source: str, sheet: str | None) -> Iterator[tuple[int, Values]]:
    """Give (row, values by column) of one sheet; its first row that isn't blank names the columns.

    A value is text, None for a blank cell, or an `OddCell`.

    Args:
        file: Seekable.
        source: What to call it in errors.
        sheet: Its name; None takes the only one that isn't empty.

    Raises:
        BadInput: if it is no workbook, is too large, or the sheet isn't clear.
    """
    parts = _parts(file, source)
    odd = {name: _odd_cells(parts, part, source) for name, part in _sheets(parts, source).items()}
    rows, name = _rows(file, source, sheet)
    numbered = ((n, row) for n, row in enumerate(rows, 1) if any(cell != "" for cell in row))
    _, header = next(numbered, (0, None))
    if header is None:
        raise BadInput(f"{source}: the sheet is empty; its first row must hold the columns' names")
    names = _names(header, source)
    for number, row in numbered:
        values = {n: as_text(cell) for n, cell in zip(names, row, strict=False)}
        for column, shown in odd.get(name, {}).get(number, {}).items():
            if column < len(names):
                values[names[column]] = shown
        yield number, values


def as_text(value: Any) -> str | None:  # noqa: ANN401
    """Give what a cell shows: whole numbers without a point, dates in ISO form, '' as None."""
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
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadInput(f"{source}: not a whole .xlsx file ({error}); save it anew") from None
    size = sum(part.file_size for part in parts.infolist())
    if size > MOST_BYTES:
        raise BadInput(f"{source}: would unpack to {size:,} bytes; {MOST_BYTES:,} is the limit")
    return parts


def _sheets(parts: zipfile.ZipFile, source: str) -> dict[str, str]:
    """Give the name of each sheet and of the part that holds it."""
    try:
        links = ElementTree.fromstring(_read(parts, "xl/_rels/workbook.xml.rels"))
        targets = {link.get("Id"): link.get("Target") or "" for link in links}
        book = ElementTree.fromstring(_read(parts, "xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile, OSError) as error:
        raise BadInput(f"{source}: not a whole .xlsx file ({error}); save it anew") from None
    found = {}
    for sheet in book.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_LINK), "")
        path = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))
        found[sheet.get("name") or ""] = path
    return found


def _read(parts: zipfile.ZipFile, name: str) -> bytes:
    with parts.open(name) as part:
        return part.read(CHUNK)


def _odd_cells(parts: zipfile.ZipFile, part: str, source: str) -> dict[int, dict[int, OddCell]]:
    """Find the cells that the parser would pass over: by row from 1, by column from 0."""
    odd: dict[int, dict[int, OddCell]] = {}
    last_row = last_column = 0
    try:
        for cell in _cells(parts, part):
            column, row = _column(cell[1]), int(cell[2])
            last_row, last_column = max(last_row, row), max(last_column, column)
            inner = cell[3] or b""
            value = _VALUE.search(inner)
            if _ERROR.match(cell[0]):
                odd.setdefault(row, {})[column] = OddCell(value[1].decode() if value else "#ERROR!")
            elif b"<f" in inner and not value and b"<is" not in inner:
                odd.setdefault(row, {})[column] = OddCell("")
    except (KeyError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadInput(f"{source}: damaged ({error}); save it anew") from None
    if last_row * (last_column + 1) > MOST_CELLS:
        raise BadInput(
            f"{source}: a cell in row {last_row:,}, column {last_column + 1:,} makes the sheet too "
            "large; delete the empty rows and columns behind the answers"
        )
    return odd


def _cells(parts: zipfile.ZipFile, part: str) -> Iterator[re.Match[bytes]]:
    """Give each cell of a sheet, a chunk of it in memory at a time."""
    rest, total = b"", 0
    with parts.open(part) as file:
        while chunk := file.read(CHUNK):
            total += len(chunk)
            if total > MOST_BYTES:
                raise ValueError(f"unpacks to more than {MOST_BYTES:,} bytes")
            rest += chunk
            cut = rest.rfind(b"</row>") + 1 or rest.rfind(b"<c ")
            yield from _CELL.finditer(rest[:cut])
            rest = rest[cut:]
    yield from _CELL.finditer(rest)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _rows(file: BinaryIO, source: str, sheet: str | None) -> tuple[Iterator[list[Any]], str]:
    """Give the rows of the sheet from row 1, and its name."""
    from python_calamine import CalamineError, CalamineWorkbook

    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        name = _chosen(book, source, sheet)
        return iter(book.get_sheet_by_name(name).to_python(skip_empty_area=False)), name
    except CalamineError as error:
        raise BadInput(f"{source}: can't be read ({error}); save it anew as .xlsx") from None


def _chosen(book: Any, source: str, sheet: str | None) -> str:  # noqa: ANN401
    names = list(book.sheet_names)
    if sheet is not None:
        if sheet not in names:
            raise BadInput(f"{source}: no sheet {sheet!r}; there are: {', '.join(names)}")
        return sheet
    filled = [name for name in names if book.get_sheet_by_name(name).height]
    if len(filled) > 1:
        raise BadInput(
            f"{source}: several sheets; choose one with --sheet NAME: {', '.join(filled)}"
        )
    return str((filled or names)[0])


def _names(header: list[Any], source: str) -> list[str]:
    names = [(as_text(cell) or f"column {n}").strip() for n, cell in enumerate(header, 1)]
    twice = [name for n, name in enumerate(names) if name in names[:n]]
    if twice:
        raise BadInput.at(source, 1, f"two columns are called {twice[0]!r}; rename one")
    return names

"""Workbooks in the formats of OpenDocument and of Excel 97, written by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from helpers.source_files import zipped

Sheets = dict[str, list[list[str | float]]]
_SECTOR = 512
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_NAMESPACES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)


def ods(path: Path, sheets: Sheets, merged: Sequence[tuple[int, int, int, int]] = ()) -> Path:
    """Write a workbook; `merged` as for `xls`, where ranges don't overlap."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(
            f"<table:table-row>{''.join(_ods_cells(number, row, merged))}</table:table-row>"
            for number, row in enumerate(rows)
        )
        + "</table:table>"
        for name, rows in sheets.items()
    )
    content = (
        f'<?xml version="1.0"?><office:document-content{_NAMESPACES}><office:body>'
        f"<office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    parts = {"mimetype": _ODS_TYPE, "content.xml": content.encode()}
    return zipped(path, {**parts, "META-INF/manifest.xml": manifest})


def _ods_cells(
    row: int, values: Sequence[str | float], merged: Sequence[tuple[int, int, int, int]]
) -> Iterator[str]:
    for column, value in enumerate(values):
        cell = _ods_cell(value)
        for top, bottom, left, right in merged:
            if top <= row <= bottom and left <= column <= right:
                spans = (
                    f'<table:table-cell table:number-rows-spanned="{bottom - top + 1}"'
                    f' table:number-columns-spanned="{right - left + 1}"'
                )
                is_first = (row, column) == (top, left)
                covered = "<table:covered-table-cell/>"
                cell = cell.replace("<table:table-cell", spans) if is_first else covered
        yield cell


def _ods_cell(value: str | float) -> str:
    if isinstance(value, str):
        text = f"<text:p>{escape(value)}</text:p>"
        return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def xls(path: Path, sheets: Sheets, merged: Sequence[tuple[int, int, int, int]] = ()) -> Path:
    """Write a compound file with one stream, the workbook.

    Args:
        path: The file.
        sheets: The rows of each sheet.
        merged: First and last row and column, from 0, of the cells of each sheet that are merged.
    """
    stream = _workbook_stream(sheets, merged)
    stream += bytes(-len(stream) % _SECTOR + _SECTOR * max(0, 8 - len(stream) // _SECTOR))
    count = len(stream) // _SECTOR
    chain = [*range(3, 2 + count), -2] if count > 1 else [-2]
    fat = [-3, -2, *chain]  # sector 0 is the table itself, 1 the directory, the rest the stream
    fat += [-1] * (_SECTOR // 4 - len(fat))
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
        + struct.pack("<HHHHH", 62, 3, -2 & 0xFFFF, 9, 6)
        + bytes(6) + struct.pack("<IIIIIiIiI", 0, 1, 1, 0, 4096, -2, 0, -2, 0)
        + struct.pack("<i", 0) + b"\xff" * (108 * 4)
    )  # fmt: skip
    directory = (
        _entry("Root Entry", 5, child=1) + _entry("Workbook", 2, start=2, size=len(stream))
    ).ljust(_SECTOR, b"\0")
    path.write_bytes(header + struct.pack(f"<{len(fat)}i", *fat) + directory + stream)
    return path


def _entry(name: str, kind: int, child: int = -1, start: int = -2, size: int = 0) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0") + struct.pack("<HBBiii", len(encoded), kind, 1, -1, -1, child)
        + bytes(36) + struct.pack("<iII", start, size, 0)
    )  # fmt: skip


def _workbook_stream(sheets: Sheets, merged: Sequence[tuple[int, int, int, int]]) -> bytes:
    start = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    bodies = [_sheet_stream(rows, merged) for rows in sheets.values()]
    names = [struct.pack("<BB", len(name), 0) + name.encode("latin-1") for name in sheets]
    offset = len(start) + sum(4 + 6 + len(name) for name in names) + 4
    listed = b""
    for name, body in zip(names, bodies, strict=True):
        listed += _record(0x85, struct.pack("<IH", offset, 0) + name)
        offset += len(body)
    return start + listed + _record(0x0A, b"") + b"".join(bodies)


def _sheet_stream(
    rows: list[list[str | float]], merged: Sequence[tuple[int, int, int, int]]
) -> bytes:
    width = max(map(len, rows), default=0)
    body = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    body += _record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                body += _record(0x204, place + text)
            else:
                body += _record(0x203, place + struct.pack("<d", value))
    ranges = b"".join(struct.pack("<HHHH", *cells) for cells in merged)
    body += _record(0xE5, struct.pack("<H", len(merged)) + ranges) if merged else b""
    return body + _record(0x0A, b"")


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data

"""Files of answers as teachers send them, whole and damaged, and their reading in one call."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

import openpyxl
from hypothesis import strategies as st

from searchkit.core.records import Answer
from searchkit.sources.columns import Reject
from searchkit.sources.reader import read_answers

HEAD = "id,question,author,answer,score\n"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path | str, **options: object) -> list[Answer]:
    return list(read_answers([path], **options))


def rejected(path: Path, **options: object) -> tuple[list[Answer], list[Reject]]:
    bad: list[Reject] = []
    return read(path, on_reject=bad.append, **options), bad


def workbook(path: Path, rows: list[list[object]], more: dict[str, list] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, others in (more or {}).items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    book.save(path)
    return path


def rewritten(path: Path, pattern: bytes, by: bytes) -> Path:
    """Change the XML of the first sheet of a workbook."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(pattern, by, parts[sheet], flags=re.S)
    return zipped(path, parts)


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def lying(path: Path, name: str, claimed: bytes) -> Path:
    """Let an entry claim the size and the checksum of other bytes."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
    directory = data.rfind(name.encode()) - 46
    for at in (entry.header_offset + 14, directory + 16):
        data[at : at + 4] = zlib.crc32(claimed).to_bytes(4, "little")
        data[at + 8 : at + 12] = len(claimed).to_bytes(4, "little")
    return write(path, bytes(data))

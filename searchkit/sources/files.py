"""Files as bytes: their formats, and how they are opened."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.sources.columns import Columns
from searchkit.sources.decoding import buffered, text
from searchkit.sources.folders import TEXT_SUFFIXES, path_text

FORMATS = ("csv", "tsv", "json", "jsonl", "xlsx", "parquet", "sqlite", "zip", "folder")
ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xlsx",
    ".parquet": "parquet",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".zip": "zip",
}
_SIGNATURES = {
    b"PAR1": "parquet",
    b"SQLite format 3": "sqlite",
    b"PK": "xlsx",
    b"\xd0\xcf\x11": "xlsx",
}


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How files are read.

    Attributes:
        columns: Which column holds which field, where the usual names don't say.
        encoding: The encoding of text files; None takes the byte order mark's, or else UTF-8.
        sheet: The sheet of a workbook; None takes the only one that isn't empty.
        table: The table or view of a SQLite database; None takes the only one.
        format: One of `FORMATS`; None goes by the file's ending, for standard input by its first
            bytes.
    """

    columns: Columns = field(default_factory=Columns)
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    format: str | None = None


def format_by_name(path: Path) -> str:
    """Return the format of a file by its ending; a file that doesn't exist is taken for CSV.

    Raises:
        BadInput: if the ending is not one of `ENDINGS`.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in ENDINGS or not path.exists():
        return ENDINGS.get(suffix, "csv")
    if suffix in TEXT_SUFFIXES:
        raise BadInput(f"{path_text(path)}: a text by itself; name the folder that holds it")
    raise BadInput(
        Message(
            "{path}: what kind of file is it? name it: `format={formats}`",
            path=path_text(path),
            formats="|".join(FORMATS),
        )
    )


def format_by_content(start: bytes) -> str:
    """Return the format of a file by its first bytes: CSV if they are no other format's."""
    for signature, format in _SIGNATURES.items():
        if start.startswith(signature):
            return format
    # Without byte order marks and the zeros of UTF-16 and UTF-32, JSON begins as in ASCII.
    beginning = start.translate(None, b"\0\xef\xbb\xbf\xff\xfe").lstrip()
    return "jsonl" if beginning.startswith((b"{", b"[")) else "csv"


def is_folder(path: Path) -> bool:
    """Whether a path is a folder.

    Raises:
        BadInput: if it can't be found out.
    """
    try:
        return path.is_dir()
    except OSError as error:  # its name is too long, or a folder above it is locked
        raise BadInput(f"{path_text(path)}: can't be read ({error.strerror})") from None


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return the whole text of a file.

    Raises:
        BadInput: if it can't be read or decoded; the message names the byte and its line.
    """
    with opened(path) as file:
        return text(buffered(file), path_text(path), encoding)


def check_file(path: Path) -> None:
    """Raise BadInput unless a path is a regular file."""
    if not path.exists():
        raise BadInput(f"{path_text(path)}: no such file")
    if not path.is_file():
        raise BadInput(f"{path_text(path)}: not a file; pipe it in, and write - for its name")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacking .gz.

    Raises:
        BadInput: if it can't be read, or was changed while it was read.
    """
    check_file(path)
    with naming_file(path_text(path)), path.open("rb") as raw:
        before = _version(raw)
        with gzip.open(raw) if path.suffix.lower() == ".gz" else raw as file:
            yield cast(BinaryIO, file)
            if not raw.closed and _version(raw) != before:
                raise BadInput(f"{path_text(path)}: changed while it was read; run it again")


@contextmanager
def naming_file(source: str) -> Iterator[None]:
    """Turn errors of reading and unpacking into a BadInput that names the file."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{source}: not a complete .gz file ({error}); create it again") from None
    except OSError as error:
        raise BadInput(f"{source}: can't be read ({error.strerror or error})") from None


def _version(file: IO[bytes]) -> tuple[int, int]:
    """Return a file's size and time of change, to notice a change while it is read."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns

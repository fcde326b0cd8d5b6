"""Files as bytes: their formats, how they are opened, and how much they may unpack to."""

from __future__ import annotations

import gzip
import io
import logging
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, BinaryIO, Literal, cast

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, path_text
from searchkit.sources.columns import Columns
from searchkit.sources.decoding import MAX_LINE_BYTES, buffered, lines

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

log = logging.getLogger("searchkit")
FORMATS = (
    "csv",
    "tsv",
    "json",
    "jsonl",
    "xlsx",
    "parquet",
    "sqlite",
    "xml",
    "zip",
    "folder",
    "document",
)
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
    ".ods": "xlsx",
    ".parquet": "parquet",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".xml": "xml",
    ".zip": "zip",
}
MAX_TEXT_BYTES = MAX_LINE_BYTES  # of one text
MAX_DOCUMENT_BYTES = 1 << 30  # of what is held in memory as a whole, unpacked
MAX_STREAM_BYTES = 1 << 36  # of a .gz that is read row by row, unpacked
MAX_RATIO = 100  # of unpacked to packed bytes; texts reach 5, tables of short answers 50
CHUNK_BYTES = 1 << 20  # that are read at a time
HARMLESS_BYTES = 4 << 20  # unpacked, which may have any ratio
SIGNATURE_BYTES = 512  # that show what a file is
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SIGNATURES = {
    b"PAR1": "parquet",
    b"SQLite format 3": "sqlite",
    b"PK": "xlsx",
    b"\xd0\xcf\x11": "xlsx",
}


class NothingFound(BadInput):
    """A file that can be read, and in which there is nothing."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How files are read.

    Attributes:
        columns: Which column holds which field, where the usual names don't say.
        encoding: The encoding of text files; None takes the byte order mark's, or else UTF-8, or
            what the bytes show.
        sheet: The sheet of a workbook; None takes the only one that isn't empty.
        table: The table or view of a SQLite database; None takes the only one.
        format: One of `FORMATS`; None goes by the file's ending, for standard input by its first
            bytes.
        platform: The only export of a platform to try, one of `platforms.formats.NAMES`; None
            recognises each.
        quoting: Whether double quotes enclose the cells of CSV and TSV (`standard`) or are parts of
            the texts (`none`); None finds out.
        skip_rows: Number of rows above that with the columns' names; None finds out.
        records: The path of the rows in a JSON document, such as `data.items`; None finds out.
        question_from: `filename` takes a table's name, without its ending, as the question.
        encodings: The encodings of single files, by their paths or names.
        folder_is: What the folders in a folder or zip are; None proposes it from their names.
        suffixes: More suffixes of text files, in lower case with their dots.
    """

    columns: Columns = field(default_factory=Columns)
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    format: str | None = None
    platform: str | None = None
    quoting: Literal["standard", "none"] | None = None
    skip_rows: int | None = None
    records: str | None = None
    question_from: Literal["filename"] | None = None
    encodings: Mapping[str, str] = field(default_factory=dict)
    folder_is: Literal["author", "question", "none"] | None = None
    suffixes: tuple[str, ...] = ()

    def encoding_of(self, source: str) -> str | None:
        """Return the encoding of a file, by its path or name; None if it isn't known."""
        named = self.encodings.get(source) or self.encodings.get(PurePath(source).name)
        return named or self.encoding


def format_by_name(path: Path, is_text: Callable[[str], bool] = lambda _: False) -> str:
    """Return the format of a file by its ending; a file that doesn't exist is taken for CSV.

    Args:
        path: The file.
        is_text: Whether a name is that of a text or document, if it is none of `ENDINGS`.

    Raises:
        BadInput: if the ending is not one of `ENDINGS`.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in ENDINGS or not path.exists():
        return ENDINGS.get(suffix, "csv")
    if is_text(path.name):
        return "document"
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
    if beginning.startswith(b"<"):
        return "xml"
    return "jsonl" if beginning.startswith((b"{", b"[")) else "csv"


def real_format(
    format: str,
    file: io.BufferedReader,
    source: str,
    say: Callable[[str], None] = log.warning,
) -> str:
    """Return the format of a table whose ending names the other kind of CSV and workbook.

    Some platforms give a CSV the ending of a workbook, and people rename workbooks.

    Args:
        format: The format by the file's ending.
        file: The file, at its beginning, where it is left.
        source: Its name for messages.
        say: Called with a message if it has another format.

    Raises:
        BadInput: if it is a web page with the ending of a workbook.
    """
    start = file.peek(SIGNATURE_BYTES)[:SIGNATURE_BYTES]
    is_workbook = start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    if format in ("csv", "tsv") and is_workbook:
        say(f"{source}: a workbook, though its name doesn't say so")
        return "xlsx"
    is_text = start.startswith(_UTF16_MARKS) or b"\0" not in start
    if format != "xlsx" or start.startswith(b"PK") or is_workbook or not start or not is_text:
        return format
    if format_by_content(start) == "xml":
        raise BadInput(
            f"{source}: a web page or XML, no workbook; open it in a spreadsheet program, and save "
            "it as .xlsx"
        )
    say(f"{source}: no workbook, though its name says so; read as CSV")
    return "csv"


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
        BadInput: if it is too large, or can't be read or decoded; the message names the byte and
            its line.
    """
    source = path_text(path)
    with opened(path) as file:
        return "".join(limited(lines(buffered(file), source, encoding), MAX_TEXT_BYTES, source))


def limited(
    lines: Iterable[str], max_length: int, source: str, advice: str = "split it"
) -> Iterator[str]:
    """Yield the lines of a text that is to be held in memory as a whole.

    Raises:
        BadInput: if they have more than `max_length` characters together.
    """
    length = 0
    for line in lines:
        length += len(line)
        if length > max_length:
            raise BadInput(f"{source}: larger than {max_length:,} characters; {advice}")
        yield line


def in_memory(file: BinaryIO, source: str) -> io.BytesIO:
    """Return the content of a stream as a seekable file.

    Raises:
        BadInput: if it is larger than `MAX_DOCUMENT_BYTES`.
    """
    content = io.BytesIO()
    while chunk := file.read(CHUNK_BYTES):
        content.write(chunk)
        if content.tell() > MAX_DOCUMENT_BYTES:
            size = f"{MAX_DOCUMENT_BYTES:,}"
            raise BadInput(f"{source}: larger than {size} bytes; unpack it, and name its path")
    content.seek(0)
    return content


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
        yield unpacked(raw, path_text(path)) if path.suffix.lower() == ".gz" else raw
        if _version(raw) != before:
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


def file_size(file: IO[bytes]) -> int:
    """Return the size of a seekable file, which is left at its beginning."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def _version(file: IO[bytes]) -> tuple[int, int]:
    """Return a file's size and time of change, to notice a change while it is read."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


# -- unpacking -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Allowance:
    """How much a file may unpack to, as a protection against zip bombs.

    Attributes:
        source: The file's name for errors.
        advice: What to do about a file that unpacks to more.
        packed_bytes: Size of the file, or of what has been read of it.
        max_bytes: Upper bound of the unpacked size.
        harmless_bytes: Unpacked size from which on `MAX_RATIO` holds.
        unpacked_bytes: What it has unpacked to so far.
    """

    source: str
    advice: str
    packed_bytes: int = 0
    max_bytes: int = MAX_DOCUMENT_BYTES
    harmless_bytes: int = HARMLESS_BYTES
    unpacked_bytes: int = 0

    def spend(self, count: int) -> None:
        """Count unpacked bytes.

        Raises:
            BadInput: if there are more than the file may unpack to.
        """
        self.unpacked_bytes += count
        if self.unpacked_bytes > self.max_bytes:
            reason = f"more than {self.max_bytes:,} bytes"
        elif self.unpacked_bytes > max(self.harmless_bytes, MAX_RATIO * self.packed_bytes):
            reason = f"more than {MAX_RATIO} times its size"
        else:
            return
        raise BadInput(f"{self.source}: unpacks to {reason}; {self.advice}")


def unpacked(packed: BinaryIO, source: str) -> io.BufferedReader:
    """Return what a .gz stream unpacks to; it is unpacked while it is read, and can't be sought."""
    allowance = Allowance(source, "unpack it first if you trust it", max_bytes=MAX_STREAM_BYTES)
    return buffered(cast(BinaryIO, _Unpacked(packed, allowance)))


class _Packed(io.RawIOBase):
    """Counts the packed bytes that are read."""

    def __init__(self, file: BinaryIO, allowance: Allowance) -> None:
        self._file = file
        self._allowance = allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = cast(io.BufferedReader, self._file).readinto(buffer)
        self._allowance.packed_bytes += count
        return count


class _Unpacked(io.RawIOBase):
    """Counts the unpacked bytes, and refuses too many."""

    def __init__(self, packed: BinaryIO, allowance: Allowance) -> None:
        self._file = gzip.GzipFile(fileobj=_Packed(packed, allowance))
        self._allowance = allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = self._file.readinto(buffer)
        self._allowance.spend(count)
        return count

"""Files of any kind into answers: one stream, and every error with its file and line."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from searchkit.columns import BadRow, Columns, Reject, Rows
from searchkit.delimited import read_delimited
from searchkit.errors import BadInput
from searchkit.folders import read_folder, read_zip
from searchkit.jsonfiles import as_values, read_json
from searchkit.sheets import OddCell, read_xlsx
from searchkit.tables import read_parquet, read_sqlite
from searchkit.textlines import buffered, lines
from searchkit.types import Answer

FORMATS = ("csv", "tsv", "json", "jsonl", "xlsx", "parquet", "sqlite", "zip", "folder")
ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".json": "json", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xlsx", ".parquet": "parquet",
    ".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".zip": "zip",
}  # fmt: skip
STDIN = "-"

Skip = Callable[[str], None]
OnReject = Callable[[Reject], None]


def read_answers(
    paths: Sequence[str | Path],
    *,
    columns: Columns | None = None,
    format: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    table: str | None = None,
    on_reject: OnReject | None = None,
    on_skip: Skip | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Answer]:
    """Stream the answers of files, in order; memory does not grow with CSV, JSONL or Parquet.

    The columns are found by their usual names (`columns.USUAL`); every other one goes to `meta`.
    Without an id column the id is `question/author`, or else the file's name and the line.

    Args:
        paths: Files, folders or zips of text files; `-` is standard input. `.gz` is unpacked.
        columns: Which column holds what, where the usual names don't say.
        format: One of `FORMATS`; None goes by the file's ending, for stdin by its first bytes.
        encoding: Of text files; None takes the mark at the beginning, or else UTF-8.
        sheet: Which sheet of a workbook.
        table: Which table of a SQLite database.
        on_reject: Called with each row that can't be used; None raises for the first.
        on_skip: Told of each file of a folder or zip that is no text.
        stdin: What to read for `-`; None is the process's own.

    Raises:
        BadInput: `file:line: what; what to do`.
    """
    reader = _Reader(Rows(columns or Columns()), encoding, sheet, table, on_reject, on_skip)
    if format is not None and format not in FORMATS:
        raise BadInput(f"no format {format!r}; there are: {', '.join(FORMATS)}")
    for path in paths:
        if str(path) == STDIN:
            yield from reader.stdin(stdin or sys.stdin.buffer, format)
        else:
            yield from reader.path(Path(path), format)


def shown(path: Path) -> str:
    """Give a path as text; bytes of its name that are not UTF-8 are spelled out."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def count_rows(path: str | Path) -> int | None:
    """Count the rows of a file where that is cheap, for a progress bar; None where it isn't."""
    path = Path(path)
    if not path.is_file() or ENDINGS.get(path.suffix.lower()) not in ("csv", "tsv", "jsonl"):
        return None
    rows, quoted = 0, False
    with path.open("rb") as file:
        for line in file:
            quoted ^= line.count(b'"') % 2 == 1
            rows += not quoted
    return rows if path.suffix.lower() == ".jsonl" else max(rows - 1, 0)


class _Reader:
    """Reads one path after another with the same options."""

    def __init__(
        self, rows: Rows, encoding: str | None, sheet: str | None, table: str | None,
        on_reject: OnReject | None, on_skip: Skip | None,
    ) -> None:  # fmt: skip
        self.rows = rows
        self.encoding = encoding
        self.sheet = sheet
        self.table = table
        self.on_reject = on_reject
        self.on_skip = on_skip or (lambda _: None)

    def path(self, path: Path, format: str | None) -> Iterator[Answer]:
        if path.is_dir() and format in (None, "folder"):
            yield from self._texts(read_folder(path, self.on_skip), shown(path))
            return
        form = format or _format_by_name(path)
        if form == "sqlite":
            _check_file(path)
            rows = read_sqlite(path, self._bad(shown(path)), self.table)
            yield from self._answers(rows, shown(path), lambda values: values)
            return
        with _opened(path) as file:
            yield from self._stream(file, shown(path), form)

    def stdin(self, file: BinaryIO, format: str | None) -> Iterator[Answer]:
        ahead = buffered(file)
        form = format or _format_by_content(ahead.peek(16))
        if form in ("folder", "sqlite"):
            raise BadInput(f"-: {form} can't come from standard input; name its path")
        yield from self._stream(ahead, STDIN, form)

    def _stream(self, file: BinaryIO, source: str, form: str) -> Iterator[Answer]:
        bad = self._bad(source)
        if form in ("csv", "tsv"):
            delimiter = "\t" if form == "tsv" else None
            rows = read_delimited(self._lines(file, source), source, bad, delimiter)
            return self._answers(rows, source, self._cells)
        if form in ("json", "jsonl"):
            return self._answers(read_json(self._lines(file, source), source, bad), source,
                                 self._json)  # fmt: skip
        whole = file if file.seekable() else io.BytesIO(file.read())
        if form == "xlsx":
            return self._answers(read_xlsx(whole, source, self.sheet), source, self._shown_cells)
        if form == "parquet":
            return self._answers(read_parquet(whole, source), source, lambda values: values)
        return self._texts(read_zip(whole, source, self.on_skip), source)

    def _lines(self, file: BinaryIO, source: str) -> Iterator[str]:
        return lines(buffered(file), source, self.encoding)

    def _cells(self, values: dict[str, Any]) -> dict[str, str | None]:
        """An empty cell is a blank text, and nothing in any other column."""
        text = self.rows.roles(tuple(values))["text"]
        return {n: v if v != "" or n == text else None for n, v in values.items()}

    def _shown_cells(self, values: dict[str, Any]) -> dict[str, str | None]:
        """A blank cell is a blank text; an error, or a formula without a value, is no text."""
        text = self.rows.roles(tuple(values))["text"]
        if isinstance(values[text], OddCell):
            shown = values[text] or "a formula without a stored value"
            raise BadRow(f"the text's cell shows {shown}; mend it in the workbook and save it")
        shown_cells = {n: None if v == "" else v for n, v in values.items()}
        return {**shown_cells, text: values[text] or ""}

    def _json(self, row: dict[str, Any]) -> dict[str, str | None]:
        return as_values(row, self.rows.roles(tuple(row))["text"])

    def _answers(
        self, rows: Iterator[tuple[int, dict[str, Any]]], source: str,
        values: Callable[[dict[str, Any]], dict[str, str | None]],
    ) -> Iterator[Answer]:  # fmt: skip
        bad = self._bad(source)
        for line, row in rows:
            try:
                answer = self.rows.answer(values(row), source, line)
            except BadRow as error:
                bad(line, str(error), str(row))
            else:
                yield answer

    def _texts(self, files: Iterator[tuple[str, str, IO[bytes]]], source: str) -> Iterator[Answer]:
        found = False
        for name, question, file in files:
            found = True
            where = f"{source}/{name}"
            try:
                text = "".join(lines(buffered(file), where, self.encoding))  # type: ignore[arg-type]
                if "\0" in text:
                    raise BadInput(f"{where}: binary, not text")
            except BadInput as error:
                if self.on_reject is None:
                    raise
                reason = str(error).removeprefix(f"{where}: ")
                self.on_reject(Reject(where, None, reason, ""))
            else:
                yield Answer(name, text, question or None, None, source=where)
        if not found:
            raise BadInput(f"{source}: no text files in it")

    def _bad(self, source: str) -> Callable[[int | None, str, str], None]:
        def bad(line: int | None, reason: str, row: str) -> None:
            if self.on_reject is None:
                raise BadInput.at(source, line, reason)
            self.on_reject(Reject(source, line, reason, row))

        return bad


def _format_by_name(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    form = ENDINGS.get(suffixes[-1] if suffixes else "")
    if form is None and path.exists():
        raise BadInput(
            f"{path}: what kind of file is it? name it: --input-format {'|'.join(FORMATS)}"
        )
    return form or "csv"


def _format_by_content(start: bytes) -> str:
    marks = {b"PAR1": "parquet", b"SQLite format 3": "sqlite", b"PK\x03\x04": "xlsx"}
    for mark, form in marks.items():
        if start.startswith(mark):
            return form
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return "jsonl" if text.startswith((b"{", b"[")) else "csv"


def _check_file(path: Path) -> None:
    if not path.exists():
        raise BadInput(f"{path}: no such file")
    if not path.is_file():
        raise BadInput(f"{path}: not a file")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacking .gz; refuse it if it changed while it was read."""
    _check_file(path)
    try:
        with path.open("rb") as raw:
            before = _version(raw)
            with gzip.open(raw) if path.suffix.lower() == ".gz" else raw as file:
                yield file  # type: ignore[misc]
                if not raw.closed and _version(raw) != before:
                    raise BadInput(f"{path}: changed while it was read; run it again")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{path}: not a whole .gz file ({error})") from None
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror or error})") from None


def _version(file: IO[bytes]) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


__all__ = ["FORMATS", "Columns", "Reject", "count_rows", "read_answers"]

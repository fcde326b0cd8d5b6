"""Files of any kind into answers: one stream, and every error with its file and line."""

from __future__ import annotations

import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.core.wording import Message
from searchkit.sources import tables, workbook
from searchkit.sources.columns import BadRow, Columns, Reject, Rows, folded
from searchkit.sources.decoding import buffered, lines, text
from searchkit.sources.delimited import read_delimited
from searchkit.sources.folders import SUFFIXES, read_folder, read_zip, shown
from searchkit.sources.jsonlines import as_json, as_values, read_json
from searchkit.sources.tables import read_parquet, read_sqlite, rows_of_parquet
from searchkit.sources.workbook import is_workbook, read_xlsx

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
    """Stream the answers of files, in order.

    Memory does not grow with the rows of CSV, TSV, JSONL, Parquet and SQLite, but for the ids that
    are made; a JSON array and a workbook are held whole.

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
        if not str(path):
            raise BadInput("a file's name is empty; name a file, a folder or -")
        if str(path) == STDIN:
            yield from reader.stdin(stdin or sys.stdin.buffer, format)
        else:
            yield from reader.path(Path(path), format)


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a file.

    Attributes:
        names: Its columns; none for a folder or a zip of texts.
        roles: Which of them holds which field.
        answers: The first ones.
        problem: Why there are no more, or none; None if nothing is wrong so far.
    """

    names: tuple[str, ...]
    roles: dict[str, str]
    answers: list[Answer]
    problem: str | None


def preview(
    path: str | Path,
    columns: Columns | None = None,
    count: int = 5,
    *,
    encoding: str | None = None,
    sheet: str | None = None,
    table: str | None = None,
) -> Preview:
    """Read the beginning of a file, to see whether its columns are taken for what they are."""
    rows = Rows(columns or Columns())
    reader = _Reader(rows, encoding, sheet, table, None, None)
    answers: list[Answer] = []
    problem = None
    try:
        for answer in islice(reader.path(Path(path), None), count):
            answers.append(answer)
    except BadInput as error:
        problem = error.message
    roles = rows.roles(rows.names) if answers and rows.names else {}
    return Preview(rows.names, roles, answers, problem)


def read_columns(
    paths: Sequence[str | Path],
    text: str,
    others: Sequence[str],
    *,
    encoding: str | None = None,
    sheet: str | None = None,
) -> list[tuple[Answer, list[str]]]:
    """Read rows of which several columns are needed, by their names, in any case.

    Args:
        paths: As for `read_answers`.
        text: The column that is each answer's text.
        others: The other columns.
        encoding: As for `read_answers`.
        sheet: As for `read_answers`.

    Returns:
        For each row its answer, and what stands in the others; "" for an empty cell.

    Raises:
        BadInput: as `read_answers`, or if a file lacks a column (which ones are there), or no row
            is in it.
    """
    with fixed_columns():
        read = read_answers(paths, columns=Columns(text=text), encoding=encoding, sheet=sheet)
        answers = list(read)
    if not answers:
        raise BadInput(f"{', '.join(map(str, paths))}: no rows in it")
    found: list[tuple[Answer, list[str]]] = []
    for _, some in groupby(answers, key=lambda answer: answer.source):
        of_file = list(some)
        names = [_beside(of_file, text, name) for name in others]
        found += [(answer, [answer.meta.get(name, "") for name in names]) for answer in of_file]
    return found


@contextmanager
def fixed_columns() -> Iterator[None]:
    """Don't name in an error the option for a column whose name can't be chosen."""
    try:
        yield
    except BadInput as error:
        raise BadInput(re.sub(r" \(`columns\.[a-z_]+`\)", "", str(error), count=1)) from None


def _beside(answers: Sequence[Answer], text: str, wanted: str) -> str:
    """Find a column beside the text; a row doesn't have those that are empty in it."""
    there = list(dict.fromkeys(name for answer in answers for name in answer.meta))
    alike = [name for name in there if folded(name) == folded(wanted)]
    if wanted in there or len(alike) == 1:
        return wanted if wanted in there else alike[0]
    fields = ("question", "author", "submitted_at")
    there += [name for name in fields if any(getattr(answer, name) for answer in answers)]
    reason = f"no column {wanted!r} with anything in it; there are: {', '.join([text, *there])}"
    raise BadInput.at(answers[0].source or STDIN, answers[0].line, reason)


def count_rows(path: str | Path) -> int | None:
    """Count the rows of a CSV, TSV, JSONL or Parquet file, for a progress bar.

    The count is the one of the rows that `read_answers` will come to, good and bad; it takes a
    microsecond a row. None for other files, and for those that can't be read.
    """
    path = Path(path)
    try:
        form = _format_by_name(path)
        with _opened(path) as file:
            return _count(file, form)
    except BadInput:
        return None


def _count(file: BinaryIO, form: str) -> int | None:
    if form == "parquet":
        return rows_of_parquet(file, "")
    # In Latin-1 every byte is a character; which one doesn't matter for counting.
    texts = lines(buffered(file), "", "latin-1")
    bad: list[int | None] = []
    if form in ("csv", "tsv"):
        delimiter = "\t" if form == "tsv" else None
        rows = read_delimited(texts, "", lambda line, *_: bad.append(line), delimiter)
        return sum(1 for _ in rows) + len(bad)
    if form == "jsonl":
        first = next((line for line in texts if line.strip()), "[")
        return None if first.lstrip().startswith("[") else 1 + sum(1 for t in texts if t.strip())
    return None


class _Reader:
    """Reads one path after another with the same options."""

    def __init__(
        self,
        rows: Rows,
        encoding: str | None,
        sheet: str | None,
        table: str | None,
        on_reject: OnReject | None,
        on_skip: Skip | None,
    ) -> None:
        self.rows = rows
        self.encoding = encoding
        self.sheet = sheet
        self.table = table
        self.on_reject = on_reject
        self.on_skip = on_skip or (lambda _: None)

    def path(self, path: Path, format: str | None) -> Iterator[Answer]:
        source = shown(path)
        folder = _is_folder(path)
        if folder and format in (None, "folder"):
            yield from self._texts(read_folder(path, self.on_skip), source)
            return
        if folder or format == "folder":
            what = "a folder" if folder else "no folder"
            raise BadInput(
                Message("{source}: {what}; leave out `format`", source=source, what=what)
            )
        form = format or _format_by_name(path)
        if form == "sqlite":
            _check_file(path)
            rows = read_sqlite(path, source, self.table)
            yield from self._answers(rows, source, self._typed)
            return
        with _opened(path) as file:
            yield from self._stream(file, source, form)

    def stdin(self, file: BinaryIO, format: str | None) -> Iterator[Answer]:
        ahead = buffered(file)
        with _readable(STDIN):
            if ahead.peek(2).startswith(b"\x1f\x8b"):
                ahead = buffered(cast(BinaryIO, gzip.open(ahead)))
            form = format or _format_by_content(ahead.peek(64))
            if form in ("folder", "sqlite"):
                raise BadInput(f"-: {form} can't come from standard input; name its path")
            if form == "zip" or (form == "xlsx" and not format):
                whole = io.BytesIO(ahead.read())
                form = format or ("xlsx" if is_workbook(whole) else "zip")
                yield from self._stream(whole, STDIN, form)
            else:
                yield from self._stream(ahead, STDIN, form)

    def _stream(self, file: BinaryIO, source: str, form: str) -> Iterator[Answer]:
        bad = self._bad(source)
        if form in ("csv", "tsv"):
            delimiter = "\t" if form == "tsv" else None
            rows = read_delimited(self._lines(file, source), source, bad, delimiter)
            return self._answers(rows, source, self._cells)
        if form in ("json", "jsonl"):
            objects = read_json(self._lines(file, source), source, bad)
            return self._answers(objects, source, self._json)
        whole = file if file.seekable() else io.BytesIO(file.read())
        if form == "xlsx":
            return self._answers(read_xlsx(whole, source, self.sheet), source, self._shown_cells)
        if form == "parquet":
            return self._answers(read_parquet(whole, source), source, self._typed)
        return self._texts(read_zip(whole, source, self.on_skip), source)

    def _lines(self, file: BinaryIO, source: str) -> Iterator[str]:
        return lines(buffered(file), source, self.encoding)

    def _cells(self, values: dict[str, Any]) -> dict[str, str | None]:
        """An empty cell is a blank text, and nothing in any other column."""
        text = self.rows.roles(tuple(values))["text"]
        return {n: v if v != "" or n == text else None for n, v in values.items()}

    def _shown_cells(self, values: dict[str, Any]) -> dict[str, str | None]:
        roles = self.rows.roles(tuple(values))
        return workbook.as_values(values, roles["text"], roles.get("id"))

    def _typed(self, row: dict[str, Any]) -> dict[str, str | None]:
        return tables.as_values(row, self.rows.roles(tuple(row))["text"])

    def _json(self, row: dict[str, Any]) -> dict[str, str | None]:
        return as_values(row, self.rows.roles(tuple(row))["text"])

    def _answers(
        self,
        rows: Iterator[tuple[int, dict[str, Any]]],
        source: str,
        values: Callable[[dict[str, Any]], dict[str, str | None]],
    ) -> Iterator[Answer]:
        bad = self._bad(source)
        for line, row in rows:
            try:
                answer = self.rows.answer(values(row), source, line)
            except BadRow as error:
                bad(line, error.reason, _as_one_text(row))
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
                    raise BadInput.at(where, None, "binary, not text")
            except BadInput as error:
                if self.on_reject is None:
                    raise
                reason = error.what if error.line is None else None
                self.on_reject(Reject(where, None, reason or error.message, ""))
            else:
                yield Answer(name, text, question or None, None, source=where)
        if not found:
            raise BadInput(
                f"{source}: no text files in it; their names end in .txt, .md, .java, .py … "
                "(name a spreadsheet by its own path)"
            )

    def _bad(self, source: str) -> Callable[[int | None, str, str], None]:
        def bad(line: int | None, reason: str, row: str) -> None:
            if self.on_reject is None:
                raise BadInput.at(source, line, reason)
            self.on_reject(Reject(source, line, reason, row))

        return bad


def _as_one_text(row: dict[str, Any]) -> str:
    try:
        return as_json(row)
    except TypeError:  # bytes
        return str(row)
    except RecursionError:
        return str(list(row))


def _format_by_name(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in ENDINGS or not path.exists():
        return ENDINGS.get(suffix, "csv")
    if suffix in SUFFIXES:
        raise BadInput(f"{shown(path)}: a text by itself; name the folder that holds it")
    raise BadInput(
        Message(
            "{path}: what kind of file is it? name it: `format={formats}`",
            path=shown(path),
            formats="|".join(FORMATS),
        )
    )


def _format_by_content(start: bytes) -> str:
    marks = {
        b"PAR1": "parquet",
        b"SQLite format 3": "sqlite",
        b"PK": "xlsx",
        b"\xd0\xcf\x11": "xlsx",
    }
    for mark, form in marks.items():
        if start.startswith(mark):
            return form
    # Without marks and the zeros of wide characters, JSON begins as it does in ASCII.
    text = start.translate(None, b"\0\xef\xbb\xbf\xff\xfe").lstrip()
    return "jsonl" if text.startswith((b"{", b"[")) else "csv"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # its name is too long, or a folder above it is locked
        raise BadInput(f"{shown(path)}: can't be read ({error.strerror})") from None


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return the whole text of a file.

    Raises:
        BadInput: if it can't be read or decoded; which byte of which line.
    """
    with _opened(path) as file:
        return text(buffered(file), shown(path), encoding)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise BadInput(f"{shown(path)}: no such file")
    if not path.is_file():
        raise BadInput(f"{shown(path)}: not a file; pipe it in, and say - for its name")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacking .gz; refuse it if it changed while it was read."""
    _check_file(path)
    with _readable(shown(path)), path.open("rb") as raw:
        before = _version(raw)
        with gzip.open(raw) if path.suffix.lower() == ".gz" else raw as file:
            yield cast(BinaryIO, file)
            if not raw.closed and _version(raw) != before:
                raise BadInput(f"{shown(path)}: changed while it was read; run it again")


@contextmanager
def _readable(source: str) -> Iterator[None]:
    """Make errors of reading, and of unpacking, errors that name the file."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{source}: not a whole .gz file ({error}); make it anew") from None
    except OSError as error:
        raise BadInput(f"{source}: can't be read ({error.strerror or error})") from None


def _version(file: IO[bytes]) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns

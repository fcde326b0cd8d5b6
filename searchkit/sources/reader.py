"""Answers from files of any format, as one stream; an error names the file and the line."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, path_text, printable
from searchkit.core.records import Answer
from searchkit.sources.columns import BadRow, Columns, Reject, RejectRow, Rows, Values
from searchkit.sources.decoding import buffered, lines
from searchkit.sources.files import (
    FORMATS,
    MAX_DOCUMENT_BYTES,
    FileOptions,
    NothingFound,
    check_file,
    format_by_content,
    format_by_name,
    in_memory,
    is_folder,
    naming_file,
    opened,
    unpacked,
)
from searchkit.sources.folders import OnSkip, read_folder, read_zip
from searchkit.sources.tables import jsonlines, parquet, sqlite, values, workbook
from searchkit.sources.tables.delimited import read_delimited

log = logging.getLogger("searchkit")
STDIN = "-"
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
    on_skip: OnSkip | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Answer]:
    """Stream the answers of files, in order.

    The columns are found by their usual names (`columns.USUAL_NAMES`); all others go to `meta`.
    Without an id column the id follows from question, author and text; see `identity.make_id`.

    CSV, TSV, JSON Lines, Parquet and SQLite are read in bounded memory, except for the generated
    ids, which are remembered; a JSON array and a workbook are held in memory as a whole.

    Args:
        paths: Files, folders or zips of text files; `-` is standard input. `.gz` is unpacked.
        columns: Which column holds which field, where the usual names don't say.
        format: One of `FORMATS`; None goes by the file's ending, for standard input by its first
            bytes.
        encoding: The encoding of text files; None takes the byte order mark's, or else UTF-8.
        sheet: The sheet of a workbook; None takes the only one that isn't empty.
        table: The table or view of a SQLite database; None takes the only one.
        on_reject: Called with each row that can't be used; None raises for the first one.
        on_skip: Called with a message for each file of a folder or zip that is not a text.
        stdin: The stream to read for `-`; None is the process's standard input.

    Raises:
        BadInput: `file:line: what; what to do`; also if there is nothing in any of the files. If
            there is nothing in some of them, a warning names each.
    """
    options = FileOptions(columns or Columns(), encoding, sheet, table, format)
    return read_files(paths, options, on_reject=on_reject, on_skip=on_skip, stdin=stdin)


def read_files(
    paths: Sequence[str | Path],
    options: FileOptions,
    *,
    on_reject: OnReject | None = None,
    on_skip: OnSkip | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Answer]:
    """Stream the answers of files, in order; as `read_answers`, with the options as one value."""
    if options.format is not None and options.format not in FORMATS:
        raise BadInput(f"no format {options.format!r}; there are: {', '.join(FORMATS)}")
    reader = _Reader(options, on_reject, on_skip)
    empty: list[NothingFound] = []
    for path in paths:
        if not str(path):
            raise BadInput("a file's name is empty; name a file, a folder or -")
        try:
            if str(path) == STDIN:
                yield from reader.read_stdin(stdin or sys.stdin.buffer)
            else:
                yield from reader.read_path(Path(path))
        except NothingFound as error:
            empty.append(error)
    if empty and len(empty) == len(paths):
        raise empty[0]
    for nothing in empty:
        log.warning(nothing.message)


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a file.

    Attributes:
        names: The names of its columns; empty for a folder or a zip of texts.
        roles: Field to the column that holds it.
        answers: The first answers.
        problem: Why there are no more answers; None if nothing is wrong so far.
    """

    names: tuple[str, ...]
    roles: dict[str, str]
    answers: list[Answer]
    problem: str | None


def preview(path: str | Path, options: FileOptions, count: int = 5) -> Preview:
    """Read the first `count` answers of a file, to show which column is taken for which field."""
    reader = _Reader(options)
    answers: list[Answer] = []
    problem = None
    try:
        for answer in islice(reader.read_path(Path(path)), count):
            answers.append(answer)
    except BadInput as error:
        problem = error.message
    rows = reader.rows
    roles: dict[str, str] = {}
    if answers and rows.names:
        with suppress(BadRow):  # in JSON each row may have other names
            roles = rows.roles(rows.names)
    return Preview(rows.names, roles, answers, problem)


def count_rows(path: str | Path) -> int | None:
    """Count the rows of a CSV, TSV, JSON Lines or Parquet file, for a progress bar.

    The count includes the rows that `read_answers` rejects; it takes about a microsecond a row.
    It is None for other formats, and for files that can't be read.
    """
    path = Path(path)
    try:
        format = format_by_name(path)
        with opened(path) as file:
            return _count(file, format)
    except BadInput:
        return None


def _count(file: BinaryIO, format: str) -> int | None:
    if format == "parquet":
        return parquet.count_parquet_rows(file, "")
    # In Latin-1 every byte is a character; for counting it doesn't matter which.
    texts = lines(buffered(file), "", "latin-1")
    bad_lines: list[int | None] = []
    if format in ("csv", "tsv"):
        rows = read_delimited(
            texts, "", lambda line, *_: bad_lines.append(line), _delimiter(format)
        )
        return sum(1 for _ in rows) + len(bad_lines)
    if format == "jsonl":
        first = next((line for line in texts if line.strip()), "[")
        return None if first.lstrip().startswith("[") else 1 + sum(1 for t in texts if t.strip())
    return None


def _delimiter(format: str) -> str | None:
    return "\t" if format == "tsv" else None


class _Reader:
    """Reads one path after another with the same options."""

    def __init__(
        self,
        options: FileOptions,
        on_reject: OnReject | None = None,
        on_skip: OnSkip | None = None,
    ) -> None:
        self.rows = Rows(options.columns)
        self.options = options
        self.on_reject = on_reject
        self.on_skip = on_skip or (lambda _: None)
        self.num_rejected = 0

    def read_path(self, path: Path) -> Iterator[Answer]:
        source = path_text(path)
        format = self.options.format
        folder = is_folder(path)
        if folder and format in (None, "folder"):
            yield from self._texts(read_folder(path, self.on_skip), source)
            return
        if folder or format == "folder":
            what = "a folder" if folder else "no folder"
            raise BadInput(
                Message("{source}: {what}; leave out `format`", source=source, what=what)
            )
        format = format or format_by_name(path)
        if format == "sqlite":
            check_file(path)
            rows = sqlite.read_sqlite(path, source, self.options.table)
            yield from self._answers(rows, source, self._table_values)
            return
        with opened(path) as file:
            yield from self._stream(file, source, format)

    def read_stdin(self, file: BinaryIO) -> Iterator[Answer]:
        stream = buffered(file)
        with naming_file(STDIN):
            if stream.peek(2).startswith(b"\x1f\x8b"):
                stream = unpacked(stream, STDIN)
            format = self.options.format or format_by_content(stream.peek(64))
            if format in ("folder", "sqlite"):
                raise BadInput(f"-: {format} can't come from standard input; name its path")
            if format == "zip" or (format == "xlsx" and not self.options.format):
                content = in_memory(stream, STDIN)
                if not self.options.format:
                    format = "xlsx" if workbook.is_workbook(content) else "zip"
                yield from self._stream(content, STDIN, format)
            else:
                yield from self._stream(stream, STDIN, format)

    def _stream(self, file: BinaryIO, source: str, format: str) -> Iterator[Answer]:
        """Return the answers of an open file that is neither a folder nor a database."""
        reject = self._reject_row(source)
        if format in ("csv", "tsv"):
            texts = self._lines(file, source)
            cells = read_delimited(texts, source, reject, _delimiter(format))
            return self._answers(cells, source, self._cell_values)
        if format in ("json", "jsonl"):
            # A whole array may stand in one line.
            texts = lines(buffered(file), source, self.options.encoding, MAX_DOCUMENT_BYTES)
            objects = jsonlines.read_json(texts, source, reject)
            return self._answers(objects, source, self._json_values)
        seekable = file if file.seekable() else in_memory(file, source)
        if format == "xlsx":
            rows = workbook.read_xlsx(seekable, source, self.options.sheet)
            return self._answers(rows, source, self._workbook_values)
        if format == "parquet":
            rows = parquet.read_parquet(seekable, source)
            return self._answers(rows, source, self._table_values)
        return self._texts(read_zip(seekable, source, self.on_skip), source)

    def _lines(self, file: BinaryIO, source: str) -> Iterator[str]:
        return lines(buffered(file), source, self.options.encoding)

    def _cell_values(self, row: dict[str, Any]) -> Values:
        """Return the cells of a CSV row: an empty one is a blank text, and None elsewhere."""
        text = self.rows.roles(tuple(row))["text"]
        return {n: v if v != "" or n == text else None for n, v in row.items()}

    def _workbook_values(self, row: dict[str, Any]) -> Values:
        roles = self.rows.roles(tuple(row))
        return workbook.as_values(row, roles["text"], roles.get("id"))

    def _table_values(self, row: dict[str, Any]) -> Values:
        return values.as_values(row, self.rows.roles(tuple(row))["text"])

    def _json_values(self, row: dict[str, Any]) -> Values:
        return jsonlines.as_values(row, self.rows.roles(tuple(row))["text"])

    def _answers(
        self,
        rows: Iterator[tuple[int, dict[str, Any]]],
        source: str,
        as_values: Callable[[dict[str, Any]], Values],
    ) -> Iterator[Answer]:
        """Yield the answer of each (line, row) that can be used, and reject the others."""
        reject = self._reject_row(source)
        is_empty, rejected_before = True, self.num_rejected
        for line, row in rows:
            is_empty = False
            try:
                answer = self.rows.answer(as_values(row), source, line)
            except BadRow as error:
                reject(line, error.reason, _row_text(row))
            else:
                yield answer
        if is_empty and self.num_rejected == rejected_before:
            raise NothingFound(f"{source}: no rows in it; is it the right file?")

    def _texts(self, files: Iterator[tuple[str, str, IO[bytes]]], source: str) -> Iterator[Answer]:
        """Yield one answer for each text file of a folder or zip."""
        is_empty = True
        for name, question, file in files:
            is_empty = False
            text_source = f"{source}/{printable(name)}"
            try:
                text = "".join(self._lines(cast(BinaryIO, file), text_source))
                if "\0" in text:
                    raise BadInput.at(text_source, None, "binary, not text")
            except BadInput as error:
                if self.on_reject is None:
                    raise
                reason = error.what if error.line is None else None
                self.on_reject(Reject(text_source, None, reason or error.message, ""))
            else:
                yield Answer(name, text, question or None, None, source=text_source)
        if is_empty:
            raise NothingFound(
                f"{source}: no text files in it; their names end in .txt, .md, .java, .py … "
                "(name a spreadsheet by its own path)"
            )

    def _reject_row(self, source: str) -> RejectRow:
        """Return the function that a format calls with each row of a file that can't be used."""

        def reject(line: int | None, reason: str, row: str) -> None:
            if self.on_reject is None:
                raise BadInput.at(source, line, reason)
            self.num_rejected += 1
            self.on_reject(Reject(source, line, reason, row))

        return reject


def _row_text(row: dict[str, Any]) -> str:
    """Return a rejected row as text."""
    try:
        return jsonlines.as_json(row)
    except TypeError:  # bytes
        return str(row)
    except RecursionError:
        return str(list(row))

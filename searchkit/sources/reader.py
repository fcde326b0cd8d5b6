"""Answers from files of any format, as one stream; an error names the file and the line."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Literal, cast, get_args

from searchkit.core.errors import BadInput, as_list, check_choice
from searchkit.core.messages import Message, listed, path_text
from searchkit.core.records import Answer
from searchkit.sources.columns import AnswerColumns, BadRow, Columns, Reject, RejectRow, Values
from searchkit.sources.decoding import BLOCK_SIZE, buffered, lines
from searchkit.sources.documents.formats import is_text, suffix_of
from searchkit.sources.files import (
    FORMATS,
    MAX_DOCUMENT_BYTES,
    MAX_TEXT_BYTES,
    FileOptions,
    NothingFound,
    check_file,
    format_by_content,
    format_by_name,
    in_memory,
    is_folder,
    naming_file,
    opened,
    real_format,
    unpacked,
)
from searchkit.sources.folders.exports import read_exports, split_exports
from searchkit.sources.folders.members import Member, OnSkip, folder_members, zip_members
from searchkit.sources.folders.submissions import FolderLayout, SubmissionReader
from searchkit.sources.layouts.cells_above import with_cells_above
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.layouts.sample import SAMPLE_LENGTH, SAMPLE_ROWS, Row, peek, shown_values
from searchkit.sources.platforms.formats import check_platform
from searchkit.sources.platforms.nested.reading import is_json_export, read_xml
from searchkit.sources.platforms.nested.xapi import read_xapi, xapi_layout
from searchkit.sources.rows import AsValues, ExportLayout, Rows
from searchkit.sources.tables import jsonlines, parquet, sqlite, values
from searchkit.sources.tables.delimited import Style, read_delimited
from searchkit.sources.tables.nested import exploded, has_nested, with_object_names
from searchkit.sources.tables.quoting import Quoting
from searchkit.sources.tables.workbooks import workbook

log = logging.getLogger("searchkit")
STDIN = "-"
MAX_PEOPLE = 200_000  # rows among which people of the same name are told apart
OnReject = Callable[[Reject], None]
OnLayout = Callable[
    [str, Layout | FolderLayout, Sequence[str]], None
]  # takes the file, and its columns


def read_answers(
    paths: Sequence[str | Path],
    *,
    columns: Columns | None = None,
    format: str | None = None,
    platform: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    table: str | None = None,
    quoting: Quoting | None = None,
    skip_rows: int | None = None,
    records: str | None = None,
    question_from: Literal["filename"] | None = None,
    on_reject: OnReject | None = None,
    on_skip: OnSkip | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Answer]:
    """Stream the answers of files, in order.

    Exports of the usual platforms are recognised. Of any other table the columns are found by their
    usual names (`header_names.HEADER_NAMES`); all others go to `meta`. Without an id column the id
    is `question/author`, or else made of the text.

    CSV, TSV, JSON Lines, Parquet and SQLite are read in bounded memory, except for the generated
    ids, which are remembered; a JSON array and a workbook are held in memory as a whole.

    Args:
        paths: Files, folders or zips of text files; `-` is standard input. `.gz` is unpacked.
        columns: Which column holds which field, where the usual names don't say.
        format: One of `FORMATS`; None goes by the file's ending, for standard input by its first
            bytes.
        platform: The only export of a platform to try, one of `platforms.formats.NAMES`; None
            recognises each.
        encoding: The encoding of text files; None takes the byte order mark's, or else UTF-8.
        sheet: The sheet of a workbook; None takes the only one that isn't empty.
        table: The table or view of a SQLite database; None takes the only one.
        quoting: Whether double quotes enclose the cells of CSV and TSV (`standard`) or are parts of
            the texts (`none`); None finds out.
        skip_rows: Number of rows of a table above that with the columns' names; None finds out.
        records: The path of the rows in a JSON document, such as `data.items`; None finds out.
        question_from: `filename` takes a table's name, without its ending, as the question.
        on_reject: Called with each row that can't be used; None raises for the first one.
        on_skip: Called with a message for each file of a folder or zip that is not a text.
        stdin: The stream to read for `-`; None is the process's standard input.

    Raises:
        BadInput: `file:line: what; what to do`; also if there is nothing in any of the files. If
            there is nothing in some of them, a warning names each.
    """
    options = FileOptions(
        columns or Columns(),
        encoding,
        sheet,
        table,
        format,
        platform,
        quoting=quoting,
        skip_rows=skip_rows,
        records=records,
        question_from=question_from,
    )
    several = as_list("paths", paths, (str, Path))
    return read_files(several, options, on_reject=on_reject, on_skip=on_skip, stdin=stdin)


def read_files(
    paths: Sequence[str | Path],
    options: FileOptions,
    *,
    on_reject: OnReject | None = None,
    on_skip: OnSkip | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Answer]:
    """Stream the answers of files, in order; as `read_answers`, with the options as one value."""
    rows = _read_files(paths, FileReader(options, on_reject, on_skip), stdin)
    return cast(Iterator[Answer], rows)  # marks alone are an error


def read_rows(
    paths: Sequence[str | Path],
    options: FileOptions,
    *,
    on_reject: OnReject | None = None,
    on_skip: OnSkip | None = None,
    on_layout: OnLayout | None = None,
    allow_marks: bool = False,
    stdin: BinaryIO | None = None,
) -> Iterator[Answer | AnswerColumns]:
    """Stream the answers of files, as `read_files`, and the columns in files of marks alone.

    Args:
        paths: As for `read_answers`.
        options: How the files are read.
        on_reject: As for `read_answers`.
        on_skip: As for `read_answers`.
        on_layout: Called for each table with what its columns were taken for.
        allow_marks: Whether there may be files of marks alone; if not, they are an error.
        stdin: As for `read_answers`.
    """
    reader = FileReader(options, on_reject, on_skip, on_layout, allow_marks=allow_marks)
    return _read_files(paths, reader, stdin)


def _read_files(
    paths: Sequence[str | Path], reader: FileReader, stdin: BinaryIO | None
) -> Iterator[Answer | AnswerColumns]:
    options = reader.options
    if options.format is not None and options.format not in FORMATS:
        raise BadInput(f"no format {options.format!r}; there are: {', '.join(FORMATS)}")
    check_platform(options.platform)
    _check_options(paths, options)
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


def _check_options(paths: Sequence[str | Path], options: FileOptions) -> None:
    check_choice("quoting", options.quoting, (None, *get_args(Quoting)))
    check_choice("question_from", options.question_from, (None, "filename"))
    if options.skip_rows is not None and options.skip_rows < 0:
        raise BadInput(Message("`skip_rows` must be 0 or more, not {n}", n=options.skip_rows))
    names = {name for path in map(Path, paths) for name in (str(path), path.name)}
    for name in options.encodings:
        if name not in names and not any(Path(path).is_dir() for path in paths):
            template = "`encoding`: {name} is none of the files; there are: {names}"
            raise BadInput(
                Message(template, name=name, names=listed([Path(p).name for p in paths]))
            )


class FileReader:
    """Reads one path after another with the same options."""

    def __init__(
        self,
        options: FileOptions,
        on_reject: OnReject | None = None,
        on_skip: OnSkip | None = None,
        on_layout: OnLayout | None = None,
        *,
        allow_marks: bool = False,
    ) -> None:
        self.rows = Rows(options, allow_marks=allow_marks)
        self.options = options
        self.on_reject = on_reject
        self.on_skip = on_skip or (lambda _: None)
        self.on_layout = on_layout or (lambda *_: None)
        self.num_rejected = 0
        self._shown_exports: set[str] = set()  # their titles

    def read_path(self, path: Path) -> Iterator[Answer | AnswerColumns]:
        """Yield the answers of a file or folder."""
        source = path_text(path)
        format = self.options.format
        folder = is_folder(path)
        if folder and format in (None, "folder"):
            yield from self._members(folder_members(path, self.on_skip), source)
            return
        if folder or format == "folder":
            what = "a folder" if folder else "no folder"
            raise BadInput(
                Message("{source}: {what}; leave out `format`", source=source, what=what)
            )
        format = format or format_by_name(path, self._is_text)
        if format == "sqlite":
            check_file(path)
            rows = sqlite.read_sqlite(path, source, self.options.table)
            yield from self._answers(rows, source, _table_values)
            return
        with opened(path) as file:
            if not self.options.format:
                format = real_format(format, buffered(file), source)
            yield from self._stream(file, source, format)

    def read_stdin(self, file: BinaryIO) -> Iterator[Answer | AnswerColumns]:
        """Yield the answers of a stream whose name isn't known."""
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

    def _stream(self, file: BinaryIO, source: str, format: str) -> Iterator[Answer | AnswerColumns]:
        """Return the answers of an open file that is neither a folder nor a database."""
        reject = self._reject_row(source)
        if format in ("csv", "tsv"):
            texts = self._lines(file, source)
            cells = read_delimited(texts, source, reject, self._style(format))
            return self._answers(cells, source, _cell_values)
        if format in ("json", "jsonl"):
            # A whole array may stand in one line.
            texts = lines(
                buffered(file), source, self.options.encoding_of(source), MAX_DOCUMENT_BYTES
            )
            objects = jsonlines.read_json(
                texts, source, reject, self.options.records, self.options.columns.chosen("text")
            )
            return self._json_answers(objects, source)
        if format == "xml":
            encoding = self.options.encoding_of(source)
            export, nested = read_xml(file, source, encoding, self.options.platform)
            return self._answers(nested, source, _as_they_are, export)
        if format == "document":
            if not self.options.format:
                file = _no_table(buffered(file), source)
            member = Member(PurePath(source).name, source, lambda: _whole(file, source))
            return self._submissions().read_document(member)
        seekable = file if file.seekable() else in_memory(file, source)
        if format == "xlsx":
            rows = workbook.read_workbook(
                seekable, source, self.options.sheet, self.options.skip_rows
            )
            return self._answers(rows, source, _workbook_values)
        if format == "parquet":
            rows = parquet.read_parquet(seekable, source)
            return self._answers(self._exploded(rows), source, _table_values)
        return self._members(zip_members(seekable, source, self.on_skip), source)

    def _members(self, members: list[Member], source: str) -> Iterator[Answer | AnswerColumns]:
        """Yield the answers in a folder or zip: those of its XML exports, or else of its texts."""
        exports, others = split_exports(members, self.options)
        read = partial(self._stream, format="xml")
        if (yield from read_exports(exports, read, self.on_skip, self._reject_row)):
            for member in others:
                self.on_skip(f"{member.source}: beside XML exports; name it by its own path")
        else:
            yield from self._submissions().read(others, source)

    def _submissions(self) -> SubmissionReader:
        return SubmissionReader(
            self.options, self.rows.made_id, self.on_skip, self.on_reject, self.on_layout
        )

    def _is_text(self, name: str) -> bool:
        return is_text(name) or suffix_of(name) in self.options.suffixes

    def _exploded(self, rows: Iterator[Row]) -> Iterator[Row]:
        columns = self.options.columns.chosen("text")
        return rows if len(columns) > 1 else exploded(rows, columns)

    def _style(self, format: str) -> Style:
        delimiter = "\t" if format == "tsv" else None
        return Style(delimiter, self.options.quoting, self.options.skip_rows)

    def _lines(self, file: BinaryIO, source: str) -> Iterator[str]:
        return lines(buffered(file), source, self.options.encoding_of(source))

    def _json_answers(
        self, objects: Iterator[Row], source: str
    ) -> Iterator[Answer | AnswerColumns]:
        """Return the answers in JSON, which may be an export that isn't a table."""
        num_rejected = self.num_rejected
        sample, objects = peek(objects, SAMPLE_ROWS, SAMPLE_LENGTH)
        export = None
        if is_json_export([row for _, row in sample], source, self.options.platform):
            objects, export = read_xapi(objects, self._reject_row(source)), xapi_layout
        else:
            objects = self._exploded(objects)
        return self._answers(objects, source, _json_values, export, num_rejected)

    def _answers(
        self,
        rows: Iterator[Row],
        source: str,
        as_values: AsValues,
        export: ExportLayout | None = None,
        rejected_before: int | None = None,
    ) -> Iterator[Answer | AnswerColumns]:
        """Yield the answers in each row that can be used, and reject the others."""
        reject = self._reject_row(source)
        is_empty = True
        if rejected_before is None:
            rejected_before = self.num_rejected
        for line, row in self._with_layout(rows, source, export):
            is_empty = False
            try:
                answers = self.rows.answers(row, as_values, source, line)
            except BadRow as error:
                reject(line, error.reason, jsonlines.row_text(row))
            else:
                yield from answers
        self.rows.report_summaries(source)
        if is_empty and self.num_rejected == rejected_before:
            what = "answers" if export else "rows"
            raise NothingFound(f"{source}: no {what} in it; is it the right file?")

    def _with_layout(
        self, rows: Iterator[Row], source: str, export: ExportLayout | None
    ) -> Iterator[Row]:
        """Find the layout of a table by its first rows; return all rows."""
        sample, rows = peek(rows, SAMPLE_ROWS, SAMPLE_LENGTH)
        if not sample:
            return rows
        layout = self.rows.look([shown_values(row) for _, row in sample], export)
        if layout is not None:
            rows = with_cells_above(rows, layout, source)
            if export is None or layout.title not in self._shown_exports:
                self.on_layout(source, layout, self.rows.names)
            if export is not None:
                self._shown_exports.add(layout.title)
            if layout.identity:
                people, rows = peek(rows, MAX_PEOPLE, MAX_DOCUMENT_BYTES)
                self.rows.find_namesakes([shown_values(row) for _, row in people])
        return rows

    def _reject_row(self, source: str) -> RejectRow:
        """Return the function that a format calls with each row of a file that can't be used."""

        def reject(line: int | None, reason: str, row: str) -> None:
            if self.on_reject is None:
                raise BadInput.at(source, line, reason)
            self.num_rejected += 1
            self.on_reject(Reject(source, line, reason, row))

        return reject


def _as_they_are(row: dict[str, Any], _: Layout) -> Values:
    return row


def _cell_values(row: dict[str, Any], layout: Layout) -> Values:
    """Return the cells of a CSV row: an empty one is a blank text, and None elsewhere."""
    texts = _texts_in(row, layout)
    return {n: v if v != "" or n in texts else None for n, v in row.items()}


def _workbook_values(row: dict[str, Any], layout: Layout) -> Values:
    return workbook.as_values(row, _texts_in(row, layout), layout.id)


def _table_values(row: dict[str, Any], layout: Layout) -> Values:
    return values.as_values(_with_names(row, layout), _texts_in(row, layout))


def _json_values(row: dict[str, Any], layout: Layout) -> Values:
    return jsonlines.as_values(_with_names(row, layout), _texts_in(row, layout))


def _with_names(row: dict[str, Any], layout: Layout) -> dict[str, Any]:
    if not has_nested(row):
        return row
    columns = (layout.id, layout.question, layout.submitted_at, *layout.author)
    return with_object_names(row, columns)


def _texts_in(row: dict[str, Any], layout: Layout) -> Sequence[str]:
    """Return the columns of a row that must hold texts, without those that may be empty."""
    if not layout.has_gaps:
        return layout.text_columns
    return [name for name in layout.text_columns if row.get(name) is not None]


def _no_table(file: io.BufferedReader, source: str) -> io.BufferedReader:
    """Return a file; refuse a .txt that is a table, as spreadsheets write it, with tabs."""
    lines = file.peek(BLOCK_SIZE)[:BLOCK_SIZE].replace(b"\0", b"").split(b"\n")[:5]
    tabs = {line.count(b"\t") for line in lines if line}
    if source.lower().endswith(".txt") and len(lines) > 1 and len(tabs) == 1 and tabs != {0}:
        what = Message("a table with tabs? say which: `format=tsv`, or `format=document`")
        raise BadInput.at(source, None, what)
    return file


def _whole(file: BinaryIO, source: str) -> bytes:
    data = file.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        raise BadInput(f"{source}: larger than {MAX_TEXT_BYTES:,} bytes; refused")
    return data

"""CSV and TSV, read strictly, so that a stray quote can't swallow the rows that follow."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, listed
from searchkit.sources.columns import RejectRow, Values, numbered_names
from searchkit.sources.files import NothingFound
from searchkit.sources.tables.exported import computed_columns, is_export, unguarded, without
from searchkit.sources.tables.header import (
    SAMPLE_ROWS,
    find_header,
    header_message,
    known_names,
    read_header,
)
from searchkit.sources.tables.quoting import (
    Quoting,
    RowShapes,
    choose_quoting,
    is_never_closed,
)

if TYPE_CHECKING:
    from _csv import Reader

log = logging.getLogger("searchkit")
MAX_FIELD_LENGTH = 64 << 20  # characters; csv's default is 131,072
SAMPLE_LENGTH = 1 << 19  # characters at the beginning, from which the layout is found out
DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.I)  # Excel may write it above the columns' names
_NO_NAMES = "empty; the first line must hold the columns' names"


@dataclass(frozen=True, slots=True)
class Style:
    """How a delimited file is written; None is found out.

    Attributes:
        delimiter: None takes the one of , ; tab | that is most frequent in the first line, which is
            also done if the first line lacks the one given. A line such as `sep=;` overrules both.
        quoting: Whether double quotes enclose cells (`standard`) or are parts of them (`none`).
        skip_rows: Number of lines above the one with the columns' names.
    """

    delimiter: str | None = None
    quoting: Quoting | None = None
    skip_rows: int | None = None


def read_delimited(
    lines: Iterable[str],
    source: str,
    reject: RejectRow,
    style: Style = Style(),
    say: Callable[[str], None] = log.warning,
) -> Iterator[tuple[int, Values]]:
    """Yield each row's first line, from 1, and its values by column; an empty cell is "".

    Args:
        lines: The lines with their ends.
        source: The file's name for errors.
        reject: Called with the line, the reason and the text of each row that can't be used.
        style: How the file is written, as far as it is known.
        say: Called with a message about what was found out, where it is not the usual.

    Raises:
        BadInput: if the file is empty or holds no rows, a quote is never closed, or it isn't clear
            whether quotes enclose cells.
    """
    csv.field_size_limit(MAX_FIELD_LENGTH)
    table = _find_table(iter(lines), source, style, say)
    header_line, header = next(table.records(_reject_header(source)), (1, []))
    if not header:
        raise NothingFound(f"{source}: {_NO_NAMES}")
    restored = unguarded if is_export(header) else str
    names = numbered_names(list(map(restored, table.names or header)), source, header_line)
    computed = computed_columns(names, source, say)
    is_empty = True
    for line, cells in table.records(reject):
        is_empty = False
        if len(cells) == len(names):
            values: Values = dict(zip(names, map(restored, cells), strict=True))
            yield line, without(values, computed)
        elif any(cells):
            reject(line, table.length_reason(len(cells), len(names)), table.record_text())
    if is_empty:
        raise NothingFound(
            f"{source}: no rows in it, only a line that was taken for the columns' names: "
            f"{listed(names)}; is it the right file?"
        )


def _reject_header(source: str) -> RejectRow:
    """Return a function that raises BadInput, as without a header no row can be read."""

    def reject(line: int | None, reason: str, _: str) -> None:
        raise BadInput.at(source, line, f"the columns' names can't be read: {reason}")

    return reject


class _Table:
    """The records of a delimited file, from the one with the columns' names on.

    Attributes:
        record_lines: The lines of the record that was read last.
        names: The columns' names where they stand in two rows, or None.
    """

    def __init__(
        self,
        lines: Iterable[str],
        source: str,
        skipped: int,
        style: tuple[str, Quoting],
        shapes: RowShapes | None,
    ) -> None:
        self.source = source
        self.skipped = skipped
        self.shapes = shapes
        self.record_lines: list[str] = []
        self.names: list[str] | None = None
        delimiter, self.quoting = style
        self._reader: Reader = csv.reader(
            self._recorded(lines),
            delimiter=delimiter,
            quoting=csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL,
            strict=True,
        )

    def _recorded(self, lines: Iterable[str]) -> Iterator[str]:
        """Pass the lines on to the csv module, and keep those of the record, for rejects."""
        for line in lines:
            self.record_lines.append(line)
            yield line

    def record_text(self) -> str:
        return "".join(self.record_lines).removesuffix("\n")

    def records(self, reject: RejectRow) -> Iterator[tuple[int, list[str]]]:
        """Yield (first line, cells) of each record that isn't blank, and reject what is not CSV."""
        while True:
            self.record_lines.clear()
            line = self._reader.line_num + 1 + self.skipped
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                reject(line, self._error_reason(error, line), self.record_text())
                continue
            last = self._reader.line_num + self.skipped
            if last > line and self.shapes and self.shapes.are_rows(self.record_lines):
                reject(line, _swallowed_reason(last), self.record_text())
            elif any(cells) or len(cells) == 1:  # Excel leaves blank rows such as ,,, behind
                yield line, cells

    def _error_reason(self, error: csv.Error, line: int) -> str:
        if is_never_closed(error):
            what = (
                "a double quote opened in this row is never closed; close it, or double it if it "
                "is part of the text; if all are, choose `quoting='none'`"
            )
            raise BadInput.at(self.source, line, Message(what)) from None
        last = self._reader.line_num + self.skipped
        return Message(
            "not CSV up to line {last} ({error}); double a quote inside quotes, or choose "
            "`quoting='none'` if quotes are parts of the texts",
            last=last,
            error=str(error),
        )

    def length_reason(self, cells: int, names: int) -> str:
        advice = (
            "a text holds the delimiter"
            if self.quoting == "none"
            else "put texts that hold the delimiter or a line's end into double quotes"
        )
        return f"{cells} fields where the first line has {names}; {advice}"


def _swallowed_reason(last: int) -> Message:
    return Message(
        "one cell holds what look like rows, up to line {last}; choose `quoting='none'` if double "
        "quotes are parts of the texts, or `quoting='standard'` if it is one text",
        last=last,
    )


# -- finding out how a file is written -------------------------------------------------------------


def _find_table(
    lines: Iterator[str], source: str, style: Style, say: Callable[[str], None]
) -> _Table:
    skipped = sum(1 for _ in islice(lines, style.skip_rows or 0))
    sample = list(_beginning(lines))
    is_whole = sum(map(len, sample)) < SAMPLE_LENGTH
    start = _first_filled(sample, 0, source)
    if sep_line := _SEP_LINE.fullmatch(sample[start].strip(" \r\n")):
        start = _first_filled(sample, start + 1, source)
        delimiter = sep_line[1]
    else:
        delimiter = _choose_delimiter(sample[start:], style.delimiter)
    names = None
    if style.skip_rows is None and (rows := _first_rows(sample[start:], delimiter)):
        header = read_header([row for _, row in rows])
        names = header.names if header.num_rows > 1 else None
        if header.position:
            start += rows[header.position][0]
            say(header_message(source, start + 1, header.num_rows))
    quoting, shapes = style.quoting, None
    if quoting is None:
        quoting, message, shapes = choose_quoting(
            sample[start:], delimiter, source, skipped + start + 1, is_whole=is_whole
        )
        if message:
            say(message)
    rest = chain(sample[start:], lines)
    table = _Table(rest, source, skipped + start, (delimiter, quoting), shapes)
    table.names = names
    return table


def _beginning(lines: Iterator[str]) -> Iterator[str]:
    length = 0
    while length < SAMPLE_LENGTH and (line := next(lines, "")):
        length += len(line)
        yield line


def _first_filled(lines: Sequence[str], start: int, source: str) -> int:
    """Return the position of the first line from `start` on that is not blank."""
    for number in range(start, len(lines)):
        if lines[number].strip():
            return number
    raise NothingFound(f"{source}: {_NO_NAMES}")


def _choose_delimiter(lines: Sequence[str], delimiter: str | None) -> str:
    first = lines[0]
    guess = guess_delimiter(first)
    usual = guess if delimiter is None or (delimiter not in first and guess in first) else delimiter
    if known_names(first.split(usual)):
        return usual
    for other in (usual, *DELIMITERS):  # the first line may be a title
        rows = [row for _, row in _first_rows(lines, other)]
        header = find_header(rows)
        if header and (known_names(rows[header]) > 1 or (delimiter is None and usual not in first)):
            return other
    return usual


def guess_delimiter(first: str) -> str:
    """Return the delimiter that is most frequent outside quotes; a comma if there is none."""
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=lambda delimiter: (outside.count(delimiter), delimiter == ","))


def _first_rows(lines: Sequence[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first rows, each with the position of its first line, as far as they are CSV."""
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        while len(rows) < SAMPLE_ROWS:
            start = reader.line_num
            rows.append((start, next(reader)))
    except (StopIteration, csv.Error):
        pass
    return rows

"""CSV and TSV, read strictly, so that a stray quote can't swallow the rows that follow."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from searchkit.core.errors import BadInput
from searchkit.core.messages import listed
from searchkit.sources.columns import RejectRow, Values, numbered_names
from searchkit.sources.files import NothingFound

if TYPE_CHECKING:
    from _csv import Reader

MAX_FIELD_LENGTH = 64 << 20  # characters; csv's default is 131,072
DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.I)  # Excel may write it above the columns' names


def read_delimited(
    lines: Iterable[str], source: str, reject: RejectRow, delimiter: str | None = None
) -> Iterator[tuple[int, Values]]:
    """Yield each row's first line, from 1, and its values by column; an empty cell is "".

    Args:
        lines: The lines with their ends; the first one that is not blank holds the columns' names.
        source: The file's name for errors.
        reject: Called with the line, the reason and the text of each row that can't be used.
        delimiter: None takes the one of , ; tab | that is most frequent in the first line, which is
            also done if the first line lacks the one given. A line such as `sep=;` overrules both.

    Raises:
        BadInput: if the file is empty or holds no rows, two columns have the same name, or a quote
            is never closed.
    """
    csv.field_size_limit(MAX_FIELD_LENGTH)
    first, stream, skipped = _first_line(iter(lines), source)
    if sep_line := _SEP_LINE.fullmatch(first.strip(" \r\n")):
        next(stream)
        delimiter = sep_line[1]
        first, stream, blank = _first_line(stream, source)
        skipped += 1 + blank
    recorder = _LineRecorder(stream)
    reader = csv.reader(recorder, delimiter=_choose_delimiter(first, delimiter), strict=True)
    header_line, header = next(
        _records(reader, recorder, source, _reject_header(source), skipped), (1, [])
    )
    names = _names(header, source, header_line)
    is_empty = True
    for line, cells in _records(reader, recorder, source, reject, skipped):
        is_empty = False
        if len(cells) == len(names):
            yield line, dict(zip(names, cells, strict=True))
        elif any(cells):
            reject(line, _length_reason(len(cells), len(names)), recorder.text())
    if is_empty:
        raise NothingFound(
            f"{source}: no rows in it, only a line that was taken for the columns' names: "
            f"{listed(names)}; is it the right file?"
        )


class _LineRecorder:
    """Passes lines on to the csv module and keeps those of the current record, for rejects."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.record_lines: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.record_lines.append(line)
            yield line

    def text(self) -> str:
        return "".join(self.record_lines).removesuffix("\n")


def _reject_header(source: str) -> RejectRow:
    """Return a function that raises BadInput, as without a header no row can be read."""

    def reject(line: int | None, reason: str, _: str) -> None:
        raise BadInput.at(source, line, f"the columns' names can't be read: {reason}")

    return reject


def _choose_delimiter(first: str, delimiter: str | None) -> str:
    guess = _guess_delimiter(first)
    return guess if delimiter is None or (delimiter not in first and guess in first) else delimiter


def _length_reason(cells: int, names: int) -> str:
    return (
        f"{cells} fields where the first line has {names}; "
        "put texts that hold the delimiter or a line's end into double quotes"
    )


def _guess_delimiter(first: str) -> str:
    """Return the delimiter that is most frequent outside quotes; a comma if there is none."""
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=lambda delimiter: (outside.count(delimiter), delimiter == ","))


def _first_line(lines: Iterator[str], source: str) -> tuple[str, Iterator[str], int]:
    """Return the first line that is not blank, the lines from it on, and the number skipped."""
    for skipped, line in enumerate(lines):
        if line.strip():
            return line, chain([line], lines), skipped
    raise NothingFound(f"{source}: empty; the first line must hold the columns' names")


def _records(
    reader: Reader,
    recorder: _LineRecorder,
    source: str,
    reject: RejectRow,
    skipped: int,
) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of each record that isn't blank, and reject what is not CSV."""
    while True:
        recorder.record_lines.clear()
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # A field without end, too, is one whose quote is never closed.
            if "end of data" in str(error) or "field limit" in str(error):
                raise BadInput.at(
                    source,
                    line,
                    "a double quote opened in this row is never closed; close it, "
                    "or double it if it is part of the text",
                ) from None
            last = reader.line_num + skipped
            reject(
                line,
                f"not CSV up to line {last} ({error}); double a quote inside quotes",
                recorder.text(),
            )
        else:
            if any(cells) or len(cells) == 1:  # Excel leaves blank rows such as ,,, behind
                yield line, cells


def _names(header: list[str], source: str, line: int) -> list[str]:
    """Return the columns' names; a column without a name is called by its number."""
    if not header:
        raise NothingFound(f"{source}: empty; the first line must hold the columns' names")
    return numbered_names(header, source, line)

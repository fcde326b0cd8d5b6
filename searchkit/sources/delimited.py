"""CSV and TSV: strict, so that a stray quote can't swallow what follows."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from searchkit.core.errors import BadInput

LONGEST_FIELD = 2**31 - 1  # what a C long holds everywhere; by default csv stops at 131,072
DELIMITERS = (",", ";", "\t", "|")
_TOLD = re.compile(r'"?sep=(.)"?', re.I)  # what Excel may write above the columns' names
Values = dict[str, str | None]
Bad = Callable[[int | None, str, str], None]


def read_delimited(
    lines: Iterable[str], source: str, bad: Bad, delimiter: str | None = None
) -> Iterator[tuple[int, Values]]:
    """Yield each row's first line and its values by column; an empty cell is None but for a text.

    Args:
        lines: With their ends; the first that is not blank holds the columns' names.
        source: What to call the file in errors.
        bad: Called with line, reason and row of one that can't be used.
        delimiter: None takes the one of , ; tab | that the first line has most of; so does one
            that the first line hasn't got, and a line `sep=;` overrules both.

    Raises:
        BadInput: if there is nothing in it, a name comes twice, or a quote is never closed.
    """
    csv.field_size_limit(LONGEST_FIELD)
    first, stream, skipped = _first_line(iter(lines), source)
    if told := _TOLD.fullmatch(first.strip(" \r\n")):
        next(stream)
        delimiter = told[1]
        first, stream, more = _first_line(stream, source)
        skipped += 1 + more
    raw = _Raw(stream)
    reader = csv.reader(raw, delimiter=_delimiter(first, delimiter), strict=True)
    records = _records(reader, raw, source, _no_names(source), skipped)
    at, header = next(records, (1, []))
    names = _names(header, source, at)
    for line, cells in _records(reader, raw, source, bad, skipped):
        if len(cells) == len(names):
            yield line, dict(zip(names, cells, strict=True))
        elif any(cells):
            bad(line, _ragged(len(cells), len(names)), raw.text())


class _Raw:
    """Lines on their way to the csv module, kept until the next record, for the rejects."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.taken.append(line)
            yield line

    def text(self) -> str:
        return "".join(self.taken).removesuffix("\n")


def _no_names(source: str) -> Bad:
    def bad(line: int | None, reason: str, _: str) -> None:
        raise BadInput.at(source, line, f"the columns' names can't be read: {reason}")

    return bad


def _delimiter(first: str, wanted: str | None) -> str:
    guessed = guess_delimiter(first)
    return guessed if wanted is None or (wanted not in first and guessed in first) else wanted


def _ragged(cells: int, names: int) -> str:
    return (
        f"{cells} fields where the first line has {names}; "
        "put texts that hold the delimiter or a line's end into double quotes"
    )


def guess_delimiter(first: str) -> str:
    """Return the delimiter that the line of names has most of, outside quotes; a comma for none."""
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=lambda d: (outside.count(d), d == ","))


def _first_line(lines: Iterator[str], source: str) -> tuple[str, Iterator[str], int]:
    """Yield the first line that is not blank, all lines from it on, and how many were skipped."""
    for skipped, line in enumerate(lines):
        if line.strip():
            return line, chain([line], lines), skipped
    raise BadInput(f"{source}: empty; the first line must hold the columns' names")


def _records(
    reader: Any,  # noqa: ANN401
    raw: _Raw,
    source: str,
    bad: Bad,
    skipped: int,
) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of each record that isn't blank; what is not CSV goes to `bad`."""
    while True:
        raw.taken.clear()
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                raise BadInput.at(
                    source,
                    line,
                    "a double quote opened in this row is never closed; close it, "
                    "or double it if it is part of the text",
                ) from None
            last = reader.line_num + skipped
            bad(
                line,
                f"not CSV up to line {last} ({error}); double a quote inside quotes",
                raw.text(),
            )
        else:
            if any(cells) or len(cells) == 1:  # rows such as ,,, are what Excel leaves behind
                yield line, cells


def _names(header: list[str], source: str, line: int) -> list[str]:
    """Check the columns' names; a column without one is called by its number."""
    if not header:
        raise BadInput(f"{source}: empty; the first line must hold the columns' names")
    names = [name.strip() or f"column {n}" for n, name in enumerate(header, 1)]
    twice = [name for n, name in enumerate(names) if name in names[:n]]
    if twice:
        raise BadInput.at(source, line, f"two columns are called {twice[0]!r}; rename one")
    return names

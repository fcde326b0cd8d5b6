"""Number formats of a workbook that change which number a reader sees: 000007 and 75 %."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from xml.etree import ElementTree

from searchkit.sources.tables.workbooks.cells import as_text

MAX_RUNS = 1_000_000  # of cells in a column with the same format; of more, the numbers are read
_PERCENT_FORMATS = {9: "0%", 10: "0.00%"}  # built in, by their numbers
_PADDED = re.compile(r'(?:"([^"]*)")?([0\- /]*0)(?:"([^"]*)")?')


def styled_formats(styles: bytes) -> dict[int, str]:
    """Return the format of each cell style that is a percentage or has leading zeros.

    Args:
        styles: The part of the workbook that holds its styles.

    Raises:
        ElementTree.ParseError: if it is not XML.
    """
    root = ElementTree.fromstring(styles)
    codes: dict[int, str] = dict(_PERCENT_FORMATS)
    for element in root.iterfind(".//{*}numFmts/{*}numFmt"):
        code = (element.get("formatCode") or "").replace("\\", "").split(";")[0]
        codes[int(element.get("numFmtId") or 0)] = code
    formats = {}
    for number, style in enumerate(root.iterfind("{*}cellXfs/{*}xf")):
        code = codes.get(int(style.get("numFmtId") or 0), "")
        if _is_percent(code) or _is_padded(code):
            formats[number] = code
    return formats


def shown_number(value: float, code: str) -> str:
    """Return a number as its cell shows it, without loss: `7` as `000007`, `0.75` as `75%`."""
    if _is_percent(code):
        return f"{as_text(round(value * 100, 10))}%"
    match = _PADDED.fullmatch(code)
    if match is None or value < 0 or not float(value).is_integer():
        return as_text(value) or ""
    before, pattern, after = match.groups(default="")
    digits = list(str(int(value)).zfill(pattern.count("0")))
    shown = [digits.pop() if place == "0" else place for place in reversed(pattern)]
    return before + "".join([*digits, *reversed(shown)]) + after


def _is_percent(code: str) -> bool:
    return re.fullmatch(r"[#,]*0(\.[0#]+)? ?%", code) is not None


def _is_padded(code: str) -> bool:
    match = _PADDED.fullmatch(code)
    return match is not None and (match[2].count("0") > 1 or bool(match[1] or match[3]))


class FormattedCells:
    """The cells with a number format, as runs of rows in each column.

    Attributes:
        formats: The format of each style.
    """

    def __init__(self, formats: Mapping[int, str]) -> None:
        self.formats = formats
        self._runs: dict[int, deque[tuple[int, int, str]]] = {}  # first and last row, format
        self._count = 0

    def add(self, row: int, column: int, style: str) -> None:
        """Remember a cell; its row is counted from 1 and its column from 0."""
        code = self.formats.get(int(style))
        if code is None:
            return
        runs = self._runs.setdefault(column, deque())
        if runs and runs[-1][1] + 1 == row and runs[-1][2] == code:
            runs[-1] = (runs[-1][0], row, code)
        elif self._count < MAX_RUNS:
            self._count += 1
            runs.append((row, row, code))

    def show(self, row: int, cells: list[object]) -> None:
        """Replace the numbers of a row by what is shown; rows must come in their order."""
        for column, runs in self._runs.items():
            while runs and runs[0][1] < row:
                runs.popleft()
            if runs and runs[0][0] <= row and column < len(cells):
                value = cells[column]
                if isinstance(value, int | float) and not isinstance(value, bool):
                    cells[column] = shown_number(value, runs[0][2])

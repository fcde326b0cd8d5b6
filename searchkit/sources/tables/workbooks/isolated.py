"""Workbooks of other kinds than .xlsx, parsed in a process of their own.

How much memory an .xls or .ods takes isn't known before it is parsed, and a damaged one may end the
process that parses it. Run as a program, this module reads a workbook from standard input and
writes its rows as JSON, a line each.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, BinaryIO

from searchkit.core.errors import BadInput, first_line
from searchkit.sources.files import CHUNK_BYTES, MAX_DOCUMENT_BYTES, file_size
from searchkit.sources.tables.workbooks.cells import as_text
from searchkit.sources.tables.workbooks.merged import MergedCells
from searchkit.sources.tables.workbooks.opendocument import merged_ranges

MAX_MEMORY = 2 << 30  # bytes of address space that the process may take
MAX_SECONDS = 120  # of computing
_ADVICE = "save it as .xlsx, without a password"


class SheetNames:
    """The names of the sheets of a workbook.

    Attributes:
        names: All names.
        filled: The names of those in which there is anything.
    """

    def __init__(self, names: Sequence[str], filled: Sequence[str]) -> None:
        self.names = names
        self.filled = filled


def read_isolated(
    file: BinaryIO, source: str, sheet: str | None
) -> tuple[SheetNames, Iterator[tuple[int, list[Any]]]]:
    """Return the sheets of a workbook, and (row from 1, texts) of the only one with anything in it.

    Args:
        file: The workbook; seekable.
        source: Its name for errors.
        sheet: The only sheet to look at; None looks at all.

    Raises:
        BadInput: if it can't be read.
    """
    if file_size(file) > MAX_DOCUMENT_BYTES:
        raise BadInput(f"{source}: larger than {MAX_DOCUMENT_BYTES:,} bytes; split the workbook")
    lines = _output(file, source, sheet)
    sheets = next(lines)
    if "error" in sheets:
        raise BadInput(f"{source}: can't be read ({sheets['error']}); {_ADVICE}")
    return SheetNames(sheets["names"], sheets["filled"]), enumerate(lines, 1)


def _output(file: BinaryIO, source: str, sheet: str | None) -> Iterator[Any]:
    """Yield what the process writes.

    Raises:
        BadInput: if it ends before its time.
    """
    arguments = [
        sys.executable,
        "-m",
        __name__,
        str(MAX_MEMORY),
        *([] if sheet is None else [sheet]),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryFile() as copy:
        while chunk := file.read(CHUNK_BYTES):
            copy.write(chunk)
        copy.seek(0)
        process = subprocess.Popen(
            arguments,
            stdin=copy,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            encoding="utf-8",
        )
    count = 0
    with process:
        try:
            for line in process.stdout or ():
                count += 1
                yield json.loads(line)
            process.wait()
        finally:
            process.kill()
    if count == 0 or process.returncode:
        raise BadInput.at(source, count or None, f"damaged, or too large; {_ADVICE}")


def main(file: IO[bytes], sheets: Sequence[str], output: IO[str]) -> None:
    """Write the sheets of a workbook, and the rows of the only one with anything in it."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        data = file.read()
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [name for name in sheets or book.sheet_names if name in book.sheet_names]
        filled = [name for name in names if book.get_sheet_by_name(name).height]
        print(json.dumps({"names": book.sheet_names, "filled": filled}), file=output)
        if len(filled) == 1:
            sheet = book.get_sheet_by_name(filled[0])
            margin = [""] * (sheet.start[1] if sheet.start else 0)
            ranges = sheet.merged_cell_ranges or ()
            merged = MergedCells((
                *((top + 1, end + 1, left) for (top, left), (end, _) in ranges),
                *merged_ranges(data, filled[0]),
            ))  # fmt: skip
            for number, row in enumerate(sheet.iter_rows(), 1):
                texts = [*margin, *(as_text(cell) or "" for cell in row)]
                merged.fill(number, texts)
                print(json.dumps(texts), file=output)
    except CalamineError as error:
        print(json.dumps({"error": first_line(error)}), file=output)


def _limit(max_memory: int) -> None:
    """Limit the memory and the time of this process, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit(int(sys.argv[1]))
    main(sys.stdin.buffer, sys.argv[2:], sys.stdout)

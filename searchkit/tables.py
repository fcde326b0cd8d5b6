"""Parquet files and SQLite tables, a block at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import Any, BinaryIO

from searchkit.errors import BadInput
from searchkit.sheets import as_text

Values = dict[str, str | None]
Bad = Callable[[int | None, str, str], None]

BLOCK = 4096


def read_parquet(file: BinaryIO, source: str) -> Iterator[tuple[int, Values]]:
    """Give (row from 1, values by column) of a Parquet file; nested values as JSON.

    Raises:
        BadInput: if it is damaged.
    """
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        table = parquet.ParquetFile(file, page_checksum_verification=True)
        for batch in table.iter_batches(BLOCK):
            for row in batch.to_pylist():
                number += 1
                yield number, {name: _text(value) for name, value in row.items()}
    except (pyarrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput.at(source, number + 1, f"not a whole Parquet file ({said})") from None


def read_sqlite(path: Path, bad: Bad, table: str | None) -> Iterator[tuple[int, Values]]:
    """Give (row from 1, values by column) of a table or view, read-only.

    Raises:
        BadInput: if it is no database, or the table isn't clear.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise BadInput(f"{path}: can't be opened ({error})") from None
    try:
        name = _table(connection, path, table)
        cursor = connection.execute('SELECT * FROM "' + name.replace('"', '""') + '"')
        names = [column[0] for column in cursor.description]
        for number, row in enumerate(cursor, 1):
            if any(isinstance(value, bytes) for value in row):
                bad(number, "a column holds bytes, not text", "")
                continue
            yield number, {n: as_text(value) for n, value in zip(names, row, strict=True)}
    except sqlite3.Error as error:
        raise BadInput(f"{path}: can't be read ({error})") from None
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, path: Path, table: str | None) -> str:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name"
    )
    names = [row[0] for row in rows]
    if table is None and len(names) == 1:
        return str(names[0])
    if table in names:
        return str(table)
    what = f"no table {table!r}" if table else "choose a table with --table NAME"
    raise BadInput(f"{path}: {what}; there are: {', '.join(names) or 'none'}")


def _text(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float) and isnan(value):
        return None
    if isinstance(value, Decimal):
        return str(value)
    return "" if value == "" else as_text(value)

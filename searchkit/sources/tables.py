"""Parquet files and SQLite tables, read in bounded memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from searchkit.core.errors import BadInput, first_line
from searchkit.core.messages import Message
from searchkit.sources.columns import BadRow, Values
from searchkit.sources.workbook import as_text

if TYPE_CHECKING:
    from pyarrow import RecordBatch

BATCH_ROWS = 4096


def read_parquet(file: BinaryIO, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row from 1, values by column) of a Parquet file.

    Raises:
        BadInput: if the file is damaged, or two columns have the same name.
    """
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        table = parquet.ParquetFile(file, page_checksum_verification=True)
        _check_names(table.schema_arrow.names, source)
        for batch in table.iter_batches(BATCH_ROWS):
            for row in _without_nanoseconds(batch).to_pylist():
                number += 1
                yield number, row
    except (pyarrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        reason = first_line(error)
        raise BadInput.at(source, number + 1, f"not a complete Parquet file ({reason})") from None


def count_parquet_rows(file: BinaryIO, source: str) -> int:
    """Return the number of rows in the metadata of a Parquet file.

    Raises:
        BadInput: if the file is damaged.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        return int(parquet.read_metadata(file).num_rows)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"{source}: not a complete Parquet file ({error})") from None


def _check_names(names: list[str], source: str) -> None:
    repeated = [name for n, name in enumerate(names) if name in names[:n]]
    if repeated:
        raise BadInput(f"{source}: two columns are called {repeated[0]!r}; rename one")


def _without_nanoseconds(batch: RecordBatch) -> RecordBatch:
    """Return a batch whose times fit Python's microseconds; those that don't become text."""
    import pyarrow

    for number, type in enumerate(batch.schema.types):
        if pyarrow.types.is_timestamp(type) and type.unit == "ns":
            try:
                column = batch.column(number).cast(pyarrow.timestamp("us", type.tz))
            except pyarrow.ArrowInvalid:
                column = batch.column(number).cast(pyarrow.string())
            batch = batch.set_column(number, batch.schema.names[number], column)
    return batch


def read_sqlite(path: Path, source: str, table: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row from 1, values by column) of a table or view; text comes as bytes.

    The database is opened read-only. `table` None takes the only table or view.

    Raises:
        BadInput: if the file is not a database, or the table is missing or must be chosen.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise BadInput(f"{source}: can't be opened ({error})") from None
    try:
        name = _choose_table(connection, source, table)
        connection.text_factory = bytes  # a text that isn't UTF-8 then costs one row and not all
        cursor = connection.execute('SELECT * FROM "' + name.replace('"', '""') + '"')
        names = [column[0] for column in cursor.description]
        for number, row in enumerate(cursor, 1):
            yield number, dict(zip(names, row, strict=True))
    except sqlite3.Error as error:
        raise BadInput(f"{source}: can't be read ({error})") from None
    finally:
        connection.close()


def _choose_table(connection: sqlite3.Connection, source: str, table: str | None) -> str:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name"
    )
    names = [row[0] for row in rows]
    if table is None and len(names) == 1:
        return str(names[0])
    if table in names:
        return str(table)
    reason = Message(
        "{problem}; there are: {names}",
        problem=f"no table {table!r}" if table else Message("choose a table with `table=NAME`"),
        names=", ".join(names) or "none",
    )
    raise BadInput.at(source, None, reason)


def as_values(row: dict[str, Any], text_column: str) -> Values:
    """Return the values as text: nested ones as JSON, bytes decoded as UTF-8, null and NaN as None.

    Raises:
        BadRow: if the value of the text column is nested, or bytes are not UTF-8.
    """
    if isinstance(row[text_column], dict | list):
        raise BadRow(f"the text (column {text_column!r}) is nested; a string is needed")
    return {name: _text(name, value) for name, value in row.items()}


def _text(name: str, value: object) -> str | None:
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise BadRow(
                f"column {name!r} holds bytes that are no UTF-8 text; leave it out, or convert it"
            ) from None
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, float) and isnan(value):
        return None
    return "" if value == "" else as_text(value)

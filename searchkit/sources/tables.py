"""Parquet files and SQLite tables, a block at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Any, BinaryIO

from searchkit.core.errors import BadInput, first_line
from searchkit.core.wording import Message
from searchkit.sources.columns import BadRow, Values
from searchkit.sources.workbook import as_text

BLOCK = 4096


def read_parquet(file: BinaryIO, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row from 1, values by column) of a Parquet file.

    Raises:
        BadInput: if it is damaged, or two columns have the same name.
    """
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        table = parquet.ParquetFile(file, page_checksum_verification=True)
        _check_names(table.schema_arrow.names, source)
        for batch in table.iter_batches(BLOCK):
            for row in _to_the_nanosecond(batch).to_pylist():
                number += 1
                yield number, row
    except (pyarrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        reason = first_line(error)
        raise BadInput.at(source, number + 1, f"not a whole Parquet file ({reason})") from None


def count_parquet_rows(file: BinaryIO, source: str) -> int:
    """Return the number of rows that a Parquet file says it has."""
    import pyarrow
    from pyarrow import parquet

    try:
        return int(parquet.read_metadata(file).num_rows)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"{source}: not a whole Parquet file ({error})") from None


def _check_names(names: list[str], source: str) -> None:
    twice = [name for n, name in enumerate(names) if name in names[:n]]
    if twice:
        raise BadInput(f"{source}: two columns are called {twice[0]!r}; rename one")


def _to_the_nanosecond(batch: Any) -> Any:  # noqa: ANN401
    """Make text of times that Python can't hold: it stops at microseconds."""
    import pyarrow

    for place, kind in enumerate(batch.schema.types):
        if pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
            try:
                column = batch.column(place).cast(pyarrow.timestamp("us", kind.tz))
            except pyarrow.ArrowInvalid:
                column = batch.column(place).cast(pyarrow.string())
            batch = batch.set_column(place, batch.schema.names[place], column)
    return batch


def read_sqlite(path: Path, source: str, table: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row from 1, values by column) of a table or view, read-only; text as bytes.

    Raises:
        BadInput: if it is no database, or the table isn't clear.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise BadInput(f"{source}: can't be opened ({error})") from None
    try:
        name = _table(connection, source, table)
        connection.text_factory = bytes  # so that one text that isn't UTF-8 is one bad row
        cursor = connection.execute('SELECT * FROM "' + name.replace('"', '""') + '"')
        names = [column[0] for column in cursor.description]
        for number, row in enumerate(cursor, 1):
            yield number, dict(zip(names, row, strict=True))
    except sqlite3.Error as error:
        raise BadInput(f"{source}: can't be read ({error})") from None
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, source: str, table: str | None) -> str:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name"
    )
    names = [row[0] for row in rows]
    if table is None and len(names) == 1:
        return str(names[0])
    if table in names:
        return str(table)
    what = f"no table {table!r}" if table else Message("choose a table with `table=NAME`")
    listed = ", ".join(names) or "none"
    raise BadInput.at(source, None, Message("{what}; there are: {names}", what=what, names=listed))


def as_values(row: dict[str, Any], text_column: str) -> Values:
    """Return the values as text: nested ones as JSON, bytes decoded, null and NaN as None.

    Raises:
        BadRow: if the text is nested, or bytes are not UTF-8.
    """
    if isinstance(row[text_column], dict | list):
        raise BadRow(f"the text (column {text_column!r}) is nested; a string is needed")
    return {name: _text(name, value) for name, value in row.items()}


def _text(name: str, value: Any) -> str | None:  # noqa: ANN401
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

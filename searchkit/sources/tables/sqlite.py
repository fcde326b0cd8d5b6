"""Tables and views of SQLite databases, read row by row."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from searchkit.core.errors import BadInput, first_line
from searchkit.core.messages import Message, listed
from searchkit.sources.files import (
    MAX_TEXT_BYTES,
    Allowance,
    NothingFound,
)
from searchkit.sources.tables.values import ROW_BYTES

TIME_LIMIT = 10.0  # seconds that SQLite may compute one row


def read_sqlite(path: Path, source: str, table: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row from 1, values by column) of a table or view; text comes as bytes.

    The database is opened read-only, and nothing in it can make it compute without end: neither a
    view whose next row takes longer than `TIME_LIMIT`, nor one with more rows than the file can
    have. `table` None takes the only table or view.

    Raises:
        BadInput: if the file is not a database, or the table is missing, must be chosen, or has a
            name that isn't UTF-8.
    """
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            check_same_thread=False,  # it may be closed by the thread that drops an error
        )
    except sqlite3.Error as error:
        raise BadInput(f"{source}: can't be opened ({first_line(error)})") from None
    clock = _Clock(connection)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_TEXT_BYTES)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.text_factory = bytes  # a text that isn't UTF-8 then costs one row and not all
        name = _choose_table(connection, source, table)
        allowance = Allowance(source, "write its rows into a table", _database_size(connection))
        cursor = connection.execute('SELECT * FROM "' + name.replace('"', '""') + '"')
        names = [column[0] for column in cursor.description]
        for number, row in enumerate(clock.timed(cursor), 1):
            texts = sum(len(value) for value in row if isinstance(value, bytes))
            allowance.spend(ROW_BYTES + texts)
            yield number, dict(zip(names, row, strict=True))
    except UnicodeDecodeError as error:
        shown = error.object.decode("utf-8", "backslashreplace")
        raise BadInput(f"{source}: the name {shown!r} is not UTF-8; rename it") from None
    except sqlite3.Error as error:
        reason = str(error)
        if clock.is_over():
            reason = f"a row took more than {TIME_LIMIT:.0f} s; write the view's rows into a table"
        raise BadInput(f"{source}: can't be read ({reason})") from None
    finally:
        connection.close()


def _database_size(connection: sqlite3.Connection) -> int:
    """Return the size of a database in bytes, with what still stands in its write-ahead log."""
    names = ("page_count", "page_size")
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int(pages * size)


class _Clock:
    """Interrupts SQLite when it takes longer than `TIME_LIMIT` to the next row."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._deadline = time.monotonic() + TIME_LIMIT
        connection.set_progress_handler(self.is_over, 10_000)

    def is_over(self) -> bool:
        return time.monotonic() > self._deadline

    def timed(self, cursor: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows; only the time that SQLite takes counts."""
        for row in cursor:
            yield row
            self._deadline = time.monotonic() + TIME_LIMIT


def _choose_table(connection: sqlite3.Connection, source: str, table: str | None) -> str:
    """Return the name of the table or view to read.

    Raises:
        BadInput: if there is none, it is missing, or must be chosen.
        UnicodeDecodeError: if it is the only one, and its name isn't UTF-8.
    """
    rows = connection.execute(
        "SELECT CAST(name AS TEXT) FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name"
    )
    names: list[bytes] = [row[0] for row in rows]
    if not names:
        raise NothingFound(f"{source}: no table in it; is it the right file?")
    if table is None and len(names) == 1:
        return names[0].decode()
    shown = [name.decode("utf-8", "backslashreplace") for name in names]
    if table in shown:
        return str(table)
    reason = Message(
        "{problem}; there are: {names}",
        problem=f"no table {table!r}" if table else Message("choose a table with `table=NAME`"),
        names=listed(shown),
    )
    raise BadInput.at(source, None, reason)

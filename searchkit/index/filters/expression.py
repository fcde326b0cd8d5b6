"""One SQL expression of a user: checked, evaluated over the answers, and limited.

Run as a program, this file evaluates an expression for another process, which can end it whatever
SQLite is doing: SQLite looks at the clock between two steps only, and one step can take hours. It
imports nothing but a little of the standard library, to start within 20 ms.
"""

from __future__ import annotations

import array
import faulthandler
import json
import sqlite3
import sys
import time

TYPE_CHECKING = False  # as in typing, which takes half as long to import as all of the above
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    # What became of an expression, what SQLite says about it, and the keys of the answers for which
    # it is true, as 64-bit numbers, ascending
    Status = Literal["true of", "refused", "denied", "too slow", "too large", "unreadable"]
    Outcome: TypeAlias = tuple[Status, str, bytes]

MEMORY_LIMIT = 512 * 2**20  # bytes that SQLite may take in a process of its own
MAX_PATTERN = 1_000  # bytes of a pattern of LIKE; the time it takes grows with their product
# SQLite itself checks that a text is one expression. In the last two of these places, another word
# comes after it: a text that ends one of them early doesn't fit into the other. With that, the text
# can stand in brackets without ending them. The first place has the best messages. The end of a
# line ends a comment with "--".
_PLACES = (("(", "\n)"), ("CAST(", "\n AS NUMERIC)"), ("CASE WHEN ", "\n THEN 1 END"))
_FORBIDDEN_FUNCTIONS = {
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
    "randomblob",
    "zeroblob",
}
_NOT_THE_EXPRESSION = (  # result codes that have nothing to do with what the expression says
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
)


def evaluate(
    connection: sqlite3.Connection,
    sql: str,
    rows: str,
    condition: str,
    values: dict[str, str | None],
    time_limit: float,
) -> Outcome:
    """Return for which answers an expression is true, or why it was not evaluated.

    Args:
        connection: A connection to the index's database.
        sql: The expression; any text.
        rows: A table or a sub-select in brackets, with the columns that the expression can use.
        condition: Another condition that the answers must meet, which is trusted.
        values: The parameters of `condition`.
        time_limit: In seconds; SQLite exceeds it within a step.

    Raises:
        sqlite3.Error: if the database can't be read.
    """
    guard = _Guard(connection, time_limit)
    try:
        with guard:
            for start, end in _PLACES:
                connection.execute(f"EXPLAIN SELECT {start}{sql}{end} FROM {rows}").close()
            cursor = connection.execute(
                f"SELECT key FROM {rows} WHERE {condition} AND ({sql}\n) ORDER BY key", values
            )
            return "true of", "", array.array("q", (key for (key,) in cursor)).tobytes()
    except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
        if _code(error) in _NOT_THE_EXPRESSION and not _is_out_of_memory(error):
            raise
        return (*_explained(error, guard), b"")


def _explained(error: Exception, guard: _Guard) -> tuple[Status, str]:
    """Return what became of an expression that SQLite has not evaluated, and why."""
    code = _code(error)
    if code == sqlite3.SQLITE_INTERRUPT:
        return "too slow", ""
    if code == sqlite3.SQLITE_TOOBIG or _is_out_of_memory(error):
        return "too large", ""
    return ("denied", guard.denied) if guard.denied else ("refused", _first_line(error))


def _first_line(error: Exception) -> str:
    """Return the message of an error without what follows the expression in its place."""
    return str(error).split("\n", 1)[0]


def _is_out_of_memory(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, MemoryError) or code == sqlite3.SQLITE_IOERR_NOMEM


def _code(error: Exception) -> int:
    """Return SQLite's primary result code; 0 if the error came from Python's module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits hold the details


class _Guard:
    """While it is entered, the connection may only read answers, and for a limited time.

    Attributes:
        denied: The first other thing that a statement wanted to read or call; "" for none.
    """

    def __init__(self, connection: sqlite3.Connection, time_limit: float) -> None:
        self._connection = connection
        self._time_limit = time_limit
        self._pattern_limit = 0
        self.denied = ""

    def __enter__(self) -> None:
        deadline = time.monotonic() + self._time_limit
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 1_000)
        self._pattern_limit = self._connection.setlimit(
            sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN
        )

    def __exit__(self, *_: object) -> None:
        self._connection.set_authorizer(None)
        self._connection.set_progress_handler(None, 0)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, self._pattern_limit)

    def _authorize(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_SELECT:
            is_allowed = True
        elif action == sqlite3.SQLITE_READ:
            is_allowed = first in ("answers", "", None) or str(first).startswith("json_")
        elif action == sqlite3.SQLITE_FUNCTION:
            is_allowed = str(second).lower() not in _FORBIDDEN_FUNCTIONS
        else:
            is_allowed = False
        if not is_allowed:
            name = second if action == sqlite3.SQLITE_FUNCTION else first
            self.denied = self.denied or name or "WITH RECURSIVE"
        return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def main() -> None:
    """Evaluate one expression for another process.

    Standard input has the arguments of `evaluate` as JSON, with the address of the database in the
    place of the connection. Standard output gets the status and SQLite's message as a line of JSON,
    then the keys.
    """
    task = json.load(sys.stdin.buffer)
    # The other process ends this one; if that was killed itself, this ends it a second later.
    faulthandler.dump_traceback_later(task["time_limit"] + 1, exit=True)
    try:
        connection = _connect(task.pop("uri"), task.pop("has_log"))
        connection.execute(f"PRAGMA hard_heap_limit = {MEMORY_LIMIT}")
        connection.execute("PRAGMA temp_store = MEMORY")  # counts, and doesn't fill the disk
        status, message, keys = evaluate(connection, **task)
    except sqlite3.Error as error:
        status, message, keys = "unreadable", str(error), b""
    except MemoryError:
        status, message, keys = "too large", "", b""
    sys.stdout.buffer.write(json.dumps([status, message]).encode() + b"\n" + keys)


def _connect(uri: str, has_log: bool) -> sqlite3.Connection:
    """Open read-only."""
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        return connect_unlocked(uri, has_log)
    return connection


def connect_unlocked(uri: str, has_log: bool, **options: Any) -> sqlite3.Connection:  # noqa: ANN401
    """Open a database in a folder that can't be written, and so doesn't change.

    SQLite can't create its `-shm` file there. With `immutable` it needs none, but ignores commits
    in the log. Without locks, and in the mode for a single connection, it reads the log as well.

    Args:
        uri: The database's file.
        has_log: Whether there is a write-ahead log that isn't empty.
        options: As for `sqlite3.connect`.
    """
    mode = "vfs=unix-none" if has_log else "immutable=1"
    connection: sqlite3.Connection = sqlite3.connect(f"{uri}?mode=ro&{mode}", uri=True, **options)
    if has_log:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


if __name__ == "__main__":
    main()

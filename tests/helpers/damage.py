"""Damage of the database of an index."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from searchkit import Index


def change(index: Index, sql: str) -> None:
    """Change a database behind the index's back."""
    with closing(sqlite3.connect(index.path / "answers.db", isolation_level=None)) as connection:
        connection.execute(sql)


def page_of(path: Path, name: str) -> int:
    """Return where the first page of a table or an index begins."""
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        ((page,),) = connection.execute(sql, [name])
    return 4096 * (page - 1)

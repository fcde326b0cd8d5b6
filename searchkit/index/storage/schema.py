"""The tables of the database, as migrations: a later format adds one function here.

`index/README.md` describes the format.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from searchkit.core.errors import IndexDamaged, IndexMismatch, IndexNotFound
from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.index.embedding import split_problems
from searchkit.index.filters.columns import (
    add_meta_columns,
    add_virtual_columns,
    drop_virtual_columns,
    filter_json,
    respell_quotes,
    virtual_columns,
)
from searchkit.index.storage.checksums import (
    ANSWERS_4,
    COLUMNS,
    add_checksums,
    damaged_rows,
    seal,
)
from searchkit.index.storage.connection import SQLITE_ERRORS, SqliteDatabase, connect_reader
from searchkit.index.storage.fulltext import make_full_text
from searchkit.index.storage.tables.attempts import renumber

if TYPE_CHECKING:
    from sqlite_utils import Database

DATABASE = "answers.db"  # in the folder of an index
FORMAT = 7  # PRAGMA user_version
APPLICATION_ID = 0x5352_4B54  # PRAGMA application_id: "SRKT" identifies a searchkit database


def format_1(db: Database) -> None:
    """Create the tables of answers, passages, vectors and checkpoints, and the full text."""
    for statement in _FORMAT_1:
        db.execute(statement)
    # No triggers: the store updates the full text in batches, ten times as fast
    db.table("answers").enable_fts(["text"], tokenize="porter unicode61 remove_diacritics 2")


def format_2(db: Database) -> None:
    """Create the tables of decisions and of the revision, which grows when answers change."""
    for statement in _FORMAT_2:
        db.execute(statement)


def format_3(db: Database) -> None:
    """Give each row a checksum, count the commits, and let filters see names with quotes."""
    respell_quotes(db.conn)
    db.execute("ALTER TABLE revision ADD COLUMN commits INTEGER NOT NULL DEFAULT 0")
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    add_checksums(db.conn, [table for table in COLUMNS if table in tables])
    _distrust(db)


def format_4(db: Database) -> None:
    """Let columns written here, originals, authors for comparing and attempts have their place.

    What was written by an older searchkit stays among the columns of the file.
    """
    damaged = damaged_rows(db.conn, "answers")
    names = virtual_columns(db.conn)
    drop_virtual_columns(db.conn, names)
    for statement in _FORMAT_4:
        db.execute(statement)
    rows = db.execute(
        "SELECT key, CAST(meta AS BLOB), CAST(author AS BLOB) FROM answers "
        "WHERE typeof(meta) = 'text' AND typeof(author) IN ('text', 'null')"
    )
    answers = [(key, answer) for key, *row in rows if (answer := _comparable(*row))]
    db.conn.executemany(
        "UPDATE answers SET author_key = ?, filter_values = ? WHERE key = ?",
        [(answer.author_key, filter_json(answer), key) for key, answer in answers],
    )
    add_virtual_columns(db.conn, names)
    add_meta_columns(db.conn, (answer for _, answer in answers))
    _number_attempts(db, {key for (key,) in damaged})
    seal(db.conn, "answers", ANSWERS_4)
    db.conn.executemany("UPDATE answers SET checksum = NULL WHERE key = ?", damaged)


def format_5(db: Database) -> None:
    """Create the tables of grading: a question's settings, and the history of changes."""
    for statement in _FORMAT_5:
        db.execute(statement)


def format_6(db: Database) -> None:
    """Let answers have a language; those that are there have none yet."""
    damaged = damaged_rows(db.conn, "answers")
    names = virtual_columns(db.conn)
    drop_virtual_columns(db.conn, names)  # they stand after all others
    db.execute("ALTER TABLE answers ADD COLUMN language TEXT")
    add_virtual_columns(db.conn, names)
    seal(db.conn, "answers", COLUMNS["answers"])
    db.conn.executemany("UPDATE answers SET checksum = NULL WHERE key = ?", damaged)


def format_7(db: Database) -> None:
    """Let the full text know the stems of each answer's language."""
    make_full_text(db.conn)


def _comparable(meta: bytes, author: bytes | None) -> Answer | None:
    """Return an answer with columns and author only; None if they are damaged."""
    try:
        columns = json.loads(meta)
        name = None if author is None else author.decode()
    except ValueError:
        return None
    if not isinstance(columns, dict) or not all(isinstance(v, str) for v in columns.values()):
        return None
    return Answer("", "", author=name, meta=columns)


def _number_attempts(db: Database, damaged: set[int]) -> None:
    database = SqliteDatabase(db.conn, Path())
    slots = database.rows(
        "SELECT question, author_key FROM answers WHERE typeof(question) = 'text' "
        "AND author_key IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1"
    )
    renumber(database, slots, damaged.intersection)


def _distrust(database: Database) -> None:
    """Leave answers without a checksum whose texts aren't those that were embedded."""
    damaged = [
        (key,)
        for key, text, passages in texts_and_passages(database.conn)
        if any(split_problems(text, passages))
    ]
    database.conn.executemany("UPDATE answers SET checksum = NULL WHERE key = ?", damaged)


def texts_and_passages(
    connection: sqlite3.Connection,
) -> Iterator[tuple[int, str, list[tuple[int, int, bytes | None]]]]:
    """Stream (answer's key, text, passages as (start, end, SHA-256 of the vector's text))."""
    # Two streams side by side: a join would return a long text once for each of its passages.
    sql = (
        "SELECT p.answer, p.start, p.end, v.sha FROM passages p "
        "LEFT JOIN vectors v ON v.key = p.vector WHERE typeof(p.answer) = 'integer' "
        "AND typeof(p.start) = 'integer' AND typeof(p.end) = 'integer' "
        "ORDER BY p.answer, p.start"
    )
    groups = groupby(connection.execute(sql), key=lambda row: row[0])
    key, rows = next(groups, (None, iter(())))
    for answer, text in connection.execute(
        "SELECT key, CAST(text AS BLOB) FROM answers ORDER BY key"
    ):
        while key is not None and key < answer:  # passages of no answer
            key, rows = next(groups, (None, iter(())))
        passages = [row[1:] for row in rows] if key == answer else []
        yield answer, text.decode("utf-8", "replace"), passages
        if key == answer:
            key, rows = next(groups, (None, iter(())))


def migrate(database: SqliteDatabase, version: int = FORMAT) -> None:
    """Bring a database to a format, in one transaction."""
    db = database.db  # imports sqlite-utils, without pandas
    from sqlite_utils.migrations import Migrations

    with database.transaction():
        migrations = Migrations("searchkit")
        steps = (format_1, format_2, format_3, format_4, format_5, format_6, format_7)
        for migration in steps[:version]:
            migrations()(migration)
        migrations.apply(db)
        database.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.connection.execute(f"PRAGMA user_version = {version}")


def is_index(folder: Path) -> bool:
    """Whether a folder holds an index; a creation that was killed leaves an empty database."""
    database = folder / DATABASE
    try:
        return database.stat().st_size > 0 and not is_blank(database)
    except OSError:
        return False


def no_index(folder: Path) -> str:
    """Return the message for a folder that holds no index."""
    return f"{folder}: no index here; make one with: searchkit ingest FILE"


def is_blank(path: Path) -> bool:
    """Whether a database is empty: the process that created it was killed too early."""
    database = SqliteDatabase(connect_reader(path), path)
    try:
        return not database.pragma("schema_version") and not database.pragma("application_id")
    except SQLITE_ERRORS:
        return False  # damaged, so it was not empty
    finally:
        database.close()


def check_format(database: SqliteDatabase) -> None:
    """Check that a database is an index in a format that this version reads.

    Raises:
        IndexNotFound: if it is empty: another process creates it, or was killed meanwhile.
        IndexDamaged: if it is not an index.
        IndexMismatch: if a newer searchkit made it.
    """
    application = database.pragma("application_id")
    if not application and not database.pragma("schema_version"):
        raise IndexNotFound(no_index(database.path.parent))
    if application != APPLICATION_ID:
        raise IndexDamaged(
            Message(
                "{path}: not a searchkit database; nothing was changed; move the file away or "
                "choose another `folder`",
                path=database.path,
            )
        )
    version = database.pragma("user_version")
    if version > FORMAT:
        raise IndexMismatch(
            f"{database.path}: format {version}, made by a newer searchkit; this one reads up to "
            f"{FORMAT}; run: pip install --upgrade searchkit"
        )


def schema_problems(database: SqliteDatabase) -> list[str]:
    """Return which tables, indexes and triggers aren't those of the database's format.

    Older formats are not checked; the next writer leaves them behind.
    """
    if database.pragma("user_version") < FORMAT:
        return []
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with closing(SqliteDatabase(connection, database.path)) as expected:
        migrate(expected)
        with database.translated():
            names_there = virtual_columns(database.connection)
        add_virtual_columns(connection, names_there)
        wanted, present = _statements(expected), _statements(database)
    names = {
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    }
    return [f"{name} is not as it was created" for name in sorted(names)]


def _statements(database: SqliteDatabase) -> dict[str, str]:
    """Return the statements that created tables, indexes and triggers, by name.

    White space and quotes are left out, because versions of sqlite-utils and SQLite differ in
    them; and so are their own tables, and those of an unfinished reindex.
    """
    rows = database.rows("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    others = ("sqlite_", "_sqlite_", "answers_fts_", "next_")
    return {
        name: re.sub(r"[\s\"'`\[\]]", "", sql) for name, sql in rows if not name.startswith(others)
    }


_FORMAT_1 = (
    "CREATE TABLE sources (key INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)",
    # AUTOINCREMENT: keys are never reused, so an old checkpoint can't show another answer
    """CREATE TABLE answers (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        text TEXT NOT NULL,
        question TEXT,
        author TEXT,
        submitted_at TEXT,
        source INTEGER REFERENCES sources(key),
        line INTEGER,
        meta TEXT NOT NULL DEFAULT '{}'
    )""",
    "CREATE INDEX answers_question ON answers(question)",
    "CREATE INDEX answers_author ON answers(author)",
    """CREATE TABLE vectors (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        sha BLOB NOT NULL UNIQUE,
        vector BLOB NOT NULL
    )""",
    """CREATE TABLE passages (
        answer INTEGER NOT NULL REFERENCES answers(key) DEFERRABLE INITIALLY DEFERRED,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        vector INTEGER NOT NULL REFERENCES vectors(key) DEFERRABLE INITIALLY DEFERRED,
        PRIMARY KEY (answer, start)
    ) WITHOUT ROWID""",
    "CREATE INDEX passages_vector ON passages(vector)",
    "CREATE TABLE removals (vector INTEGER PRIMARY KEY)",
    """CREATE TABLE checkpoints (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        file TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        count INTEGER NOT NULL,
        last_vector INTEGER NOT NULL
    )""",
    """CREATE TABLE model (
        fingerprint TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        dimension INTEGER NOT NULL,
        window INTEGER NOT NULL
    )""",
    "CREATE TABLE state (name TEXT PRIMARY KEY)",
)
# Decisions name answers by id: one may be in another index, or be added again later.
_FORMAT_2 = (
    """CREATE TABLE decisions (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        left TEXT NOT NULL,
        right TEXT NOT NULL,
        decision TEXT NOT NULL,
        reason TEXT NOT NULL,
        decided_at TEXT NOT NULL,
        left_sha BLOB,
        right_sha BLOB
    )""",
    "CREATE INDEX decisions_pair ON decisions(left, right, n)",
    "CREATE INDEX decisions_right ON decisions(right)",
    "CREATE TABLE revision (n INTEGER NOT NULL)",
    "INSERT INTO revision VALUES (1)",
)
_FORMAT_4 = (
    "ALTER TABLE answers ADD COLUMN written TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE answers ADD COLUMN original TEXT",
    "ALTER TABLE answers ADD COLUMN author_key TEXT",
    "ALTER TABLE answers ADD COLUMN filter_values TEXT",
    "ALTER TABLE answers ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE answers ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
    "DROP INDEX answers_question",
    "DROP INDEX answers_author",
    "CREATE INDEX answers_slot ON answers(question, author_key, attempts)",
    "CREATE INDEX answers_author ON answers(author_key)",
    "CREATE INDEX answers_several ON answers(attempts) WHERE attempts > 1",
)
# Cells name answers by key: they are forgotten with their answers, and no id outlives its answer.
_FORMAT_5 = (
    """CREATE TABLE grading_settings (
        n INTEGER PRIMARY KEY,
        question TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL,
        checksum BLOB
    )""",
    """CREATE TABLE grading_changes (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        question TEXT NOT NULL,
        changed_by TEXT NOT NULL,
        changed_at TEXT NOT NULL,
        what TEXT NOT NULL,
        old_settings TEXT,
        new_settings TEXT,
        reverts INTEGER,
        state TEXT NOT NULL,
        checksum BLOB
    )""",
    "CREATE INDEX grading_changes_question ON grading_changes(question, state, n)",
    """CREATE TABLE grading_cells (
        change INTEGER NOT NULL REFERENCES grading_changes(n) DEFERRABLE INITIALLY DEFERRED,
        answer INTEGER NOT NULL REFERENCES answers(key) DEFERRABLE INITIALLY DEFERRED,
        name TEXT NOT NULL,
        old_value TEXT,
        new_value TEXT,
        checksum BLOB,
        PRIMARY KEY (change, answer, name)
    ) WITHOUT ROWID""",
    "CREATE INDEX grading_cells_answer ON grading_cells(answer)",
)

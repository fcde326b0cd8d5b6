"""The database's tables, as numbered migrations: a later format is one more function here."""

from __future__ import annotations

from searchkit.database import Database, Migrations

FORMAT = 1  # PRAGMA user_version
APPLICATION_ID = 0x5352_4B54  # PRAGMA application_id, "SRKT": what `file` and we know it by

MIGRATIONS = Migrations("searchkit")


@MIGRATIONS()
def format_1(db: Database) -> None:
    """Answers and their passages, vectors and where they are checkpointed, full text."""
    for statement in _FORMAT_1:
        db.execute(statement)
    # No triggers: the store feeds the full text a batch at a time, ten times as fast as row by row
    db.table("answers").enable_fts(["text"], tokenize="porter unicode61 remove_diacritics 2")


_FORMAT_1 = (
    "CREATE TABLE sources (key INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)",
    # AUTOINCREMENT: a key is never given twice, so an old checkpoint can't show another's answer
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

"""The database's tables, as numbered migrations: a later format is one more function here."""

from __future__ import annotations

from searchkit.index.storage.connection import Database, Migrations

FORMAT = 2  # PRAGMA user_version
APPLICATION_ID = 0x5352_4B54  # PRAGMA application_id, "SRKT": what `file` and we know it by
MIGRATIONS = Migrations("searchkit")


@MIGRATIONS()
def format_1(db: Database) -> None:
    """Answers and their passages, vectors and where they are checkpointed, full text."""
    for statement in _FORMAT_1:
        db.execute(statement)
    # No triggers: the store feeds the full text a batch at a time, ten times as fast as row by row
    db.table("answers").enable_fts(["text"], tokenize="porter unicode61 remove_diacritics 2")


@MIGRATIONS()
def format_2(db: Database) -> None:
    """What people decided about findings; and a number that changes whenever answers do."""
    for statement in _FORMAT_2:
        db.execute(statement)


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
# Answers stand here by their ids: one may be of another index (`--against`), or come again later.
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

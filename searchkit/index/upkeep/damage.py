"""What is damaged in the rows of a database, and the repairs that need no model."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from searchkit.core.errors import first_line
from searchkit.index.embedding import split_problems
from searchkit.index.storage.checksums import (
    damaged_rows,
    existing_tables,
    key_columns,
)
from searchkit.index.storage.connection import SQLITE_ERRORS, error_code
from searchkit.index.storage.schema import texts_and_passages
from searchkit.index.storage.store import AnswerStore

log = logging.getLogger("searchkit")
_BLOCK = 16_384  # vectors that are read together
_MAX_MESSAGES = 100  # of SQLite's check of its pages
_OF_AN_INDEX = re.compile(
    r"row \d+ missing from index|wrong # of entries in index|non-unique entry"
)
_MISSING = {
    "answers": "answers_fts_docsize WHERE id NOT IN (SELECT key FROM answers)",
    "names of files": (
        "answers WHERE source IS NOT NULL AND source NOT IN (SELECT key FROM sources)"
    ),
}
_UNUSED = {
    "passages": "passages WHERE answer NOT IN (SELECT key FROM answers)",
    "vectors": "vectors WHERE key NOT IN (SELECT vector FROM passages)",
    "cells of changes of grading": (
        "grading_cells WHERE answer NOT IN (SELECT key FROM answers) "
        "OR change NOT IN (SELECT n FROM grading_changes)"
    ),
}
_MAX_COUNT = 1 << 62
_COUNTED_TABLES = (  # their keys aren't reused
    *("answers", "vectors", "checkpoints", "decisions", "grading_changes"),
)


@dataclass(frozen=True, slots=True)
class DamagedAnswer:
    """An answer whose row isn't what was written.

    Attributes:
        key: Its key.
        id: Its id as it stands there; bytes that are no UTF-8 are replaced.
        source: The file that it came from; None if it wasn't read from a file.
        line: The line there.
    """

    key: int
    id: str
    source: str | None
    line: int | None


def page_problems(store: AnswerStore) -> tuple[list[str], list[str]]:
    """Return what SQLite says about its pages: of indexes only, which can be made again; the rest.

    Where the rest isn't empty, nothing else of the database can be read safely.
    """
    try:
        rows = store.connection.execute(f"PRAGMA integrity_check({_MAX_MESSAGES})").fetchall()
    except SQLITE_ERRORS as error:
        # A row's `meta` that is no JSON stops the check, though every page may be sound.
        is_of_a_row = error_code(error) == sqlite3.SQLITE_ERROR and damaged_answers(store)
        return [], [] if is_of_a_row else [first_line(error)]
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    messages = [line for line in lines if line != "ok" and not line.startswith("***")]
    of_indexes = [message for message in messages if _OF_AN_INDEX.match(message)]
    return of_indexes, [message for message in messages if message not in of_indexes]


def damaged_answers(store: AnswerStore) -> list[DamagedAnswer]:
    """Return the answers whose rows aren't what was written, in order of key."""
    if "answers" not in existing_tables(store.connection):
        return []  # an older format
    keys = [key for (key,) in damaged_rows(store.connection, "answers")]
    rows = store.rows_in(
        "SELECT a.key, CAST(a.id AS BLOB), CAST(s.path AS BLOB), CAST(a.line AS BLOB) "
        "FROM answers a LEFT JOIN sources s ON s.key = a.source WHERE a.key IN ({})",
        keys,
    )
    return [
        DamagedAnswer(key, _text(id_) or "", _text(path), _number(line))
        for key, id_, path, line in rows
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _number(value: bytes | None) -> int | None:
    return int(value) if value and value.isdigit() else None


def damaged_vectors(store: AnswerStore) -> dict[int, str]:
    """Return what is wrong with each vector that isn't what was written, by its key."""
    problems: dict[int, str] = {}
    if "vectors" in existing_tables(store.connection):
        problems |= {key: "damaged" for (key,) in damaged_rows(store.connection, "vectors")}
    size = 2 * store.model().dimension
    rows = store.rows(
        "SELECT key, length(CAST(vector AS BLOB)) FROM vectors "
        "WHERE typeof(vector) <> 'blob' OR length(vector) <> ?",
        [size],
    )
    problems |= {key: f"{length} bytes where {size} are needed" for key, length in rows}
    cursor = store.connection.execute(
        "SELECT key, vector FROM vectors WHERE typeof(vector) = 'blob' AND length(vector) = ?",
        [size],
    )
    with store.translated():
        while pairs := cursor.fetchmany(_BLOCK):
            halves = np.frombuffer(b"".join(vector for _, vector in pairs), np.float16)
            lengths = np.linalg.norm(halves.reshape(len(pairs), -1).astype(np.float32), axis=1)
            keys = np.array([key for key, _ in pairs])
            is_unit = np.abs(lengths - 1) < 1e-3  # false for NaN, too
            problems |= dict.fromkeys(keys[~is_unit].tolist(), "not of unit length")
    return dict(sorted(problems.items()))


def damaged_passages(
    store: AnswerStore, answers: Iterable[DamagedAnswer], vectors: Iterable[int]
) -> dict[int, str]:
    """Return what is wrong with the passages of answers whose own rows are sound, by answer's key.

    Args:
        store: The database.
        answers: The damaged ones, which are left out.
        vectors: Keys of vectors that are damaged.
    """
    problems: dict[int, str] = {}
    with store.translated():
        for key, text, passages in texts_and_passages(store.connection):
            for problem in split_problems(text, passages):
                problems.setdefault(key, problem)
    if "passages" in existing_tables(store.connection):
        of_answers = "answer IN (SELECT key FROM answers)"
        for key, _ in damaged_rows(store.connection, "passages", of_answers):
            problems.setdefault(key, "its passages are damaged")
    sql = "SELECT DISTINCT answer FROM passages WHERE vector IN ({})"
    for (key,) in store.rows_in(sql, list(vectors)):
        problems.setdefault(key, "one of its vectors is damaged")
    for answer in answers:
        problems.pop(answer.key, None)
    return problems


def other_damage(store: AnswerStore) -> dict[str, list[tuple[Any, ...]]]:
    """Return the keys of the damaged rows of all other tables, by table."""
    tables = [
        table
        for table in existing_tables(store.connection)
        if table not in ("answers", "vectors", "passages")
    ]
    damaged = {table: damaged_rows(store.connection, table) for table in tables}
    if "revision" in tables and not store.rows("SELECT 1 FROM revision"):
        damaged["revision"] = [("missing",)]
    return {table: keys for table, keys in damaged.items() if keys}


def unused_rows(store: AnswerStore) -> dict[str, int]:
    """Return the number of rows that belong to nothing, by what they are."""
    return _counts(store, _UNUSED)


def missing_rows(store: AnswerStore) -> dict[str, int]:
    """Return the number of rows that others name and that are gone, by what they were."""
    return _counts(store, _MISSING)


def _counts(store: AnswerStore, conditions: Mapping[str, str]) -> dict[str, int]:
    tables = _tables(store)
    counts = {
        name: int(store.rows(f"SELECT count(*) FROM {condition}")[0][0])
        for name, condition in conditions.items()
        if condition.split()[0] in tables
    }
    return {name: count for name, count in counts.items() if count}


def low_counters(store: AnswerStore) -> dict[str, int]:
    """Return the tables whose counter of keys is below a key that was given, and that key."""
    tables = _tables(store)
    highest = {
        table: int(
            store.rows(f"SELECT coalesce(max({key_columns(table)[0]}), 0) FROM {table}")[0][0]
        )
        for table in _COUNTED_TABLES
        if table in tables
    }
    sql = "SELECT coalesce(max(CAST(last_vector AS INTEGER)), 0) FROM checkpoints"
    ((last,),) = store.rows(sql)
    highest["vectors"] = max(highest["vectors"], last)
    counters = dict(store.rows("SELECT name, seq FROM sqlite_sequence"))
    return {
        table: key
        for table, key in highest.items()
        if not isinstance(counters.get(table, 0), int) or counters.get(table, 0) < key
    }


def _tables(store: AnswerStore) -> set[str]:
    """Return the names of the tables, of which an older format has fewer."""
    return {name for (name,) in store.rows("SELECT name FROM sqlite_master")}


def repair(store: AnswerStore) -> None:
    """Mend, in one transaction, what can be mended without the model and without a file.

    Indexes are made again; rows that nothing uses, damaged decisions, and damaged changes of
    grading are deleted; counters and tables that only describe the others are set right. Lost
    commits are accepted. The caller writes a new checkpoint afterwards.
    """
    with store.transaction():
        connection = store.connection
        connection.execute("REINDEX")
        damage = other_damage(store)
        # A damaged number may be so large that it can't grow.
        counters = [min(max(n, 0), _MAX_COUNT) for n in (store.revision(), store.commits())]
        for (number,) in damage.get("decisions", []):
            log.warning("decision %s is damaged, and is deleted; decide again", number)
            connection.execute("DELETE FROM decisions WHERE n = ?", [number])
        _forget_grading(store, damage)
        for condition in _UNUSED.values():
            connection.execute(f"DELETE FROM {condition}")
        for table, key in low_counters(store).items():
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])
            connection.execute("INSERT INTO sqlite_sequence(name, seq) VALUES (?, ?)", [table, key])
        if damage.keys() & {"checkpoints", "removals"}:
            connection.execute("DELETE FROM checkpoints")
            connection.execute("DELETE FROM removals")
        if "state" in damage:
            connection.execute("DELETE FROM state")
            store.require_erasure()
        _forget_sources(store, [key for (key,) in damage.get("sources", [])])
        if "revision" in damage:
            connection.execute("DELETE FROM revision")
            connection.execute("INSERT INTO revision(n, commits) VALUES (?, ?)", counters)
        store.bump_revision()
        store.accept_loss()


def _forget_grading(store: AnswerStore, damage: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
    """Delete damaged settings of grading, and changes that are damaged or have damaged cells."""
    for (number,) in damage.get("grading_settings", []):
        store.connection.execute("DELETE FROM grading_settings WHERE n = ?", [number])
    rows = [*damage.get("grading_changes", []), *damage.get("grading_cells", [])]
    changes = list(dict.fromkeys(row[0] for row in rows))
    if changes:
        log.warning("%s damaged changes of grading are forgotten", f"{len(changes):,}")
        store.grading.delete_changes(changes)


def _forget_sources(store: AnswerStore, damaged: Sequence[Any]) -> None:
    """Let answers whose file's name is damaged or missing have none, and delete these names.

    Damaged answers stay as they are: a new checksum would hide that.
    """
    sql = "SELECT key, source FROM answers WHERE source IS NOT NULL"
    known = {key for (key,) in store.rows("SELECT key FROM sources")} - set(damaged)
    without_name = [key for key, source in store.rows(sql) if source not in known]
    if without_name:
        without_name = sorted(set(without_name) - set(store.damaged_keys(without_name)))
    store.connection.executemany(
        "UPDATE answers SET source = NULL WHERE key = ?", [(key,) for key in without_name]
    )
    store.connection.executemany(
        "DELETE FROM sources WHERE key = ? "
        "AND NOT EXISTS (SELECT 1 FROM answers WHERE source = sources.key)",
        [(key,) for key in damaged],
    )

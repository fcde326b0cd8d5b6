"""What can be told, and checked, about the folder of an index without the model."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from searchkit.index.embedding import split_problems
from searchkit.index.storage.store import AnswerStore
from searchkit.index.storage.successor import Successor
from searchkit.index.vectors.checkpoint import Checkpoints

log = logging.getLogger("searchkit")
REBUILD = "run: searchkit rebuild"
RESTORE = "restore a copy, or ingest the files into a new index"


def describe(store: AnswerStore, checkpoints: Checkpoints) -> dict[str, Any]:
    """Return files, checkpoint, changes since, format and unfinished reindex; see `status`."""
    checkpoint, successor = checkpoints.current(), Successor(store)
    model = successor.model()
    files = sorted(path for path in checkpoints.folder.iterdir() if path.is_file())
    return {
        "files": {path.name: path.stat().st_size for path in files},
        "checkpoint": checkpoint and {"file": checkpoint.file, "vectors": checkpoint.count},
        "tail": checkpoints.tail_length(),
        "removed": len(checkpoints.removals()),
        "format": store.format(),
        "unfinished": model and {"model": model.name, "answers": successor.counts()["answers"]},
    }


def find_problems(
    store: AnswerStore, checkpoints: Checkpoints, *, is_writable: bool
) -> Iterator[str]:
    """Yield every problem in one line with what mends it.

    Checks the database's pages and references; that each passage's text has the hash its vector
    was made for, so that no text changed unnoticed; that passages leave no word out; that vectors
    are finite and of unit length; that the FAISS file is the one recorded and holds the table's
    vectors, bit for bit; the full text against the texts; and that nothing deleted is left,
    neither in free pages and the log of the database nor in files of earlier states. A reindex
    that is not finished is no problem, and is logged.

    Args:
        store: The database.
        checkpoints: The FAISS files.
        is_writable: Whether the store was opened for writing, which checking the full text needs.
    """
    messages = _database_problems(store)
    yield from (f"{store.path}: damaged ({message}); {RESTORE}" for message in messages)
    if messages:
        return  # nothing else can be read safely
    yield from _passage_problems(store)
    yield from _vector_problems(store)
    yield from _checkpoint_problems(checkpoints)
    if is_writable and not store.fulltext.is_sound():
        yield f"{store.path}: the full text is not that of the answers; {REBUILD}"
    yield from _leftover_problems(store, checkpoints)
    yield from _reindex_problems(store, checkpoints)


def _database_problems(store: AnswerStore) -> list[str]:
    """Return what SQLite says about its pages, its foreign keys and the full text."""
    try:
        messages = [row[0] for row in store.connection.execute("PRAGMA integrity_check(10)")]
        keys = store.connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    problems = [message for message in messages if message != "ok"]
    return problems + [f"{table}: row {row} points to nothing" for table, row, *_ in keys]


def _passage_problems(store: AnswerStore) -> Iterator[str]:
    for id_, text, passages in _texts_and_passages(store):
        for problem in split_problems(text, passages):
            yield f"answer {id_!r}: {problem}; {RESTORE}"


def _texts_and_passages(
    store: AnswerStore,
) -> Iterator[tuple[str, str, list[tuple[int, int, bytes | None]]]]:
    """Stream (answer id, text, passages as (start, end, SHA-256 of the vector's text))."""
    # Two streams side by side: a join would return a long text once for each of its passages.
    sql = (
        "SELECT p.answer, p.start, p.end, v.sha FROM passages p "
        "LEFT JOIN vectors v ON v.key = p.vector ORDER BY p.answer, p.start"
    )
    with store.translated():
        groups = groupby(store.connection.execute(sql), key=lambda row: row[0])
        key, rows = next(groups, (None, iter(())))
        for answer, id_, text in store.connection.execute(
            "SELECT key, id, text FROM answers ORDER BY key"
        ):
            yield id_, text, [row[1:] for row in rows] if key == answer else []
            if key == answer:
                key, rows = next(groups, (None, iter(())))


def _vector_problems(store: AnswerStore) -> Iterator[str]:
    sql = (
        "SELECT count(*) FROM vectors v "
        "WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.vector = v.key)"
    )
    ((unused,),) = store.rows(sql)
    if unused:
        yield f"{unused} vectors belong to no answer; {REBUILD}"
    for keys, rows in store.vectors():
        lengths = np.linalg.norm(rows.astype(np.float32), axis=1)
        for key in keys[~(np.abs(lengths - 1) < 1e-3)]:  # also NaN, which compares as false
            yield f"vector {key}: not of unit length; {RESTORE}"


def _checkpoint_problems(checkpoints: Checkpoints) -> Iterator[str]:
    if problem := checkpoints.problem():
        yield f"{problem}; {REBUILD}"
    elif differing := checkpoints.differing_rows():
        yield (
            f"{checkpoints.folder}: {differing} vectors of the FAISS file are not the table's; "
            f"{REBUILD}"
        )


def _leftover_problems(store: AnswerStore, checkpoints: Checkpoints) -> Iterator[str]:
    folder = checkpoints.folder
    if store.needs_erasure():
        yield f"{folder}: deleted data is not erased yet (is a reader open?); {REBUILD}"
    for path in checkpoints.leftovers():
        yield f"{path}: left over from an earlier state; {REBUILD}"
    for path in sorted(folder.glob("*.damaged")):
        yield f"{path}: set aside as damaged; it may hold vectors of deleted answers; delete it"


def _reindex_problems(store: AnswerStore, checkpoints: Checkpoints) -> Iterator[str]:
    successor = Successor(store)
    model = successor.model()
    if model is None:
        return
    current = store.model().name
    log.info(
        "%s: a reindex is not finished (%s answers are embedded); go on with: "
        "searchkit reindex --model %s; or drop it: searchkit reindex --model %s",
        checkpoints.folder,
        f"{successor.counts()['answers']:,}",
        model.name,
        current,
    )
    if unused := successor.unused_vectors():
        yield (
            f"{unused} vectors of the unfinished reindex belong to no answer; drop it, run: "
            f"searchkit reindex --model {current}"
        )

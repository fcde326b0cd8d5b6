"""Checkpoints: the vectors table as a FAISS file that is checked, complete or not there at all.

Written in this order: temporary file, fsync, rename, fsync of the folder, and the SQLite commit of
its row, which is the one moment at which it counts.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float16, Int64
from searchkit.core.errors import StorageFailed
from searchkit.index.storage.store import AnswerStore, Checkpoint
from searchkit.index.storage.vectors import VectorIndex

log = logging.getLogger("searchkit")
_OURS = re.compile(r"vectors-\d+\.faiss(\.tmp)?")


def load_vectors(folder: Path, store: AnswerStore) -> VectorIndex:
    """Return every vector of the table: the checkpoint, if it is sound, and the rows after it."""
    checkpoint = store.checkpoint()
    problem = checkpoint_problem(folder, checkpoint)
    if checkpoint is None or problem:
        if problem:
            log.warning(
                "%s; its vectors are read from the database (slower); run: searchkit rebuild",
                problem,
            )
        return read_rows(store)
    vectors = VectorIndex.load(folder / checkpoint.file)
    vectors.remove(store.removals())
    return _from_rows(store, vectors, checkpoint.last_vector)


def read_rows(store: AnswerStore) -> VectorIndex:
    """Return every vector of the table, row by row."""
    return _from_rows(store, VectorIndex(store.model().dimension), 0)


def _from_rows(store: AnswerStore, vectors: VectorIndex, after: int) -> VectorIndex:
    for keys, rows in store.vectors(after):
        vectors.add(keys, rows)
    return vectors


def checkpoint_problem(folder: Path, checkpoint: Checkpoint | None) -> str | None:
    """Say what is wrong with a checkpoint's file, before FAISS sees it; None if nothing is."""
    if checkpoint is None:
        return None
    path = folder / checkpoint.file
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != checkpoint.bytes:
                return f"{path}: {size} bytes where {checkpoint.bytes} were written"
            if hashlib.file_digest(file, "sha256").hexdigest() != checkpoint.sha256:
                return f"{path}: its SHA-256 is not the recorded one"
    except FileNotFoundError:
        return f"{path}: missing"
    except OSError as error:
        return f"{path}: can't be read ({error.strerror})"
    return None


def write_checkpoint(folder: Path, store: AnswerStore, vectors: VectorIndex) -> None:
    """Write `vectors`, which are all of the table, and make them the newest checkpoint.

    A damaged file that the last checkpoint had is set aside; sound older files are deleted.

    Raises:
        StorageFailed: if the file can't be written; the older checkpoint stays.
    """
    set_aside(folder, store)
    store.commit_checkpoint(write_file(folder, store, vectors))
    remove_leftovers(folder, store)


def write_file(folder: Path, store: AnswerStore, vectors: VectorIndex) -> Checkpoint:
    """Write `vectors`, which are all of the table, to a new file; it counts once it is committed.

    Raises:
        StorageFailed: if the file can't be written.
    """
    name = store.next_checkpoint_file()
    temporary = folder / f"{name}.tmp"
    try:
        vectors.save(temporary)
        digest = _synced_digest(temporary)
        size = temporary.stat().st_size
        temporary.replace(folder / name)
        _sync_folder(folder)
    except (OSError, RuntimeError) as error:  # FAISS raises RuntimeError when the disk is full
        temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or "FAISS could not write; is the disk full?"
        raise StorageFailed(f"{folder / name}: {reason}; the answers are safe") from error
    return Checkpoint(name, digest, size, len(vectors), store.last_vector())


def set_aside(folder: Path, store: AnswerStore) -> None:
    """Rename a checkpoint's file that is not what was written; it is never deleted."""
    checkpoint = store.checkpoint()
    path = folder / checkpoint.file if checkpoint else None
    if path and path.exists() and checkpoint_problem(folder, checkpoint):
        aside = path.with_name(path.name + ".damaged")
        path.replace(aside)
        log.warning("%s: damaged, set aside as %s", path, aside.name)


def remove_leftovers(folder: Path, store: AnswerStore) -> None:
    """Delete our own files that no row of the database names: a kill came between."""
    for path in leftovers(folder, store):
        path.unlink()


def leftovers(folder: Path, store: AnswerStore) -> list[Path]:
    """Return the files of earlier states: named as we name them, but not by the database."""
    checkpoint = store.checkpoint()
    current = checkpoint.file if checkpoint else ""
    return [
        path
        for path in sorted(folder.iterdir())
        if _OURS.fullmatch(path.name)
        and path.name != current
        and path.is_file()
        and not path.is_symlink()
    ]


def outgrown(store: AnswerStore) -> bool:
    """Return whether the rows outside the checkpoint are so many that a new one pays.

    More than a tenth of it, and at least 10,000; or there is none yet.
    """
    checkpoint = store.checkpoint()
    if checkpoint is None:
        return store.last_vector() > 0
    outside = store.tail_length(checkpoint.last_vector) + len(store.removals())
    return outside > max(10_000, checkpoint.count // 10)


def differing_rows(folder: Path, store: AnswerStore) -> int:
    """Count the rows of a sound checkpoint that are not those of the table."""
    checkpoint = store.checkpoint()
    if checkpoint is None or checkpoint_problem(folder, checkpoint):
        return 0
    vectors = VectorIndex.load(folder / checkpoint.file)
    vectors.remove(store.removals())
    in_file = vectors.scan(block=16384)
    keys, rows = next(in_file, (np.empty(0, np.int64), np.empty((0, 0), np.float32)))
    differing = 0
    for table_keys, table_rows in _up_to(store, checkpoint.last_vector):
        while len(keys) < len(table_keys) and (more := next(in_file, None)):
            keys, rows = np.concatenate([keys, more[0]]), np.vstack([rows, more[1]])
        n = len(table_keys)
        if not np.array_equal(keys[:n], table_keys):
            return differing + max(n, len(keys))
        differing += int((rows[:n] != table_rows.astype(np.float32)).any(axis=1).sum())
        keys, rows = keys[n:], rows[n:]
    return differing + len(keys) + sum(len(more) for more, _ in in_file)


def _up_to(store: AnswerStore, last: int) -> Iterator[tuple[Int64, Float16]]:
    for keys, rows in store.vectors(block=16384):
        inside = keys <= last
        if inside.any():
            yield keys[inside], rows[inside]


def _synced_digest(path: Path) -> str:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows can't open a folder, and needs no such step
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

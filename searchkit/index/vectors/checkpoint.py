"""Checkpoints: the vectors table as a FAISS file, so that opening doesn't read it row by row.

A file is written in this order: temporary file, fsync, rename, fsync of the folder, and the commit
of its row in `checkpoints`. Only the commit makes it the checkpoint.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path

import numpy as np

from searchkit.core.arrays import Float16, Int64
from searchkit.core.errors import StorageFailed
from searchkit.index.storage.store import AnswerStore
from searchkit.index.storage.tables.checkpoints import FILE_NAME, Checkpoint, CheckpointTable
from searchkit.index.vectors.codes import MIN_ROWS
from searchkit.index.vectors.codes_file import (
    CodesFile,
    check_file,
    digest_of,
    first_check,
    is_of_other_format,
    write_codes,
)
from searchkit.index.vectors.vector_index import VectorIndex

log = logging.getLogger("searchkit")
_CODES_NAME = re.compile(r"vectors-\d+\.codes(\.tmp)?")


class _Unusable(Exception):
    """A checkpoint's file is missing or damaged; the message says which and how."""


class Checkpoints:
    """The FAISS files of an index's folder, of which the database names the current one.

    Attributes:
        folder: The index's folder.
        table: What the database says about them.
        pinned_files: Name, number and time of the current file and of its codes, of those that were
            there when it was last pinned.
    """

    def __init__(self, folder: Path, store: AnswerStore) -> None:
        self.folder = folder
        self.table = CheckpointTable(store)
        self.pinned_files: list[tuple[str, int, int]] = []
        self._store = store
        self._pinned: tuple[str, BufferedReader] | None = None
        self._check: Future[str | CodesFile] | None = None  # of the pinned file, for one use only

    def pin(self) -> bool:
        """Keep the current file open, so that a writer that replaces it takes nothing away.

        Returns:
            False if the file is gone.
        """
        self.close()
        current = self.table.current()
        if current is None:
            return True
        path, codes = self.folder / current.file, self._codes_path(current)
        with suppress(OSError):
            self._pinned = current.file, path.open("rb")
        self.pinned_files = []
        for file in (path, codes):
            with suppress(OSError):
                found = file.stat()
                self.pinned_files.append((file.name, found.st_ino, found.st_mtime_ns))
        return self._pinned is not None or path.exists()

    def begin_check(self, *, with_codes: bool) -> None:
        """Begin to check the file that is kept open, while other things are done.

        Args:
            with_codes: Whether to read the codes, too, if there are some.
        """
        current = self.table.current() if self._pinned and self._check is None else None
        if self._pinned and current and current.file == self._pinned[0]:
            with suppress(RuntimeError):  # no more threads; then it is checked when it is needed
                pool = ThreadPoolExecutor(1)
                place = self._codes_path(current), current.sha256, current.count
                self._check = pool.submit(first_check, self._pinned[1], *place, with_codes)
                pool.shutdown(wait=False)

    def close(self) -> None:
        """Close the file that is kept open; closing it twice is harmless."""
        if self._check:
            wait([self._check])
            self._check = None
        if self._pinned:
            self._pinned[1].close()
            self._pinned = None

    @contextmanager
    def _opened(self, checkpoint: Checkpoint) -> Iterator[BufferedReader]:
        """Open a checkpoint's file, or go to the beginning of the one that is kept open."""
        if self._pinned and self._pinned[0] == checkpoint.file:
            if self._check:
                wait([self._check])
            self._pinned[1].seek(0)
            yield self._pinned[1]
        else:
            with (self.folder / checkpoint.file).open("rb") as file:
                yield file

    # -- reading ---------------------------------------------------------------------------------

    def load_vectors(self) -> VectorIndex:
        """Return all vectors: those of the checkpoint if it is sound, and the rows after it."""
        current = self.table.current()
        if current is None:
            return self.read_rows()
        try:
            if self.table.removals_are_damaged():
                raise _Unusable(f"{self.folder}: the record of removed vectors is damaged")
            return self._with_rows(self._mapped(current), current.last_vector)
        except _Unusable as error:
            return self.read_rows_instead(f"{error}; run: searchkit rebuild")

    def read_rows_instead(self, problem: str) -> VectorIndex:
        """Return all vectors, read from the table, as the current file is damaged or missing."""
        log.warning("%s; until then its vectors are read from the database (slower)", problem)
        return self.read_rows()

    def read_rows(self) -> VectorIndex:
        """Return all vectors, read from the table row by row."""
        return self._with_rows(VectorIndex(self._store.model().dimension), 0)

    def _mapped(self, checkpoint: Checkpoint) -> VectorIndex:
        """Return the vectors of a file, mapped, without those that were deleted since.

        Raises:
            _Unusable: if the file is missing or damaged.
        """
        with self._translated(checkpoint), self._sized(checkpoint) as file:
            check = self._begun_check(file)
            if check is None:
                path = self._codes_path(checkpoint)
                check = check_file(file, path, checkpoint.sha256, checkpoint.count)
            if isinstance(check, str):
                self._compare(checkpoint, check)
                vectors = VectorIndex.load(file)
            else:
                vectors = VectorIndex.load(file, check)
        vectors.file_sha256 = checkpoint.sha256
        vectors.remove(self.table.removals())
        return vectors

    @contextmanager
    def _checked(self, checkpoint: Checkpoint) -> Iterator[BufferedReader]:
        """Open a checkpoint's file, and check all of it.

        Raises:
            _Unusable: if the file is missing or damaged.
        """
        with ExitStack() as stack:
            with self._translated(checkpoint):
                file = stack.enter_context(self._sized(checkpoint))
                begun = self._begun_check(file)
                self._compare(checkpoint, begun if isinstance(begun, str) else digest_of(file))
            yield file

    def _compare(self, checkpoint: Checkpoint, sha256: str) -> None:
        if sha256 != checkpoint.sha256:
            path = self.folder / checkpoint.file
            raise _Unusable(f"{path}: its SHA-256 is not the recorded one")

    @contextmanager
    def _sized(self, checkpoint: Checkpoint) -> Iterator[BufferedReader]:
        """Open a checkpoint's file, which has the recorded size.

        Raises:
            _Unusable: if it has another size.
            OSError: if it can't be opened.
        """
        with self._opened(checkpoint) as file:
            size = os.fstat(file.fileno()).st_size
            if size != checkpoint.bytes:
                path = self.folder / checkpoint.file
                raise _Unusable(f"{path}: {size} bytes where {checkpoint.bytes} were written")
            yield file

    @contextmanager
    def _translated(self, checkpoint: Checkpoint) -> Iterator[None]:
        """Translate the errors of reading a checkpoint's file to `_Unusable`."""
        path = self.folder / checkpoint.file
        try:
            yield
        except FileNotFoundError:
            raise _Unusable(f"{path}: missing") from None
        except OSError as error:
            raise _Unusable(f"{path}: can't be read ({error.strerror})") from error

    def _begun_check(self, file: BufferedReader) -> str | CodesFile | None:
        """Return what a check of a file that was begun found; None if none was."""
        check = self._check
        if check and self._pinned and self._pinned[1] is file:
            self._check = None
            return check.result()
        return None

    def _with_rows(self, vectors: VectorIndex, after: int) -> VectorIndex:
        for keys, rows in self._store.vectors(after):
            vectors.add(keys, rows)
        return vectors

    def problem(self) -> str | None:
        """Return what is wrong with the current file, or None."""
        current = self.table.current()
        if current is None:
            return None
        try:
            with self._checked(current):
                return None
        except _Unusable as error:
            return str(error)

    def codes_problem(self) -> str | None:
        """Return what is wrong with the codes of the current file, if there are any, or None."""
        current = self.table.current()
        path = self._codes_path(current) if current else None
        if current and path and path.exists():
            codes_file = CodesFile.open(path, current.sha256, current.count)
            if not is_of_other_format(path) and (codes_file is None or codes_file.codes is None):
                return f"{path}: damaged, or of another file than {current.file}"
        return None

    def differing_rows(self) -> int:
        """Return how many rows of a sound checkpoint are not those of the table."""
        current = self.table.current()
        if current is None or self.problem():
            return 0
        file_blocks = self._mapped(current).scan(block=16384)
        keys, rows = next(file_blocks, (np.empty(0, np.int64), np.empty((0, 0), np.float32)))
        differing = 0
        for table_keys, table_rows in self._rows_up_to(current.last_vector):
            while len(keys) < len(table_keys) and (more := next(file_blocks, None)):
                keys, rows = np.concatenate([keys, more[0]]), np.vstack([rows, more[1]])
            n = len(table_keys)
            if not np.array_equal(keys[:n], table_keys):
                return differing + max(n, len(keys))
            differing += int((rows[:n] != table_rows.astype(np.float32)).any(axis=1).sum())
            keys, rows = keys[n:], rows[n:]
        return differing + len(keys) + sum(len(more) for more, _ in file_blocks)

    def _rows_up_to(self, last: int) -> Iterator[tuple[Int64, Float16]]:
        for keys, rows in self._store.vectors(block=16384):
            inside = keys <= last
            if inside.any():
                yield keys[inside], rows[inside]

    # -- writing ---------------------------------------------------------------------------------

    def write(self, vectors: VectorIndex) -> None:
        """Write `vectors`, which are all of the table, as the current checkpoint.

        A damaged file of the previous checkpoint is set aside; sound older files are deleted.

        Raises:
            StorageFailed: if the file can't be written; the previous checkpoint stays.
        """
        self.set_aside()
        self.table.commit(self.write_file(vectors))
        self.remove_leftovers()

    def write_file(self, vectors: VectorIndex) -> Checkpoint:
        """Write `vectors`, which are all of the table, to a new file, to be committed.

        Raises:
            StorageFailed: if the file can't be written.
        """
        name = self.table.next_file()
        temporary = self.folder / f"{name}.tmp"
        try:
            vectors.save(temporary)
            digest = _synced_digest(temporary)
            size = temporary.stat().st_size
            temporary.replace(self.folder / name)
            _sync_folder(self.folder)
        except (OSError, RuntimeError) as error:  # FAISS raises RuntimeError when the disk is full
            temporary.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or "FAISS could not write; is the disk full?"
            raise StorageFailed(f"{self.folder / name}: {reason}; the answers are safe") from error
        return Checkpoint(name, digest, size, len(vectors), self._store.last_vector())

    def write_codes(self) -> None:
        """Write the codes of the current file, if there are none to use and they would pay.

        Searches are only slower without them, so that a full disk is no error.
        """
        current = self.table.current()
        if current is None or current.count < MIN_ROWS:
            return
        path = self._codes_path(current)
        if path.exists() and not is_of_other_format(path):
            return
        temporary = path.with_name(f"{path.name}.tmp")
        try:
            with self._checked(current) as file:
                vectors = VectorIndex.load(file)
                write_codes(temporary, vectors.stored(), current.sha256, file)
            temporary.replace(path)
        except (OSError, _Unusable) as error:
            reason = getattr(error, "strerror", None) or error
            log.warning("%s: can't be written (%s); searches are slower", path, reason)
            temporary.unlink(missing_ok=True)

    def _codes_path(self, checkpoint: Checkpoint) -> Path:
        return (self.folder / checkpoint.file).with_suffix(".codes")

    def set_aside(self) -> None:
        """Rename the current file if it is damaged; it is never deleted."""
        current = self.table.current()
        path = self.folder / current.file if current else None
        if path and path.exists() and self.problem():
            aside = path.with_name(path.name + ".damaged")
            path.replace(aside)
            log.warning("%s: damaged, set aside as %s", path, aside.name)

    def remove_leftovers(self) -> None:
        """Delete the files that the database doesn't name, left by a killed writer."""
        for path in self.leftovers():
            path.unlink()

    def leftovers(self) -> list[Path]:
        """Return the files with a checkpoint's name that the database doesn't name."""
        current = self.table.current()
        used = {current.file, self._codes_path(current).name} if current else set()
        return [
            path
            for path in sorted(self.folder.iterdir())
            if (FILE_NAME.fullmatch(path.name) or _CODES_NAME.fullmatch(path.name))
            and path.name not in used
            and path.is_file()
            and not path.is_symlink()
        ]

    def erase_deleted(self) -> None:
        """Leave no byte of what was deleted in any file of the folder."""
        self.remove_leftovers()
        self._store.erase_deleted()
        if self._store.flush_log():
            self._store.finish_erasure()
            self._store.flush_log()
        else:
            log.warning(
                "%s: a reader still has the older state open; deleted data is erased when the next "
                "command writes",
                self.folder,
            )


def _synced_digest(path: Path) -> str:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        return digest_of(file)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows can't open a folder, and needs no such step
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""One writer at a time: an advisory lock on a file that names the process that holds it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Self

from searchkit.core.errors import IndexBusy, StorageFailed

# Windows locks bytes and makes them unreadable, so the locked byte is far behind the file's text.
_LOCKED_BYTE = 1 << 30
_HELD_BY_ANOTHER = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)  # all else: no locks here
LOCK_FILE = "LOCK"


class WriterLock:
    """Held from `acquire` to `release`; the system frees it when the process ends in any way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @classmethod
    def of(cls, folder: Path, *, create: bool = False) -> Self:
        """Take the lock of an index's folder, which `create` makes if it doesn't exist.

        Raises:
            IndexBusy: if another process holds the lock.
            StorageFailed: if the folder can't be made or written.
        """
        try:
            if create:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"{folder}: can't make this folder ({error.strerror})") from error
        lock = cls(folder / LOCK_FILE)
        lock.acquire()
        return lock

    def acquire(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            IndexBusy: if another process (or another object of this one) holds it.
            StorageFailed: if the file can't be opened for writing, or can't be locked.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StorageFailed(
                f"{self.path.parent}: can't write here ({error.strerror}); "
                "queries still work; make the folder writable to change the index"
            ) from error
        try:
            _lock(handle)
        except OSError as error:
            os.close(handle)
            if error.errno not in _HELD_BY_ANOTHER:
                raise _without_locks(self.path.parent, error) from error
            raise IndexBusy(
                f"{self.path.parent}: being written by {self._holder()}; try again when it is done"
            ) from error
        self._handle = handle
        started = datetime.now().isoformat(sep=" ", timespec="seconds")
        with contextlib.suppress(OSError):  # a full disk is reported where data is at stake
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"process {os.getpid()}, since {started}\n".encode())

    def release(self) -> None:
        """Free the lock; freeing it twice is harmless."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def _holder(self) -> str:
        try:
            return self.path.read_text("utf-8").strip() or "another process"
        except OSError:
            return "another process"


def missing_locks(folder: Path) -> StorageFailed | None:
    """Return the error for a folder whose files can't be locked as SQLite does; None if they can.

    SQLite itself reports this as a database that others have locked.
    """
    with contextlib.suppress(OSError), (folder / LOCK_FILE).open("rb") as file:
        try:
            _try_database_lock(file.fileno())
        except OSError as error:
            if error.errno not in _HELD_BY_ANOTHER:
                return _without_locks(folder, error)
    return None


def _without_locks(folder: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"{folder}: this file system can't lock files ({error.strerror}), so that two processes "
        "could write at once; move the folder to a local disk"
    )


def seems_held(folder: Path) -> bool:
    """Whether the process that the lock's file names is alive, as far as can be told from here.

    It doesn't touch the lock itself, which could make a writer fail.
    """
    try:
        named = re.match(r"process (\d+),", (folder / "LOCK").read_text("utf-8", "replace"))
        if named and os.name == "posix":
            os.kill(int(named[1]), 0)  # sends nothing
    except (OSError, OverflowError):
        return False
    return named is not None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _try_database_lock(handle: int) -> None:
        """Do nothing: here SQLite itself tells missing locks from those of others."""

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _try_database_lock(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # of the kind that SQLite takes

"""The number of the last acknowledged commit, in a file of its own beside the database.

When a byte of SQLite's write-ahead log changes, SQLite drops the commits from there on without a
word. A database with fewer commits than were acknowledged shows that this has happened.
"""

from __future__ import annotations

import errno
import os
import zlib
from contextlib import suppress
from pathlib import Path

from searchkit.core.errors import StorageFailed

FILE_NAME = "COMMITS"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # 0 on Windows


class CommitRecord:
    """The file `COMMITS`: a number and its CRC-32, in one line of constant length."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def read(self) -> int | None:
        """Return the number; None if there is no such file, or if it is damaged."""
        with suppress(OSError, ValueError):
            line = self.path.read_bytes()
            number = int(line[:20])
            if line == _line(number):
                return number
        return None

    def write(self, number: int) -> None:
        """Write the number, and wait until it is on the disk.

        A full disk is no error here: the commit itself is on the disk, and the older number still
        true.

        Raises:
            StorageFailed: if the file is none that can be written.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o666)
            try:
                line = _line(number)
                os.write(handle, line)
                os.ftruncate(handle, len(line))  # after it was written, so that it's never empty
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StorageFailed(
                    f"{self.path}: can't be written ({error.strerror}); the change itself is kept; "
                    "remove what has this name, and run: searchkit rebuild"
                ) from error

    def remove(self) -> None:
        """Delete the file, if there is one."""
        with suppress(OSError):
            self.path.unlink()


def _line(number: int) -> bytes:
    digits = b"%020d" % number
    return b"%s %08x\n" % (digits, zlib.crc32(digits))

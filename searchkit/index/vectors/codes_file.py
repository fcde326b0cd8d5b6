"""The file beside a large FAISS file: codes of its vectors, and checksums of its parts.

The FAISS file is mapped, and a search reads some thousand of its vectors. Each is checked when it
is read, so that opening need not read, and hash, gigabytes that nobody asks for. What reads every
vector checks the whole file before.

It is a ZIP archive, whose entries carry checksums of their own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from weakref import finalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from searchkit.core.arrays import Intp, UInt8
from searchkit.core.errors import IndexDamaged
from searchkit.index.vectors.codes import (
    LEVELS,
    Codes,
    Shard,
    empty_fast_scan,
    encode,
    levels_of,
    numbers_of,
    packed_codes,
)
from searchkit.index.vectors.faiss_runtime import load_faiss
from searchkit.runners.cores import map_on_cores

log = logging.getLogger("searchkit")
SHARD_ROWS = 1 << 20
_FORMAT = 2
_CHUNK = 1 << 18  # bytes of a file that are read together
_MAX_HEAD = 4096  # bytes of a FAISS file before its vectors
_Checksums = NDArray[np.uint32]


class DamagedFile(IndexDamaged):
    """The vectors of a mapped file aren't what was written; they stand in the database, too."""

    @classmethod
    def beside(cls, codes: Path, error: OSError | None = None) -> DamagedFile:
        """Return the error for the FAISS file beside a file of codes.

        Args:
            codes: The file of codes.
            error: With which the system refuses to read the FAISS file.
        """
        path = codes.with_suffix(".faiss")
        problem = (
            f"can't be read ({error.strerror})" if error else "are not those that were written"
        )
        return cls(f"{path}: its vectors {problem}; run: searchkit rebuild")


class CodesFile:
    """The codes and checksums of a FAISS file.

    Its own file is kept open, so that a writer that replaces it takes nothing away.

    Args:
        archive: The file, which any number of threads may read.
        path: Its name.
        about: What it says about itself.
        checksums: `(n,)`, the CRC-32 of each vector.
    """

    def __init__(
        self, archive: zipfile.ZipFile, path: Path, about: dict[str, Any], checksums: _Checksums
    ) -> None:
        self._archive = archive
        self._path = path
        self._about = about
        self._checksums = checksums

    @classmethod
    def open(cls, path: Path, sha256: str, rows: int) -> CodesFile | None:
        """Open a file; None if there is none, or it is damaged or of other vectors.

        Args:
            path: The file.
            sha256: Of the FAISS file.
            rows: Number of its vectors.
        """
        try:
            with ExitStack() as stack:
                file = stack.enter_context(path.open("rb"))
                archive = zipfile.ZipFile(file)
                about = json.loads(archive.read("about.json"))
                if [about["format"], about["sha256"], about["rows"]] != [_FORMAT, sha256, rows]:
                    return None
                checksums = np.frombuffer(archive.read("checksums"), np.uint32)
                if len(checksums) != rows:
                    return None
                stack.pop_all()
            codes_file = cls(archive, path, about, checksums)
            finalize(codes_file, file.close)
            return codes_file
        except FileNotFoundError:
            return None
        except Exception as error:  # of a dozen kinds, depending on which byte is damaged
            _say_unusable(path, error)
            return None

    @cached_property
    def codes(self) -> Codes | None:
        """The codes, read when they are first needed; None if they can't be."""
        rows = len(self._checksums)
        try:
            codes = Codes(map_on_cores(self._read_shard, range(-(-rows // SHARD_ROWS))))
            return codes if len(codes) == rows else None
        except Exception as error:  # see `open`
            _say_unusable(self._path, error)
            return None

    def _read_shard(self, number: int) -> Shard:
        archive = self._archive
        levels = np.frombuffer(archive.read(f"{number}.levels"), np.float32).reshape(-1, LEVELS)
        distances = np.frombuffer(archive.read(f"{number}.distances"), np.float32)
        size = archive.getinfo(f"{number}.codes").file_size
        index = empty_fast_scan(levels, len(distances), size)
        packed = packed_codes(index).data
        with archive.open(f"{number}.codes") as entry:
            for start in range(0, size, _CHUNK):
                packed[start : start + _CHUNK] = entry.read(_CHUNK)
            entry.read()  # at its end, its checksum is compared
        far = np.frombuffer(archive.read(f"{number}.far"), np.uint8)
        return Shard.of(index, distances, numbers_of(far.reshape(-1, 2 * index.d)))

    # -- checking the FAISS file -----------------------------------------------------------------

    def attach(self, file: BinaryIO) -> bool:
        """Read vectors from this FAISS file; False if all but its vectors is not what was written.

        The file may be closed afterwards.
        """
        rows, width = len(self._checksums), self._about["width"]
        outline = _outline(file, rows, width)
        if outline is None or outline != self._about["outline"]:
            return False
        self._start, _ = _place(file, rows, width)
        self._handle = os.dup(file.fileno())
        finalize(self, os.close, self._handle)
        return True

    def read(self, rows: Intp, mapped: UInt8) -> UInt8:
        """Return the vectors of some rows, `(m, 2 d)`.

        They are not read from the mapped file where there is another way: it would bring the pages
        around each of them into memory.

        Args:
            rows: `(m,)`.
            mapped: `(n, 2 d)`, all vectors.

        Raises:
            DamagedFile: if they aren't what was written.
        """
        width = mapped.shape[1]
        if hasattr(os, "pread"):
            places = (rows * width + self._start).tolist()
            data = b"".join(self._bytes(width, place) for place in places)
            vectors = np.frombuffer(data, np.uint8).reshape(-1, width)
        else:  # Windows
            vectors = mapped.take(rows, axis=0)
        if not np.array_equal(_row_checksums(vectors), self._checksums[rows]):
            raise DamagedFile.beside(self._path)
        return vectors

    def check(self, mapped: UInt8) -> None:
        """Check all vectors, `(n, 2 d)`.

        They are not read from the mapped file where there is another way: where a disk can't be
        read, the system ends the process that does so.

        Raises:
            DamagedFile: if they aren't what was written.
        """
        if hasattr(os, "pread"):
            blocks = map_on_cores(self._block_checksum, range(0, len(mapped), SHARD_ROWS))
        else:  # Windows
            blocks = _block_checksums(mapped)
        if blocks != self._about["blocks"]:
            raise DamagedFile.beside(self._path)

    def _block_checksum(self, first: int) -> int:
        """Return the CRC-32 of a block of vectors, as they are on the disk."""
        width, last = self._about["width"], min(first + SHARD_ROWS, len(self._checksums))
        place, end = self._start + first * width, self._start + last * width
        checksum = 0
        for start in range(place, end, _CHUNK):
            checksum = crc32(self._bytes(min(_CHUNK, end - start), start), checksum)
        return checksum

    def _bytes(self, size: int, place: int) -> bytes:
        """Return bytes of the FAISS file; raises DamagedFile if they can't be read, or are gone."""
        try:
            data = os.pread(self._handle, size, place)
        except OSError as error:
            raise DamagedFile.beside(self._path, error) from error
        if len(data) < size:
            raise DamagedFile.beside(self._path)
        return data


def check_file(file: BinaryIO, path: Path, sha256: str, rows: int) -> str | CodesFile:
    """Return what is beside a sound FAISS file; else the file's SHA-256, to be compared.

    Args:
        file: The FAISS file.
        path: Of the codes.
        sha256: Of the FAISS file, as it is recorded.
        rows: Number of its vectors.
    """
    codes_file = CodesFile.open(path, sha256, rows)
    if codes_file and codes_file.attach(file):
        return codes_file
    file.seek(0)
    return digest_of(file)


def first_check(
    file: BinaryIO, path: Path, sha256: str, rows: int, with_codes: bool
) -> str | CodesFile:
    """Check a file that is mapped next; the import of FAISS takes longer often."""
    load_faiss()
    check = check_file(file, path, sha256, rows)
    if with_codes and isinstance(check, CodesFile):
        check.codes  # noqa: B018 (reads them)
    return check


def is_of_other_format(path: Path) -> bool:
    """Whether a file of codes is sound, as far as that is read, but of another format."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(json.loads(archive.read("about.json"))["format"] != _FORMAT)
    except Exception:  # see `CodesFile.open`
        return False


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of what is left of a file, as hexadecimal digits."""
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _say_unusable(path: Path, error: Exception) -> None:
    if isinstance(error, MemoryError | OSError):
        reason = getattr(error, "strerror", None) or str(error) or "too little memory"
        until = "searches are slower until it is opened again"
        log.warning("%s: can't be read now (%s); %s", path, reason, until)
    else:
        log.warning("%s: damaged (%s); searches are slower; run: searchkit rebuild", path, error)


def write_codes(path: Path, vectors: UInt8, sha256: str, file: BinaryIO) -> None:
    """Write codes and checksums.

    Args:
        path: The file.
        vectors: `(n, 2 d)`, the bytes of `(n, d)` float16.
        sha256: Of the FAISS file with these vectors.
        file: The FAISS file.
    """
    about = {
        "format": _FORMAT,
        "sha256": sha256,
        "rows": len(vectors),
        "width": vectors.shape[1],
        "outline": _outline(file, *vectors.shape),
        "blocks": _block_checksums(vectors),
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.json", json.dumps(about))
        _write(archive, "checksums", _row_checksums(vectors))
        for start in range(0, len(vectors), SHARD_ROWS):
            shard = encode(vectors[start : start + SHARD_ROWS])
            number = start // SHARD_ROWS
            _write(archive, f"{number}.levels", levels_of(shard.index))
            _write(archive, f"{number}.codes", packed_codes(shard.index))
            _write(archive, f"{number}.distances", shard.distances)
            _write(archive, f"{number}.far", shard.far_vectors.astype(np.float16))


def _write(archive: zipfile.ZipFile, name: str, data: NDArray[np.generic]) -> None:
    with archive.open(name, "w", force_zip64=True) as entry:
        entry.write(data.reshape(-1).view(np.uint8).data)


def _row_checksums(vectors: UInt8) -> _Checksums:
    return np.fromiter(map(crc32, vectors), np.uint32, len(vectors))


def _block_checksums(vectors: UInt8) -> list[int]:
    """Return the CRC-32 of each block of vectors."""
    starts = range(0, len(vectors), SHARD_ROWS)
    return map_on_cores(crc32, [vectors[start : start + SHARD_ROWS].data for start in starts])


def _outline(file: BinaryIO, rows: int, width: int) -> int | None:
    """Return the CRC-32 of all of a FAISS file but its vectors; None if it is built otherwise.

    The file is a head, the vectors, the number of keys, and the keys.
    """
    start, end = _place(file, rows, width)
    if not 0 < start <= _MAX_HEAD:
        return None
    file.seek(0)
    checksum = crc32(file.read(start))
    file.seek(end)
    while block := file.read(_CHUNK):
        checksum = crc32(block, checksum)
    return checksum


def _place(file: BinaryIO, rows: int, width: int) -> tuple[int, int]:
    """Return where the vectors of a FAISS file begin and end."""
    end = os.fstat(file.fileno()).st_size - 8 * (rows + 1)
    return end - rows * width, end

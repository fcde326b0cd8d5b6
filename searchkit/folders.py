"""Folders and zips of text files: each file an answer, the first folder its question.

Nothing is unpacked to the disk, no link is followed, and whatever is left out is told.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from searchkit.errors import BadInput

Skip = Callable[[str], None]

SUFFIXES = frozenset(
    ".txt .md .markdown .rst .text .tex .java .py .js .mjs .cjs .ts .jsx .tsx .c .h .cpp .cc .hpp "
    ".cs .go .rs .rb .php .kt .swift .scala .r .sql .sh .html .htm .css .json5 .yaml .yml".split()
)
LONGEST = 64 << 20  # bytes of one text: more than anybody writes, less than a bomb
MOST_BYTES = 1 << 30  # bytes of all texts of a zip


def read_folder(path: Path, skip: Skip) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Give (id, question or '', open file) of each text under a folder, in order of their paths."""
    for inner in _walk(path, path, skip):
        name = inner.relative_to(path).as_posix()
        if not _is_text_name(name, str(inner), skip):
            continue
        try:
            with inner.open("rb") as file:
                if os.fstat(file.fileno()).st_size > LONGEST:
                    skip(f"{inner}: larger than {LONGEST:,} bytes")
                    continue
                yield name, _question(name), file
        except OSError as error:
            skip(f"{inner}: can't be read ({error.strerror})")


def _walk(folder: Path, root: Path, skip: Skip) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        if folder == root:
            raise BadInput(f"{folder}: can't be read ({error.strerror})") from None
        skip(f"{folder}: can't be read ({error.strerror})")
        return
    for entry in entries:
        mode = entry.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from _walk(entry, root, skip)
        elif stat.S_ISREG(mode):
            yield entry
        else:
            skip(f"{entry}: {_kind(mode)}")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def read_zip(file: IO[bytes], source: str, skip: Skip) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Give (id, question or '', open file) of each text in a zip, in order of their names."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadInput(f"{source}: not a whole zip file ({error})") from None
    left = MOST_BYTES
    for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
        if _usable(entry, source, skip):
            data = _unpacked(archive, entry, source)
            left -= len(data)
            if left < 0:
                raise BadInput(f"{source}: unpacks to more than {MOST_BYTES:,} bytes; refused")
            from io import BytesIO

            yield entry.filename, _question(entry.filename), BytesIO(data)


def _usable(entry: zipfile.ZipInfo, source: str, skip: Skip) -> bool:
    name, where = entry.filename, f"{source}/{entry.filename}"
    if entry.is_dir():
        return False
    if entry.flag_bits & 1:
        skip(f"{where}: encrypted")
    elif stat.S_ISLNK(entry.external_attr >> 16):
        skip(f"{where}: a link")
    elif name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts or ":" in name:
        skip(f"{where}: a name that leads outside the zip")
    else:
        return _is_text_name(name, where, skip)
    return False


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> bytes:
    """Unpack one entry into memory, whatever size it claims."""
    try:
        with archive.open(entry) as part:
            data = part.read(LONGEST + 1)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise BadInput(f"{source}/{entry.filename}: damaged ({error})") from None
    except Exception as error:  # zlib.error and lzma.LZMAError have no common ancestor
        raise BadInput(f"{source}/{entry.filename}: damaged ({error})") from None
    if len(data) > LONGEST:
        raise BadInput(f"{source}/{entry.filename}: larger than {LONGEST:,} bytes; refused")
    return data


def _is_text_name(name: str, where: str, skip: Skip) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = where.encode("utf-8", "backslashreplace").decode()
        skip(f"{shown}: a name that is not UTF-8")
        return False
    if PurePosixPath(name).suffix.lower() in SUFFIXES:
        return True
    skip(f"{where}: not a text file by its name")
    return False


def _question(name: str) -> str:
    parts = PurePosixPath(name).parts
    return parts[0] if len(parts) > 1 else ""

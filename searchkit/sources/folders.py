"""Folders and zips of text files: each file is an answer, its topmost folder the question.

Nothing is unpacked to disk, no link is followed, and every file that is left out is reported.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from searchkit.core.errors import BadInput, first_line
from searchkit.core.messages import path_text, printable
from searchkit.sources.files import (
    CHUNK_BYTES,
    MAX_DOCUMENT_BYTES,
    MAX_TEXT_BYTES,
    TEXT_SUFFIXES,
    Allowance,
    file_size,
)

OnSkip = Callable[[str], None]  # takes a message: which file is left out, and why
_UTF8_FLAG = 0x800  # of a zip entry: its name is UTF-8
_ENCRYPTED_FLAG = 0x1


def read_folder(path: Path, skip: OnSkip) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Yield (id, question, open file) of each text under a folder, in the order of their paths.

    The id is the path inside the folder; the question is "" for a text that lies in no subfolder.

    Raises:
        BadInput: if the folder can't be read, or a text was changed while it was read.
    """
    for inner in _walk(path, skip):
        name = inner.relative_to(path).as_posix()
        if not _is_text_name(name, path_text(inner), skip):
            continue
        try:
            with inner.open("rb") as file:
                before = os.fstat(file.fileno())
                if before.st_size > MAX_TEXT_BYTES:
                    skip(f"{path_text(inner)}: larger than {MAX_TEXT_BYTES:,} bytes")
                    continue
                data = file.read(MAX_TEXT_BYTES)
                after = os.fstat(file.fileno())
        except OSError as error:
            skip(f"{path_text(inner)}: can't be read ({error.strerror})")
            continue
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise BadInput(f"{path_text(inner)}: changed while it was read; run it again")
        yield name, _question(name), io.BytesIO(data)


def _walk(root: Path, skip: OnSkip) -> Iterator[Path]:
    """Yield the regular files under a folder at any depth, in the order of their paths."""
    entries = [root]
    while entries:
        entry = entries.pop()
        try:
            mode = entry.lstat().st_mode if entry != root else stat.S_IFDIR
            if entry != root and _is_hidden(entry.name):
                skip(f"{path_text(entry)}: hidden")
            elif stat.S_ISDIR(mode):
                entries += sorted(entry.iterdir(), reverse=True)
            elif stat.S_ISREG(mode):
                yield entry
            else:
                skip(f"{path_text(entry)}: {_file_type(mode)}")
        except OSError as error:
            if entry == root:
                raise BadInput(f"{path_text(root)}: can't be read ({error.strerror})") from None
            skip(f"{path_text(entry)}: can't be read ({error.strerror})")


def _is_hidden(name: str) -> bool:
    """Whether a file is hidden, or was put beside the user's own files by the system."""
    return name.startswith(".") or name == "__MACOSX"


def _file_type(mode: int) -> str:
    types = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return types.get(stat.S_IFMT(mode), "a device")


def read_zip(file: IO[bytes], source: str, skip: OnSkip) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Yield (id, question, open file) of each text in a zip, as `read_folder` does.

    Raises:
        BadInput: if the zip is damaged or unpacks to more than is allowed.
    """
    size = file_size(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(
            f"{source}: not a complete zip file ({first_line(error)}); create it again"
        ) from None
    allowance = Allowance(source, "split it, or unpack it first", size, MAX_DOCUMENT_BYTES)
    entries = [(_entry_name(entry), entry) for entry in archive.infolist()]
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        if _is_usable(name, entry, source, skip):
            data = _unpack(archive, entry, f"{source}/{printable(name)}", allowance)
            yield name, _question(name), io.BytesIO(data)


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; macOS writes UTF-8 without the flag, which means cp437."""
    if not entry.flag_bits & _UTF8_FLAG:
        try:
            return entry.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return entry.filename


def _is_usable(name: str, entry: zipfile.ZipInfo, source: str, skip: OnSkip) -> bool:
    """Whether an entry is a text that may be read; reports those that are left out."""
    where = f"{source}/{printable(name)}"
    if entry.is_dir():
        return False
    if entry.flag_bits & _ENCRYPTED_FLAG:
        skip(f"{where}: encrypted; unpack it with its password first")
    elif stat.S_ISLNK(entry.external_attr >> 16):
        skip(f"{where}: a link")
    elif name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts or ":" in name:
        skip(f"{where}: a name that leads outside the zip")
    elif any(map(_is_hidden, PurePosixPath(name).parts)):
        skip(f"{where}: hidden")
    else:
        return _is_text_name(name, where, skip)
    return False


def _unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str, allowance: Allowance
) -> bytes:
    """Return an entry's bytes, never more than `MAX_TEXT_BYTES`, whatever size it claims."""
    claimed = entry.file_size
    entry.file_size = 1 << 62  # makes zipfile read to the real end and check all of it
    data = bytearray()
    try:
        with archive.open(entry) as part:
            while len(data) <= MAX_TEXT_BYTES and (chunk := part.read(CHUNK_BYTES)):
                allowance.spend(len(chunk))
                data += chunk
    except BadInput:
        raise
    except Exception as error:  # the errors of zlib, lzma and zipfile have no common base
        raise BadInput(f"{where}: damaged ({first_line(error)}); create the zip again") from None
    if len(data) > MAX_TEXT_BYTES:
        raise BadInput(f"{where}: larger than {MAX_TEXT_BYTES:,} bytes; refused")
    if len(data) != claimed:
        raise BadInput(
            f"{where}: damaged (claims {claimed:,} bytes, holds {len(data):,}); "
            "create the zip again"
        )
    return bytes(data)


def _is_text_name(name: str, where: str, skip: OnSkip) -> bool:
    """Whether a name ends as a text's and is UTF-8; reports one that doesn't or isn't."""
    try:
        name.encode()
    except UnicodeEncodeError:
        skip(f"{where}: a name that is not UTF-8; rename it")
        return False
    if PurePosixPath(name).suffix.lower() in TEXT_SUFFIXES:
        return True
    skip(f"{where}: not a text file by its name")
    return False


def _question(name: str) -> str:
    """Return the topmost folder of a path, or "" if there is none."""
    parts = PurePosixPath(name).parts
    return parts[0] if len(parts) > 1 else ""

"""The files of folders and zips: listed first, then read one by one.

Nothing is unpacked to disk, no link is followed, and every file that is left out is reported.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from searchkit.core.errors import BadInput, first_line
from searchkit.core.messages import path_text, printable
from searchkit.sources.files import (
    CHUNK_BYTES,
    MAX_DOCUMENT_BYTES,
    MAX_TEXT_BYTES,
    Allowance,
    file_size,
)

OnSkip = Callable[[str], None]  # takes a message: which file is left out, and why
_UTF8_FLAG = 0x800  # of a zip entry: its name is UTF-8
_ENCRYPTED_FLAG = 0x1


class FileLeftOut(BadInput):
    """A file of a folder that can't be read, and without which the others can."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a folder or zip.

    Attributes:
        name: Its path in there, with slashes.
        source: Its name for messages.
        read: Returns its content. Raises FileLeftOut or BadInput.
    """

    name: str
    source: str
    read: Callable[[], bytes]


def folder_members(path: Path, skip: OnSkip) -> list[Member]:
    """Return the files under a folder, in the order of their paths.

    Raises:
        BadInput: if the folder can't be read.
    """
    return [
        Member(name, path_text(inner), partial(_read_file, inner))
        for inner in _walk(path, skip)
        if _is_usable_name(name := inner.relative_to(path).as_posix(), path_text(inner), skip)
    ]


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            if before.st_size > MAX_TEXT_BYTES:
                what = f"larger than {MAX_TEXT_BYTES:,} bytes"
                raise FileLeftOut.at(path_text(path), None, what)
            data = file.read(MAX_TEXT_BYTES)
            after = os.fstat(file.fileno())
    except OSError as error:
        what = f"can't be read ({error.strerror})"
        raise FileLeftOut.at(path_text(path), None, what) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BadInput(f"{path_text(path)}: changed while it was read; run it again")
    return data


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


def zip_members(file: IO[bytes], source: str, skip: OnSkip) -> list[Member]:
    """Return the files in a zip, in the order of their paths; the zip stays open.

    Raises:
        BadInput: if the zip is damaged; reading a file of it, if that is, or if the zip unpacks to
            more than is allowed.
    """
    size = file_size(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(
            f"{source}: not a complete zip file ({first_line(error)}); create it again"
        ) from None
    allowance = Allowance(source, "split it, or unpack it first", size, MAX_DOCUMENT_BYTES)
    members = []
    for name, entry in sorted(
        ((_entry_name(entry), entry) for entry in archive.infolist()), key=lambda pair: pair[0]
    ):
        where = f"{source}/{printable(name)}"
        if _is_usable(name, entry, where, skip):
            read = partial(_unpack, archive, entry, where, allowance)
            members.append(Member(name, where, read))
    return members


class InnerZips:
    """Lists and reads the zips in a folder or zip; one at a time is held in memory."""

    def __init__(self, source: str) -> None:
        # Each zip has its own ratio; all of them together have an upper bound.
        self._allowance = Allowance(
            source, "unpack the zips in it first", MAX_DOCUMENT_BYTES, MAX_DOCUMENT_BYTES
        )
        self._name = ""  # of the zip that is open
        self._members: dict[str, Member] = {}

    def members(self, zip_file: Member, skip: OnSkip) -> list[Member]:
        """Return the files in a zip; their paths begin with its name, without its suffix.

        Raises:
            FileLeftOut: if it can't be read.
            BadInput: if it is damaged.
        """
        self._open(zip_file, skip)
        folder = zip_file.name[: -len(".zip")]
        return [
            Member(f"{folder}/{name}", member.source, partial(self._read, zip_file, name))
            for name, member in self._members.items()
        ]

    def _open(self, zip_file: Member, skip: OnSkip) -> None:
        if self._name != zip_file.name:
            members = zip_members(io.BytesIO(zip_file.read()), zip_file.source, skip)
            self._name, self._members = zip_file.name, {m.name: m for m in members}

    def _read(self, zip_file: Member, name: str) -> bytes:
        self._open(zip_file, lambda _: None)
        data = self._members[name].read()
        self._allowance.spend(len(data))
        return data


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; macOS writes UTF-8 without the flag, which means cp437.

    Some programs of Windows write its backslashes.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8_FLAG:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name if "/" in name else name.replace("\\", "/")


def _is_usable(name: str, entry: zipfile.ZipInfo, where: str, skip: OnSkip) -> bool:
    """Whether an entry is a file that may be read; reports those that are left out."""
    if not name or name.endswith("/"):  # a folder
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
        return _is_usable_name(name, where, skip)
    return False


def _unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str, allowance: Allowance
) -> bytes:
    """Return an entry's bytes, never more than `MAX_TEXT_BYTES`, whatever size it claims."""
    claimed = entry.file_size
    entry = copy(entry)
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


def _is_usable_name(name: str, where: str, skip: OnSkip) -> bool:
    """Whether a name is UTF-8; reports one that isn't."""
    try:
        name.encode()
    except UnicodeEncodeError:
        skip(f"{where}: a name that is not UTF-8; rename it")
        return False
    return True

"""Folders and zips of text files: each file an answer, the first folder its question.

Nothing is unpacked to the disk, no link is followed, and whatever is left out is told.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from searchkit.core.errors import BadInput

OnSkip = Callable[[str], None]
TEXT_SUFFIXES = frozenset(
    ".txt .md .markdown .rst .text .tex .java .py .js .mjs .cjs .ts .jsx .tsx .c .h .cpp .cc .hpp "
    ".cs .go .rs .rb .php .kt .swift .scala .r .sql .sh .html .htm .css .json5 .yaml .yml".split()
)
LONGEST = 64 << 20  # bytes of one text: more than anybody writes, less than a bomb
MOST_BYTES = 1 << 30  # bytes of all texts of a zip
_SAYS_UTF8 = 0x800


def read_folder(path: Path, skip: OnSkip) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Yield (id, question or '', open file) of each text under a folder, in order of path."""
    for inner in _walk(path, skip):
        name = inner.relative_to(path).as_posix()
        if not _is_text_name(name, path_text(inner), skip):
            continue
        try:
            with inner.open("rb") as file:
                before = os.fstat(file.fileno())
                if before.st_size > LONGEST:
                    skip(f"{path_text(inner)}: larger than {LONGEST:,} bytes")
                    continue
                data = file.read(LONGEST)
                after = os.fstat(file.fileno())
        except OSError as error:
            skip(f"{path_text(inner)}: can't be read ({error.strerror})")
            continue
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise BadInput(f"{path_text(inner)}: changed while it was read; run it again")
        yield name, _question(name), io.BytesIO(data)


def path_text(path: Path) -> str:
    """Return a path as text; bytes of its name that are not UTF-8 are spelled out."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _walk(root: Path, skip: OnSkip) -> Iterator[Path]:
    """Yield each file under a folder, in order, however deep; links are not followed."""
    left = [root]
    while left:
        entry = left.pop()
        try:
            mode = entry.lstat().st_mode if entry != root else stat.S_IFDIR
            if entry != root and _is_hidden(entry.name):
                skip(f"{path_text(entry)}: hidden")
            elif stat.S_ISDIR(mode):
                left += sorted(entry.iterdir(), reverse=True)
            elif stat.S_ISREG(mode):
                yield entry
            else:
                skip(f"{path_text(entry)}: {_kind(mode)}")
        except OSError as error:
            if entry == root:
                raise BadInput(f"{path_text(root)}: can't be read ({error.strerror})") from None
            skip(f"{path_text(entry)}: can't be read ({error.strerror})")


def _is_hidden(name: str) -> bool:
    """Return whether it is one of the files that systems put beside a user's own."""
    return name.startswith(".") or name == "__MACOSX"


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def read_zip(file: IO[bytes], source: str, skip: OnSkip) -> Iterator[tuple[str, str, IO[bytes]]]:
    """Yield (id, question or '', open file) of each text in a zip, in order of their names."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(f"{source}: not a whole zip file ({error}); make it anew") from None
    left = MOST_BYTES
    entries = [(_name(entry), entry) for entry in archive.infolist()]
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        if _usable(name, entry, source, skip):
            data = _unpacked(archive, entry, f"{source}/{name}")
            left -= len(data)
            if left < 0:
                raise BadInput(f"{source}: unpacks to more than {MOST_BYTES:,} bytes; split it")
            yield name, _question(name), io.BytesIO(data)


def _name(entry: zipfile.ZipInfo) -> str:
    """Return its name; macOS writes UTF-8 without saying so, and the standard then means cp437."""
    if not entry.flag_bits & _SAYS_UTF8:
        try:
            return entry.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return entry.filename


def _usable(name: str, entry: zipfile.ZipInfo, source: str, skip: OnSkip) -> bool:
    where = f"{source}/{name}"
    if entry.is_dir():
        return False
    if entry.flag_bits & 1:
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


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> bytes:
    """Unpack one entry into memory, whatever size it claims."""
    claimed = entry.file_size
    entry.file_size = 1 << 62  # so that zipfile reads to the real end, and checks all of it
    try:
        with archive.open(entry) as part:
            data = part.read(LONGEST + 1)
    except Exception as error:  # zlib's, lzma's and zipfile's own have no common ancestor
        raise BadInput(f"{where}: damaged ({error}); make the zip anew") from None
    if len(data) <= LONGEST and len(data) != claimed:
        raise BadInput(
            f"{where}: damaged (claims {claimed:,} bytes, holds {len(data):,}); make the zip anew"
        )
    if len(data) > LONGEST:
        raise BadInput(f"{where}: larger than {LONGEST:,} bytes; refused")
    return data


def _is_text_name(name: str, where: str, skip: OnSkip) -> bool:
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
    parts = PurePosixPath(name).parts
    return parts[0] if len(parts) > 1 else ""

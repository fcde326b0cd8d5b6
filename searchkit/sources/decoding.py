"""Bytes into lines of text, strictly: what can't be decoded is named by line and byte."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from searchkit.core.errors import BadInput
from searchkit.core.wording import Message

# Longest first: UTF-16's mark is the beginning of UTF-32's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BLOCK = 1 << 16


def lines(file: io.BufferedReader, source: str, encoding: str | None) -> Iterator[str]:
    r"""Yield the lines of a file, each with its end, which is \n for CRLF, CR and LF alike.

    Raises:
        BadInput: at the first byte that is not of the encoding (UTF-8, if there is no mark and
            none was named); no byte is ever dropped.
    """
    start = file.peek(4)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    name = marked or _known(encoding, source) or "utf-8"
    if name == "utf-8-sig":
        file.read(3)
        name = "utf-8"
    if _keeps_ascii(name) and (b"\r" not in start or b"\n" in start):
        return _decoded_lines(file, source, name)
    return _decoded_blocks(file, source, name)


def text(file: io.BufferedReader, source: str, encoding: str | None) -> str:
    """Return the whole text of a file; as `lines`."""
    return "".join(lines(file, source, encoding))


def buffered(file: BinaryIO) -> io.BufferedReader:
    """Return a file in which one can look ahead."""
    if isinstance(file, io.BufferedReader):
        return file
    return io.BufferedReader(cast(io.RawIOBase, file), BLOCK)


def _known(encoding: str | None, source: str) -> str | None:
    if encoding is None:
        return None
    try:
        "a".encode(encoding)  # some codecs, such as hex, are known but hold no text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):  # a NUL in its name is a ValueError
        what = f"no encoding {encoding!r}; try utf-8, cp1252, latin-1 or utf-16"
        raise BadInput.at(source, None, what) from None


def _keeps_ascii(name: str) -> bool:
    """Return whether a byte 0x0A is always the end of a line."""
    return "\n\r".encode(name, "replace") == b"\n\r" and not name.startswith(("utf-16", "utf-32"))


def _decoded_lines(file: BinaryIO, source: str, name: str) -> Iterator[str]:
    number = 1
    for raw in file:
        try:
            decoded = raw.decode(name)
        except UnicodeDecodeError as error:
            number += raw[: error.start].count(b"\r")
            raise _undecodable(source, number, error, name) from None
        if decoded.endswith("\r\n"):
            decoded = decoded[:-2] + "\n"
        if "\r" in decoded:
            for line in _split(decoded.replace("\r\n", "\n").replace("\r", "\n")):
                number += 1
                yield line
        else:
            number += 1
            yield decoded


def _split(block: str) -> Iterator[str]:
    start = 0
    while start < len(block):
        end = block.find("\n", start) + 1 or len(block)
        yield block[start:end]
        start = end


def _decoded_blocks(file: BinaryIO, source: str, name: str) -> Iterator[str]:
    """Decode what can't be cut into lines before: wide characters, and files with CR alone."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(name)(), translate=True)
    number, rest, block = 1, "", b"more"
    while block:
        block = file.read(BLOCK)
        try:
            rest += decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = rest + error.object[: error.start].decode(error.encoding, "ignore")
            number += before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
            raise _undecodable(source, number, error, name) from None
        except UnicodeError:
            what = Message(
                "no mark of {name} at the beginning; say which it is: `encoding='{name}-le'` or "
                "{name}-be",
                name=name,
            )
            raise BadInput.at(source, None, what) from None
        *whole, rest = rest.split("\n")
        number += len(whole)
        yield from (line + "\n" for line in whole)
    if rest:
        yield rest


def _undecodable(source: str, line: int, error: UnicodeDecodeError, name: str) -> BadInput:
    byte = error.object[error.start]
    if name.startswith(("utf-16", "utf-32")):
        mend = "the file is damaged or cut off; save it anew, as UTF-8"
    else:
        other = "cp1252" if name == "utf-8" else "utf-8"
        mend = Message(
            "save the file as UTF-8, or name its encoding: `encoding='{other}'`", other=other
        )
    what = Message(
        "byte 0x{byte:02X} is not {name}; {mend}", byte=byte, name=name.upper(), mend=mend
    )
    return BadInput.at(source, line, what)

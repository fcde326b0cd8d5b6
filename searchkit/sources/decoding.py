"""Decode bytes into lines of text, strictly: an error names the line and the byte.

Files of older programs are not in UTF-8. If another usual encoding gives only what people write, it
is taken, and a message says so.
"""

from __future__ import annotations

import codecs
import io
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, cast

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.sources.encodings import older_encoding, wide_encoding

# UTF-32 first: its byte order mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
log = logging.getLogger("searchkit")
BLOCK_SIZE = 1 << 16  # bytes
MAX_LINE_BYTES = 64 << 20


def lines(
    file: io.BufferedReader,
    source: str,
    encoding: str | None,
    max_bytes: int = MAX_LINE_BYTES,
    say: Callable[[str], None] = log.warning,
) -> Iterator[str]:
    r"""Yield the lines of a file; CRLF, CR and LF all become \n, which ends all but the last line.

    Args:
        file: The file, at its beginning.
        source: The file's name for errors.
        encoding: The encoding of a file without a byte order mark; None is UTF-8, or what the bytes
            show.
        max_bytes: Upper bound of a line's length.
        say: Called with a message about an encoding that was found from the bytes.

    Raises:
        BadInput: at the first byte that can't be decoded, for a longer line, or for an unknown
            encoding.
    """
    start = file.peek(4)
    chosen = _marked_encoding(start) or _checked_encoding(encoding, source)
    name = chosen or "utf-8"
    if name == "utf-8-sig":
        file.read(3)
        name = "utf-8"
    if chosen is None and (wide := wide_encoding(start)):
        say(_found(source, wide))
        return _decoded_blocks(file, source, wide, max_bytes)
    if _ends_lines_as_ascii(name) and (b"\r" not in start or b"\n" in start):
        decoder = _LineDecoder(file, source, name, None if chosen else say)
        return _decoded_lines(decoder, file, max_bytes)
    if chosen is None and (older := _older_encoding(start)):
        say(_found(source, older))
        name = older
    return _decoded_blocks(file, source, name, max_bytes)


def encoding_of(data: bytes) -> str:
    """Return the encoding in which `lines` reads a file with these bytes."""
    return _marked_encoding(data) or wide_encoding(data) or _older_encoding(data) or "utf-8"


def buffered(file: BinaryIO) -> io.BufferedReader:
    """Return a file whose next bytes can be peeked at."""
    if isinstance(file, io.BufferedReader):
        return file
    return io.BufferedReader(cast(io.RawIOBase, file), BLOCK_SIZE)


def _marked_encoding(data: bytes) -> str | None:
    return next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)


def _checked_encoding(encoding: str | None, source: str) -> str | None:
    if encoding is None:
        return None
    try:
        "a".encode(encoding)  # fails for codecs such as hex, which are not for text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):  # ValueError: the name holds a NUL
        what = f"no encoding {encoding!r}; try utf-8, cp1252, latin-1 or utf-16"
        raise BadInput.at(source, None, what) from None


def _ends_lines_as_ascii(name: str) -> bool:
    """Whether the byte 0x0A is always the end of a line, so that bytes can be cut into lines."""
    return "\n\r".encode(name, "replace") == b"\n\r" and not name.startswith(("utf-16", "utf-32"))


def _older_encoding(data: bytes) -> str | None:
    """Return the encoding of the beginning of a text, if it isn't UTF-8 and that is clear."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if data[: error.start].isascii() and error.end < len(data):  # not only cut off at the end
            return older_encoding(data)
    return None


def _found(source: str, name: str) -> Message:
    template = "{source}: not UTF-8, and read as {name}; `encoding=NAME` chooses another encoding"
    return Message(template, source=source, name=name)


class _LineDecoder:
    """Decodes one line after another, in an older encoding from the first that isn't UTF-8.

    Attributes:
        file: The file, of which the next bytes are looked at.
        source: The file's name for errors.
        name: The encoding.
        say: Called with a message when another encoding is found; None refuses it.
    """

    def __init__(
        self,
        file: io.BufferedReader,
        source: str,
        name: str,
        say: Callable[[str], None] | None,
    ) -> None:
        self.file = file
        self.source = source
        self.name = name
        self.say = say
        self._is_ascii, self._is_found = True, False

    def decode(self, raw: bytes, number: int) -> str:
        """Return the text of a line, which has a number from 1."""
        try:
            decoded = raw.decode(self.name)
        except UnicodeDecodeError as error:
            may_change = self.say is not None and self._is_ascii
            older = _older_encoding(raw + self.file.peek(BLOCK_SIZE)) if may_change else None
            if older is None or self.say is None:
                number += raw[: error.start].count(b"\r")
                raise _undecodable(self.source, number, error, self.name) from None
            self.say(_found(self.source, older))
            self.name, self._is_found = older, True
            decoded = raw.decode(older)
        if not decoded.isascii():
            self._is_ascii = False
            if self._is_found and _is_utf_8(raw):
                what = f"{self.name.upper()} up to here and UTF-8 in this line; save it as UTF-8"
                raise BadInput.at(self.source, number, what)
        return decoded


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded_lines(decoder: _LineDecoder, file: io.BufferedReader, max_bytes: int) -> Iterator[str]:
    """Yield the lines of a file, decoding a line at a time."""
    number = 1
    for raw in iter(partial(file.readline, max_bytes + 1), b""):
        if len(raw) > max_bytes:
            raise _too_long(decoder.source, number, max_bytes)
        decoded = decoder.decode(raw, number)
        if decoded.endswith("\r\n"):
            decoded = decoded[:-2] + "\n"
        if "\r" in decoded:
            for line in _split_lines(decoded.replace("\r\n", "\n").replace("\r", "\n")):
                number += 1
                yield line
        else:
            number += 1
            yield decoded


def _split_lines(block: str) -> Iterator[str]:
    """Yield the lines of a text with their ends; unlike `str.splitlines`, at line feeds only."""
    start = 0
    while start < len(block):
        end = block.find("\n", start) + 1 or len(block)
        yield block[start:end]
        start = end


def _decoded_blocks(file: BinaryIO, source: str, name: str, max_bytes: int) -> Iterator[str]:
    """Yield the lines of a file that must be decoded first: UTF-16, UTF-32, and CR alone."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(name)(), translate=True)
    pieces: list[str] = []  # of a line whose end has not been read yet
    number, at_end = 1, False
    while not at_end:
        block = file.read(BLOCK_SIZE)
        at_end = not block
        try:
            decoded = decoder.decode(block, final=at_end)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(error.encoding, "ignore")
            number += before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
            raise _undecodable(source, number, error, name) from None
        except UnicodeError:
            what = Message(
                "no mark of {name} at the beginning; say which it is: `encoding='{name}-le'` or "
                "{name}-be",
                name=name,
            )
            raise BadInput.at(source, None, what) from None
        first, *others = decoded.split("\n")
        pieces.append(first)
        if others:
            number += len(others)
            yield "".join(pieces) + "\n"
            yield from (line + "\n" for line in others[:-1])
            pieces = others[-1:]
        elif len(pieces) * BLOCK_SIZE > max_bytes:
            raise _too_long(source, number, max_bytes)
    if any(pieces):
        yield "".join(pieces)


def _too_long(source: str, line: int, max_bytes: int) -> BadInput:
    what = f"a line of more than {max_bytes:,} bytes; is the file what its name says?"
    return BadInput.at(source, line, what)


def _undecodable(source: str, line: int, error: UnicodeDecodeError, name: str) -> BadInput:
    byte = error.object[error.start]
    if name.startswith(("utf-16", "utf-32")):
        advice = "the file is damaged or cut off; save it again, as UTF-8"
    else:
        other, more = ("cp1252", ", or gb18030, shift_jis …") if name == "utf-8" else ("utf-8", "")
        advice = Message(
            "save the file as UTF-8, or name its encoding: `encoding='{other}'`{more}",
            other=other,
            more=more,
        )
    what = Message(
        "byte 0x{byte:02X} is not {name}; {advice}", byte=byte, name=name.upper(), advice=advice
    )
    return BadInput.at(source, line, what)

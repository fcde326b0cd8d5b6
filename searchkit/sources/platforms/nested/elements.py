"""XML as a stream of elements: no entities, no external references, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from searchkit.core.errors import BadInput
from searchkit.sources.columns import Values
from searchkit.sources.decoding import buffered, lines
from searchkit.sources.files import MAX_DOCUMENT_BYTES, MAX_TEXT_BYTES
from searchkit.sources.layouts.layout import Layout

if TYPE_CHECKING:
    from lxml.etree import XMLPullParser

SLICE_LENGTH = 1 << 20  # characters that are parsed at a time
MAX_ELEMENTS = 100_000  # in one element that is held in memory
_DECLARED = re.compile(rb"""<\?xml[^>]{1,200}?\sencoding\s*=\s*["']([\w.:-]{1,40})["']""")
_WIDE = re.compile(r"(utf|ucs)[-_]?(16|32|2|4)", re.IGNORECASE)  # no ASCII is read in these
_POSITION = re.compile(r"\s*, line \d+, column \d+$")


@dataclass(frozen=True, slots=True)
class Event:
    """The beginning or the end of an element.

    Attributes:
        kind: Which of both.
        name: The element's name without its namespace.
        element: The element of lxml. At its beginning it has only attributes; at its end, what is
            in it if its name is one of those that were asked for.
        line: The line in which it begins.
    """

    kind: Literal["start", "end"]
    name: str
    element: Any
    line: int

    @property
    def text(self) -> str:
        """All text in the element."""
        return "".join(self.element.itertext())

    def attribute(self, *names: str) -> str | None:
        """Return the first of these attributes that is there and not blank."""
        values = (self.element.get(name, "").strip() for name in names)
        return next(filter(None, values), None)


@dataclass(frozen=True, slots=True)
class XmlFormat:
    """An export that is XML.

    Attributes:
        roots: The names of its outermost element.
        held: The elements that are held in memory with all in them.
        read_rows: Takes the events of a file and yields its rows, each with its line.
        find_layout: Takes a row's columns and returns which of them hold what.
    """

    roots: Collection[str]
    held: Collection[str]
    read_rows: Callable[[Iterator[Event]], Iterator[tuple[int, Values]]]
    find_layout: Callable[[Collection[str]], Layout]


def read_events(
    file: BinaryIO, source: str, encoding: str | None, held: Collection[str]
) -> Iterator[Event]:
    """Yield the beginnings and ends of the elements of an XML file.

    Args:
        file: The file, at its beginning.
        source: Its name for errors.
        encoding: Its encoding; None takes the byte order mark's, or else the declared one.
        held: Names of the elements that are held in memory until they end, with all in them. Of
            other elements only the attributes and the first text are there.

    Raises:
        BadInput: if it is not XML, has a document type, ends too early, can't be decoded, or an
            element is too large; an empty file has no events.
    """
    from lxml.etree import XMLPullParser, XMLSyntaxError

    stream = buffered(file)
    encoding = encoding or _declared_encoding(stream.peek(256))
    parser = XMLPullParser(
        ("start", "end"), encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True,
        resolve_entities=False, no_network=True, load_dtd=False,
    )  # fmt: skip
    releaser = _Releaser(source, held)
    number = 0
    try:
        for number, line in enumerate(lines(stream, source, encoding, MAX_DOCUMENT_BYTES), 1):
            for start in range(0, len(line), SLICE_LENGTH):
                part = line[start : start + SLICE_LENGTH]
                parser.feed(part.encode())
                # After some errors the parser would begin again, as if with another file.
                if errors := parser.feed_error_log.filter_from_errors():
                    raise _not_xml(errors[0].message, source, errors[0].line)
                yield from releaser.events(parser, len(part), number)
        if not number:
            return
        parser.close()
        yield from releaser.events(parser, 0, number)
    except XMLSyntaxError as error:
        raise _not_xml(error.msg, source, error.position[0] or number) from None


class _Releaser:
    """Takes elements out of the parser's tree as soon as they are not needed any more."""

    def __init__(self, source: str, held: Collection[str]) -> None:
        self._source = source
        self._held = held
        self._num_open = 0  # held elements
        self._num_elements = 0  # in the outermost of these
        self._length = 0  # of the text since the last element that was released
        self._is_first = True

    def events(self, parser: XMLPullParser, length: int, line: int) -> Iterator[Event]:
        """Yield what was parsed last.

        Args:
            parser: The parser.
            length: Number of characters that were parsed.
            line: Their line.
        """
        self._length += length
        for kind, element in parser.read_events():
            if self._is_first and element.getroottree().docinfo.doctype:
                what = "it has a document type (<!DOCTYPE …>), which may hold entities; remove it"
                raise BadInput.at(self._source, None, what)
            self._is_first = False
            name = element.tag.rpartition("}")[2]
            if kind == "start":
                self._num_open += name in self._held
                self._num_elements += 1
            yield Event(kind, name, element, element.sourceline or line)
            if kind == "end":
                self._num_open -= name in self._held
                if not self._num_open:
                    self._release(element)
        if self._length > MAX_TEXT_BYTES or self._num_elements > MAX_ELEMENTS:
            what = (
                f"an element with more than {MAX_TEXT_BYTES:,} characters, or more than "
                f"{MAX_ELEMENTS:,} elements in it; is it the right file?"
            )
            raise BadInput.at(self._source, line, what)

    def _release(self, element: Any) -> None:  # noqa: ANN401
        self._num_elements = self._length = 0
        parent = element.getparent()
        element.clear()
        while element.getprevious() is not None:  # the parser may still need the last one
            del parent[0]


def _declared_encoding(start: bytes) -> str | None:
    """Return the encoding that a file without a byte order mark has by its first bytes."""
    if start.startswith((b"<\0", b"\0<")):
        return "utf-16-le" if start.startswith(b"<") else "utf-16-be"
    declared = _DECLARED.match(start)
    if declared is None or _WIDE.match(name := declared[1].decode()):
        return None
    return name


def _not_xml(reason: str, source: str, line: int) -> BadInput:
    reason = _POSITION.sub("", reason)
    return BadInput.at(source, line or None, f"not complete XML ({reason}); export it again")

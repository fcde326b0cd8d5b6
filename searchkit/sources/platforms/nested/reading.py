"""The table of nested exports: those in XML are found by their outermost element."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, printable
from searchkit.sources.files import NothingFound
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.nested.elements import XmlFormat, read_events
from searchkit.sources.platforms.nested.qti_results import QTI_RESULTS
from searchkit.sources.platforms.nested.rows import Row
from searchkit.sources.platforms.nested.semeval import SEMEVAL
from searchkit.sources.platforms.nested.stackexchange import STACKEXCHANGE
from searchkit.sources.platforms.nested.xapi import is_xapi

# By the names that `--as` takes.
XML_FORMATS: dict[str, XmlFormat] = {
    "semeval": SEMEVAL,
    "stackexchange": STACKEXCHANGE,
    "qti-results": QTI_RESULTS,
}
XAPI = "xapi"
NESTED_NAMES = (*XML_FORMATS, XAPI)
FindNestedLayout = Callable[[Collection[str]], Layout]


def read_xml(
    file: BinaryIO, source: str, encoding: str | None = None, platform: str | None = None
) -> tuple[FindNestedLayout, Iterator[Row]]:
    """Return what finds the layout of the rows of an XML file, and the rows.

    Args:
        file: The file, at its beginning.
        source: Its name for errors.
        encoding: Its encoding; None takes the one that it declares.
        platform: One of `XML_FORMATS`, whatever the outermost element is; None goes by that.

    Raises:
        BadInput: if it is not XML, or XML of another kind, or not safe to read.
    """
    held = [name for format in XML_FORMATS.values() for name in format.held]
    events = read_events(file, source, encoding, held)
    first = next(events, None)
    if first is None:
        raise NothingFound(f"{source}: empty; is it the right file?")
    format = _find_format(first.name, source, platform)
    return format.find_layout, format.read_rows(chain([first], events))


def _find_format(root: str, source: str, platform: str | None) -> XmlFormat:
    if platform in XML_FORMATS:
        return XML_FORMATS[platform]
    for format in XML_FORMATS.values():
        if root in format.roots and platform is None:
            return format
    known = ", ".join(
        f"{' or '.join(f'<{root}>' for root in format.roots)} ({name})"
        for name, format in XML_FORMATS.items()
    )
    if platform is not None:
        refused = Message("XML can't be read as {name}; leave out `platform`", name=platform)
        raise BadInput.at(source, None, refused)
    what = f"XML of <{printable(root)}>, which isn't read; what is: {known}"
    raise BadInput(f"{source}: {what}; export it as CSV or JSON")


def is_json_export(sample: Sequence[Mapping[str, Any]], source: str, platform: str | None) -> bool:
    """Whether a JSON file is to be read as xAPI statements.

    Args:
        sample: The first objects.
        source: The file's name for errors.
        platform: The only export to try; None for all.

    Raises:
        BadInput: if it is not of that export.
    """
    if platform not in (None, XAPI) or not sample:
        return False
    if platform == XAPI and not is_xapi(sample):
        what = "the first objects are no xAPI statements; leave out `platform`"
        raise BadInput.at(source, None, Message(what))
    return is_xapi(sample)

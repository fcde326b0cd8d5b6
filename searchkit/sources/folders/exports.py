"""Folders and zips of XML exports, such as a file a question or a file a person."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from searchkit.core.errors import BadInput
from searchkit.core.records import Answer
from searchkit.sources.columns import AnswerColumns, RejectRow
from searchkit.sources.documents.formats import suffix_of
from searchkit.sources.files import FileOptions, NothingFound
from searchkit.sources.folders.members import Member, OnSkip
from searchkit.sources.platforms.nested.reading import XML_FORMATS

_SUFFIX = ".xml"
Rows = Iterator[Answer | AnswerColumns]


def split_exports(
    members: Sequence[Member], options: FileOptions
) -> tuple[list[Member], list[Member]]:
    """Return the files that may be XML exports, and the others.

    There are none of the former where the options say that files are texts, or another platform's.
    """
    is_tried = options.platform is None or options.platform in XML_FORMATS
    if not is_tried or options.folder_is is not None or _SUFFIX in options.suffixes:
        return [], list(members)
    exports = [member for member in members if suffix_of(member.name) == _SUFFIX]
    return exports, [member for member in members if suffix_of(member.name) != _SUFFIX]


def read_exports(
    exports: Sequence[Member],
    read: Callable[[BinaryIO, str], Rows],
    skip: OnSkip,
    reject_row: Callable[[str], RejectRow],
) -> Generator[Answer | AnswerColumns, None, bool]:
    """Yield the answers in XML exports; return whether there is one.

    Args:
        exports: The files that may be exports.
        read: Takes an open file and its name, and returns its answers.
        skip: Called with a message for each file that is none, as in a student's own project.
        reject_row: Returns what is called with damage in a file of this name.
    """
    has_export = False
    for member in exports:
        try:
            answers = read(BytesIO(member.read()), member.source)
        except BadInput as error:
            skip(error.message)
            continue
        has_export = True
        try:
            yield from answers
        except NothingFound as error:
            skip(error.message)
        except BadInput as error:
            reject_row(member.source)(error.line, error.what or error.message, "")
    return has_export

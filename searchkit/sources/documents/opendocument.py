"""OpenDocument's .odt: the paragraphs of `content.xml`.

odfdo builds an object for every element; what is needed of the format are a dozen elements.
"""

from __future__ import annotations

from collections.abc import Mapping

from searchkit.sources.documents.word import end_cell, tidied_lines
from searchkit.sources.documents.zipped_xml import local_name, zipped_xml_text

_HIDDEN = frozenset(
    {"annotation", "desc", "forms", "note", "sequence-decls", "title", "tracked-changes"}
)
_SHOWN = {"tab": "\t", "line-break": "\n"}
MAX_SPACES = 1_000  # that one element may stand for


def odt_text(data: bytes, source: str) -> str:
    """Return the text of an .odt: paragraphs apart by blank lines, cells by tabs.

    Raises:
        BadInput: if it is damaged, encrypted or unpacks to too much.
    """
    return zipped_xml_text(data, "content.xml", _OdtWriter(), source, ".odt")


class _OdtWriter:
    """Joins the text of paragraphs; called by the XML parser."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._num_paragraphs = self._num_cells = self._num_hidden = 0  # that are open
        self._is_item = False  # whether the next paragraph begins an item of a list

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local_name(tag)
        self._num_hidden += name in _HIDDEN
        self._num_cells += name == "table-cell"
        self._is_item |= name == "list-item"
        if self._num_hidden:
            return
        if name in ("p", "h"):
            self._num_paragraphs += 1
            self._parts.append("- " if self._is_item else "")
            self._is_item = False
        elif name == "s":
            counts = [value for key, value in attributes.items() if local_name(key) == "c"]
            count = int(counts[0]) if counts and counts[0].isdecimal() else 1
            self._parts.append(" " * min(count, MAX_SPACES))
        else:
            self._parts.append(_SHOWN.get(name, ""))

    def end(self, tag: str) -> None:
        name = local_name(tag)
        self._num_hidden -= name in _HIDDEN
        self._num_cells -= name == "table-cell"
        if self._num_hidden or name in _HIDDEN:
            return
        if name in ("p", "h"):
            self._num_paragraphs -= 1
            self._parts.append(" " if self._num_cells else "\n\n")
        elif name == "table":
            self._parts.append("\n")
        elif name in ("table-cell", "table-row"):
            end_cell(self._parts, "\t" if name == "table-cell" else "\n")

    def data(self, text: str) -> None:
        if self._num_paragraphs and not self._num_hidden:
            self._parts.append(text.replace("\n", " "))

    def close(self) -> str:
        return tidied_lines("".join(self._parts))

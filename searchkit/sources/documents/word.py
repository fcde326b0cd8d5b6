"""Word's .docx: the paragraphs of `word/document.xml`.

python-docx leaves out text boxes, tracked insertions and the order of paragraphs and tables, and
holds the whole document in memory. What is needed of the format are six elements.
"""

from __future__ import annotations

from collections.abc import Mapping

from searchkit.core.errors import BadInput
from searchkit.sources.documents.zipped_xml import local_name, zipped_xml_text

_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"  # how an .xls begins, and a .docx with a password
_SHOWN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def docx_text(data: bytes, source: str) -> str:
    """Return the text of a .docx: paragraphs apart by blank lines, cells by tabs.

    Raises:
        BadInput: if it is damaged, encrypted or unpacks to too much.
    """
    if data.startswith(_COMPOUND_FILE):
        what = "an old .doc file, or one with a password; save it as .docx without a password"
        raise BadInput.at(source, None, what)
    return zipped_xml_text(data, "word/document.xml", _DocxWriter(), source, ".docx")


class _DocxWriter:
    """Joins the text of runs; called by the XML parser.

    A text box is stored twice, for old versions of Word in `Fallback`, which is left out.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._num_cells = self._num_texts = self._num_fallbacks = 0  # that are open

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local_name(tag)
        self._num_fallbacks += name == "Fallback"
        self._num_texts += name == "t"
        self._num_cells += name == "tc"
        if name == "numPr" and not self._num_cells:
            self._parts.append("- ")
        elif name in _SHOWN and not self._num_fallbacks and not _is_tab_stop(attributes):
            self._parts.append(_SHOWN[name])

    def end(self, tag: str) -> None:
        name = local_name(tag)
        self._num_fallbacks -= name == "Fallback"
        self._num_texts -= name == "t"
        self._num_cells -= name == "tc"
        if self._num_fallbacks:
            return
        if name == "p":
            self._parts.append(" " if self._num_cells else "\n\n")
        elif name == "tbl":
            self._parts.append("\n")
        elif name in ("tc", "tr"):
            end_cell(self._parts, "\t" if name == "tc" else "\n")

    def data(self, text: str) -> None:
        if self._num_texts and not self._num_fallbacks:
            self._parts.append(text)

    def close(self) -> str:
        return tidied_lines("".join(self._parts))


def _is_tab_stop(attributes: Mapping[str, str]) -> bool:
    """Whether a tab is one of a paragraph's settings, which has the same name."""
    return any(local_name(name) == "val" for name in attributes)


def end_cell(parts: list[str], end: str) -> None:
    """Add the end of a cell or row to a text's parts, in place of the space after a paragraph."""
    if parts and parts[-1] == " ":
        parts.pop()
    parts.append(end)


def tidied_lines(text: str) -> str:
    """Return a text without white space at the ends of its lines, and one blank line at most."""
    kept: list[str] = []
    for line in text.split("\n"):
        stripped = line.rstrip()
        if stripped or (kept and kept[-1]):
            kept.append(stripped)
    return "\n".join(kept).rstrip("\n")

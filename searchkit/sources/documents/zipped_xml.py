"""The one XML of a document that is a zip: read part by part, without entities or references."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Protocol

from searchkit.core.errors import BadInput, first_line
from searchkit.sources.files import CHUNK_BYTES, Allowance

MAX_XML_BYTES = 256 << 20  # unpacked


class XmlTarget(Protocol):
    """Takes what the parser finds, in the order of the document."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element."""

    def end(self, tag: str) -> None:
        """Take the end of an element."""

    def data(self, text: str) -> None:
        """Take a piece of text."""

    def close(self) -> str:
        """Return the text of the document."""


def local_name(tag: str) -> str:
    """Return a tag without its namespace, of which there are several for the same format."""
    return tag.rpartition("}")[2]


def zipped_xml_text(data: bytes, part: str, target: XmlTarget, source: str, format: str) -> str:
    """Feed a part of a zip to a target, and return the text that it made.

    Raises:
        BadInput: if the zip or the XML is damaged, encrypted, has entities, or unpacks to too much.
    """
    from lxml.etree import LxmlError, XMLParser

    advice = "ask for it as .txt or .pdf"
    allowance = Allowance(source, advice, len(data), MAX_XML_BYTES)
    parser = XMLParser(target=target, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = archive.getinfo(part)
            entry.file_size = 1 << 62  # makes zipfile read to the real end and check all of it
            with archive.open(entry) as file:
                while chunk := file.read(CHUNK_BYTES):
                    allowance.spend(len(chunk))
                    _check_entities(chunk)
                    parser.feed(chunk)
        return str(parser.close())
    except BadInput:
        raise
    except LxmlError as error:
        what = f"not a complete {format} file (its XML: {first_line(error)}); save it again"
        raise BadInput.at(source, None, what) from None
    except Exception as error:  # the errors of zlib, lzma and zipfile have no common base
        if "password" in str(error) or "encrypted" in str(error):
            raise BadInput.at(source, None, "encrypted; save it without a password") from None
        what = f"not a complete {format} file ({first_line(error)}); save it again"
        raise BadInput.at(source, None, what) from None


def _check_entities(chunk: bytes) -> None:
    """Refuse a document type: neither format has one, and it may hold entities."""
    if b"<!DOCTYPE" in chunk.replace(b"\0", b""):  # without the zeros of UTF-16
        raise ValueError("it has a document type, which may hold entities")

"""PDF, by pypdf: pages until the time is up, and a scan without text is said to be one."""

from __future__ import annotations

import io
import logging
import time
import warnings
from typing import TYPE_CHECKING

from searchkit.core.errors import BadInput, MissingExtra, first_line

if TYPE_CHECKING:
    import pypdf

MAX_PAGES = 2_000
MAX_PAGE_BYTES = 8 << 20  # of the instructions that draw a page
MAX_SECONDS = 60.0
FULL_LINE = 0.75  # of the longest line of a page: a shorter one ends a paragraph


def pdf_text(data: bytes, source: str) -> str:
    """Return the text of a PDF: pages apart by blank lines, wrapped lines joined.

    Raises:
        BadInput: if it is damaged, encrypted, too large, takes too long, or has no text.
        MissingExtra: if pypdf isn't installed.
    """
    try:
        import pypdf
    except ImportError:
        raise MissingExtra(
            f"{source}: reading PDF needs pypdf: pip install 'searchkit[documents]'"
        ) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it repairs is no news to teachers
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = pypdf.PdfReader(io.BytesIO(data))
            if reader.is_encrypted and not reader.decrypt(""):
                raise BadInput.at(source, None, "encrypted; save it without a password")
            text = _pages_text(reader, source)
    except BadInput:
        raise
    except Exception as error:  # damage shows as errors of any class
        what = f"not a complete PDF ({first_line(error)}); save it again"
        raise BadInput.at(source, None, what) from None
    if not any(map(str.isalnum, text)):
        what = "a PDF without text, perhaps a scan; recognise its text first (OCR)"
        raise BadInput.at(source, None, what)
    return text


def _pages_text(reader: pypdf.PdfReader, source: str) -> str:
    if len(reader.pages) > MAX_PAGES:
        what = f"{len(reader.pages):,} pages, at most {MAX_PAGES:,} are read; split it"
        raise BadInput.at(source, None, what)
    deadline = time.monotonic() + MAX_SECONDS
    pages = []
    for number, page in enumerate(reader.pages, 1):
        contents = page.get_contents()
        if contents is not None and len(contents.get_data()) > MAX_PAGE_BYTES:
            what = f"page {number} takes more than {MAX_PAGE_BYTES:,} bytes; save it as text"
            raise BadInput.at(source, None, what)

        def check_time(*_: object, number: int = number) -> None:
            if time.monotonic() > deadline:
                what = f"page {number}: reading takes more than {MAX_SECONDS:.0f} s"
                raise BadInput.at(source, None, f"{what}; save it as text")

        pages.append(_joined_lines(page.extract_text(visitor_operand_before=check_time)))
        check_time()
    return "\n\n".join(filter(None, pages))


def _joined_lines(page: str) -> str:
    """Return a page's text with its wrapped lines joined, and words that a hyphen cut."""
    lines = [line.rstrip() for line in page.split("\n")]
    width = max(map(len, lines), default=0)
    joined: list[str] = []
    is_open = False  # whether the next line goes on with the last one
    for line in lines:
        if is_open and line.strip():
            is_cut = joined[-1].endswith("-") and line.lstrip()[:1].islower()
            joined[-1] = (joined[-1][:-1] if is_cut else f"{joined[-1]} ") + line.lstrip()
        else:
            joined.append(line)
        is_open = bool(line) and len(line) >= FULL_LINE * width
    return "\n".join(joined).strip()

"""Text for a terminal: escaped, tidied, in tables."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, TextIO

EXCERPT = 400  # characters of each answer of a pair that a table shows
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    """Return text that is safe in a terminal: control and bidi characters are spelled out."""
    return "".join(c if c in "\n\t" or not _acts(c) else f"<U+{ord(c):04X}>" for c in text)


def one_line(text: str, most: int) -> str:
    """Return text as one visible line, cut to so many characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _acts(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def open_console(out: TextIO) -> Any:  # noqa: ANN401
    """Return what prints tables; to a file in a width of its own."""
    from rich.console import Console

    # A file or a pipe gets a width that a spreadsheet of the eye can hold, and no colours.
    terminal = out.isatty()
    return Console(
        file=out,
        highlight=False,
        soft_wrap=False,
        width=None if terminal else 110,
        force_terminal=terminal,
        force_jupyter=False,
    )


def plain_table() -> Any:  # noqa: ANN401
    """Return a table with nothing but a line under its head."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def excerpt(text: str) -> Any:  # noqa: ANN401
    """Return the beginning of a text as Rich text, and how much more there is."""
    from rich.text import Text

    more = f" … and {len(text) - EXCERPT:,} characters more" if len(text) > EXCERPT else ""
    return Text(tidy(text[:EXCERPT]), style="not dim").append(more, style="dim")


def tidy(text: str) -> str:
    """Return the beginning of a text as Rich text, and how much more there is."""
    """Give text as a cell shows it: visible, without empty lines."""
    return re.sub(r"\n\s*\n+", "\n", visible(text).expandtabs(4))

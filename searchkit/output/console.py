"""Consoles, tables and texts for a terminal, in which control characters are made visible."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

from searchkit.text.code import code_blocks

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from searchkit.core.records import Answer, Span

MAX_WORD_LENGTH = 40  # characters by which an excerpt is cut, to end between words
CODE_STYLE = "cyan"
EXCERPT_LENGTH = 400  # characters of each answer of a pair that a table shows
FILE_WIDTH = 110  # columns of a table that is written to a file or a pipe
# Control characters except for tab and line feed; separators of lines; direction; surrogates.
UNSAFE = re.compile(
    r"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return text that is safe in a terminal: control and bidi characters become `<U+XXXX>`."""
    return UNSAFE.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def one_line(text: str, max_length: int) -> str:
    """Return text as one visible line of at most `max_length` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= max_length else line[: max_length - 1] + "…"


def open_console(out: TextIO) -> Console:
    """Return a console that prints to `out`.

    Unless `out` is a terminal, its width is `FILE_WIDTH` and it prints no colours.
    """
    from rich.console import Console

    terminal = out.isatty()
    return Console(
        file=out,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        width=None if terminal else FILE_WIDTH,
        force_terminal=terminal,
        force_jupyter=False,
    )


def plain_table() -> Table:
    """Return an empty table whose only line is the one below its header."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def excerpt(text: str) -> Text:
    """Return the first `EXCERPT_LENGTH` characters of a text, and the number of those left out."""
    from rich.text import Text

    rest = len(text) - EXCERPT_LENGTH
    more = f" … and {rest:,} characters more" if rest > 0 else ""
    shown = Text(style="not dim").append_text(styled(text, (0, min(len(text), EXCERPT_LENGTH))))
    return shown.append(more, style="dim")


def styled(text: str, within: Span, bold: Sequence[Span] = ()) -> Text:
    """Return a part of an answer's text with some parts in bold, and with code in a colour."""
    from rich.text import Text

    first, last = within
    code = code_blocks(text)
    inner = {border for span in (*bold, *code) for border in span if first < border < last}
    shown = Text()
    for start, end in pairwise(sorted({first, last, *inner})):
        is_bold, is_code = (any(a <= start < b for a, b in spans) for spans in (bold, code))
        style = f"{'bold' if is_bold else ''} {CODE_STYLE if is_code else ''}".strip()
        shown.append(tidy(text[start:end], keep_empty=is_code), style=style)
    return shown


def excerpt_bounds(text: str, spans: Sequence[Span], max_length: int) -> Span:
    """Return the offsets of an excerpt of about `max_length` characters around the longest span.

    It begins and ends between words where there are any.
    """
    if len(text) <= max_length:
        return 0, len(text)
    first, last = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    room = max(0, max_length - (last - first))
    start = max(0, min(first - room // 3, len(text) - max_length))
    end = min(len(text), start + max_length)
    if start and (space := text.find(" ", start, min(first, start + MAX_WORD_LENGTH))) >= 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", max(0, end - MAX_WORD_LENGTH), end)) >= 0:
        end = space
    return start, end


def quote_answer(answer: Answer, max_length: int) -> Text:
    """Return an answer's label, and its text in quotes as one line of at most `max_length`."""
    from rich.text import Text

    quotation = f"“{one_line(answer.text, max_length)}”"
    return Text.assemble((visible(answer.label) + "  ", "dim"), quotation)


def tidy(text: str, *, keep_empty: bool = False) -> str:
    """Return text for a table's cell: visible, tabs expanded, without empty lines by default."""
    shown = visible(text).expandtabs(4)
    return shown if keep_empty else re.sub(r"\n\s*\n+", "\n", shown)

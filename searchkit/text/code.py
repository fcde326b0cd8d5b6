"""Code within prose, for showing it as code: fenced, indented, or lines that look like code."""

from __future__ import annotations

import re

from searchkit.core.records import Span
from searchkit.text.words import code_spans

# Lines that begin with four spaces or a tab, after a blank line or at the beginning of the text
_INDENTED = re.compile(r"(?:\A|(?<=\n\n)|(?<=\n\r\n))(?:(?: {4}|\t)[^\n]*(?:\n|\Z))+")


def code_blocks(text: str) -> list[Span]:
    """Return the offsets of code in a text, in order, apart from each other."""
    indented = [match.span() for match in _INDENTED.finditer(text) if match[0].strip()]
    blocks: list[Span] = []
    for start, end in sorted([*code_spans(text), *indented]):
        if blocks and start < blocks[-1][1]:
            first, last = blocks.pop()
            start, end = first, max(end, last)
        blocks.append((start, end))
    return blocks

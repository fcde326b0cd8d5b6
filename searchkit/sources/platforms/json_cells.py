"""Cells that hold JSON: platforms write a submission's parts and files into one column."""

from __future__ import annotations

import ast
import json
import re

from searchkit.sources.columns import BadRow
from searchkit.sources.tables.jsonlines import check_characters

MAX_LITERAL_LENGTH = 1 << 20  # characters
_LITERAL = re.compile(r"""\s*\[?\{u?['"]""")


def read_json_cell(text: str, name: str) -> object:
    """Return what a cell holds: the value of its JSON if it is an object or list, or else its text.

    Older platforms write a dict of Python in place of JSON.

    Args:
        text: The cell.
        name: The column, for messages.

    Raises:
        BadRow: if it begins as an object or list and is none.
    """
    if not text.lstrip().startswith(("{", "[{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # an integer of 5,000 digits is a ValueError, too
        value = _read_literal(text)
        if value is not None:
            return value
        raise BadRow(f"column {name!r} is not JSON; export the file again") from None


def _read_literal(text: str) -> object:
    """Return a dict or list as Python writes it; None if it is none."""
    if len(text) > MAX_LITERAL_LENGTH or not _LITERAL.match(text):
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def joined_texts(texts: list[str], name: str) -> str:
    """Return the parts of an answer as paragraphs.

    Raises:
        BadRow: for a lone surrogate, which can't be stored.
    """
    text = "\n\n".join(part for part in texts if part.strip())
    check_characters(name, text)
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""Cells that hold JSON: platforms write a submission's parts and files into one column."""

from __future__ import annotations

import json

from searchkit.sources.columns import BadRow
from searchkit.sources.tables.jsonlines import check_characters


def read_json_cell(text: str, name: str) -> object:
    """Return what a cell holds: the value of its JSON if it is an object or list, or else its text.

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
        raise BadRow(f"column {name!r} is not JSON; export the file again") from None


def joined_texts(texts: list[str], name: str) -> str:
    """Return the parts of an answer as paragraphs.

    Raises:
        BadRow: for a lone surrogate, which can't be stored.
    """
    text = "\n\n".join(part for part in texts if part.strip())
    check_characters(name, text)
    return text.replace("\r\n", "\n").replace("\r", "\n")

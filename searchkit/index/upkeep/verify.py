"""Verify: everything about an index that can be checked without the model."""

from __future__ import annotations

from searchkit.index.base import BaseIndex


def verify(index: BaseIndex) -> list[str]:
    """Return every problem in one line with what mends it; an empty list if there is none.

    What is checked depends on where the index is: `folder_checks.py` for a folder,
    `milvus/checks.py` for Milvus.
    """
    return list(index.problems())

"""What was changed while questions were graded, as records and as rows for CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from searchkit.index.records import GradingChange

HISTORY_COLUMNS = [
    *("number", "at", "by", "question", "what", "state", "reverts"),
    *("id", "column", "before", "after", "settings"),
]


def change_as_record(change: GradingChange) -> dict[str, Any]:
    """Return a change with who, when, what, and each cell before and after."""
    return {
        "number": change.number,
        "question": change.question,
        "by": change.by,
        "at": change.at,
        "what": change.what,
        "state": change.state,
        "reverts": change.reverts,
        "cells": [
            {"id": cell.answer, "column": cell.column, "before": cell.before, "after": cell.after}
            for cell in change.cells
        ],
        "settings": change.settings and [text and json.loads(text) for text in change.settings],
    }


def changes_as_rows(changes: Iterable[GradingChange]) -> Iterator[dict[str, Any]]:
    """Yield a row for each cell; a change that wrote none has a row without one."""
    for change in changes:
        record = change_as_record(change)
        cells = record.pop("cells")
        yield from (record | cell for cell in cells or [{}])

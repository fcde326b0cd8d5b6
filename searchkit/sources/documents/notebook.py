"""Jupyter notebooks: the cells that nbgrader marks as solutions, or all of them as one text."""

from __future__ import annotations

import json
from typing import Any

from searchkit.core.errors import BadInput, first_line


def notebook_texts(notebook: str, source: str) -> list[tuple[str | None, str]]:
    """Return (question, text) of a notebook.

    With nbgrader, its solution and task cells are texts, and their `grade_id` is the question.
    Without, all markdown and code cells are one text without a question. Outputs are left out.

    Raises:
        BadInput: if it is no notebook.
    """
    try:
        cells = _cells(json.loads(notebook))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        what = f"not a complete notebook ({first_line(error)}); save it again"
        raise BadInput.at(source, None, what) from None
    solutions: dict[str, list[str]] = {}
    for grade_id, text in cells:
        if grade_id:
            solutions.setdefault(grade_id, []).append(text)
    if solutions:
        return [(grade_id, "\n\n".join(texts)) for grade_id, texts in solutions.items()]
    return [(None, "\n\n".join(text for _, text in cells if text.strip()))]


def _cells(notebook: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Return (grade_id of a solution, or None; text) of each cell that a person writes."""
    cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
    texts = []
    for cell in cells:
        if cell["cell_type"] in ("markdown", "code", "heading"):
            nbgrader = cell.get("metadata", {}).get("nbgrader", {})
            is_solution = nbgrader.get("solution") or nbgrader.get("task")
            grade_id = str(nbgrader.get("grade_id") or "") if is_solution else ""
            source = cell["source"] if "source" in cell else cell["input"]
            texts.append((grade_id or None, source if isinstance(source, str) else "".join(source)))
    return texts

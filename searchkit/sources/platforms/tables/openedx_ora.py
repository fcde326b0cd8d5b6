"""Responses to Open edX's open response assessments (ORA): a row a submission.

`Response` holds JSON with the parts of the response, one for each prompt. The report is in English
on any site.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from searchkit.sources.columns import Values
from searchkit.sources.header_names import columns_by_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.platforms.json_cells import joined_texts, read_json_cell

_COLUMNS = {
    "final_score_points_earned": "points",
    "final_score_points_possible": "points possible",
}


def openedx_ora(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a report of ORA submissions."""
    columns = columns_by_header(tuple(names))
    text, author = columns.get("response"), columns.get("anonymized_student_id")
    if text is None or author is None or "submission_id" not in columns:
        return None
    renamed = {columns[folded]: name for folded, name in _COLUMNS.items() if folded in columns}
    return Layout(
        (Question(text, columns=renamed),),
        id=columns["submission_id"],
        question=_question(columns.get("problem_name"), columns.get("item_id"), sample),
        author=(columns.get("username", author),),
        submitted_at=columns.get("date_time_response_submitted"),
        title="Open edX ORA",
        read_text=_read_response,
    )


def _question(name: str | None, item: str | None, sample: Sequence[Values]) -> str | None:
    """Return the column of the problems' names, or of their ids where several have one name."""
    if name is None or item is None:
        return name or item
    items = defaultdict(set)
    for row in sample:
        items[row.get(name)].add(row.get(item))
    return item if any(len(ids) > 1 for ids in items.values()) else name


def _read_response(text: str) -> str:
    response = read_json_cell(text, "Response")
    if not isinstance(response, dict):
        return text
    parts = response.get("parts")
    parts = parts if isinstance(parts, list) else [response]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return joined_texts([part for part in texts if isinstance(part, str)], "Response")

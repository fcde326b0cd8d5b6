"""Gradebook of Canvas: marks alone, a row a student, and a column an assignment.

An assignment's column is headed `Essay (4711)`. One or two rows without a student follow the
header: how marks are posted, and the points possible. Headers are in the site's language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from searchkit.core.identity import question_name
from searchkit.sources.columns import Values
from searchkit.sources.header_names import columns_by_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.summaries import is_summary
from searchkit.sources.layouts.wide import with_unique_names

_ASSIGNMENT = re.compile(r"(\S.*?) ?\((\d+)\)")
_IDS = ("id", "sis_user_id", "sis_login_id")
_NUM_HEADS = 2  # rows without a student
MIN_IDS = 2  # of `_IDS`, where no row has the points possible


def canvas_gradebook(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a course's marks."""
    ids = [name for header, name in columns_by_header(tuple(names)).items() if header in _IDS]
    matches = {n: match for n in names[1:] if (match := _ASSIGNMENT.fullmatch(n))}
    if not matches or not ids or ids[0] != names[1]:
        return None
    student, number = names[0], ids[0]
    possible = next((r for r in sample[:_NUM_HEADS] if is_summary(r.get(student) or "")), None)
    if possible is None and len(ids) < MIN_IDS:
        return None
    questions = with_unique_names(
        Question(
            None,
            question_name(match[1]),
            columns={name: "points"},
            values=_points_possible(possible, name),
        )
        for name, match in matches.items()
    )
    return Layout(
        questions,
        author=(student,),
        identity=tuple(ids),
        title="Canvas gradebook",
        is_answer=lambda row: bool((row.get(number) or "").strip()),
    )


def _points_possible(row: Values | None, assignment: str) -> dict[str, str]:
    points = (row or {}).get(assignment)
    return {"points possible": points} if points else {}

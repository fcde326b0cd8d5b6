"""Marks of Gradescope: scores, a row a person, and evaluations, a file a question.

A question of the scores has a column that is headed `1.1: Title (0.25 pts)`. Evaluations have a
true or false column a rubric item, and rows about the rubric at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.header_names import columns_by_header
from searchkit.sources.layouts.layout import Layout, Question, header_text
from searchkit.sources.layouts.plain import person_layout
from searchkit.sources.layouts.wide import with_unique_names

_QUESTION = re.compile(r"(\S.*?) ?\((\d+(?:\.\d+)?) pts?\)")
_RENAMED = {"score": "points", "comments": "feedback"}


def gradescope_scores(names: Sequence[str], _: Sequence[Values]) -> Layout | None:
    """Return the layout of an assignment's scores."""
    columns = columns_by_header(tuple(names)).keys()
    matches = {name: match for name in names if (match := _QUESTION.fullmatch(header_text(name)))}
    if not matches or not columns >= {"total_score", "max_points"}:
        return None
    questions = with_unique_names(
        Question(None, match[1], columns={name: "points"}, values={"points possible": match[2]})
        for name, match in matches.items()
    )
    person = person_layout([name for name in names if name not in matches])
    return replace(person, questions=questions, title="Gradescope scores")


def gradescope_evaluations(names: Sequence[str], _: Sequence[Values]) -> Layout | None:
    """Return the layout of a question's evaluations."""
    columns = columns_by_header(tuple(names))
    key = columns.get("question_submission_id")
    if key is None or "score" not in columns:
        return None
    renamed = {columns[folded]: name for folded, name in _RENAMED.items() if folded in columns}
    return replace(
        person_layout(names),
        questions=(Question(None, columns=renamed),),
        title="Gradescope evaluations",
        is_answer=lambda row: bool((row.get(key) or "").strip()),
    )

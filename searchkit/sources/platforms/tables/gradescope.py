"""Marks of Gradescope: scores, a row a person, and evaluations, a file a question.

A question of the scores has a column that is headed `1.1: Title (0.25 pts)`. Evaluations have a
true or false column a rubric item, and rows about the rubric at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from searchkit.core.identity import question_name
from searchkit.sources.columns import Values
from searchkit.sources.header_names import columns_by_header
from searchkit.sources.layouts.layout import Layout, Question, header_text
from searchkit.sources.layouts.plain import person_layout
from searchkit.sources.layouts.wide import with_unique_names

_QUESTION = re.compile(r"(\S.*?) ?\((\d+(?:\.\d+)?) pts?\)")
_RENAMED = {"score": "points", "comments": "feedback"}


def gradescope_scores(names: Sequence[str], _: Sequence[Values]) -> Layout | None:
    """Return the layout of an assignment's scores.

    A row has the marks of the whole submission, which is what Gradescope exports as files, and
    those of each question, in case the index has the answers to it.
    """
    matches = {name: match for name in names if (match := _QUESTION.fullmatch(header_text(name)))}
    columns = columns_by_header(tuple(names))
    total, possible = columns.get("total_score"), columns.get("max_points")
    if not matches or total is None or possible is None:
        return None
    whole = {total: "points", possible: "points possible", **{name: name for name in matches}}
    questions = with_unique_names(
        Question(
            None,
            question_name(match[1]),
            columns={name: "points"},
            values={"points possible": match[2]},
        )
        for name, match in matches.items()
    )
    marks = (total, *matches)
    return replace(
        person_layout([name for name in names if name not in whole]),
        questions=(Question(None, columns=whole), *questions),
        title="Gradescope scores",
        is_answer=lambda row: any((row.get(name) or "").strip() for name in marks),
    )


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

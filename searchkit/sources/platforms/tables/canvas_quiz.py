"""Student analysis of a Canvas quiz: a row an attempt, two columns a question.

A question's column is headed by its number and its text; the next one holds the points, and is
headed by the points possible, so that headers repeat: `88123: Why …?`, `10.0`. What stands before
and after these is in the site's language; an anonymous survey has no names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from searchkit.core.identity import question_name
from searchkit.sources.columns import Values
from searchkit.sources.layouts.layout import Layout, Question, header_text
from searchkit.sources.layouts.plain import person_layout
from searchkit.sources.layouts.wide import with_unique_names, without_choices
from searchkit.text.html import as_plain_text

_QUESTION = re.compile(r"(\d+):(.*)", re.DOTALL)
_POINTS = re.compile(r"\d+(\.\d+)?")


def canvas_quiz(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a student analysis."""
    questions = [
        _question(name, match[1], match[2].strip(), points)
        for name, points in pairwise(names)
        if (match := _QUESTION.fullmatch(name)) and _POINTS.fullmatch(header_text(points))
    ]
    if not questions:
        return None
    own = {column for question in questions for column in (question.text, *question.columns)}
    texts = set(without_choices([q.text for q in questions if q.text], sample))
    return replace(
        person_layout([name for name in names if name not in own]),
        questions=with_unique_names(q for q in questions if q.text in texts),
        title="Canvas student analysis",
    )


def _question(name: str, number: str, text: str, points: str) -> Question:
    prompt = as_plain_text(text)[0]
    return Question(
        name,
        question_name(prompt) or f"Question {number}",
        prompt,
        columns={points: "points"},
        values={"question id": number, "points possible": header_text(points)},
    )

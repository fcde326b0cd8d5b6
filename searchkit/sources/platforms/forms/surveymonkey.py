"""Answers of a SurveyMonkey survey: number, times, address and name, then a column a question.

The row below the header says what each column holds, such as `Open-Ended Response`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.layouts.forms import form_layout
from searchkit.sources.layouts.layout import Layout

ID, TIME = "Respondent ID", "End Date"
_OWN = frozenset((ID, "Collector ID", "Start Date", TIME, "IP Address", "Custom Data 1"))


def surveymonkey(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a survey's answers."""
    if not {ID, "Collector ID", TIME}.issubset(names):
        return None
    asked = [name for name in names if name not in _OWN]
    answers = [row for row in sample if _is_answer(row)]
    layout = form_layout(asked, answers, lambda *_: None, "SurveyMonkey survey")
    if layout is None:
        return None
    return replace(layout, id=ID, submitted_at=TIME, is_answer=_is_answer)


def _is_answer(row: Values) -> bool:
    return bool((row.get(ID) or "").strip())

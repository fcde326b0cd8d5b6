"""Grading worksheet of a Moodle assignment: a row a participant, with the online text and marks.

The columns are in the site's language, and in this order: `Identifier`, the person's (none if
marking is blind), `Status`, `Grade`, `Maximum Grade`, `Grade can be changed`, `Last modified
(submission)`, what was submitted, `Last modified (grade)`, `Feedback comments`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.plain import person_layout
from searchkit.sources.layouts.wide import holds_texts, holds_times

_MODIFIED = re.compile(r"(.+?) ?\([^()\d]+\)")  # Last modified (grade)
_IDENTIFIER = re.compile(r"\D*\d+")  # Participant 123


def moodle_worksheet(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a grading worksheet."""
    if not names or not all(_IDENTIFIER.fullmatch(row.get(names[0]) or "") for row in sample):
        return None
    submission, grade = _modified_columns(names[1:], sample)
    if submission is None or grade is None:
        return None
    before, after = names[1 : names.index(submission)], names[names.index(grade) + 1 :]
    between = names[names.index(submission) + 1 : names.index(grade)]
    marks = _marks(before)
    if not marks:
        return None
    columns = {**marks, **{name: "feedback" for name in after[:1]}}
    person = person_layout([name for name in before if name not in columns])
    return replace(
        person,
        questions=(Question(_text(between, sample), columns=columns),),
        id=names[0],
        author=person.author or (names[0],),
        submitted_at=submission,
        title="Moodle grading worksheet",
    )


def _modified_columns(
    names: Sequence[str], sample: Sequence[Values]
) -> tuple[str, str] | tuple[None, None]:
    """Return the columns of times of submission and grade: `Last modified (…)`."""
    matches = [(name, match[1]) for name in names if (match := _MODIFIED.fullmatch(name))]
    for (submission, words), (grade, other_words) in pairwise(matches):
        if words == other_words and all(_may_be_times(n, sample) for n in (submission, grade)):
            return submission, grade
    return None, None


def _may_be_times(name: str, sample: Sequence[Values]) -> bool:
    """Whether a column holds times, or nothing."""
    return holds_times(name, sample) or not any((row.get(name) or "").strip(" -") for row in sample)


def _marks(names: Sequence[str]) -> Mapping[str, str]:
    """Return the columns of the grade and of the maximum that follows it."""
    places = [n for n, name in enumerate(names) if fold_header(name) in HEADER_NAMES["points"]]
    if not places:
        return {}
    grade, *after = names[places[0] :]
    return {grade: "points", **{name: "points possible" for name in after[:1]}}


def _text(names: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Return the column of the online text among those of what was submitted, or None."""
    by_name = (name for name in names if fold_header(name) in HEADER_NAMES["text"])
    by_value = (name for name in names if holds_texts(name, sample))
    return next(by_name, None) or next(by_value, None)

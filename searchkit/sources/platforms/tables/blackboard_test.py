"""Results of a Blackboard test: a row an answer (by question and user), or a person (by user).

The columns are in the site's language, and always in the same order: the user's name, last and
first name, then for a question its number, its text, the answer, points possible, and the points
given by the platform and by hand. By user, all of these have a number behind: `Question 1`. The
order of questions can be another for each student, so that only their texts tell which is which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, columns_by_header, fold_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.plain import person_layout

_PERSON = ("author", "last_name", "first_name")  # the first columns
_FIELDS = ("question id", "prompt", "text", "points possible", "auto score", "points")
_ENGLISH = ("question_id", "question", "answer", "possible_points", "auto_score", "manual_score")
_NUMBER = re.compile(r"(\D+?)_(\d{1,4})")


def blackboard_test(names: Sequence[str], _: Sequence[Values]) -> Layout | None:
    """Return the layout of a test's results."""
    groups = _groups(names)
    questions = tuple(_question(group) for group in groups if {"prompt", "text"} <= group.keys())
    if not questions:
        return None
    own = {column for group in groups for column in group.values()}
    person = person_layout([name for name in names if name not in own])
    return replace(person, questions=questions, title="Blackboard test")


def _groups(names: Sequence[str]) -> list[dict[str, str]]:
    """Return for each question its columns by field; none if the table isn't a test's results."""
    groups: dict[str, dict[str, str]] = {}
    for header, name in columns_by_header(tuple(names)).items():
        word, number = _split(header)
        if word in _ENGLISH:
            groups.setdefault(number, {})[_FIELDS[_ENGLISH.index(word)]] = name
    if any({"question id", "prompt", "text"} <= group.keys() for group in groups.values()):
        columns = set().union(*groups.values())
        is_test = "points possible" in columns and not columns.isdisjoint({"auto score", "points"})
        return list(groups.values()) if is_test else []
    return _groups_by_place(names)


def _groups_by_place(names: Sequence[str]) -> list[dict[str, str]]:
    columns = names[len(_PERSON) :]
    is_person = all(
        fold_header(name) in HEADER_NAMES[field]
        for name, field in zip(names, _PERSON, strict=False)
    )
    if not is_person or not columns or len(columns) % len(_FIELDS):
        return []
    starts = range(0, len(columns), len(_FIELDS))
    groups = [columns[start : start + len(_FIELDS)] for start in starts]
    words = {tuple(_split(fold_header(name))[0] for name in group) for group in groups}
    if len(words) > 1 or next(iter(words))[1] not in HEADER_NAMES["question"]:
        return []
    return [dict(zip(_FIELDS, group, strict=True)) for group in groups]


def _split(header: str) -> tuple[str, str]:
    """Return a folded header without the question's number, and that number."""
    match = _NUMBER.fullmatch(header)
    return (match[1], match[2]) if match else (header, "")


def _question(group: Mapping[str, str]) -> Question:
    # Points that were given by hand count, and else the platform's: of the same name the last one.
    names = {group[field]: field for field in _FIELDS if field in group}
    own = {
        column: "points" if field == "auto score" else field
        for column, field in names.items()
        if field not in ("prompt", "text")
    }
    return Question(group["text"], prompt_column=group["prompt"], columns=own)

"""Responses to a test in Sakai: a row an attempt, several columns a question.

The columns of a question are headed `Part 1, Question 2, Text`, then `Response`, `Points`,
`Rationale` and `Grader's comments`, as far as the version and the question have them, in the
site's language. A test that is graded anonymously has a `Submission Id` in place of names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.plain import person_layout
from searchkit.sources.layouts.wide import holds_times, without_choices

_COLUMN = re.compile(r"(\D{2,20}\d+, \D{2,20}\d+), (?:.*, )?([^,]+)", re.DOTALL)
NO_ANSWER = frozenset({"-", "No Answer"})  # in every language


def sakai(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a test's responses."""
    columns: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in names:
        if match := _COLUMN.fullmatch(name):
            columns[match[1]].append((name, fold_header(match[2])))
    found = [question for title, own in columns.items() if (question := _question(title, own))]
    if not found:
        return None
    texts = set(without_choices([q.text for q in found if q.text], sample))
    questions = tuple(question for question in found if question.text in texts)
    own_columns = {name for own in columns.values() for name, _ in own}
    others = [name for name in names if name not in own_columns]
    person = person_layout(others)
    times = [name for name in others if holds_times(name, sample)]
    return replace(
        person,
        id=None if person.author else names[0],
        identity=person.identity if person.author else (),
        submitted_at=next(reversed(times), person.submitted_at),
        questions=questions,
        title="Sakai test",
        no_answer=NO_ANSWER,
    )


def _question(title: str, columns: Sequence[tuple[str, str]]) -> Question | None:
    """Return the question with these columns and the last words of their headers, or None.

    Of two columns of texts the first one is the question's.
    """
    texts = [name for name, words in columns if words in HEADER_NAMES["text"]]
    if not texts:
        return None
    own = {name: kind for name, words in columns if name not in texts and (kind := _kind(words))}
    prompt = texts[0] if len(texts) > 1 else None
    return Question(texts[-1], None if prompt else title, prompt_column=prompt, columns=own)


def _kind(words: str) -> str:
    """Return what a column beside a response holds."""
    if words in HEADER_NAMES["points"]:
        return "points"
    is_comment = not set(words.split("_")).isdisjoint(HEADER_NAMES["comment"])
    return "feedback" if is_comment else words.replace("_", " ")

"""Responses of a Moodle quiz: a row an attempt, up to three columns a question.

The report *Responses* of a quiz writes, as far as they are ticked, `Question n`, `Response n` and
`Right answer n`, in the site's language. Its JSON has the same names in lower case without spaces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, columns_by_header, fold_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.people import person_of_form
from searchkit.sources.layouts.plain import person_layout
from searchkit.sources.layouts.wide import holds_addresses, holds_times, without_choices

_NUMBERED = re.compile(r"(\D*?)_?(\d{1,4})")  # of a folded header
_GRADE = re.compile(r".+/\s*\d+([.,]\d+)?")  # Grade/10.00
_JSON_GRADE = re.compile(r"([^\W\d]+)_?\d{3,6}")
_RESPONSE = frozenset("response antwort reponse respuesta resposta risposta antwoord".split())
_QUESTION = frozenset("question frage pregunta questao pergunta domanda vraag".split())
NO_ANSWER = frozenset({"-"})
Columns = Mapping[int, str]  # by the question's number


def moodle_quiz(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a quiz's responses."""
    families = _numbered_columns(names)
    prompts, responses, rights = _known(names, families) or _by_place(names, families, sample)
    if not responses:
        return None
    own = {name for columns in families.values() for name in columns.values()}
    person = person_layout([name for name in names if name not in own and not _is_grade(name)])
    if not any(map(_is_grade, names)) and not _is_attempt(person):
        return None
    texts = set(without_choices(list(responses.values()), sample))
    questions = (
        Question(
            name,
            f"Question {number}",
            prompt_column=prompts.get(number),
            columns={rights[number]: "right answer"} if number in rights else {},
        )
        for number, name in responses.items()
        if name in texts
    )
    return replace(
        _with_fields_by_place(person, _before(names, own), sample),
        questions=tuple(questions),
        title="Moodle quiz responses",
        no_answer=NO_ANSWER,
    )


def _before(names: Sequence[str], own: Collection[str]) -> list[str]:
    """Return the columns before those of questions."""
    return list(takewhile(lambda name: name not in own, names))


def _with_fields_by_place(person: Layout, names: Sequence[str], sample: Sequence[Values]) -> Layout:
    """Return the layout with what no usual name tells: last and first name come first."""
    times = [name for name in names if holds_times(name, sample)]
    addresses = tuple(name for name in names if holds_addresses(name, sample))
    first_names = list(takewhile(lambda name: name not in times, names))
    by_place = (names[1], names[0]) if len(first_names) > 2 else ()  # the last one is the state
    if not set(person.author) <= set(addresses) or not by_place or set(by_place) & set(addresses):
        by_place = ()
    return replace(
        person,
        author=by_place or person.author or person_of_form(names, sample).author,
        submitted_at=person.submitted_at or next(reversed(times), None),
        identity=person.identity or addresses,
    )


def _numbered_columns(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Return the columns that end in a number, by the word before it and the number."""
    families: dict[str, dict[int, str]] = {}
    for header, name in columns_by_header(tuple(names)).items():
        match = _NUMBERED.fullmatch(header)
        if match and not _is_grade(name):
            families.setdefault(match[1], {})[int(match[2])] = name
    return families


def _known(
    names: Sequence[str], families: Mapping[str, Columns]
) -> tuple[Columns, Columns, Columns] | None:
    """Return the columns of questions, responses and right answers by their names, or None."""
    responses = _family(families, _RESPONSE)
    if not responses:
        return None
    following = dict(pairwise(names))
    after = {number: following.get(name) for number, name in responses.items()}
    rights = (
        columns
        for word, columns in families.items()
        if word not in _QUESTION and all(after.get(n) == name for n, name in columns.items())
    )
    return _family(families, _QUESTION), responses, next(rights, {})


def _family(families: Mapping[str, Columns], words: Collection[str]) -> Columns:
    return next((columns for word, columns in families.items() if word in words), {})


def _by_place(
    names: Sequence[str], families: Mapping[str, Columns], sample: Sequence[Values]
) -> tuple[Columns, Columns, Columns]:
    """Return the same by their order, where a grade and two times show that it is a quiz."""
    columns = list(families.values())
    is_quiz = any(map(_GRADE.fullmatch, names)) and _num_times(names, sample) > 1
    if not is_quiz or not 1 <= len(columns) <= 3:
        return {}, {}, {}
    if len(columns) == 3:
        return columns[0], columns[1], columns[2]
    if len(columns) == 1:
        return {}, columns[0], {}
    first = next(iter(columns[0].values()))
    is_prompt = len({row.get(first) for row in sample} - {None, ""}) == 1  # the same for all
    return (columns[0], columns[1], {}) if is_prompt else ({}, columns[0], columns[1])


def _num_times(names: Sequence[str], sample: Sequence[Values]) -> int:
    """Return the number of columns of times before the grade's."""
    before = takewhile(lambda name: not _GRADE.fullmatch(name), names)
    return sum(holds_times(name, sample) for name in before)


def _is_grade(name: str) -> bool:
    """Whether a header is that of the grade: `Grade/10.00`, or in JSON `grade1000`."""
    match = _JSON_GRADE.fullmatch(fold_header(name))
    return _GRADE.fullmatch(name) is not None or (
        match is not None and match[1] in HEADER_NAMES["points"]
    )


def _is_attempt(person: Layout) -> bool:
    """Whether a row has first and last name, and a time or an address."""
    return len(person.author) == 2 and bool(person.submitted_at or person.identity)

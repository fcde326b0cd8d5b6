"""Responses of a Moodle quiz: a row an attempt, up to three columns a question.

The report *Responses* of a quiz writes, as far as they are ticked, `Question n`, `Response n` and
`Right answer n`, in the site's language. Its JSON has the same names in lower case without spaces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.header_names import fold_header
from searchkit.sources.layouts.layout import Layout, Question
from searchkit.sources.layouts.plain import person_layout

_NUMBERED = re.compile(r"(\D*?)_?(\d{1,4})")  # of a folded header
_GRADE = re.compile(r".+/\s*\d+([.,]\d+)?")  # Grade/10.00
_RESPONSE = frozenset("response antwort reponse respuesta resposta risposta antwoord".split())
_QUESTION = frozenset("question frage pregunta questao pergunta domanda vraag".split())
NO_ANSWER = frozenset({"-"})


def moodle_quiz(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a quiz's responses."""
    families = _numbered_columns(names)
    responses = _family(families, _RESPONSE)
    if not responses or not any(map(_is_grade, names)):
        return None
    prompts = _family(families, _QUESTION)
    rights = _family(families, families.keys() - _RESPONSE - _QUESTION)
    questions = (
        Question(
            name,
            f"Question {number}",
            prompt_column=prompts.get(number),
            columns={rights[number]: "right answer"} if number in rights else {},
        )
        for number, name in responses.items()
    )
    return replace(
        person_layout(names),
        questions=tuple(questions),
        title="Moodle quiz responses",
        no_answer=NO_ANSWER,
    )


def _numbered_columns(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Return the columns that end in a number, by the word before it and the number."""
    families: dict[str, dict[int, str]] = {}
    for name in names:
        if not _is_grade(name) and (match := _NUMBERED.fullmatch(fold_header(name))):
            families.setdefault(match[1], {})[int(match[2])] = name
    return families


def _family(families: Mapping[str, dict[int, str]], words: Collection[str]) -> dict[int, str]:
    return next((columns for word, columns in families.items() if word in words), {})


def _is_grade(name: str) -> bool:
    return _GRADE.fullmatch(name) is not None or fold_header(name).startswith("grade")

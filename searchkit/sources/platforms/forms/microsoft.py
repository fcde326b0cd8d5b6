"""Answers of a Microsoft form: number, times, address and name, then a column a question.

A quiz has `Points - Question` and `Feedback - Question` behind each question. All headers are in
the owner's language. Where the form doesn't record names, `anonymous` stands in their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.forms import form_layout, has_answer_columns
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.layouts.wide import holds_times

_STARTS = frozenset(
    fold_header(name)
    for name in (
        "Start time, Startzeit, Heure de début, Hora de inicio, Hora de início, Ora di inizio, "
        "Begintijd, Starttijd, Tijd van starten"
    ).split(",")
)
_OTHERS = frozenset(
    fold_header(name)
    for name in (
        "Total points, Quiz feedback, Last modified time, Grade posted time, Language, "
        "Gesamtpunktzahl, Gesamtpunkte, Quizfeedback, Zeitpunkt der letzten Änderung, Sprache, "
        "Uhrzeit der letzten Änderung, Total des points, Commentaires du questionnaire, "
        "Heure de la dernière modification, Langue, Total de puntos, Hora de la última modificación"
    ).split(",")
)
_PREFIX = re.compile(r"(\S.{0,40}?) ?[-\u2013:] ?")


def microsoft_forms(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a form's answers."""
    completed = _completion_time(names, sample)
    if completed is None or has_answer_columns(names):
        return None
    asked = [
        name for name in names[names.index(completed) + 1 :] if fold_header(name) not in _OTHERS
    ]
    layout = form_layout(asked, sample, _kind_word, "Microsoft form")
    return None if layout is None else replace(layout, submitted_at=completed)


def _completion_time(names: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Return the second of two columns of times at the beginning, by their names or values."""
    for start, end in pairwise(names[:3]):
        ends = fold_header(end)
        if fold_header(start) in _STARTS and (
            ends in HEADER_NAMES["submitted_at"] or holds_times(end, sample)
        ):
            return end
    if len(names) > 5 and fold_header(names[0]) == "id":
        if holds_times(names[1], sample) and holds_times(names[2], sample):
            return names[2]
    return None


def _kind_word(header: str, question: str) -> str | None:
    header, question = " ".join(header.split()), " ".join(question.split())
    if not header.endswith(question):
        return None
    prefix = _PREFIX.fullmatch(header, 0, len(header) - len(question))
    return prefix[1] if prefix else None

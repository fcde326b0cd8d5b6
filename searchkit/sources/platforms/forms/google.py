"""Answers of a Google form: the time, a person's address and score, a column a question.

The time's header is in the language of the form's owner. A quiz whose points were given has
`Question [Score]` and `Question [Feedback]` behind each question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.header_names import fold_header
from searchkit.sources.layouts.forms import form_layout, has_answer_columns
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.layouts.people import asks_for_person
from searchkit.sources.layouts.wide import MIN_WORDS, header_asks

_TIMES = frozenset(
    name.strip()
    for name in (
        "Timestamp, Zeitstempel, Horodateur, Marca temporal, Carimbo de data/hora, "
        "Informazioni cronologiche, Tijdstempel, Marca de temps, Sygnatura czasowa, Tidstämpel, "
        "Tidsstempel, Tidsmerke, Aikaleima, Časová značka, Časová pečiatka, Zaman damgas\u0131, "
        "Отметка времени, Позначка часу, Időbélyeg, Marcaj de timp, Χρονική σήμανση, "
        "タイムスタンプ, 时间戳记, 時間戳記, 타임스탬프, طابع زمني, חותמת זמן"
    ).split(",")
)
_FOLDED_TIMES = frozenset(map(fold_header, _TIMES))
_TIME = re.compile(r"\d{4}/\d\d?/\d\d? \d\d?:\d\d:\d\d [AP]M .+")  # as only Google writes it
_SUFFIX = re.compile(r" \[([^\[\]]{1,40})\]")


def google_forms(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a form's answers."""
    if not names or fold_header(names[0]) not in _FOLDED_TIMES or has_answer_columns(names):
        return None
    if not (_is_googles(names, sample) or any(map(_asks, names[1:]))):
        return None
    layout = form_layout(names[1:], sample, _kind_word, "Google form")
    return None if layout is None else replace(layout, submitted_at=names[0])


def _is_googles(names: Sequence[str], sample: Sequence[Values]) -> bool:
    """Whether the times are as only Google writes them, or their header is and a person follows."""
    times = (row.get(names[0]) or "" for row in sample)
    return any(map(_TIME.fullmatch, times)) or (
        names[0] in _TIMES and any(map(asks_for_person, names[1:]))
    )


def _asks(name: str) -> bool:
    return header_asks(name) or len(name.split()) >= MIN_WORDS


def _kind_word(header: str, question: str) -> str | None:
    if not header.startswith(question):
        return None
    suffix = _SUFFIX.fullmatch(header, len(question))
    return suffix[1] if suffix else None

"""Answers of a LimeSurvey survey: number, time, last page, language …, then a column a question.

Headers are codes (`G01Q02`), texts in the survey's language, or both (`G01Q02. Why …?`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from searchkit.sources.columns import Values, distinct_names
from searchkit.sources.header_names import fold_header
from searchkit.sources.layouts.forms import labelled_form
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.layouts.wide import holds_times

_WORDS = {
    "id": "Response ID, Antwort ID, ID de la réponse, ID de respuesta, ID da resposta",
    "submitdate": "Date submitted, Datum Abgeschickt, Date de soumission, Fecha de envío",
    "lastpage": "Last page, Letzte Seite, Dernière page, Última página, Ultima pagina",
    "startlanguage": "Start language, Start-Sprache, Langue de départ, Lenguaje inicial",
    "seed": "Seed, Zufallsstartwert, Semilla",
    "startdate": "Date started, Datum gestartet, Date de lancement, Fecha de inicio",
    "datestamp": "Date last action, Datum letzte Aktivität, Date de la dernière action",
    "ipaddr": "IP address, IP-Adresse, Adresse IP, Dirección IP",
    "refurl": "Referrer URL, Weiterleitungs-URL",
    "token": "Access code, Token, Zugangscode, Zugangsschlüssel, Code d'accès, Código de acceso",
}
_FIELDS = {
    fold_header(name): field
    for field, names in _WORDS.items()
    for name in (field, *names.split(","))
}
_CODED = re.compile(r"[A-Za-z]\w*(?:\[[^\]]*\])*\. ?(\S.*)", re.DOTALL)  # a code and a text
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z-]+)?")
# A survey without times has the second one, and a question that was not shown the first.
NO_ANSWER = frozenset({"N/A", "1980-01-01 00:00:00"})
MIN_FIELDS = 2  # beside the number


def limesurvey(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a survey's answers."""
    labels = _labels(names)
    fields = {field: n for n in reversed(names) if (field := _FIELDS.get(fold_header(labels[n])))}
    known = {"submitdate", "lastpage", "startlanguage"} & fields.keys()
    if "id" not in fields or len(known) < MIN_FIELDS:
        places = _fields_by_place(names, sample)
        if not places:
            return None
        fields = places | fields
    own = set(fields.values())
    asked = {name: label for name, label in labels.items() if name not in own}
    layout = labelled_form(asked, sample, "LimeSurvey survey")
    if layout is None:
        return None
    tokens = tuple(fields[field] for field in ("token",) if field in fields)
    return replace(
        layout,
        id=fields["id"],
        author=layout.author or tokens,
        identity=(*layout.identity, *tokens) if layout.author else (),
        submitted_at=fields.get("submitdate"),
        no_answer=NO_ANSWER,
    )


def _labels(names: Sequence[str]) -> Mapping[str, str]:
    """Return the text of each header: without its code, if all have one."""
    matches = [_CODED.fullmatch(name) for name in names]
    texts = [match[1] for match in matches if match]
    is_coded = bool(texts) and len(texts) == len(names) and names[0].split(".")[0] in _WORDS
    return dict(zip(names, distinct_names(texts) if is_coded else names, strict=True))


def _fields_by_place(names: Sequence[str], sample: Sequence[Values]) -> dict[str, str]:
    """Return the first four columns if their values are those of a survey in any language."""
    if len(names) <= len(known := ("id", "submitdate", "lastpage", "startlanguage")):
        return {}
    number, time, page, language = names[: len(known)]
    numbers = [(row.get(number) or "").strip() for row in sample]
    pages = {(row.get(page) or "").strip() for row in sample} - {""}
    languages = {(row.get(language) or "").strip() for row in sample}
    is_survey = (
        len(set(numbers)) == len(numbers) > 0
        and all(text.isdecimal() for text in (*numbers, *pages))
        and holds_times(time, sample)
        and all(map(_LANGUAGE.fullmatch, languages))
    )
    return dict(zip(known, names, strict=False)) if is_survey else {}

"""Rows that nobody wrote: averages, totals, points possible, and titles of groups of people."""

from __future__ import annotations

import re
from collections.abc import Sequence

from searchkit.sources.columns import Values
from searchkit.sources.header_names import fold_header
from searchkit.sources.layouts.layout import Layout

# Words of which one is in the label of a summary, in the languages of `header_names`. What is also
# a person's name, such as "Max" or "Soma", is among those that only accompany one.
_MEASURES = frozenset(
    """
    average averages avg mean median total totals maximum minimum stdev stddev
    durchschnitt gesamtdurchschnitt gruppendurchschnitt klassendurchschnitt kursdurchschnitt
    notendurchschnitt durchschnittsnote durchschnittlich mittelwert mittelwerte summe gesamtsumme
    insgesamt standardabweichung notenschnitt
    moyenne moyennes mediane somme
    promedio promedios mediana
    totale
    gemiddelde mediaan totaal
    """.split()
)
_BESIDE = frozenset(
    """
    overall class course group section question all of the for in per score scores points grade
    grades mark marks students sum max min n
    gesamt klasse kurs gruppe note noten punkte punktzahl aller alle der des fuer fur pro
    generale general de du la le les cours classe groupe etudiants eleves notes
    clase curso grupo puntos nota notas del
    geral media soma turma pontos
    complessivo complessiva di della voti voto punti
    algemeen van klas groep punten cijfer cijfers totale
    """.split()
)
_LABELS = frozenset(
    """
    points_possible possible_points max_points max_score maximum_points maximum_score max_marks
    maximum_marks total_possible out_of standard_deviation
    mogliche_punkte moegliche_punkte erreichbare_punkte maximale_punkte maximale_punktzahl
    max_punkte maximalpunktzahl hochstpunktzahl hoechstpunktzahl gesamt
    points_possibles points_maximum note_maximale ecart_type
    puntos_posibles puntuacion_maxima desviacion_estandar media_general nota_media
    pontos_possiveis pontuacao_maxima desvio_padrao media_geral
    punti_possibili punteggio_massimo deviazione_standard media_complessiva media_generale
    mogelijke_punten maximale_score standaardafwijking
    """.split()
)
_GROUP = re.compile(
    r"(?:group|section|class|team|gruppe|klasse|kurs|tutorium|groupe|classe|cours|grupo|clase|turma"
    r"|gruppo|groep|klas)[ _.:-]*(?:\d{1,3} ?[a-z]?|[a-z])",
    re.IGNORECASE,
)
_REMARK = re.compile(r"[\d:]")  # in a remark, and not in the name of a person
MIN_COLUMNS, MIN_WORDS = 3, 4  # of a table with remarks, and of one without such a character
MAX_FIGURE = 30  # characters of a figure
# A number in whatever spelling, `7.50 (12)` and `3 / 5` too, no value, or a formula's error.
_FIGURE = re.compile(
    r"[\d\s.,%/()\u00b1+\u2212\u2013\u2014-]*|n/?a|#(?:N/?A|NV|[A-Z0-9/]+[!?])", re.IGNORECASE
)


def summary_label(values: Values, layout: Layout, *, has_teams: bool = False) -> str | None:
    """Return what a row that nobody wrote is called, such as `Overall average`; None for others.

    A row with the text of an answer is somebody's, and so is one with an id, an address or a time
    beside the label, or in a table without authors. A figure where the answers stand is an average
    only beside a measure's name in place of the author's.

    Args:
        values: The row.
        layout: Its columns.
        has_teams: Whether `Group 3` writes answers, and is no title.
    """
    if any(len(values.get(text) or "") > MAX_FIGURE for text in layout.text_columns):
        return None  # most rows
    if (footer := _footer(values, layout)) is not None:
        return footer
    column, label = _label(values, layout)
    is_measure = label is not None and is_summary(label)
    if label is None or not (is_measure or (not has_teams and _is_group(label))):
        return None
    others = (layout.id, layout.submitted_at, *layout.identity, *layout.author)
    if any(name != column and not _is_blank(values, name) for name in others if name):
        return None
    filled = [name for name in values if name != column and not _is_blank(values, name)]
    if not is_measure:
        return None if filled else label
    texts = [name for name in filled if name in layout.text_columns]
    if texts and (column not in layout.author or not all(_is_figure(values[n]) for n in texts)):
        return None
    return label


def _footer(values: Values, layout: Layout) -> str | None:
    """Return the only cell of a row if it is a remark, such as `Exported on 3 May 2025`, or None.

    The row has neither a question, where others have one, nor an answer.
    """
    if layout.question is None or len(values) < MIN_COLUMNS:
        return None
    filled = [name for name in values if not _is_blank(values, name)]
    if len(filled) != 1 or filled[0] in (layout.question, *layout.text_columns):
        return None
    text = " ".join((values[filled[0]] or "").split())
    num_words = len(text.split())
    is_remark = num_words >= MIN_WORDS or (num_words > 1 and _REMARK.search(text) is not None)
    return text if is_remark else None


def has_teams(sample: Sequence[Values], layout: Layout) -> bool:
    """Whether the author of an answer in the first rows is called as a group is."""
    return any(
        _is_group((row.get(name) or "").strip())
        for row in sample
        for name in layout.author
        if any(not _is_blank(row, text) for text in layout.text_columns)
    )


def is_summary(label: str) -> bool:
    """Whether a label is that of averages, totals or points possible, and of no person."""
    folded = fold_header(label)
    words = {word for word in folded.split("_") if not word.isdigit()}
    return folded in _LABELS or (bool(words & _MEASURES) and words <= _MEASURES | _BESIDE)


def _label(values: Values, layout: Layout) -> tuple[str | None, str | None]:
    """Return the column and the text of the author, or else of the first cell that is filled."""
    names = (*layout.author, *values) if layout.author else ()
    filled = next((name for name in names if (values.get(name) or "").strip()), None)
    if filled is None or filled in layout.text_columns or filled == layout.question:
        return None, None
    return filled, " ".join((values[filled] or "").split())


def _is_group(label: str) -> bool:
    return _GROUP.fullmatch(label) is not None


def _is_blank(values: Values, name: str) -> bool:
    return not (values.get(name) or "").strip(" \t\r\n-\u2013\u2014")


def _is_figure(value: str | None) -> bool:
    return _FIGURE.fullmatch((value or "").strip()) is not None

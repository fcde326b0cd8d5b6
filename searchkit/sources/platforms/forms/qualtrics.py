"""Answers of a Qualtrics survey: columns of the survey itself, then a column a question.

Two rows that nobody wrote follow the header: the questions' texts, and each column's number in
JSON. Names and addresses are there where people were invited by mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from searchkit.sources.columns import Values
from searchkit.sources.layouts.forms import labelled_form
from searchkit.sources.layouts.layout import Layout

ID, TIMES = "ResponseId", ("RecordedDate", "EndDate")
_IMPORT = '{"ImportId"'  # how each cell of the second row begins
_PERSON = {
    "RecipientFirstName": "First name",
    "RecipientLastName": "Last name",
    "RecipientEmail": "Email",
}
_OWN = frozenset(
    (
        *("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)"),
        *("Finished", "RecordedDate", ID, "ExternalReference", "LocationLatitude"),
        *("LocationLongitude", "DistributionChannel", "UserLanguage"),
    )
)


def qualtrics(names: Sequence[str], sample: Sequence[Values]) -> Layout | None:
    """Return the layout of a survey's answers."""
    times = [name for name in TIMES if name in names]
    if ID not in names or not times:
        return None
    last = next((n for n, row in enumerate(sample) if _id(row).startswith(_IMPORT)), -1)
    heads, answers = sample[: last + 1], sample[last + 1 :]
    labels = _labels([name for name in names if name not in _OWN], heads[:-1])
    layout = labelled_form(labels, answers, "Qualtrics survey")
    if layout is None:
        return None
    of_head = frozenset(map(_id, heads))
    return replace(
        layout,
        id=ID,
        submitted_at=times[0],
        is_answer=lambda row: _id(row) not in of_head,
    )


def _id(row: Values) -> str:
    return row.get(ID) or ""


def _labels(names: Sequence[str], heads: Sequence[Values]) -> Mapping[str, str]:
    """Return the text of each column's question, or its name where that isn't told or isn't one."""
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        label = _PERSON.get(name) or (heads[0].get(name) if heads else None) or name
        labels[name] = name if label in taken else label
        taken.add(labels[name])
    return labels

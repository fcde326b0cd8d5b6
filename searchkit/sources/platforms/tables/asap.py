"""The data sets of the Automated Student Assessment Prize (ASAP): short answers, and essays.

Short answers have `Id`, `EssaySet`, `Score1`, `Score2`, `EssayText`; essays `essay_id`,
`essay_set`, `essay` and scores. The authors aren't known.
"""

from __future__ import annotations

from collections.abc import Sequence

from searchkit.sources.columns import Values
from searchkit.sources.header_names import columns_by_header
from searchkit.sources.layouts.layout import Layout, Question

_COLUMNS = (("id", "essayset", "essaytext"), ("id", "essay_set", "essay_text"),
            ("essay_id", "essay_set", "essay"))  # fmt: skip


def asap(names: Sequence[str], _: Sequence[Values]) -> Layout | None:
    """Return the layout of short answers or essays."""
    columns = columns_by_header(tuple(names))
    for id_, question, text in _COLUMNS:
        if columns.keys() >= {id_, question, text}:
            return Layout(
                (Question(columns[text]),),
                id=columns[id_],
                question=columns[question],
                title="ASAP answers",
            )
    return None

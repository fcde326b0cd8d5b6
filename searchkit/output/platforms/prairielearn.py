"""PrairieLearn: the CSV for manual grading, whose last columns are filled in.

PrairieLearn finds a submission by `submission_id`, or by `uid` (or `group_name`), `qid` and
`instance`, takes `score_perc` and `feedback`, and skips rows without either.
"""

from __future__ import annotations

from collections.abc import Sequence

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, counted
from searchkit.core.records import Answer
from searchkit.output.platforms.marks import MarkedAnswer, MarkedAnswers, MarkOptions, left_out
from searchkit.output.platforms.people import file_value
from searchkit.output.platforms.tables import Cell, Table
from searchkit.sources.header_names import fold_header
from searchkit.text.numbers import PER_CENT

UID, QID, SUBMISSION, SCORE, FEEDBACK = "uid", "qid", "submission_id", "score_perc", "feedback"
_FILLED = (SCORE, FEEDBACK)
_SIGNS = (
    SUBMISSION,
    QID,
    UID,
    "uin",
    "group_name",
    "old_score_perc",
    "params",
    "true_answer",
    SCORE,
)


def prairielearn(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a row for each submission, as PrairieLearn gave it, with its mark and comment."""
    marked.check_numbers("PrairieLearn")
    known: list[tuple[MarkedAnswer, dict[str, str]]] = []
    unknown: list[MarkedAnswer] = []
    for row in marked.rows:
        if found := identity(row.answer):
            known.append((row, {**row.answer.meta, **found}))
        else:
            unknown.append(row)
    if unknown and not known:
        raise BadInput(f"none of {counted(len(unknown), 'answer')} came from PrairieLearn")
    columns = _columns_before_score([row for row, _ in known])
    cells: list[list[Cell]] = []
    for row, values in known:
        mark = score(row, marked.marks, options.maximum) if row.mark else values.get(SCORE)
        comment = row.comment or values.get(FEEDBACK)
        cells.append([*map(values.get, columns), mark, comment])
    notes = left_out(unknown, "no submission_id, and no uid with qid, is known")
    return Table([*columns, *_FILLED], cells, notes, frozenset(columns))


def _columns_before_score(rows: Sequence[MarkedAnswer]) -> list[str]:
    """Return the columns of the answers' file, and those that name a submission if it has none."""
    names = dict.fromkeys(name for row in rows for name in row.answer.meta)
    columns = [name for name in (UID, QID) if name not in names]
    columns += [name for name in names if name not in _FILLED]
    return columns + [SUBMISSION] * (SUBMISSION not in names)


def identity(answer: Answer) -> dict[str, str]:
    """Return uid, qid and submission_id, as far as they are known; none if they don't suffice."""
    if not file_value(answer, _SIGNS):  # no column of PrairieLearn's files
        return {}
    group = file_value(answer, ("group_name",))
    elsewhere = {  # where it is if the file has no such column
        UID: None if group else answer.author,
        QID: answer.question,
        SUBMISSION: answer.id if answer.id.isdecimal() else None,
    }
    found = {
        name: value
        for name, other in elsewhere.items()
        if (value := file_value(answer, (name,)) or other)
    }
    is_enough = SUBMISSION in found or (QID in found and (UID in found or group))
    return found if is_enough else {}


def score(row: MarkedAnswer, column: str | None, maximum: float | None) -> float | None:
    """Return the mark in per cent; None if there is none.

    Raises:
        BadInput: if it isn't known what the marks are out of.
    """
    amount = row.amount
    if amount is None:
        return None
    out_of = amount.out_of or maximum
    if out_of is None and "perc" in fold_header(column or ""):
        out_of = PER_CENT
    if out_of is None:
        raise BadInput(
            Message("PrairieLearn takes per cent; say what the marks are out of: `maximum=10`")
        )
    return amount.value / out_of * PER_CENT

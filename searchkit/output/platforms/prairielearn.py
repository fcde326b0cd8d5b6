"""PrairieLearn: the CSV for manual grading, whose last columns are filled in.

PrairieLearn finds a submission by `submission_id`, or by `uid` (or `group_name`), `qid` and
`instance`, takes `score_perc` and `feedback`, and skips rows without either.
"""

from __future__ import annotations

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
    rows = [(row, identity(row.answer)) for row in marked.rows]
    known = [(row, found) for row, found in rows if found]
    unknown = [row for row, found in rows if not found]
    if unknown and not known:
        raise BadInput(f"none of {counted(len(unknown), 'answer')} came from PrairieLearn")
    given = dict.fromkeys(
        name for row, _ in known for name in row.answer.meta if name not in _FILLED
    )
    own = (UID, QID, SUBMISSION)
    columns = [*(name for name in own[:2] if name not in given), *given]
    columns += [SUBMISSION] * (SUBMISSION not in given)
    cells: list[list[Cell]] = [
        [
            *(found.get(name) or row.answer.meta.get(name) for name in columns),
            score(row, marked.marks, options.maximum) if row.mark else row.answer.meta.get(SCORE),
            row.comment or row.answer.meta.get(FEEDBACK),
        ]
        for row, found in known
    ]
    notes = left_out(unknown, "no submission_id, and no uid with qid, is known")
    return Table([*columns, *_FILLED], cells, notes, frozenset(columns))


def identity(answer: Answer) -> dict[str, str]:
    """Return uid, qid and submission_id, as far as they are known; none if they don't suffice."""
    found = {name: file_value(answer, (name,)) for name in (UID, QID, SUBMISSION)}
    if not file_value(answer, _SIGNS):  # no column of PrairieLearn's files
        return {}
    group = file_value(answer, ("group_name",))
    found[UID] = found[UID] or ("" if group else answer.author or "")
    found[QID] = found[QID] or answer.question or ""
    found[SUBMISSION] = found[SUBMISSION] or (answer.id if answer.id.isdecimal() else "")
    is_known = found[SUBMISSION] or (found[QID] and (found[UID] or group))
    return found if is_known else {}


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

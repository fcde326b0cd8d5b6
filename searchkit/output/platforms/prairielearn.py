"""PrairieLearn: the CSV for manual grading, whose last columns are filled in.

PrairieLearn finds a submission by `submission_id`, or by `uid` (or `group_name`), `qid` and
`instance`, takes `score_perc` and `feedback`, and skips rows without either.
"""

from __future__ import annotations

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.records import Answer
from searchkit.output.platforms.marks import MarkedAnswer, MarkedAnswers, MarkOptions, left_out
from searchkit.output.platforms.people import file_value
from searchkit.output.platforms.tables import Cell, Table
from searchkit.sources.header_names import fold_header
from searchkit.text.numbers import PER_CENT

UID, QID, SUBMISSION, SCORE, FEEDBACK = "uid", "qid", "submission_id", "score_perc", "feedback"
_FILLED = (SCORE, FEEDBACK)
_SIGNS = ("submission_id", "qid", "uid", "group_name")  # columns of PrairieLearn's files


def prairielearn(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a row for each submission, as PrairieLearn gave it, with its mark and comment."""
    marked.check_numbers("PrairieLearn")
    rows = [(row, _identity(row.answer)) for row in marked.rows]
    known = [(row, identity) for row, identity in rows if identity]
    unknown = [row for row, identity in rows if not identity]
    given = dict.fromkeys(
        name for row, _ in known for name in row.answer.meta if name not in _FILLED
    )
    own = (UID, QID, SUBMISSION)
    columns = [*(name for name in own[:2] if name not in given), *given]
    columns += [SUBMISSION] * (SUBMISSION not in given)
    cells: list[list[Cell]] = [
        [
            *(identity.get(name) or row.answer.meta.get(name) for name in columns),
            _score(row, marked.marks, options.maximum),
            row.comment or row.answer.meta.get(FEEDBACK),
        ]
        for row, identity in known
    ]
    notes = left_out(unknown, "no submission_id, and no uid with qid, is known")
    return Table([*columns, *_FILLED], cells, notes, frozenset(columns))


def _identity(answer: Answer) -> dict[str, str]:
    """Return uid, qid and submission_id, as far as they are known; none if they don't suffice."""
    found = {name: file_value(answer, (name,)) for name in (UID, QID, SUBMISSION)}
    if not any(file_value(answer, (name, f"old_{SCORE}")) for name in _SIGNS):
        return {}
    group = file_value(answer, ("group_name",))
    found[UID] = found[UID] or ("" if group else answer.author or "")
    found[QID] = found[QID] or answer.question or ""
    found[SUBMISSION] = found[SUBMISSION] or (answer.id if answer.id.isdecimal() else "")
    is_known = found[SUBMISSION] or (found[QID] and (found[UID] or group))
    return found if is_known else {}


def _score(row: MarkedAnswer, column: str | None, maximum: float | None) -> Cell:
    """Return the mark in per cent; what the file had, if there is none."""
    amount = row.amount
    if amount is None:
        return row.answer.meta.get(SCORE)
    out_of = amount.out_of or maximum
    if out_of is None and "perc" in fold_header(column or ""):
        out_of = PER_CENT
    if out_of is None:
        raise BadInput(
            Message("PrairieLearn takes per cent; say what the marks are out of: `maximum=10`")
        )
    return amount.value / out_of * PER_CENT

"""Plain tables: a row an answer with all its columns and decisions, or a row a student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from searchkit.grading.marking.columns import is_marks_name
from searchkit.index.records import DECISION_WORDS, Decision
from searchkit.output.platforms.marks import (
    MarkedAnswer,
    MarkedAnswers,
    left_out,
    points,
)
from searchkit.output.platforms.people import (
    Person,
    by_person,
    incomplete,
    person_columns,
    questions_of,
)
from searchkit.output.platforms.tables import Cell, Table
from searchkit.output.search import answer_as_record, export_columns
from searchkit.sources.columns import distinct_names
from searchkit.sources.tables.exported import ATTEMPT, DECISIONS
from searchkit.text.numbers import parse_amount

TOTAL, COMMENTS = "total", "comments"
NO_QUESTION = "(no question)"


def answer_table(
    marked: MarkedAnswers, decisions: Mapping[tuple[str, str], Decision], *, as_numbers: bool
) -> Table:
    """Return a row for each answer: its fields, its columns, the decisions about it.

    Args:
        marked: The answers.
        decisions: The latest decision about each pair.
        as_numbers: Whether marks become numbers, or stay as they were written.
    """
    answers = [row.answer for row in marked.rows]
    names = list(dict.fromkeys(name for answer in answers for name in answer.columns))
    columns = export_columns(names)
    about = _decisions_about(decisions)
    numeric = {
        name for name in columns if as_numbers and (name == marked.marks or is_marks_name(name))
    }
    has_attempts = any(answer.attempts > 1 for answer in answers)
    header = columns + [ATTEMPT] * has_attempts + [DECISIONS] * bool(about)
    rows = []
    for answer in answers:
        record = answer_as_record(answer)
        cells: list[Cell] = [_cell(record.get(name), name in numeric) for name in columns]
        cells += [answer.attempt] * has_attempts
        cells += ["; ".join(about.get(answer.id, ()))] * bool(about)
        rows.append(cells)
    return Table(distinct_names(header), rows, ids=frozenset({"id", "author"}))


def student_table(marked: MarkedAnswers) -> Table:
    """Return a row for each student: a column with the marks of each question, sum and comments."""
    people, unknown = by_person(marked.rows)
    known = person_columns(marked.rows)
    questions = questions_of(marked.rows)
    has_total = not marked.labels and len(questions) > 1
    header = ["author", *known, *(question or NO_QUESTION for question in questions)]
    header += [TOTAL] * has_total + [COMMENTS]
    rows = []
    for person in people:
        row: list[Cell] = [person.name, *(_value(person, name) for name in known)]
        row += [question_cell(person.of(question)) for question in questions]
        row += [total_cell(person, None)] * has_total + [person.comments]
        rows.append(row)
    notes = left_out(unknown, "they have no author")
    notes += incomplete(people) if has_total else []
    return Table(distinct_names(header), rows, notes, frozenset({"author", *known}))


def question_cell(rows: Sequence[MarkedAnswer]) -> Cell:
    """Return a person's mark for a question: a number, or a label; None if there is none."""
    marks = [row.mark for row in rows if row.mark]
    amounts = [row.amount for row in rows if row.amount is not None]
    if len(marks) == 1 and len(amounts) == 1 and not amounts[0].is_per_cent:
        return amounts[0].value
    return ", ".join(marks) or None


def total_cell(person: Person, maximum: float | None) -> float | None:
    """Return a person's points; None if an answer has no mark.

    Raises:
        BadInput: if the marks are in per cent, and the maximum isn't known.
    """
    total = person.total
    return None if total is None else points(total, maximum)


def _value(person: Person, column: str) -> str:
    return next(filter(None, (row.answer.meta.get(column) for row in person.rows)), "")


def _cell(value: str | None, is_marks: bool) -> Cell:
    """Return a cell: a number where it is a mark, and everything else, such as ids, as text."""
    amount = parse_amount(value) if value and is_marks else None
    if amount is None or amount.out_of is not None:
        return value
    return amount.value


def _decisions_about(
    decisions: Mapping[tuple[str, str], Decision],
) -> dict[str, list[str]]:
    """Return the decisions about each answer as text: `confirmed with q1/bob (a note)`."""
    about: dict[str, list[str]] = {}
    for (left, right), decision in decisions.items():
        status = DECISION_WORDS[decision.decision]
        note = f" ({decision.reason})" if decision.reason else ""
        for id_, other in ((left, right), (right, left)):
            about.setdefault(id_, []).append(f"{status} with {other}{note}")
    return about

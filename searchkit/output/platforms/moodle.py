"""Moodle: the grading worksheet of an assignment, or a file for the gradebook.

Moodle reads `Identifier`, `Grade`, `Last modified (grade)` and `Feedback comments` of a worksheet
(`mod/assign/feedback/offline`), and skips rows whose grade is blank, is above the maximum, or was
changed after `Last modified (grade)`. Words are taken where the assignment is graded by a scale.

The answers to a quiz can't be marked by a file. Their marks go into the gradebook, as a grade item
of their own or over the quiz's grade (Grades > Import > CSV file).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, counted, listed
from searchkit.core.records import Answer
from searchkit.output.platforms.marks import (
    MarkedAnswer,
    MarkedAnswers,
    MarkOptions,
    left_out,
)
from searchkit.output.platforms.people import (
    EMAIL,
    ID_NUMBER,
    USERNAME,
    Person,
    by_person,
    file_value,
    incomplete,
    questions_of,
)
from searchkit.output.platforms.plain import question_cell, total_cell
from searchkit.output.platforms.tables import Table, number_text
from searchkit.sources.columns import distinct_names
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.text.numbers import parse_number

IDENTIFIER, NAME, ID, EMAIL_ADDRESS = "Identifier", "Full name", "ID number", "Email address"
GRADE = "Grade"
MAXIMUM, TEXT, COMMENTS = "Maximum Grade", "Online text", "Feedback comments"
SUBMITTED, GRADED = "Last modified (submission)", "Last modified (grade)"
COLUMNS = (
    IDENTIFIER, NAME, ID, EMAIL_ADDRESS, "Status", GRADE, MAXIMUM,
    "Grade can be changed", SUBMITTED, TEXT, GRADED, COMMENTS,
)  # fmt: skip
OPTIONAL = (ID, TEXT)  # which not every worksheet has
_PARTICIPANT = re.compile(r"[^\d/]+\d+")  # "Participant 12345", in the site's language
_READ_AS = {GRADE: "points", MAXIMUM: "points_possible", COMMENTS: "feedback"}  # in the index
_GRADEBOOK_KEYS = {"Username": USERNAME, ID: ID_NUMBER, EMAIL_ADDRESS: EMAIL}  # one is enough


def moodle_worksheet(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a grading worksheet, or a file for the gradebook if the answers are of a quiz."""
    people, others = by_person(marked.rows, participant)
    if not people:
        return _gradebook(marked, options)
    if any(row.amount for person in people for row in person.rows):
        marked.check_numbers("Moodle")  # a scale has words only
    labels = marked.labels
    rows = [_worksheet_row(person, options, is_label=bool(labels)) for person in people]
    columns = [name for name in COLUMNS if name not in OPTIONAL or any(row[name] for row in rows)]
    notes = left_out(others, "no participant's number is known, so they are of no assignment")
    notes += incomplete(people)
    notes += _import_notes(rows, labels)
    cells = [[row[name] for name in columns] for row in rows]
    return Table(columns, cells, notes, frozenset({IDENTIFIER, ID, EMAIL_ADDRESS}))


def participant(answer: Answer) -> str:
    """Return the participant as a worksheet names it; "" if it isn't known."""
    number = file_value(answer, ("participant",))  # of a zip
    if number.isdecimal():
        return f"Participant {number}"
    identifier = file_value(answer, ("identifier",))
    if _PARTICIPANT.fullmatch(identifier):
        return identifier
    is_worksheet = _given(answer, MAXIMUM) and answer.question is None
    return answer.id if is_worksheet and _PARTICIPANT.fullmatch(answer.id) else ""


def _given(answer: Answer, column: str) -> str:
    """Return what the worksheet that an answer came from had in a column; "" if it isn't known."""
    return file_value(answer, (fold_header(column), _READ_AS.get(column, "")))


def grade(person: Person, maximum: float | None, *, is_label: bool) -> str:
    """Return what a person gets in a worksheet: points, or labels; "" if no mark is known."""
    if is_label:
        return ", ".join(row.mark for row in person.rows if row.mark)
    return number_text(total_cell(person, maximum))


def _worksheet_row(person: Person, options: MarkOptions, *, is_label: bool) -> dict[str, str]:
    """Return a row by column: as Moodle gave it, but for the mark and the comment."""
    answer = person.rows[0].answer
    known = {
        NAME: person.name,
        EMAIL_ADDRESS: person.value(EMAIL),
        SUBMITTED: answer.submitted_at or "",
    }
    if _given(answer, MAXIMUM):  # it was a worksheet
        known[TEXT] = answer.original or answer.text
    else:
        known[MAXIMUM] = number_text(options.maximum)
    row = {name: _given(answer, name) or known.get(name, "") for name in COLUMNS}
    row[IDENTIFIER] = participant(answer)
    row[GRADE] = grade(person, parse_number(row[MAXIMUM]), is_label=is_label) or row[GRADE]
    row[COMMENTS] = person.comments or row[COMMENTS]  # a blank one would delete Moodle's
    return row


def _import_notes(rows: Sequence[dict[str, str]], labels: Sequence[str]) -> list[str]:
    """Return lines on what Moodle takes only under a condition, or not at all."""
    notes = [] if labels else _above_maximum(rows)
    if not any(row[GRADED] for row in rows):
        notes.append(
            Message(
                "the columns are in English, as Moodle's own worksheet isn't known; a site in "
                "another language, or with some grades already, takes its own: `fill_in=FILE`"
            )
        )
    if labels:
        words = listed(labels)
        notes.append(f"Moodle takes words only where a scale with them is chosen: {words}")
    return notes


def _above_maximum(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return a line on grades that Moodle would skip without a word; none if there are none."""
    above = [
        f"{row[NAME]} ({row[GRADE]} of {row[MAXIMUM]})"
        for row in rows
        if (points := parse_number(row[GRADE])) is not None
        and (maximum := parse_number(row[MAXIMUM])) is not None
        and not 0 <= points <= maximum
    ]
    what = f"Moodle skips {counted(len(above), 'grade')} below 0 or above the maximum"
    return [f"{what}: {listed(above)}"] if above else []


def _gradebook(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a row for each person for the gradebook: a total, and a column for each question."""
    marked.check_numbers("Moodle's gradebook")
    people, others = _gradebook_people(marked.rows)
    if not people:
        raise BadInput(
            Message(
                "Moodle knows people by participant's number, e-mail address, ID number or "
                "username, and these answers have none of them; ingest Moodle's own export, or "
                "write a plain table: `platform='csv'`"
            )
        )
    used = {
        name: names
        for name, names in _GRADEBOOK_KEYS.items()
        if any(person.value(names) for person in people)
    }
    questions = questions_of(marked.rows)
    if len(questions) == 1:
        questions = []  # its marks are the total
    total = options.assignment or GRADE
    header = ["First name", "Last name", *used, *(question or "Question" for question in questions)]
    header += [total, "Feedback"]
    rows = [
        [
            *_first_and_last_name(person),
            *map(person.value, used.values()),
            *(question_cell(person.of(question)) for question in questions),
            total_cell(person, options.maximum),
            person.comments,
        ]
        for person in people
    ]
    key = EMAIL_ADDRESS if EMAIL_ADDRESS in used else next(iter(used))
    notes = [
        "not of an assignment, so this is no worksheet but a file for the gradebook: Grades > "
        f"Import > CSV file, map from {key!r}, and map {total!r} to a new grade item or to the quiz"
    ]
    notes += left_out(others, "no e-mail address, ID number or username is known")
    notes += incomplete(people)
    return Table(distinct_names(header), rows, notes, frozenset(used))


def _gradebook_people(
    rows: Sequence[MarkedAnswer],
) -> tuple[list[Person], list[MarkedAnswer]]:
    """Return the people whom the gradebook can know, and the answers of nobody and of others."""
    everyone, others = by_person(rows)
    people = []
    for person in everyone:
        if any(map(person.value, _GRADEBOOK_KEYS.values())):
            people.append(person)
        else:
            others += person.rows
    return people, others


def _first_and_last_name(person: Person) -> tuple[str, str]:
    """Return the names as the file has them; if it has none, the author's is the last name."""
    first, last = person.value(HEADER_NAMES["first_name"]), person.value(HEADER_NAMES["last_name"])
    return first, last if first or last else person.name

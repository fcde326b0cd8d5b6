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
from searchkit.output.platforms.tables import Cell, Table, number_text
from searchkit.sources.columns import distinct_names
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.text.numbers import parse_number

IDENTIFIER, NAME, EMAIL_ADDRESS, GRADE = "Identifier", "Full name", "Email address", "Grade"
MAXIMUM, TEXT, COMMENTS = "Maximum Grade", "Online text", "Feedback comments"
SUBMITTED, GRADED = "Last modified (submission)", "Last modified (grade)"
COLUMNS = (
    IDENTIFIER, NAME, "ID number", EMAIL_ADDRESS, "Status", GRADE, MAXIMUM,
    "Grade can be changed", SUBMITTED, TEXT, GRADED, COMMENTS,
)  # fmt: skip
OPTIONAL = ("ID number", TEXT)  # which not every worksheet has
_PARTICIPANT = re.compile(r"[^\d/]+\d+")  # "Participant 12345", in the site's language
_READ_AS = {GRADE: "points", MAXIMUM: "points_possible", COMMENTS: "feedback"}  # in the index


def moodle_worksheet(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a grading worksheet, or a file for the gradebook if the answers are of a quiz."""
    rows = [row for row in marked.rows if participant(row.answer)]
    if not rows:
        return _gradebook(marked, options)
    others = [row for row in marked.rows if not participant(row.answer)]
    people: dict[str, list[MarkedAnswer]] = {}
    for row in rows:
        people.setdefault(participant(row.answer), []).append(row)
    is_labels = bool(marked.labels)
    if is_labels and any(row.amount for row in rows):
        marked.check_numbers("Moodle")
    values = [_worksheet_row(Person(own), options, is_labels) for own in people.values()]
    columns = [name for name in COLUMNS if name not in OPTIONAL or any(v[name] for v in values)]
    notes = left_out(others, "no participant's number is known, so they are of no assignment")
    notes += incomplete([Person(own) for own in people.values()])
    notes += _above_maximum(values, is_labels)
    if not any(row[GRADED] for row in values):
        notes.append(
            Message(
                "the columns are in English, as Moodle's own worksheet isn't known; a site in "
                "another language, or with some grades already, takes its own: `fill_in=FILE`"
            )
        )
    if is_labels:
        words = listed(marked.labels)
        notes.append(f"Moodle takes words only where a scale with them is chosen: {words}")
    cells = [[row[name] for name in columns] for row in values]
    return Table(columns, cells, notes, frozenset({IDENTIFIER, "ID number", EMAIL_ADDRESS}))


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


def _worksheet_row(person: Person, options: MarkOptions, is_labels: bool) -> dict[str, str]:
    """Return a row by column: as Moodle gave it, but for the mark and the comment."""
    answer = person.rows[0].answer
    row = {name: _given(answer, name) for name in COLUMNS}
    row[IDENTIFIER] = participant(answer)
    row[NAME] = row[NAME] or person.name
    row[EMAIL_ADDRESS] = row[EMAIL_ADDRESS] or person.value(EMAIL)
    row[SUBMITTED] = row[SUBMITTED] or answer.submitted_at or ""
    if row[MAXIMUM]:  # it was a worksheet
        row[TEXT] = row[TEXT] or answer.original or answer.text
    elif options.maximum is not None:
        row[MAXIMUM] = number_text(options.maximum)
    if is_labels:
        row[GRADE] = ", ".join(r.mark for r in person.rows if r.mark) or row[GRADE]
    elif (total := total_cell(person, parse_number(row[MAXIMUM]))) is not None:
        row[GRADE] = number_text(total)
    row[COMMENTS] = person.comments or row[COMMENTS]  # a blank one would delete Moodle's
    return row


def _above_maximum(values: Sequence[dict[str, str]], is_labels: bool) -> list[str]:
    """Return a line on grades that Moodle would skip without a word."""
    above = [
        f"{row[NAME]} ({row[GRADE]} of {row[MAXIMUM]})"
        for row in values
        if not is_labels
        and (grade := parse_number(row[GRADE])) is not None
        and (maximum := parse_number(row[MAXIMUM])) is not None
        and not 0 <= grade <= maximum
    ]
    what = f"Moodle skips {counted(len(above), 'grade')} below 0 or above the maximum"
    return [f"{what}: {listed(above)}"] if above else []


def _gradebook(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a row for each person for the gradebook: a total, and a column for each question."""
    marked.check_numbers("Moodle's gradebook")
    everyone, unknown = by_person(marked.rows)
    keys = {"Username": USERNAME, "ID number": ID_NUMBER, "Email address": EMAIL}
    people: list[Person] = []
    nameless: list[Person] = []
    for person in everyone:
        (people if any(map(person.value, keys.values())) else nameless).append(person)
    if not people:
        raise BadInput(
            Message(
                "Moodle knows people by participant's number, e-mail address, ID number or "
                "username, and these answers have none of them; ingest Moodle's own export, or "
                "write a plain table: `platform='csv'`"
            )
        )
    used = [name for name, names in keys.items() if any(p.value(names) for p in people)]
    questions = questions_of(marked.rows)
    each = questions if len(questions) > 1 else []
    header = ["First name", "Last name", *used, *(q or "Question" for q in each)]
    header += [options.assignment or GRADE, "Feedback"]
    rows = []
    for person in people:
        first, last = (person.value(HEADER_NAMES[part]) for part in ("first_name", "last_name"))
        row: list[Cell] = [first, last or ("" if first else person.name)]
        row += [person.value(keys[name]) for name in used]
        row += [question_cell(person.of(question)) for question in each]
        rows.append([*row, total_cell(person, options.maximum), person.comments])
    key = "Email address" if "Email address" in used else used[0]
    notes = [
        "not of an assignment, so this is no worksheet but a file for the gradebook: Grades > "
        f"Import > CSV file, map from {key!r}, and map {options.assignment or GRADE!r} to a new "
        "grade item or to the quiz"
    ]
    unknown += [row for person in nameless for row in person.rows]
    notes += left_out(unknown, "no e-mail address, ID number or username is known")
    return Table(distinct_names(header), rows, notes + incomplete(people), frozenset(used))

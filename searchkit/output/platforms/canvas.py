"""Canvas: the gradebook, in which a quiz or an assignment is one column.

Canvas finds people by `ID`, then by `SIS User ID` and `SIS Login ID`, then by name, and assignments
by the number in brackets, then by name (`lib/gradebook_importer.rb`). It takes no comments.
"""

from __future__ import annotations

import re

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, counted, listed
from searchkit.output.platforms.marks import MarkedAnswers, MarkOptions, left_out
from searchkit.output.platforms.people import Person, by_person, incomplete, questions_of
from searchkit.output.platforms.plain import total_cell
from searchkit.output.platforms.tables import Cell, Table

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_POSSIBLE = "    Points Possible"  # as Canvas writes it
CANVAS_ID, SIS_ID = ("id", "canvas_id", "user", "user_id"), ("sis_id", "sis_user_id")
LOGIN = ("sis_login_id", "login_id", "login")
_NUMBERED = re.compile(r".*\(\d+\)", re.DOTALL)


def canvas_gradebook(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a gradebook with one column of marks: the sum of each person's answers."""
    marked.check_numbers("Canvas")
    people, unknown = by_person(marked.rows)
    assignment = options.assignment or _only_question(marked)
    rows: list[list[Cell]] = [[POINTS_POSSIBLE, "", "", "", "", options.maximum]]
    rows += [[*_identity(person), total_cell(person, options.maximum)] for person in people]
    notes = left_out(unknown, "they have no author") + incomplete(people)
    by_name = [p.name for p in people if not (p.value(CANVAS_ID) or p.value(SIS_ID))]
    if by_name:
        what = f"no Canvas ID or SIS ID of {counted(len(by_name), 'person')}"
        notes.append(f"{what.replace('persons', 'people')}, found by name: {listed(by_name)}")
    if not _NUMBERED.fullmatch(assignment):
        notes.append(
            f"Canvas makes a new assignment {assignment!r} unless it has one of that name; its "
            "exported gradebook has the name with its number, such as 'Essay (4711)'"
        )
    if commented := sum(bool(row.comment) for row in marked.rows):
        notes.append(f"Canvas takes no comments from a file: {commented:,} left out; csv has them")
    return Table([*COLUMNS, assignment], rows, notes, frozenset(COLUMNS[1:4]))


def _only_question(marked: MarkedAnswers) -> str:
    questions = questions_of(marked.rows)
    if len(questions) == 1 and questions[0]:
        return questions[0]
    raise BadInput(
        Message(
            "which of Canvas' assignments are the marks for? name it as its exported gradebook "
            'does, such as "Essay (4711)": `assignment=NAME`'
        )
    )


def _identity(person: Person) -> list[Cell]:
    name = person.value(("name", "student")) or person.name
    section = person.value(("section",))
    ids = [person.value(names) for names in (CANVAS_ID, SIS_ID, LOGIN)]
    return [name, *ids, section]

"""nbgrader: manual scores and comments of cells.

nbgrader itself imports only students and assignments from files. A script of a few lines, in the
documentation, writes this table into its gradebook, whose terms the columns are.
"""

from __future__ import annotations

from pathlib import PurePath

from searchkit.core.errors import BadInput
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.output.platforms.marks import MarkedAnswers, MarkOptions, left_out, points
from searchkit.output.platforms.people import file_value
from searchkit.output.platforms.tables import Cell, Table

COLUMNS = ("assignment", "notebook", "cell", "student_id", "score", "max_score", "comment")


def nbgrader(marked: MarkedAnswers, options: MarkOptions) -> Table:
    """Return a row for each cell that has a mark or a comment."""
    marked.check_numbers("nbgrader")
    rows: list[list[Cell]] = []
    unknown = []
    for row in marked.rows:
        cell = _cell(row.answer, options.assignment)
        if not all(cell):
            unknown.append(row)
        elif row.amount or row.comment:
            score = points(row.amount, options.maximum) if row.amount else None
            rows.append([*cell, score, options.maximum, row.comment])
    if unknown and len(unknown) == len(marked.rows):
        what = "came from a notebook in a folder such as submitted/STUDENT/ASSIGNMENT"
        raise BadInput(f"none of {counted(len(unknown), 'answer')} {what}")
    notes = left_out(unknown, "assignment, notebook, cell (the question) or student isn't known")
    notes.append("nbgrader imports no marks by itself: the page of export in the docs has a script")
    return Table(COLUMNS, rows, notes, frozenset(COLUMNS[:4]))


def _cell(answer: Answer, assignment: str | None) -> list[Cell]:
    """Return assignment, notebook, cell and student, each "" if it isn't known.

    Folders are as nbgrader's: `submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb`.
    """
    path = PurePath(file_value(answer, ("file", "path")) or answer.source or "")
    is_notebook = path.suffix == ".ipynb"
    assignment = assignment or file_value(answer, ("assignment",))
    notebook = file_value(answer, ("notebook",)) or (path.stem if is_notebook else "")
    return [
        assignment or (path.parent.name if is_notebook else ""),
        notebook,
        answer.question or "",
        answer.author or "",
    ]

"""The table of formats in which marks come out, and the flow over an index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message
from searchkit.core.where import EVERYTHING, Where
from searchkit.index.base import BaseIndex
from searchkit.index.decisions import counting, decisions
from searchkit.output.platforms.canvas import canvas_gradebook
from searchkit.output.platforms.fill import fill
from searchkit.output.platforms.marks import MarkedAnswers, MarkOptions, columns_taken, read_marked
from searchkit.output.platforms.moodle import moodle_worksheet
from searchkit.output.platforms.nbgrader import nbgrader
from searchkit.output.platforms.people import latest_attempts
from searchkit.output.platforms.plain import answer_table, student_table
from searchkit.output.platforms.prairielearn import prairielearn
from searchkit.output.platforms.tables import Table, csv_bytes, texts_cut, xlsx_bytes

MarksFormat = Literal["moodle-worksheet", "canvas", "prairielearn", "nbgrader", "csv", "xlsx"]
PLATFORMS: dict[MarksFormat, Callable[[MarkedAnswers, MarkOptions], Table]] = {
    "moodle-worksheet": moodle_worksheet,
    "canvas": canvas_gradebook,
    "prairielearn": prairielearn,
    "nbgrader": nbgrader,
}
PLAIN: tuple[MarksFormat, ...] = ("csv", "xlsx")
NAMES: tuple[MarksFormat, ...] = (*PLATFORMS, *PLAIN)


@dataclass(frozen=True, slots=True)
class MarksFile:
    """A file to be uploaded or opened.

    Attributes:
        content: The bytes.
        suffix: `csv` or `xlsx`.
        notes: Lines on what was left out, and what to do with the file.
    """

    content: bytes
    suffix: str
    notes: list[str]


def marks_file(
    index: BaseIndex,
    platform: MarksFormat,
    options: MarkOptions | None = None,
    where: Where = EVERYTHING,
    fill_in: str | Path | None = None,
) -> MarksFile:
    """Return the marks and comments in an index as a platform takes them.

    Where a row is a person, only the latest attempts count, unless the filter says otherwise.

    Args:
        index: The index.
        platform: The format.
        options: Which columns hold marks and comments, and what else the platform needs.
        where: Which answers.
        fill_in: The platform's own file: its rows and columns stay, and marks are filled in.

    Raises:
        BadInput: if there is no such format, it isn't known which column holds the marks, or the
            platform can't take them.
    """
    check_choice("platform", platform, NAMES)
    options = options or MarkOptions()
    if options.per == "student" and platform in PLATFORMS:
        raise BadInput(Message("`per` is for csv and xlsx, not {it}", it=platform))
    is_per_answer = platform in PLAIN and options.per == "answer"
    marked = read_marked(index.answers(where), options, need_marks=not is_per_answer)
    notes = [] if is_per_answer else columns_taken(marked, options)
    if not is_per_answer and platform != "prairielearn":
        if where.attempts == "all":
            raise BadInput(
                Message("a person has one mark for a question: `attempts='latest'` or 'first'")
            )
        if where.attempts is None:
            marked, earlier = latest_attempts(marked)
            notes += earlier
    if fill_in is not None:
        table = fill(Path(fill_in), platform, marked, options)
    elif platform in PLATFORMS:
        table = PLATFORMS[platform](marked, options)
    elif is_per_answer:
        table = answer_table(marked, counting(decisions(index)), as_numbers=platform == "xlsx")
    else:
        table = student_table(marked)
    notes += table.notes
    if platform == "xlsx":
        return MarksFile(xlsx_bytes(table), "xlsx", notes + texts_cut(table))
    return MarksFile(csv_bytes(table), "csv", notes)

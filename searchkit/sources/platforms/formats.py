"""The table of formats: which exports of platforms are recognised, and by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, listed
from searchkit.sources.columns import BadRow, Values
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.archives.archives import ARCHIVES
from searchkit.sources.platforms.forms.google import google_forms
from searchkit.sources.platforms.forms.limesurvey import limesurvey
from searchkit.sources.platforms.forms.microsoft import microsoft_forms
from searchkit.sources.platforms.forms.qualtrics import qualtrics
from searchkit.sources.platforms.forms.surveymonkey import surveymonkey
from searchkit.sources.platforms.nested.reading import NESTED_NAMES
from searchkit.sources.platforms.tables.asap import asap
from searchkit.sources.platforms.tables.blackboard_test import blackboard_test
from searchkit.sources.platforms.tables.canvas_gradebook import canvas_gradebook
from searchkit.sources.platforms.tables.canvas_quiz import canvas_quiz
from searchkit.sources.platforms.tables.gradescope import (
    gradescope_evaluations,
    gradescope_scores,
)
from searchkit.sources.platforms.tables.moodle_quiz import moodle_quiz
from searchkit.sources.platforms.tables.moodle_worksheet import moodle_worksheet
from searchkit.sources.platforms.tables.openedx_ora import openedx_ora
from searchkit.sources.platforms.tables.prairielearn import prairielearn
from searchkit.sources.platforms.tables.sakai import sakai

PLAIN = "plain"  # no platform's format
FindLayout = Callable[[Sequence[str], Sequence[Values]], Layout | None]


@dataclass(frozen=True, slots=True)
class Table:
    """An export that is a table.

    Attributes:
        find_layout: Takes the columns and the first rows; returns the layout, or None if the
            table isn't such an export.
        needs: The columns by which it is recognised, for a message.
    """

    find_layout: FindLayout
    needs: str


# By the names that `--as` takes, in the order in which they are tried.
TABLES = {
    "blackboard-test": Table(
        blackboard_test, "Question ID, Question, Answer, Possible Points, and Auto or Manual Score"
    ),
    "moodle-quiz": Table(moodle_quiz, "Response 1, Response 2 … and names or Grade/10.00"),
    "moodle-worksheet": Table(
        moodle_worksheet,
        "Identifier first, Last modified (submission) and Last modified (grade)",
    ),
    "canvas-quiz": Table(canvas_quiz, "88123: the question's text, each followed by its points"),
    "canvas-gradebook": Table(
        canvas_gradebook, "Student, ID, SIS Login ID … and assignments like Essay (4711)"
    ),
    "google-forms": Table(google_forms, "Timestamp first, and at least one that asks something"),
    "microsoft-forms": Table(microsoft_forms, "ID, Start time, Completion time … and questions"),
    "qualtrics": Table(qualtrics, "ResponseId, EndDate or RecordedDate, and questions"),
    "surveymonkey": Table(surveymonkey, "Respondent ID, Collector ID, End Date … and questions"),
    "limesurvey": Table(limesurvey, "Response ID, Date submitted, Last page … and questions"),
    "sakai": Table(sakai, "Part 1, Question 1, Response …"),
    "gradescope-scores": Table(
        gradescope_scores, "Total Score, Max Points, and a column like 1: Title (5.0 pts)"
    ),
    "gradescope-evaluations": Table(gradescope_evaluations, "Question Submission ID and Score"),
    "openedx-ora": Table(openedx_ora, "Submission ID, Anonymized Student ID and Response"),
    "prairielearn": Table(prairielearn, "qid, submission_id and submitted_answer"),
    "asap": Table(asap, "Id, EssaySet and EssayText"),
}
NAMES = (PLAIN, *TABLES, *ARCHIVES, *NESTED_NAMES)


def check_platform(name: str | None) -> None:
    """Check the name of a format.

    Raises:
        BadInput: if there is none with this name.
    """
    if name is not None and name not in NAMES:
        raise BadInput(f"no format {name!r}; there are: {', '.join(NAMES)}")


def find_platform(
    names: Sequence[str], sample: Sequence[Values], platform: str | None = None
) -> Layout | None:
    """Return the layout of a platform's table; None if it is no platform's.

    Args:
        names: The table's columns.
        sample: The first rows.
        platform: The only format to try; None for all.

    Raises:
        BadRow: if it is not of that format.
    """
    if platform is None:
        found = (table.find_layout(names, sample) for table in TABLES.values())
        return next((layout for layout in found if layout is not None), None)
    if platform == PLAIN:
        return None
    if platform not in TABLES:
        raise BadRow(Message("no {platform} file; leave out `platform`", platform=platform))
    layout = TABLES[platform].find_layout(names, sample)
    if layout is None:
        raise BadRow(
            Message(
                "{platform} needs the columns {needs}; there are: {names}; leave out `platform`",
                platform=platform,
                needs=TABLES[platform].needs,
                names=listed(names),
            )
        )
    return layout

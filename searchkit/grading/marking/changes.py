"""What a teacher does to the answers of a question: written, undone and done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from searchkit.core.arrays import Float32
from searchkit.core.errors import BadInput
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.core.where import Where
from searchkit.grading.marking.actions import plan
from searchkit.grading.marking.cards import GroupedTexts, NestedGroups
from searchkit.grading.marking.columns import file_value, is_marks_name
from searchkit.grading.marking.records import Action, ChangeSettings, Edit, Sheet
from searchkit.grading.marking.settings import Settings, UsedMarks, usual_settings
from searchkit.grading.marks import MISSING_MARKS
from searchkit.index.base import BaseIndex
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.storage.tables.grading import GradingTable

MAX_NAME = 200  # characters of the name of who changes something
BuildTree = Callable[[list[str], Float32], NestedGroups]


def change(
    index: BaseIndex, sheet: Sheet, action: Action, *, by: str = "", overwrite: bool = False
) -> GradingChange | None:
    """Do what an action says, and keep it in the history, in one commit.

    Args:
        index: Open for writing.
        sheet: The question, as it is in this index.
        action: What the teacher does.
        by: The teacher's name; may be empty.
        overwrite: Whether marks and comments may be replaced.

    Returns:
        The change; None if all is so already.

    Raises:
        BadInput: as `actions.plan`, or if the index keeps no history; nothing is written.
    """
    table = need_history(index)
    edit = plan(sheet, action, overwrite=overwrite)
    cells = tuple(_cells(index, sheet, edit))
    stored = table.settings().get(sheet.question)
    new = stored if edit.settings is None else edit.settings.to_json()
    if not cells and (new == stored or not isinstance(action, ChangeSettings)):
        return None
    count = counted(len({cell.answer for cell in cells}), "answer")
    what = edit.what if isinstance(action, ChangeSettings) else f"{edit.what} {count}"
    return index.add_grading_change(
        GradingChange(
            *(sheet.question, check_by(by), _now(), what, cells),
            settings=None if new == stored else (stored, new),
        )
    )


def undo(index: BaseIndex, question: str, *, by: str = "") -> tuple[GradingChange, int]:
    """Undo the latest change of a question; what was changed since stays as it is.

    Returns:
        The change that this is, and how many answers stay as they are.

    Raises:
        BadInput: if there is nothing to undo.
    """
    last = need_history(index).undoable(question)
    if last is None:
        raise BadInput("there is nothing to undo")
    cells = [replace(cell, before=cell.after, after=cell.before) for cell in last.cells]
    settings = last.settings and (last.settings[1], last.settings[0])
    return _revert(index, replace(last, cells=tuple(cells), settings=settings), "undo", by)


def redo(index: BaseIndex, question: str, *, by: str = "") -> tuple[GradingChange, int]:
    """Do again what was undone last; what was changed since stays as it is; see `undo`.

    Raises:
        BadInput: if there is nothing to do again.
    """
    last = need_history(index).redoable(question)
    if last is None:
        raise BadInput("there is nothing to do again")
    return _revert(index, last, "redo", by)


def _revert(
    index: BaseIndex, wanted: GradingChange, verb: str, by: str
) -> tuple[GradingChange, int]:
    """Write the cells of a change whose present values are those that it takes for them."""
    answers = index.get_existing(list({cell.answer for cell in wanted.cells}))
    cells, skipped = [], set()
    for cell in wanted.cells:
        if _written(answers[cell.answer], cell.column) == cell.before:
            cells.append(cell)
        else:
            skipped.add(cell.answer)
    stored = need_history(index).settings().get(wanted.question)
    is_same = wanted.settings is not None and wanted.settings[0] == stored
    reverting = GradingChange(
        *(wanted.question, check_by(by), _now(), f"{verb}: {wanted.what}", tuple(cells)),
        settings=wanted.settings if is_same else None,
        reverts=wanted.number,
    )
    return index.add_grading_change(reverting), len(skipped)


def need_history(index: BaseIndex) -> GradingTable:
    """Return where an index keeps settings and changes.

    Raises:
        BadInput: if it keeps none.
    """
    if index.grading is None:
        raise BadInput(
            f"{index.place}: only an index in a folder keeps what is graded on the page; "
            "copy it into a folder"
        )
    return index.grading


# -- reading a question ----------------------------------------------------------------------------


def group_texts(index: BaseIndex, question: str, build_tree: BuildTree) -> GroupedTexts:
    """Compute the nested groups of the answers to a question.

    Args:
        index: Open for reading or writing.
        question: The question's name as the index writes it; empty for answers without one.
        build_tree: Takes the texts of `n` answers and their vectors, `(n, d)` unit rows.
    """
    answers, _ = read_answers(index, question)
    row_of = {answer.id: row for row, answer in enumerate(answers)}
    pairs = [
        (row_of[answer.id], vector)
        for answer, vector in index.iter_vectors(_latest(question))
        if answer.id in row_of
    ]
    rows = [row for row, _ in pairs]
    vectors = np.array([vector for _, vector in pairs], np.float32)
    vectors = vectors.reshape(len(rows), max(0, index.model.dimension))
    tree = build_tree([answers[row].text for row in rows], vectors)
    texts = GroupedTexts(answers, rows, tree)
    for group in texts.groups(tree.default):  # nobody shall wait for them later
        texts.differences(group.ids)
    return texts


def count_marks(index: BaseIndex) -> dict[str, Counter[str]]:
    """Return how often each mark is in the columns with marks of the files, by lower-case name."""
    counts: dict[str, Counter[str]] = {}
    for answer in index.answers():
        if not answer.is_reference:
            for name, value in answer.meta.items():
                if is_marks_name(name) and value.strip().lower() not in MISSING_MARKS:
                    counts.setdefault(name.lower(), Counter())[value.strip()] += 1
    return counts


def read_sheet(index: BaseIndex, question: str, texts: GroupedTexts, used: UsedMarks) -> Sheet:
    """Read a question as it is now.

    Args:
        index: Open for reading or writing.
        question: The question's name as the index writes it; empty for answers without one.
        texts: What `group_texts` returned.
        used: What `count_marks` returned.
    """
    answers, references = read_answers(index, question)
    stored = need_history(index).settings()
    settings = Settings.from_json(stored.get(question), question)
    return Sheet(question, answers, references, settings, texts, used, usual_settings(stored))


def read_answers(index: BaseIndex, question: str) -> tuple[list[Answer], list[Answer]]:
    """Return the latest attempts of all authors at a question, and its references."""
    answers = list(index.answers(_latest(question)))
    references = [answer for answer in answers if answer.is_reference]
    return [answer for answer in answers if not answer.is_reference], references


def _latest(question: str) -> Where:
    return Where(question, attempts="latest")


# -- cells -----------------------------------------------------------------------------------------


def _cells(index: BaseIndex, sheet: Sheet, edit: Edit) -> Iterator[GradingCell]:
    """Yield the cells that differ from what is written; columns by the index's own spelling."""
    spelling = {name.lower(): name for name in index.columns()}
    for id_, values in edit.values.items():
        answer = sheet.by_id[id_]
        for name, value in values.items():
            column = spelling.get(name.lower(), name)
            # A blank value has something to hide, or is none.
            after = value or ("" if file_value(answer, column) else None)
            before = _written(answer, column)
            if after != before:
                yield GradingCell(id_, column, before, after)


def _written(answer: Answer, column: str) -> str | None:
    """Return what was written here into a column; None if nothing was."""
    lowered = column.lower()
    return next((v for name, v in answer.written.items() if name.lower() == lowered), None)


def check_by(name: str) -> str:
    """Return the name of who changes something, without white space around it.

    Raises:
        BadInput: if it is no name.
    """
    name = name.strip()
    if not name.isprintable() or len(name) > MAX_NAME:
        raise BadInput(f"a name is a line of {MAX_NAME} characters at most")
    return name


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""The columns in which a teacher writes: marks, comments, ticks of a rubric, groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message
from searchkit.core.records import FILE_FIELDS, Answer
from searchkit.grading.marks import MISSING_MARKS
from searchkit.sources.header_names import HEADER_NAMES, fold_header

MARK_COLUMN = "mark"  # where no column has marks yet
COMMENT_COLUMN = "comment"
GROUP_COLUMN = "answer_group"  # holds the name of the group that the teacher put an answer into
ITEM_PREFIX = "rubric: "  # begins the column with the ticks of an item
MAX_COLUMN_NAME = 200  # characters
_SUGGESTED = "suggested"  # begins the names of columns with suggestions, which are no marks yet
_MAXIMUM = {"possible", "max", "maximum", "maximal"}  # words of columns with the points possible


def is_marks_name(name: str) -> bool:
    """Whether a column's name says that it holds marks."""
    return _has_word(name, "points") and not _has_word(name, "comment") and not is_ours(name)


def is_comments_name(name: str) -> bool:
    """Whether a column's name says that it holds comments."""
    return _has_word(name, "comment") and not is_ours(name)


def is_suggested_name(name: str) -> bool:
    """Whether a column's name says that its marks are suggested ones."""
    return fold_header(name).startswith(_SUGGESTED)


def is_ours(name: str) -> bool:
    """Whether a column holds ticks of a rubric, or groups."""
    lowered = name.strip().lower()
    return lowered == GROUP_COLUMN or lowered.startswith(ITEM_PREFIX.strip())


def choose_mark_column(answers: Sequence[Answer]) -> str | None:
    """Return the column with the marks: one written here, or with a usual name, if there is one."""
    return _choose(answers, is_marks_name)


def choose_comment_column(answers: Sequence[Answer], usual: str | None) -> str:
    """Return the column with the comments: one written here, or with a usual name, or a new one.

    Args:
        answers: Those of the question.
        usual: What a new one is called; None for `COMMENT_COLUMN`.
    """
    return _choose(answers, is_comments_name) or usual or COMMENT_COLUMN


def maximum_of(answers: Sequence[Answer]) -> list[str]:
    """Return what the column with the points possible holds for each answer, if there is one."""
    names = dict.fromkeys(name for answer in answers for name in answer.meta)
    found = [name for name in names if _is_maximum(name)]
    return (
        [answer.meta[found[0]] for answer in answers if answer.meta.get(found[0])] if found else []
    )


def value_of(answer: Answer, column: str) -> str:
    """Return what a column holds; empty for the usual ways to write that there is nothing."""
    value = answer.value(column).strip()
    return "" if value.lower() in MISSING_MARKS else value


def file_value(answer: Answer, column: str) -> str:
    """Return what the file has in a column, whatever was written here."""
    lowered = column.lower()
    return next((v for name, v in answer.meta.items() if name.lower() == lowered), "")


def check_column(name: str, parameter: str) -> str:
    """Return the name of a column that can be written to, without white space around it.

    Raises:
        BadInput: if it is blank, too long, or the name of something else.
    """
    name = name.strip()
    if not _is_usable(name):
        template = f"`{parameter}`: {{name!r}} is no column to write into; name one of its own"
        raise BadInput(Message(template, name=name[:MAX_COLUMN_NAME]))
    return name


def _choose(answers: Sequence[Answer], is_named: Callable[[str], bool]) -> str | None:
    written = dict.fromkeys(name for answer in answers for name, v in answer.written.items() if v)
    of_files = dict.fromkeys(name for answer in answers for name in answer.meta)
    names = [name for name in (*written, *of_files) if is_named(name)]
    return next((name for name in names if not is_suggested_name(name) and _is_usable(name)), None)


def _is_usable(name: str) -> bool:
    """Whether a column can be written to."""
    is_taken = name.lower() in {*FILE_FIELDS, "key"} or is_ours(name)
    is_plain = name == name.strip() != "" and name.isprintable() and len(name) <= MAX_COLUMN_NAME
    return is_plain and not is_taken and not _is_maximum(name)


def _is_maximum(name: str) -> bool:
    return _has_word(name, "points") and not _MAXIMUM.isdisjoint(fold_header(name).split("_"))


def _has_word(name: str, field: str) -> bool:
    """Whether a column's name, or a word of it, is a usual name of a field."""
    folded = fold_header(name)
    return not {folded, *folded.split("_")}.isdisjoint(HEADER_NAMES[field])

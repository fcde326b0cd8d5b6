"""Answers out of a table's rows, by its layout; ids are made where the file has none."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from searchkit.core.identity import author_key, distinct_name, make_id, question_name
from searchkit.core.messages import counted
from searchkit.core.records import Answer
from searchkit.sources.columns import AnswerColumns, BadRow, Values, distinct_in_any_case
from searchkit.sources.files import FileOptions
from searchkit.sources.layouts.layout import Layout, Question, header_text, is_nobody
from searchkit.sources.layouts.plain import PROMPT, plain_layout, with_chosen_columns
from searchkit.sources.layouts.summaries import has_teams, summary_label
from searchkit.sources.platforms.formats import find_platform
from searchkit.text.html import as_plain_text, html_to_text

ExportLayout = Callable[[Collection[str]], Layout]  # takes a row's columns
AsValues = Callable[[dict[str, Any], Layout], Values]  # takes a row and its layout
MAX_NAMES = 1_000_000  # that are remembered in all: every line of JSON may have other ones
MAX_VALUES = 1_000_000  # of a row's other columns, which each of its answers has
MAX_SHOWN = 5  # rows that were left out
_ROUNDED = re.compile(r"-?\d([.,]\d+)?E\+\d\d")  # as a spreadsheet shows 202510000001
log = logging.getLogger("searchkit")


class Rows:
    """Builds answers from the rows of one file after the other.

    Attributes:
        options: How files are read.
        allow_marks: Whether tables of marks alone are read, as `AnswerColumns`.
        names: The columns of the last row, or of the header; empty before the first one.
    """

    def __init__(self, options: FileOptions, *, allow_marks: bool = False) -> None:
        self.options = options
        self.allow_marks = allow_marks
        self.names: tuple[str, ...] = ()
        self._layouts: dict[tuple[str, ...], Layout | str] = {}  # a text: why there is none
        self._others: dict[tuple[str, ...], dict[str, str]] = {}  # names in the index
        self._remembered = 0  # names in all of these
        self._made: dict[str, int] = {}
        self._namesakes: frozenset[str] = frozenset()
        self._summaries: list[str] = []  # the first rows that nobody wrote: line and label
        self._num_summaries = 0
        self._has_teams = False  # whether groups write answers
        self._sample: Sequence[Values] = ()  # the first rows, whatever their columns
        self._is_plain = False  # whether the table is no platform's export
        self._export: ExportLayout | None = None

    # -- the layout ------------------------------------------------------------------------------

    def look(self, sample: Sequence[Values], export: ExportLayout | None = None) -> Layout | None:
        """Find the layout of a table.

        Args:
            sample: Its first rows; not empty.
            export: Returns the layout for a row's columns, of an export that is known already.

        Returns:
            None if there is none; reading the first row tells why.
        """
        self._forget()
        self._export = export
        self._namesakes = frozenset()
        self._is_plain = False
        self._sample = sample
        names = tuple(sample[0])
        alike = [row for row in sample if tuple(row) == names]
        try:
            layout = self.layout(names, alike)
        except BadRow:
            return None
        self._has_teams = has_teams(alike, layout)
        self._is_plain = not layout.title
        return layout

    def layout(self, names: tuple[str, ...], sample: Sequence[Values] = ()) -> Layout:
        """Return the layout for a row with these columns, which is found once.

        Raises:
            BadRow: if there is none.
        """
        self.names = names
        if names not in self._layouts:
            self._remembered += len(names)
            if self._remembered > MAX_NAMES:
                self._forget()
                self._remembered = len(names)
            try:
                layout = self._layouts[names] = self._find_layout(names, sample)
            except BadRow as error:
                self._layouts[names] = error.reason
                raise
            own = layout.own_columns()
            others = [name for name in names if name not in own]
            self._others[names] = dict(zip(others, distinct_in_any_case(others), strict=True))
            if len(layout.questions) * len(others) > MAX_VALUES:
                reason = _too_many_values(len(layout.questions), len(others))
                self._layouts[names] = reason
                raise BadRow(reason)
        found = self._layouts[names]
        if isinstance(found, str):
            raise BadRow(found)
        return found

    def _forget(self) -> None:
        self._layouts.clear()
        self._others.clear()
        self._remembered = 0

    def _find_layout(self, names: tuple[str, ...], sample: Sequence[Values]) -> Layout:
        columns = self.options.columns
        if not columns.has_text and not columns.fixed:
            platform = self._find_export(names, sample)
            if platform is not None:
                if not platform.text_columns and not self.allow_marks:
                    raise BadRow(
                        f"only marks, no answers ({platform.title}); ingest it into the index that "
                        "has the answers"
                    )
                return with_chosen_columns(platform, names, columns)
        return plain_layout(names, columns, self._sample, allow_marks=self.allow_marks)

    def _find_export(self, names: tuple[str, ...], sample: Sequence[Values]) -> Layout | None:
        """Return the layout of a platform's export; in a plain table, no later row is one's."""
        if self._export:
            return self._export(names)
        if not sample and self._is_plain:
            return None
        return find_platform(names, sample, self.options.platform)

    def find_namesakes(self, rows: Sequence[Values]) -> None:
        """Find the names that several people have; their authors get what tells them apart.

        Args:
            rows: All rows of a table whose layout has columns for that.
        """
        people: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            layout = self.layout(tuple(row))
            name = author_key(_joined(row, layout.author))
            identity = _first(row, layout.identity)
            if name and identity:
                people[name].add(author_key(identity[1]) or "")
        self._namesakes = frozenset(name for name, known in people.items() if len(known) > 1)

    # -- answers ---------------------------------------------------------------------------------

    def answers(
        self, row: dict[str, Any], as_values: AsValues, source: str, line: int | None
    ) -> list[Answer | AnswerColumns]:
        """Return the answers in a row.

        Args:
            row: The values by column, as the file's format has them.
            as_values: Returns them as text.
            source: The file.
            line: The line or row of the file, from 1, or None.

        Raises:
            BadRow: if a text is missing or can't be read, the id is missing or blank, or a number
                that names a person or an answer was rounded.
        """
        names = tuple(row)
        layout = self.layout(names)
        values = as_values(row, layout)
        found: list[Answer | AnswerColumns] = []
        if not layout.is_answer(values) or self._is_nobodys(values, layout, source, line):
            return found
        identity = _first(values, layout.identity)
        author = self._author(values, layout, identity)
        submitted_at = _value(values, layout.submitted_at)
        others = {
            new: value
            for name, new in self._others[names].items()
            if (value := values[name]) is not None
        }
        prompts: list[str] = []  # of this row
        for question in layout.questions:
            own = _own_columns(values, question) if question.columns else {}
            meta = {**others, **question.values, **own}
            name, prompt = self._question(values, layout, question, prompts, source)
            if prompt:
                meta[PROMPT] = prompt
            id_ = _id(values, layout, name)
            if question.text is None:
                if own or (meta and not question.columns):
                    found.append(AnswerColumns(id_, name, author, meta, source, line, identity))
                continue
            cell = _text(values, layout, question.text)
            if cell is None:
                continue
            text, original = _without_markup(cell, layout)
            answer = Answer(
                id=id_ if id_ is not None else self.made_id(name, author, text),
                text=text,
                question=name,
                author=author,
                submitted_at=submitted_at if submitted_at not in layout.no_answer else None,
                source=source,
                line=line,
                meta=meta,
                original=original,
                has_made_id=id_ is None,
                identity=identity,
            )
            found.append(answer)
        return found

    def _is_nobodys(self, values: Values, layout: Layout, source: str, line: int | None) -> bool:
        """Whether a row has the columns' names again, or an average or the like, and no answer."""
        if _is_header(values):
            log.warning("%s:%s: the columns' names once more; left out", source, line)
            return True
        label = summary_label(values, layout, has_teams=self._has_teams)
        if label is None:
            return False
        self._num_summaries += 1
        if len(self._summaries) < MAX_SHOWN:
            self._summaries.append(f"{label!r}" if line is None else f"line {line} ({label!r})")
        return True

    def report_summaries(self, source: str) -> None:
        """Say which rows of a file were left out as nobody's."""
        if shown := "; ".join(self._summaries):
            rest = self._num_summaries - len(self._summaries)
            more = f" … and {rest:,} more" if rest else ""
            log.warning("%s: rows that are no person's, left out: %s%s", source, shown, more)
        self._summaries, self._num_summaries = [], 0

    def _question(
        self,
        values: Values,
        layout: Layout,
        question: Question,
        prompts: list[str],
        source: str,
    ) -> tuple[str | None, str | None]:
        """Return a question's name and its text; the file's name is its name if the user says so.

        The name in the row is the question's text then, if there is no other.
        """
        name, prompt = _question_by_columns(values, layout, question, prompts)
        if self.options.question_from == "filename" and not layout.is_wide:
            return _table_name(source), prompt or name
        return name, prompt

    def _author(
        self, values: Values, layout: Layout, identity: tuple[str, str] | None
    ) -> str | None:
        """Return the author of a row, with what tells namesakes apart; None if there is none."""
        if not layout.author:
            return None
        if len(layout.author) == 1 and not self._namesakes:
            author = _value(values, layout.author[0])
            _check_number(author, layout.author[0])
        else:
            author = _joined(values, layout.author)
        if author and is_nobody(author):
            return None
        if author and self._namesakes and author_key(author) in self._namesakes:
            return distinct_name(author, identity[1]) if identity else author
        return author

    def made_id(self, question: str | None, author: str | None, text: str) -> str:
        """Return the id of an answer without one, with #2, #3 … after it if it comes again."""
        id_ = make_id(question, author, text)
        number = self._made[id_] = self._made.get(id_, 0) + 1
        return id_ if number == 1 else f"{id_}#{number}"


def _too_many_values(num_questions: int, num_columns: int) -> str:
    return (
        f"{counted(num_questions, 'question')} and {counted(num_columns, 'other column')}, all of "
        "which each answer would get; leave out some columns"
    )


def _table_name(source: str) -> str | None:
    """Return a file's name without its folder and endings; None for standard input."""
    name = PurePath(source).name.removesuffix(".gz")
    return None if source == "-" else PurePath(name).stem


def _question_by_columns(
    values: Values, layout: Layout, question: Question, prompts: list[str]
) -> tuple[str | None, str | None]:
    """Return a question's name and its text, as far as they are known.

    Args:
        values: The row.
        layout: The layout of the row.
        question: The columns of the question.
        prompts: The questions' texts in this row up to here, to which this one is added.
    """
    prompt = question.prompt
    if question.prompt_column is not None:
        prompt = _value(values, question.prompt_column)
    if question.prompt_column is None or prompt is None:
        return question.name or _value(values, layout.question), prompt
    prompt = as_plain_text(prompt)[0]
    prompts.append(prompt)
    number = prompts.count(prompt)
    name = question_name(prompt)
    return name if number == 1 else f"{name} ({number})", prompt


def _own_columns(values: Values, question: Question) -> dict[str, str]:
    """Return the values of a question's own columns, by their names in the index."""
    return {
        name: value
        for column, name in question.columns.items()
        if (value := values.get(column)) is not None
    }


def _without_markup(text: str, layout: Layout) -> tuple[str, str | None]:
    """Return an answer's text, and what it was made of if it was HTML, or None."""
    return (html_to_text(text), text) if layout.is_html else as_plain_text(text)


def _text(values: Values, layout: Layout, column: str) -> str | None:
    """Return an answer's text; None if there is none where there may be gaps.

    Raises:
        BadRow: if there is none elsewhere, or it can't be read.
    """
    text = values.get(column)
    if text is not None:
        text = layout.read_text(text)
    if layout.has_gaps and (text is None or not text.strip() or text.strip() in layout.no_answer):
        return None
    if text is None:
        raise BadRow(f"no text in column {column!r}; write '' for a blank answer")
    return text


def _id(values: Values, layout: Layout, question: str | None) -> str | None:
    """Return the id in a row; in a row of several answers the question's name stands before it.

    Raises:
        BadRow: if it is blank.
    """
    if layout.id is None:
        return None
    id_ = (values.get(layout.id) or "").strip()
    if not id_:
        raise BadRow(f"the id (column {layout.id!r}) is blank; give each answer one")
    _check_number(id_, layout.id)
    return f"{question}/{id_}" if layout.is_wide else id_


def _check_number(value: str | None, column: str) -> None:
    """Raise BadRow for a number whose last digits a spreadsheet has left out."""
    if value and "E+" in value and _ROUNDED.fullmatch(value.strip()):
        raise BadRow(
            f"column {column!r} has rounded numbers ({value.strip()}), which several rows may "
            "share; format it in the spreadsheet as numbers without decimals, and save it again"
        )


def _is_header(values: Values) -> bool:
    """Whether a row has the columns' names again, as where the tables of groups were joined."""
    count = 0
    for name, value in values.items():
        if value and (text := value.strip()):
            if text != name and text != header_text(name):
                return False
            count += 1
    return count > 1


def _value(values: Values, column: str | None) -> str | None:
    """Return a column's value, or None where it is missing or blank."""
    return values.get(column) or None if column else None


def _joined(values: Mapping[str, str | None], columns: Sequence[str]) -> str | None:
    """Return the values of several columns as one; None if all are missing or blank."""
    parts = [" ".join((values.get(column) or "").split()) for column in columns]
    return " ".join(filter(None, parts)) or None


def _first(values: Mapping[str, str | None], columns: Sequence[str]) -> tuple[str, str] | None:
    """Return the first of several columns whose value isn't blank, and the value."""
    if not columns:
        return None
    found = ((column, (values.get(column) or "").strip()) for column in columns)
    return next((pair for pair in found if pair[1]), None)

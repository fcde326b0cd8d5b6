"""A layout says how the rows of a table become answers: which columns hold what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from searchkit.core.identity import author_key
from searchkit.core.messages import counted, listed
from searchkit.sources.columns import Values, distinct_in_any_case

_NUMBERING = re.compile(r" \(\d+\)$")  # of the second and later ones of several equal headers
# In place of the names of any number of people; in lower case.
NO_AUTHOR = frozenset("anonymous anonym anonyme anónimo anônimo anonimo anoniem deleted".split())
_ANY_PERSON = frozenset(("", "user", "account", "student", "participant", "respondent", "member"))


def _as_it_is(text: str) -> str:
    return text


def _always(_: Values) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Question:
    """The columns of a table that belong to one question.

    Attributes:
        text: The column with the answers; None if there are only marks and the like.
        name: The question's name; None if `Layout.question` or `prompt_column` tells it.
        prompt: The question's text, if it is the same for all rows.
        prompt_column: The column with the question's text. Where there is no name, it gives it.
        columns: The other columns that belong to it, with the names that they get in the index.
            Of several with the same name the last one that isn't blank counts.
        values: Columns of the index that are the same for all rows, such as `points possible`.
    """

    text: str | None
    name: str | None = None
    prompt: str | None = None
    prompt_column: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Which columns of a table hold what.

    Attributes:
        questions: The questions; several if a row holds a person's answers to all of them.
        id: The column with the answers' ids.
        question: The column with the questions' names.
        author: The columns that make an author's name, in order.
        submitted_at: The column with the times.
        identity: Columns that tell people of the same name apart.
        title: What kind of file it is, as users call it; "" for any table.
        read_text: Returns the answer in a cell's text; raises `BadRow` if it can't be read.
        no_answer: Cells that mean that there is no answer.
        is_html: Whether all answers are HTML, even those that don't look so.
        is_answer: Whether a row holds answers, and no averages or the like.
    """

    questions: tuple[Question, ...]
    id: str | None = None
    question: str | None = None
    author: tuple[str, ...] = ()
    submitted_at: str | None = None
    identity: tuple[str, ...] = ()
    title: str = ""
    read_text: Callable[[str], str] = _as_it_is
    no_answer: frozenset[str] = frozenset()
    is_html: bool = False
    is_answer: Callable[[Values], bool] = _always

    @cached_property
    def is_wide(self) -> bool:
        """Whether a row is a person, with a column or several for each question."""
        return any(question.name or question.prompt_column for question in self.questions)

    @property
    def has_gaps(self) -> bool:
        """Whether a row without a text is no answer; in any other table it is a mistake."""
        return self.is_wide or self.title != ""

    @cached_property
    def text_columns(self) -> tuple[str, ...]:
        """The columns with answers."""
        return tuple(question.text for question in self.questions if question.text is not None)

    def roles(self) -> dict[str, str]:
        """Return field to the column that holds it, for the fields that one column holds."""
        columns: dict[str, Sequence[str | None]] = {
            "id": (self.id,),
            "text": self.text_columns,
            "question": (self.question,),
            "author": self.author,
            "submitted_at": (self.submitted_at,),
        }
        return {name: c[0] for name, c in columns.items() if len(c) == 1 and c[0] is not None}

    def own_columns(self) -> set[str]:
        """Return the columns that become fields of an answer, or belong to one question only.

        Columns that make an author only together with others stay as they are, too.
        """
        columns = {self.id, self.question, self.submitted_at}
        if len(self.author) == 1:
            columns.add(self.author[0])
        for question in self.questions:
            columns |= {question.text, question.prompt_column, *question.columns}
        return {column for column in columns if column is not None}

    def describe(self, names: Sequence[str]) -> str:
        """Return in a line what each column of a table was taken for.

        Args:
            names: The table's columns.
        """
        parts = []
        if texts := self.text_columns:
            count = f"{counted(len(texts), 'question')}, " if self.is_wide else ""
            parts.append(f"{count}answers: {listed(texts)}")
        else:
            marks = [name for question in self.questions for name in question.columns]
            parts.append("no answers, only columns of answers" + f": {listed(marks)}" * bool(marks))
        fields = {
            "id": self.id,
            "question": self.question,
            "author": " + ".join(self.author),
            "time": self.submitted_at,
        }
        parts += [f"{name}: {columns}" for name, columns in fields.items() if columns]
        own = self.own_columns()
        if others := [name for name in names if name not in own]:
            parts.append(f"other columns: {listed(distinct_in_any_case(others))}")
        title = f"{self.title}; " if self.title else ""
        return title + "; ".join(parts)


def header_text(name: str) -> str:
    """Return a header as it stands in the file: without the number that makes it unique."""
    return _NUMBERING.sub("", name)


def is_nobody(name: str) -> bool:
    """Whether a name, such as `anonymous`, `[deleted]` or a dash, means that there is no author."""
    bare = (author_key(name) or "").strip(" ()[]<>-\u2013\u2014")
    first, _, second = bare.partition(" ")
    return not first or (first in NO_AUTHOR and second in _ANY_PERSON)

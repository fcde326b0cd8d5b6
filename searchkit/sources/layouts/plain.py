"""The layout of any table: a row an answer, its columns found by their usual names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from searchkit.core.identity import question_name
from searchkit.core.messages import Message, listed
from searchkit.sources.columns import BadRow, Columns, Values, fold_name
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.layout import Layout, Question, header_text
from searchkit.sources.layouts.people import person_of_form
from searchkit.sources.layouts.wide import (
    header_asks,
    hold_numbers,
    holds_addresses,
    holds_texts,
    is_headed_as_question,
    propose_questions,
    wide_layout,
)

PROMPT = "prompt"  # the column of the index with the question's text
_KEPT_PROMPTS = ("prompt", "question_text", "question_prompt")  # which are not renamed
_PARTICLES = ("tussenvoegsel", "tussenvoegsels", "namenszusatz")  # "de" in `Jan de Vries`
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")  # between words, as in `studentId`
MAX_SHOWN = 30  # characters of a value in a message
Sample = Sequence[Values]


def plain_layout(
    names: Sequence[str], columns: Columns, sample: Sample, *, allow_marks: bool = False
) -> Layout:
    """Return the layout of a table by the names of its columns.

    Args:
        names: The names of the columns.
        columns: The names that the user chose.
        sample: The first rows, to tell texts from marks; can be empty.
        allow_marks: Whether a table without answers, but with the ids of answers, with authors and
            questions, or with authors and marks, is one of marks alone.

    Raises:
        BadRow: if a chosen column is missing, no column holds the answers, or several may.
    """
    finder = _Finder(names, columns)
    texts = finder.chosen("text")
    fields = _fields(finder, texts)
    if not fields.author:
        fields = replace(fields, author=_addresses(finder, sample))
    if columns.id is None and _names_people(fields, sample):
        fields = _with_person_id(fields)
    is_question = bool(texts) and fields.question is None and header_asks(texts[0])
    if columns.wide or len(texts) > 1 or is_question:
        if not fields.author:
            person = person_of_form(finder.free(), sample)
            fields = replace(fields, author=person.author, identity=person.identity)
        return wide_layout(names, texts, fields, sample)
    if not texts and allow_marks and (marks := _marks_of_questions(finder, fields, sample)):
        return replace(fields, questions=marks)
    text = texts[0] if texts else _find_text(finder, fields, sample, allow_marks=allow_marks)
    prompts = {} if finder.usual(_KEPT_PROMPTS) else finder.by_header(PROMPT)
    renamed = {name: PROMPT for name in prompts if name not in (text, fields.question)}
    return replace(fields, questions=(Question(text, columns=renamed),))


def person_layout(names: Sequence[str]) -> Layout:
    """Return the author, the time and what tells people apart, of a table whose rows are people.

    An id is the person's then, and a question is none.
    """
    finder = _Finder(names, Columns())
    fields = _fields(finder, ())
    ids = (fields.id,) if fields.id is not None else ()
    return replace(fields, id=None, question=None, identity=(*fields.identity, *ids))


def with_chosen_columns(layout: Layout, names: Sequence[str], columns: Columns) -> Layout:
    """Return a layout with the columns that the user chose in place of its own.

    Raises:
        BadRow: if one is missing.
    """
    finder = _Finder(names, columns)
    return replace(
        layout,
        id=finder.chosen_one("id") or layout.id,
        question=finder.chosen_one("question") or layout.question,
        author=finder.chosen("author") or layout.author,
        submitted_at=finder.chosen_one("submitted_at") or layout.submitted_at,
    )


def _fields(finder: _Finder, texts: Sequence[str]) -> Layout:
    """Return the layout without its questions."""
    finder.take(texts)
    id_ = finder.one("id")
    question = finder.one("question")
    author = finder.chosen("author") or finder.author()
    finder.take(author)
    submitted_at = finder.one("submitted_at")
    is_name = len(author) > 1 or any(fold_header(name).endswith("name") for name in author)
    identity = finder.identity() if is_name else ()
    return Layout((), id_, question, author, submitted_at, identity)


def _addresses(finder: _Finder, sample: Sample) -> tuple[str, ...]:
    """Return the column of people's addresses, whatever it is called, if there is only one."""
    found = [name for name in finder.free() if holds_addresses(name, sample)]
    if len(found) != 1:
        return ()
    finder.take(found)
    return tuple(found)


def _names_people(fields: Layout, sample: Sample) -> bool:
    """Whether the ids are those of people, most of whom answer several questions."""
    if fields.id is None or fields.question is None:
        return False
    rows = [
        (id_, question, tuple(map(row.get, fields.author)))
        for row in sample
        if (id_ := row.get(fields.id)) and (question := row.get(fields.question))
    ]
    counts = Counter(id_ for id_, *_ in rows)
    num_repeated = sum(counts[id_] > 1 for id_, *_ in rows)
    has_one_author = len({(id_, author) for id_, _, author in rows}) == len(counts)
    is_distinct = len({row[:2] for row in rows}) == len(rows)
    return is_distinct and has_one_author and num_repeated * 2 > len(rows)


def _with_person_id(fields: Layout) -> Layout:
    """Return the layout with the ids as those of people."""
    ids = (fields.id,) if fields.id is not None else ()
    if fields.author:
        return replace(fields, id=None, identity=(*fields.identity, *ids))
    return replace(fields, id=None, author=ids)


def _find_text(finder: _Finder, fields: Layout, sample: Sample, *, allow_marks: bool) -> str | None:
    """Return the column with the answers; None if the table has only marks and the like.

    Raises:
        BadRow: if there is none, or several may be it.
    """
    named = list(finder.by_header("text"))
    named += [name for name in finder.repeated(named) if holds_texts(name, sample)]
    if any(is_headed_as_question(name) and holds_texts(name, sample) for name in finder.free()):
        named = [name for name in named if not hold_numbers([name], sample)]  # as of attempts
    candidates = [name for name in named if _first_value(name, sample)] or named
    if len(candidates) > 1:
        raise BadRow(_which_text(candidates, sample))
    if candidates:
        return candidates[0]
    free = finder.free()
    is_only = all(len(row) == 1 for row in sample)  # not only in this line of JSON
    if len(finder.names) == len(free) == 1 and is_only:
        return free[0]
    if allow_marks and _holds_marks(finder, fields, sample):
        return None
    raise BadRow(_no_text(finder.names, propose_questions(free, sample)))


def _marks_of_questions(
    finder: _Finder, fields: Layout, sample: Sample
) -> tuple[Question, ...] | None:
    """Return the questions of a table of marks alone, a row a person and a column a question.

    Their columns hold nothing but numbers; with an id, a question or points the table is another.
    """
    has_others = any(map(finder.by_header, ("text", "points", "comment")))
    if has_others or not fields.author or fields.id is not None or fields.question is not None:
        return None
    names = propose_questions(finder.free(), sample)
    if not names or not hold_numbers(names, sample):
        return None
    prompts = {name: question_name(header_text(name)) for name in names}
    return tuple(Question(None, prompts[name], columns={name: "points"}) for name in names)


def _holds_marks(finder: _Finder, fields: Layout, sample: Sample) -> bool:
    """Whether a table tells whose answers its rows belong to, and its other columns hold no texts.

    An author alone tells it where a column of marks or comments is beside it.
    """
    free = finder.free()
    is_marked = bool(finder.by_header("points") or finder.by_header("comment"))
    has_author = bool(fields.author) and (fields.question is not None or is_marked)
    has_key = fields.id is not None or has_author
    return has_key and bool(free) and not any(holds_texts(name, sample) for name in free)


def _which_text(candidates: Sequence[str], sample: Sample) -> str:
    """Return the message that several columns may hold the answers."""
    shown = [
        f"{name} ({value[:MAX_SHOWN]!r})" if (value := _first_value(name, sample)) else name
        for name in candidates
    ]
    template = "which column holds the answers: {candidates}? name it with `columns.text=NAME`"
    if len({header_text(name) for name in candidates}) == 1:
        template += ", or each of them where each is a question"
    return Message(template, candidates=" or ".join(shown))


def _no_text(names: Sequence[str], questions: Sequence[str]) -> str:
    """Return the message that no column holds the answers; `questions` are those that may."""
    if not questions:
        return Message(
            "no column with the answers; there are: {names}; name it with `columns.text=NAME` (the "
            "first line must hold the columns' names)",
            names=listed(names),
        )
    if len(questions) == 1:
        return Message(
            "no column is called answer or the like; {question} looks like answers: name it with "
            "`columns.text=NAME`",
            question=listed(questions),
        )
    return Message(
        "no column is called answer or the like; these look like answers: {questions}; name one "
        "with `columns.text=NAME`, or, where each of them is a question, say `columns.wide=True`",
        questions=listed(questions),
    )


def _first_value(name: str, sample: Sample) -> str:
    """Return the first value of a column that isn't blank, in one line; "" if there is none."""
    values = (" ".join((row.get(name) or "").split()) for row in sample)
    return next(filter(None, values), "")


class _Finder:
    """Finds columns by their names; a column that was found once is not found again."""

    def __init__(self, names: Sequence[str], columns: Columns) -> None:
        self.names = names
        self.columns = columns
        self._by_header: dict[str, list[str]] = {}
        for name in names:
            for header in {fold_header(name), fold_header(_CAMEL_CASE.sub(" ", name))}:
                self._by_header.setdefault(header, []).append(name)
        chosen = (name for role in ("id", "question", "author", "submitted_at", "text")
                  for name in self.chosen(role))  # fmt: skip
        self._taken: set[str] = set(chosen)

    def chosen(self, role: str) -> tuple[str, ...]:
        """Return the columns that the user chose for a field.

        Raises:
            BadRow: if one is missing.
        """
        return tuple(self._find_chosen(role, name) for name in self.columns.chosen(role))

    def chosen_one(self, role: str) -> str | None:
        """Return the column that the user chose for a field, or None."""
        return next(iter(self.chosen(role)), None)

    def _find_chosen(self, role: str, chosen: str) -> str:
        """Return the column that the user means: the one with this name, or the only similar one.

        Raises:
            BadRow: if there is none.
        """
        if chosen in self.names:
            return chosen
        similar = [name for name in self.names if fold_name(name) == fold_name(chosen)]
        if len(similar) == 1:
            return similar[0]
        is_fixed = self.columns.fixed
        parameter = "" if is_fixed else f" (`columns.{role}`)"
        advice = "; rename the one that is meant" if is_fixed else ""
        raise BadRow(
            Message(
                f"no column {{chosen!r}}{parameter}; there are: {{names}}{advice}",
                chosen=chosen,
                names=listed(self.names),
            )
        )

    def by_header(self, field: str) -> dict[str, None]:
        """Return the free columns with a usual name of a field, the most usual name first."""
        return dict.fromkeys(self._named(HEADER_NAMES[field]))

    def usual(self, names: Sequence[str]) -> list[str]:
        """Return the free columns with one of these names."""
        return self._named(names)

    def _named(self, names: Sequence[str]) -> list[str]:
        found = (name for usual in names for name in self._by_header.get(usual, ()))
        return [name for name in found if name not in self._taken]

    def repeated(self, names: Sequence[str]) -> list[str]:
        """Return the free columns whose headers are those of others, but for their numbers."""
        return [n for n in self.free() if n not in names and header_text(n) in names]

    def one(self, field: str) -> str | None:
        """Return the column that holds a field, chosen or with a usual name, and take it."""
        found = self.chosen(field) or tuple(self.by_header(field))[:1]
        self.take(found)
        return found[0] if found else None

    def author(self) -> tuple[str, ...]:
        """Return the columns that make an author: one of its own, or the parts of a name."""
        if own := self.usual(("author", "autor", "auteur")):
            return (own[0],)
        first, last = (list(self.by_header(field)) for field in ("first_name", "last_name"))
        pairs = [(one, other) for one in first for other in last if one != other]
        if pairs:
            particles = self.usual(_PARTICLES)[:1]
            return pairs[0][0], *particles, pairs[0][1]
        columns = (self.by_header(field) for field in ("author", "person_id", "email"))
        return tuple(chain(*columns))[:1]

    def identity(self) -> tuple[str, ...]:
        """Return the columns that tell people of the same name apart."""
        return tuple(chain(*(self.by_header(f) for f in ("email", "person_id", "author"))))

    def take(self, names: Sequence[str]) -> None:
        """Let columns not be found again."""
        self._taken.update(names)

    def free(self) -> list[str]:
        """Return the columns that were not taken."""
        return [name for name in self.names if name not in self._taken]

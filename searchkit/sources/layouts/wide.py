"""Wide tables: a row a person, a column a question, whose header is the question's text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from searchkit.core.identity import question_name
from searchkit.core.messages import Message, listed
from searchkit.sources.columns import BadRow, Values
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.layout import Layout, Question, header_text
from searchkit.text.numbers import parse_number

MIN_VALUES = 10  # of which a third is distinct at most, for long ones to be choices
MAX_CHOICE = 3  # characters of a choice that need not come twice: "A", "yes"
MAX_TIME, MIN_DIGITS = 50, 5  # characters and digits of a date with a time
MAX_ABBREVIATION = 5  # characters of the last word of a header such as "Matr. Nr."
MIN_WORDS = 4  # of a text on average; marks, names and choices have fewer
_NOT_QUESTIONS = frozenset(
    name
    for field, names in HEADER_NAMES.items()
    if field not in ("text", "question", "prompt")
    for name in names
)
_ADDRESS = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^\W\d_]{2,}")
_TIME = re.compile(r"\d:\d\d|\d\.\d\d\.\d\d")
_NUMBER = re.compile(r"_?\d+[a-z]?$")
_NUMBERED = frozenset(("q", "frage", "aufgabe", "task", "item", "exercise")).union(
    HEADER_NAMES["text"], HEADER_NAMES["question"]
)


def holds_texts(name: str, sample: Sequence[Values]) -> bool:
    """Whether the values of a column are texts of several words, and no numbers or choices."""
    values = [value for row in sample if (value := (row.get(name) or "").strip())]
    texts = [value for value in values if parse_number(value) is None]
    if not texts or len(texts) * 2 < len(values):
        return False
    return sum(len(text.split()) for text in texts) >= MIN_WORDS * len(texts)


def holds_times(name: str, sample: Sequence[Values]) -> bool:
    """Whether the values of a column are dates with times, in whatever spelling."""
    values = [value for row in sample if (value := (row.get(name) or "").strip(" -"))]
    return bool(values) and all(map(_is_time, values))


def holds_addresses(name: str, sample: Sequence[Values]) -> bool:
    """Whether the values of a column are addresses of people, whatever its header's language."""
    values = [value for row in sample if (value := (row.get(name) or "").strip())]
    return bool(values) and all(map(_ADDRESS.fullmatch, values))


def _is_time(value: str) -> bool:
    num_digits = sum(map(str.isdigit, value))
    return len(value) <= MAX_TIME and num_digits >= MIN_DIGITS and bool(_TIME.search(value))


def propose_questions(names: Sequence[str], sample: Sequence[Values]) -> list[str]:
    """Return the columns that may hold answers: by their texts, or by headers that ask something.

    A column of people, times, marks or comments is none, nor one of choices beside others.
    """
    asked = (name for name in names if not _is_about_people(name))
    proposed = [
        name
        for name in asked
        if is_headed_as_question(name)
        or (holds_texts(name, sample) and not holds_times(name, sample))
    ]
    return without_choices(proposed, sample)


def is_headed_as_question(name: str) -> bool:
    """Whether a header asks something, or is numbered as questions are."""
    return header_asks(name) or _is_numbered(name)


def header_asks(name: str) -> bool:
    """Whether a header is a question, or a sentence of several words."""
    header = header_text(name).rstrip(" *\n")  # a star: the question must be answered
    words = header.split()
    return (
        header.endswith("?")
        or (header.endswith((".", ":", "…")) and len(words) >= MIN_WORDS)
        or (header.endswith(".") and len(words) > 1 and len(words[-1]) > MAX_ABBREVIATION)
    )


def holds_choices(name: str, sample: Sequence[Values]) -> bool:
    """Whether the values of a column are numbers, or choices: short and few, or often the same."""
    values = [value.casefold() for row in sample if (value := (row.get(name) or "").strip())]
    if not values:
        return False
    if 2 * sum(parse_number(value) is not None for value in values) > len(values):
        return True
    num_distinct = len(set(values))
    if sum(len(value.split()) for value in values) >= MIN_WORDS * len(values):
        return len(values) >= MIN_VALUES and num_distinct * 3 <= len(values)
    return num_distinct * 2 <= len(values) or all(len(value) <= MAX_CHOICE for value in values)


def hold_numbers(names: Sequence[str], sample: Sequence[Values]) -> bool:
    """Whether columns hold numbers and nothing else, as of marks."""
    values = [value for name in names for row in sample if (value := (row.get(name) or "").strip())]
    return bool(values) and all(parse_number(value) is not None for value in values)


def without_choices(names: Sequence[str], sample: Sequence[Values]) -> list[str]:
    """Return the columns of questions without those of choices, unless all of them are."""
    return [name for name in names if not holds_choices(name, sample)] or list(names)


def _is_about_people(name: str) -> bool:
    """Whether a header is a usual one of a person, a time or a mark, alone or with more words."""
    folded = fold_header(name)
    words = folded.split("_")
    is_name = len(words) <= 4 and words[-1] in ("name", "email", "mail", "nom", "nombre", "nome")
    return folded in _NOT_QUESTIONS or is_name


def _is_numbered(name: str) -> bool:
    folded = fold_header(name)
    return _NUMBER.search(folded) is not None and _NUMBER.sub("", folded) in _NUMBERED


def wide_layout(
    names: Sequence[str], texts: Sequence[str], fields: Layout, sample: Sequence[Values]
) -> Layout:
    """Return the layout of a table with a column or several for each question.

    A column of points or comments that follows a question belongs to it.

    Args:
        names: The names of the columns, in order.
        texts: The columns with answers; empty to choose those that look like questions.
        fields: The layout of the person's columns.
        sample: The first rows.

    Raises:
        BadRow: if no column looks like a question.
    """
    taken = fields.own_columns() | set(fields.author) | set(fields.identity)
    free = [name for name in names if name not in taken]
    chosen, texts = texts, texts or propose_questions(free, sample)
    if not texts:
        raise BadRow(
            Message(
                "no column looks like a question; there are: {names}; name each with "
                "`columns.text=NAME`",
                names=listed(names),
            )
        )
    if not chosen and hold_numbers(texts, sample):
        raise BadRow(
            Message(
                "{names}: marks, or answers? they hold only numbers; name each with "
                "`columns.text=NAME` if they are answers, or leave out `columns.wide`",
                names=listed(texts),
            )
        )
    following = _following_columns(names, set(texts), set(free))
    if len(texts) > 1 and following.keys() == {texts[-1]}:  # a total, at the end
        following = {}
    questions = [wide_question(name, following.get(name, {})) for name in texts]
    return replace(fields, questions=with_unique_names(questions))


def with_unique_names(questions: Iterable[Question]) -> tuple[Question, ...]:
    """Return the questions with a number after a name that came before: `Why? (2)`."""
    count: Counter[str | None] = Counter()
    unique = []
    for question in questions:
        count[question.name] += 1
        is_first = question.name is None or count[question.name] == 1
        name = question.name if is_first else f"{question.name} ({count[question.name]})"
        unique.append(replace(question, name=name))
    return tuple(unique)


def wide_question(name: str, columns: Mapping[str, str] | None = None) -> Question:
    """Return the question of a column whose header is its text."""
    prompt = header_text(name)
    return Question(name, question_name(prompt), prompt, columns=columns or {})


def _following_columns(
    names: Sequence[str], texts: set[str], free: set[str]
) -> dict[str, dict[str, str]]:
    """Return for each question the columns of points and comments that follow it."""
    following: dict[str, dict[str, str]] = {}
    question = None
    for name in names:
        if name in texts:
            question = name
        elif (
            question is not None
            and name in free
            and (kind := _kind(_after(name, question))) is not None
        ):
            own = following.setdefault(question, {})
            if kind in own.values():
                question = None  # a second mark belongs to the whole
                continue
            own[name] = kind
        else:
            question = None
    return following


def _after(name: str, question: str) -> str:
    """Return a header without the question's before it, as in `Question 1 Score`."""
    header, start = header_text(name), header_text(question)
    rest = header.removeprefix(start).strip(" -:[]()\u2013") if start else ""
    return rest or header


def _kind(name: str) -> str | None:
    """Return `points` or `comment` for a header that means one of these."""
    words = fold_header(header_text(name))
    for kind in ("points", "comment"):
        if any(words == usual or words.startswith(f"{usual}_") for usual in HEADER_NAMES[kind]):
            return kind
    return None

"""What answers can be filtered by: questions, authors and columns, with numbers of answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import Request

from searchkit.core.errors import NotFound
from searchkit.core.identity import author_key
from searchkit.core.records import Answer
from searchkit.pages.known_names import holds_names
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.segments import question_name
from searchkit.text.numbers import parse_number
from searchkit.web.index_pool import IndexPool, pool_of
from searchkit.web.jobs import Job
from searchkit.web.rendering import pseudonyms

MAX_SUGGESTIONS = 500  # of each kind, the most frequent
MAX_VALUES = 40  # different values of a column that are suggested; one with more is no category
MAX_VALUE_LENGTH = 60  # characters
SEPARATOR = ": "  # between the name and the value of a column
Counts = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Facets:
    """What answers have in common, with the number of answers, the most frequent first.

    Attributes:
        questions: Their names.
        authors: Their names, each in its first spelling.
        values: The spellings of each value of a column, by the name and the value in any case.
        columns: Names and values of the columns that are categories, as `name: value`.
    """

    questions: Counts = field(default_factory=list)
    authors: Counts = field(default_factory=list)
    values: dict[tuple[str, str], tuple[str, set[str]]] = field(default_factory=dict)
    columns: Counts = field(default_factory=list)


def facets_job(pool: IndexPool) -> Job[Facets]:
    """Return the job that counts what answers have in common."""
    return pool.job("facets", lambda index, _: count_facets(index.answers()), "anything changes")


def count_facets(answers: Iterable[Answer]) -> Facets:
    """Return what answers have in common; without columns of people, and without long values."""
    questions, authors = Counter[str](), Counter[str]()
    author_names: dict[str, str] = {}
    column_names: dict[str, str] = {}
    values: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for answer in answers:
        if answer.question:
            questions[answer.question] += 1
        if answer.author and (key := answer.author_key):
            authors[author_names.setdefault(key, answer.author)] += 1
        for name, value in answer.columns.items():
            if len(value) <= MAX_VALUE_LENGTH and (key := author_key(value)):
                column = column_names.setdefault(name.lower(), name)
                values[column][key][value] += 1
    values = {column: counts for column, counts in values.items() if not holds_names(column)}
    return Facets(
        questions.most_common(),
        authors.most_common(),
        {
            (column.lower(), key): (column, set(spellings))
            for column, counts in values.items()
            for key, spellings in counts.items()
        },
        [
            (f"{column}{SEPARATOR}{min(spellings)}", spellings.total())
            for column, counts in values.items()
            if _is_category(counts)
            for spellings in sorted(counts.values(), key=lambda one: (-one.total(), min(one)))
        ],
    )


def _is_category(values: dict[str, Counter[str]]) -> bool:
    """Whether a column's values are worth suggesting."""
    is_shared = any(spellings.total() > 1 for spellings in values.values())
    return is_shared and 1 < len(values) <= MAX_VALUES


def suggested_facets(request: Request) -> dict[str, Counts]:
    """Return the suggestions of the search form; empty while they are counted."""
    job = facets_job(pool_of(request))
    pool = pool_of(request)
    is_ready = pool.wait(job, pool.page_timeout) and not job.has_failed
    facets, names = job.get() if is_ready else Facets(), pseudonyms(request)
    shown = {
        "questions": [(question_name(one, names).text, n) for one, n in facets.questions],
        "authors": [(names.author(one) if names else one, n) for one, n in facets.authors],
        "columns": [one for one in facets.columns if not names or not _names_people(one[0], names)],
    }
    return {kind: counts[:MAX_SUGGESTIONS] for kind, counts in shown.items()}


def _names_people(text: str, names: Pseudonyms) -> bool:
    return names.replace_in_text(text) != text


def column_condition(request: Request, text: str) -> str | None:
    """Return the SQL of a filter that is written `name: value`, in any case; None for a blank one.

    Raises:
        NotFound: if no answer has that value in that column.
        IndexBusy: while the columns are still being counted.
    """
    name, _, value = text.partition(":")
    if not text.strip():
        return None
    pool = pool_of(request)
    facets = facets_job(pool)
    pool.wait(facets, pool.page_timeout)
    known = facets.get().values.get((name.strip().lower(), author_key(value) or ""))
    if known is None:
        raise NotFound(f"no answer has the column {text.strip()!r}; write it as name: value")
    column, values = known
    literals = sorted({literal for value in values for literal in _literals(value)})
    return f"{_quoted(column, chr(34))} IN ({', '.join(literals)})"


def _literals(value: str) -> list[str]:
    """Return a value as SQL compares it: as text, and as a number if it reads as one."""
    number = parse_number(value)
    return [_quoted(value, "'"), *([] if number is None else [repr(number)])]


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark

"""Attempts: the answers of one author to one question, numbered.

They are numbered by the time of submission where all times can be read, or else in the order in
which they were added. Answers without question or author, and references, are not numbered.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from searchkit.core.records import REFERENCE, Slot
from searchkit.index.storage.connection import SqliteDatabase
from searchkit.text.times import read_times

FindDamaged = Callable[[Sequence[int]], Collection[int]]
_MATCHES = (
    "FROM json_each(?) s CROSS JOIN answers a "
    "ON a.question IS json_extract(s.value, '$[0]') "
    "AND a.author_key IS json_extract(s.value, '$[1]')"
)


class Numbered(Protocol):
    """An answer with its number among those of its author to its question."""

    @property
    def submitted_at(self) -> str | None:
        """The time of submission, as written in the source."""

    @property
    def attempt(self) -> int:
        """Its number, from 1."""

    @property
    def attempts(self) -> int:
        """The number of these answers."""


N = TypeVar("N", bound=Numbered)


def is_numbered(slot: Slot) -> bool:
    """Whether answers are numbered: question and author are known, and it is no reference."""
    # A damaged row may have a value of any type.
    return all(isinstance(name, str) for name in slot) and slot[1] != REFERENCE


def renumbered(answers: Sequence[N]) -> Iterator[tuple[N, int, int]]:
    """Yield the answers of an author to a question whose numbers are others now, with these.

    Answers are ordered by the time of submission where all times can be read, or else as they are.

    Args:
        answers: All of them, in the order in which they were added.

    Yields:
        An answer, its attempt, and the number of attempts.
    """
    times = read_times(answer.submitted_at for answer in answers)
    if times:
        pairs = sorted(zip(times, answers, strict=True), key=lambda pair: pair[0])
        answers = [answer for _, answer in pairs]
    for number, answer in enumerate(answers, 1):
        if (answer.attempt, answer.attempts) != (number, len(answers)):
            yield answer, number, len(answers)


class _Member(NamedTuple):
    """An answer among those of its author to its question."""

    key: int
    submitted_at: str | None
    attempt: int
    attempts: int


def keys_in_slots(database: SqliteDatabase, slots: Collection[Slot]) -> list[int]:
    """Return the keys of the answers with these questions and authors, in order of attempt."""
    sql = f"SELECT a.key {_MATCHES} ORDER BY a.attempt, a.key"
    return [key for (key,) in database.rows(sql, [_as_json(slots)])]


def slots_of(database: SqliteDatabase, keys: Sequence[int]) -> set[Slot]:
    """Return the questions and authors of these answers."""
    sql = "SELECT DISTINCT question, author_key FROM answers WHERE key IN ({})"
    return set(database.rows_in(sql, keys))


def renumber(database: SqliteDatabase, slots: Collection[Slot], damaged: FindDamaged) -> None:
    """Number the attempts of these authors at these questions; part of a transaction.

    Args:
        database: A writer's.
        slots: Questions and authors.
        damaged: Returns those of some answers' keys whose rows are damaged. They are left as they
            are: a new checksum would hide that.
    """
    slots = [slot for slot in slots if is_numbered(slot)]
    several = database.rows(
        f"SELECT a.question, a.author_key {_MATCHES} "
        "GROUP BY 1, 2 HAVING count(*) > 1 OR max(a.attempts) > 1",
        [_as_json(slots)],
    )
    if not several:
        return
    rows = database.rows(
        "SELECT a.question, a.author_key, a.key, a.submitted_at, a.attempt, a.attempts "
        f"{_MATCHES} ORDER BY a.key",
        [_as_json(several)],
    )
    left_out = set(damaged([row[2] for row in rows]))
    members: dict[Slot, list[_Member]] = defaultdict(list)
    for question, author, *member in rows:
        if member[0] not in left_out:
            members[question, author].append(_Member(*member))
    database.connection.executemany(
        "UPDATE answers SET attempt = ?, attempts = ? WHERE key = ?",
        (
            (attempt, attempts, member.key)
            for answers in members.values()
            for member, attempt, attempts in renumbered(answers)
        ),
    )


def _as_json(slots: Collection[Slot]) -> str:
    return json.dumps(list(slots))

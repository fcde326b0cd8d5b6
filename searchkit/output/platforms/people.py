"""People and their marks: answers by person, totals, and what identifies a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from operator import attrgetter

from searchkit.core.errors import BadInput
from searchkit.core.messages import Message, counted
from searchkit.core.records import Answer, Slot
from searchkit.output.platforms.marks import MarkedAnswer, MarkedAnswers, listed_answers
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.text.numbers import Amount

EMAIL = HEADER_NAMES["email"]
ID_NUMBER = ("id_number", "idnumber", "matrikelnummer", "numero_d_identification")
USERNAME = ("username", "user_name", "anmeldename", "benutzername", "nom_d_utilisateur")
_PERSON = frozenset(
    (*EMAIL, *ID_NUMBER, *USERNAME, *HEADER_NAMES["author"], "uid", "uin", "sid", "id", "sis_id",
     *HEADER_NAMES["first_name"], *HEADER_NAMES["last_name"], "section", "participant")
)  # fmt: skip
_fold = lru_cache(maxsize=10_000)(fold_header)  # the same few names come with every answer


@dataclass(frozen=True, eq=False)
class Person:
    """A person's answers.

    Attributes:
        rows: The answers, at least one.
    """

    rows: Sequence[MarkedAnswer]

    @property
    def name(self) -> str:
        """The author's name; "" if it isn't known."""
        return self.rows[0].answer.author or ""

    def value(self, names: Sequence[str]) -> str:
        """Return the first value of the file's columns with one of these names; "" if none."""
        return next(filter(None, map(self._values.get, names)), "")

    @cached_property
    def _values(self) -> dict[str, str]:
        """The columns of the files by their folded names, as the first answer has them."""
        values: dict[str, str] = {}
        for row in self.rows:
            for name, value in row.answer.meta.items():
                values[_fold(name)] = values.get(_fold(name)) or value.strip()
        return values

    def of(self, question: str | None) -> list[MarkedAnswer]:
        """Return the answers to a question."""
        return [row for row in self.rows if row.answer.question == question]

    @property
    def is_complete(self) -> bool:
        """Whether all of the answers have a mark."""
        return all(row.mark for row in self.rows)

    @property
    def total(self) -> Amount | None:
        """The sum of the marks; None if an answer has none, so that it doesn't count as 0.

        Raises:
            BadInput: if some marks are in per cent and others are points.
        """
        amounts = [row.amount for row in self.rows]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(amounts):
            return None
        if len({amount.is_per_cent for amount in known}) > 1:
            raise BadInput(
                Message(
                    "{name}: some marks are in per cent and others are points; write all in points",
                    name=self.name,
                )
            )
        outs = [amount.out_of for amount in known if amount.out_of is not None]
        value = sum(amount.value for amount in known)
        if known[0].is_per_cent:
            return Amount(value, sum(outs), is_per_cent=True)
        return Amount(value, sum(outs) if len(outs) == len(known) else None)

    @property
    def comments(self) -> str:
        """The comments, a line each, with their questions if there are several."""
        if len(self.rows) == 1:
            return self.rows[0].comment
        return "\n".join(
            f"{row.answer.question}: {row.comment}" if row.answer.question else row.comment
            for row in self.rows
            if row.comment
        )


def by_person(
    rows: Sequence[MarkedAnswer],
    key: Callable[[Answer], str | None] = attrgetter("author_key"),
) -> tuple[list[Person], list[MarkedAnswer]]:
    """Return the people in the order of their first answers, and the answers that are nobody's.

    Args:
        rows: The answers.
        key: Returns what a person's answers have in common; None or "" if it isn't known.
    """
    people: dict[str, list[MarkedAnswer]] = {}
    unknown = []
    for row in rows:
        if own := key(row.answer):
            people.setdefault(own, []).append(row)
        else:
            unknown.append(row)
    return [Person(own) for own in people.values()], unknown


def questions_of(rows: Sequence[MarkedAnswer]) -> list[str | None]:
    """Return the questions, in the order of their first answers."""
    return list(dict.fromkeys(row.answer.question for row in rows))


def person_columns(rows: Sequence[MarkedAnswer]) -> list[str]:
    """Return the file's columns that say who a person is, in order."""
    names = dict.fromkeys(name for row in rows for name in row.answer.meta)
    return [name for name in names if _fold(name) in _PERSON]


def file_value(answer: Answer, names: Sequence[str]) -> str:
    """Return the value of the first of some columns of an answer's file, by their folded names."""
    values = {_fold(name): value.strip() for name, value in answer.meta.items()}
    return next(filter(None, map(values.get, names)), "")


def incomplete(people: Sequence[Person]) -> list[str]:
    """Return a line on the people whose marks are not complete; none if there are none."""
    waiting = [person for person in people if not person.is_complete]
    missing = [row for person in waiting for row in person.rows if not row.mark]
    who = "1 person stays" if len(waiting) == 1 else f"{len(waiting):,} people stay"
    what = f"{counted(len(missing), 'answer')} {'has' if len(missing) == 1 else 'have'} no mark"
    return [f"{who} blank, as {what}: {listed_answers(missing)}"] if missing else []


def latest_attempts(marked: MarkedAnswers) -> tuple[MarkedAnswers, list[str]]:
    """Return the latest of each person's attempts, and a line on marks that don't count so."""
    latest: dict[Slot, int] = {}
    for row in marked.rows:
        slot = row.answer.slot
        latest[slot] = max(row.answer.attempt, latest.get(slot, 0))
    kept = [row for row in marked.rows if row.answer.attempt == latest[row.answer.slot]]
    earlier = [
        row for row in marked.rows if row.mark and row.answer.attempt < latest[row.answer.slot]
    ]
    what = f"{counted(len(earlier), 'mark')} of earlier attempts left out"
    notes = [f"{what}: {listed_answers(earlier)}"] if earlier else []
    return replace(marked, rows=kept), notes

"""Ids that are free: ID, ID#2, ID#3 …, and the stored answers that have such ids."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from searchkit.core.identity import canonical
from searchkit.core.records import Answer, Slot

LOOK_AHEAD = 8  # numbers that are looked up at once; a gap of as many ends a family


class Lookup(Protocol):
    """What an ingest reads of an index."""

    def get_replaceable(self, ids: Sequence[str], /) -> dict[str, Answer]:
        """Return the answers with these ids, by id."""

    def find_slots(self, slots: Collection[Slot], /) -> dict[Slot, list[Answer]]:
        """Return the answers of each author to each question, in order of attempt."""


def numbered(id_: str, number: int) -> str:
    """Return the id of the answer with this number among those that share an id."""
    return id_ if number == 1 else f"{id_}#{number}"


def _content(row: Answer) -> int:
    return hash((row.slot, canonical(row.text)))


def place_of(source: str | None, line: int | None) -> str:
    """Return where a row stands, for messages."""
    return f"{source or 'an earlier answer'}" + (f":{line}" if line is not None else "")


class ReadIds:
    """The ids that the rows of one ingest got, and where each was read first."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._first: dict[str, tuple[str | None, int | None, int]] = {}
        self._beside: set[tuple[str, int]] = set()  # id and content of rows that got another id
        self._next: dict[str, int] = {}  # `_first` has all numbers from 2 to below this one

    def __contains__(self, id_: object) -> bool:
        """Whether a row has this id."""
        return id_ in self._first

    def place(self, id_: str) -> str:
        """Return where the first row with this id stands, for messages."""
        source, line, _ = self._first[id_]
        return place_of(source, line)

    def take(self, row: Answer, id_: str) -> None:
        """Note that a row has this id; what is known of the first one stays."""
        self._first.setdefault(id_, (row.source, row.line, _content(row)))
        if id_ != row.id:
            self._beside.add((row.id, _content(row)))

    def is_repeated(self, row: Answer) -> bool:
        """Whether a row before it has the same id, question, author and text; remember this one."""
        content = _content(row)
        if (row.id, content) in self._beside:
            return True
        if row.id in self._first and self._first[row.id][2] == content:
            return True
        self._beside.add((row.id, content))
        return False

    def claim(self, rows: Sequence[Answer], bases: Sequence[str]) -> list[str]:
        """Take a free id for each row: its base, or the first free number after it, in order."""
        ids = [""] * len(rows)
        waiting = list(range(len(rows)))
        tried: dict[str, int] = {}
        while waiting:
            candidates = []
            for row in waiting:
                base = bases[row]
                tried[base] = self._free_number(base, tried.get(base, 0) + 1)
                candidates.append((base, numbered(base, tried[base])))
            stored = self._lookup.get_replaceable([id_ for _, id_ in candidates])
            free: dict[str, deque[str]] = defaultdict(deque)
            for base, id_ in candidates:
                if id_ not in stored:
                    free[base].append(id_)
            for row in waiting:
                if free[bases[row]]:
                    ids[row] = free[bases[row]].popleft()
                    self.take(rows[row], ids[row])
            waiting = [row for row in waiting if not ids[row]]
        return ids

    def family(self, bases: Iterable[str]) -> dict[str, list[Answer]]:
        """Return the stored answers BASE, BASE#2, BASE#3 …, without those that rows have."""
        found: dict[str, list[Answer]] = {base: [] for base in bases}
        start = {base: self._free_number(base, 1) for base in found}
        while start:
            numbers = {
                numbered(base, number): base
                for base, first in start.items()
                for number in range(first, first + LOOK_AHEAD)
            }
            stored = self._lookup.get_replaceable([id_ for id_ in numbers if id_ not in self])
            for id_, base in numbers.items():
                if id_ in stored:
                    found[base].append(stored[id_])
            going_on = {base for id_, base in numbers.items() if id_ in stored or id_ in self}
            start = {base: start[base] + LOOK_AHEAD for base in going_on}
        return found

    def _free_number(self, base: str, number: int) -> int:
        """Return the first number from this one on that no row has."""
        if number == 1 and base not in self:
            return 1
        known = self._next.get(base, 2)
        first = number = max(number, known)
        while numbered(base, number) in self:
            number += 1
        if number > first == known:
            self._next[base] = number
        return number

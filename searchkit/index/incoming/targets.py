"""Where an ingest writes: an index, or a rehearsal that only counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from searchkit.core.progress import Progress
from searchkit.core.records import Answer, Slot
from searchkit.index.backend import count_lone
from searchkit.index.base import BaseIndex
from searchkit.index.embedding import is_unchanged
from searchkit.index.incoming.ids import Lookup
from searchkit.index.incoming.records import Update
from searchkit.index.records import Added


class Target(Lookup, Protocol):
    """What an ingest reads and writes."""

    @property
    def model_name(self) -> str | None:
        """The name of the index's model; None if there is no index yet."""

    def is_empty(self) -> bool:
        """Whether there is no answer yet."""

    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question."""

    def lone_questions(self) -> int:
        """Return the number of questions if each has a name and one author, and 0 if not."""

    def answers(self) -> Iterator[Answer]:
        """Stream all answers."""

    def load_model(self) -> None:
        """Load what embeds texts, if anything is to be embedded."""

    def write(self, updates: Sequence[Update], progress: Progress | None) -> Added:
        """Write answers, each id once; all of them or none."""

    def remove(self, ids: Sequence[str], /) -> int:
        """Delete answers, and erase them; return how many."""


class Writer:
    """Writes into an index.

    Args:
        index: Open for writing.
    """

    def __init__(self, index: BaseIndex) -> None:
        self._index = index
        self.get_replaceable = index.get_replaceable
        self.find_slots = index.find_slots
        self.by_question = index.by_question
        self.lone_questions = index.lone_questions
        self.answers = index.answers
        self.remove = index.remove
        self.is_empty = index.is_empty

    @property
    def model_name(self) -> str | None:
        """The name of the index's model."""
        return self._index.model.name

    def load_model(self) -> None:
        """Load the index's model, which texts that are new or changed need."""
        _ = self._index.encoder

    def write(self, updates: Sequence[Update], progress: Progress | None) -> Added:
        """Add or replace answers, in one transaction.

        What was written in an answer that makes room for another one, or decided about it, goes.
        """
        stored = {update.old.id: update.old for update in updates if update.old}
        others = {update.new.id for update in updates if update.is_other}
        answers = [update.new for update in updates]
        return self._index.add_over(stored, answers, progress, others=others)


class Rehearsal:
    """Writes nothing, and remembers what an index would have after each batch but the texts.

    Args:
        index: The index, open for reading; None if there is none yet.
    """

    def __init__(self, index: BaseIndex | None) -> None:
        self._index = index
        self.model_name = None if index is None else index.model.name
        self._added: dict[str, Answer] = {}
        self._slots: dict[Slot, list[Answer]] = defaultdict(list)

    def is_empty(self) -> bool:
        """Whether the index, if there is one, has no answer yet."""
        return self._index is None or self._index.is_empty()

    def load_model(self) -> None:
        """Load nothing: nothing is embedded."""

    def get_replaceable(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers with these ids, by id."""
        stored = {} if self._index is None else self._index.get_replaceable(ids)
        return {id_: self._added[id_] for id_ in ids if id_ in self._added} | stored

    def find_slots(self, slots: Collection[Slot]) -> dict[Slot, list[Answer]]:
        """Return the answers of each author to each question, in order of attempt."""
        stored = {} if self._index is None else self._index.find_slots(slots)
        added = {slot: self._slots[slot] for slot in slots if slot in self._slots}
        return stored | {slot: [*stored.get(slot, ()), *rows] for slot, rows in added.items()}

    def by_question(self) -> list[dict[str, Any]]:
        """Return the number of answers and authors of each question, with the new ones."""
        stored = [] if self._index is None else self._index.by_question()
        rows = {row["question"]: row for row in stored}
        for (question, author), answers in self._slots.items():
            row = rows.setdefault(question, {"question": question, "answers": 0, "authors": 0})
            row["answers"] += len(answers)
            row["authors"] += author is not None
        return list(rows.values())

    def lone_questions(self) -> int:
        """Return the number of questions if each has a name and one author, and 0 if not."""
        return count_lone(self.by_question())

    def answers(self) -> Iterator[Answer]:
        """Stream all answers of the index as it is."""
        return iter(()) if self._index is None else self._index.answers()

    def remove(self, ids: Sequence[str]) -> int:
        """Return how many answers would be deleted."""
        return len(ids)

    def write(self, updates: Sequence[Update], progress: Progress | None) -> Added:
        """Return what writing these would change, and remember the new ones."""
        added = updated = 0
        for update in updates:
            answer, old = update.new, update.old
            if old is None or old.slot != answer.slot:
                self._slots[answer.slot].append(replace(answer, text="", original=None, meta={}))
            if old is None:
                added += 1
                self._added[answer.id] = self._slots[answer.slot][-1]
            elif not is_unchanged(old, answer):
                updated += 1
        return Added(added, updated, len(updates) - added - updated)

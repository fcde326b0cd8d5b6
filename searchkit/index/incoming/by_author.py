"""Rows without an id in the file, but with an author: who answered what says which they are."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

from searchkit.core.identity import canonical, make_id
from searchkit.core.records import Answer, Slot
from searchkit.index.incoming.identity import Identity, answers_another_column, is_blank
from searchkit.index.incoming.ids import ReadIds
from searchkit.index.incoming.records import Update
from searchkit.text.times import read_times

Key = Callable[[Answer], Hashable | None]


class AuthorMatcher:
    """Finds for each row the answer of its author to its question that it is.

    Within a batch, rows are matched in this order:

    - by text and time of submission, then by text;
    - by time of submission, if the question is known: the text was changed;
    - the only row to the only stored answer, if the question is known and one of the times isn't;
    - the only row, if it is empty, to the latest answer, whose text stays;
    - any row to an answer that is empty.

    Every other row is another attempt, or, where the question isn't known, maybe the answer to
    another question. It gets the next free number.

    Args:
        ids: The ids of all rows so far.
        identity: Merges answers that are the same.
    """

    def __init__(self, ids: ReadIds, identity: Identity) -> None:
        self._ids = ids
        self._identity = identity

    def match(
        self, rows: Sequence[Answer], stored: Mapping[Slot, Sequence[Answer]]
    ) -> list[Update]:
        """Return what to write for a batch of rows, with `stored` answers of the same slots."""
        by_slot: dict[Slot, list[Answer]] = defaultdict(list)
        for row in rows:
            by_slot[row.slot].append(row)
        updates, new = [], []
        for slot, answers in by_slot.items():
            for row, old in self._pairs(answers, stored.get(slot, ())):
                if old is None:
                    new.append(row)
                else:
                    self._ids.take(row, old.id)
                    updates.append(self._identity.update(old, row))
        bases = [make_id(row.question, row.author, row.text) for row in new]
        for id_, row in zip(self._ids.claim(new, bases), new, strict=True):
            updates.append(Update(replace(row, id=id_), None))
        return updates

    def _pairs(
        self, rows: Sequence[Answer], stored: Sequence[Answer]
    ) -> list[tuple[Answer, Answer | None]]:
        """Return each row of one author and question with the stored answer that it is."""
        free = {old.id: old for old in stored if old.id not in self._ids}
        pairs: dict[int, Answer] = {}  # by the row's number
        if free:
            for key in (_text_and_time, _text, _time_at_question):
                _pair_equal(rows, free, key, pairs)
            for number, row in enumerate(rows):
                if number not in pairs:
                    old = self._find_successor(row, stored, free, is_only=len(rows) == 1)
                    if old:
                        pairs[number] = free.pop(old.id)
        return [(row, pairs.get(number)) for number, row in enumerate(rows)]

    def _find_successor(
        self,
        row: Answer,
        stored: Sequence[Answer],
        free: Mapping[str, Answer],
        *,
        is_only: bool,
    ) -> Answer | None:
        """Return the answer that a row with another text, and maybe another time, updates."""
        latest = stored[-1]
        if row.question is None and any(answers_another_column(old, row) for old in stored):
            return None
        is_same_question = row.question is not None
        if not is_same_question and len(stored) > 1:
            return None
        has_other_time = None not in (times := {_time(row), _time(latest)}) and len(times) > 1
        if is_only and latest.id in free and not has_other_time:
            if self._identity.leaves_text(row) or (is_same_question and len(stored) == 1):
                return latest
        return next((old for old in free.values() if is_blank(old)), None)


def _pair_equal(
    rows: Sequence[Answer], free: dict[str, Answer], key: Key, pairs: dict[int, Answer]
) -> None:
    """Pair rows and stored answers with equal keys, each once; None is equal to nothing."""
    waiting: dict[Hashable, deque[Answer]] = defaultdict(deque)
    for old in free.values():
        waiting[key(old)].append(old)
    for number, row in enumerate(rows):
        value = key(row)
        if number not in pairs and value is not None and waiting.get(value):
            old = waiting[value].popleft()
            pairs[number] = free.pop(old.id)


def _text_and_time(answer: Answer) -> Hashable:
    return canonical(answer.text), _time(answer)


def _text(answer: Answer) -> Hashable:
    return canonical(answer.text)


def _time_at_question(answer: Answer) -> Hashable | None:
    """Return the time of an answer; None without a question, since a form has one time for all."""
    return None if answer.question is None else _time(answer)


def _time(answer: Answer) -> Hashable | None:
    """Return the time of submission, however it is written; None if it isn't known."""
    text = (answer.submitted_at or "").strip()
    times = read_times([text]) if text else None
    return times[0] if times else text or None
